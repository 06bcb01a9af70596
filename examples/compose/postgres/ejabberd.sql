-- Run once by PostgreSQL's image, before ejabberd comes. The password comes from its file, never through arguments.
\set password `cat /run/secrets/ejabberd_database_password`
CREATE ROLE ejabberd LOGIN PASSWORD :'password';
CREATE DATABASE ejabberd OWNER ejabberd ENCODING 'UTF8' TEMPLATE template0;
