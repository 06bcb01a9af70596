\set password `cat /run/secrets/exporter_database_password`
ALTER ROLE ejabberd_exporter PASSWORD :'password';
