-- Run as PostgreSQL's superuser in ejabberd's database:  sudo -u postgres psql ejabberd
-- Columns, not tables: no password, message, contact or session column is among them.
DO $$
DECLARE
	readable record;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ejabberd_exporter') THEN
		CREATE ROLE ejabberd_exporter LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION CONNECTION LIMIT 10;
	END IF;
	EXECUTE format('GRANT CONNECT ON DATABASE %I TO ejabberd_exporter', current_database());
	FOR readable IN
		SELECT c.oid::regclass AS relation, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS list
		FROM (VALUES
			('archive', 'server_host'),
			('archive', 'timestamp'),
			('invite_token', 'expires'),
			('invite_token', 'server_host'),
			('last', 'seconds'),
			('last', 'server_host'),
			('last', 'state'),
			('last', 'username'),
			('muc_online_room', 'host'),
			('muc_online_room', 'server_host'),
			('muc_room', 'host'),
			('muc_room', 'server_host'),
			('muc_room_subscribers', 'host'),
			('oauth_token', 'jid'),
			('private_storage', 'namespace'),
			('private_storage', 'server_host'),
			('pubsub_item', 'nodeid'),
			('pubsub_node', 'host'),
			('pubsub_node', 'nodeid'),
			('push_session', 'server_host'),
			('push_session', 'timestamp'),
			('rosterusers', 'ask'),
			('rosterusers', 'server_host'),
			('sm', 'server_host'),
			('sm', 'username'),
			('spool', 'created_at'),
			('spool', 'server_host'),
			('spool', 'username'),
			('users', 'created_at'),
			('users', 'iterationcount'),
			('users', 'server_host'),
			('users', 'type'),
			('users', 'username'),
			('vcard', 'created_at'),
			('vcard', 'server_host')
		) AS wanted (relation, attribute)
		JOIN pg_class c ON c.relname = wanted.relation AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = wanted.attribute AND NOT a.attisdropped
		GROUP BY c.oid
	LOOP
		EXECUTE format('GRANT SELECT (%s) ON %s TO ejabberd_exporter', readable.list, readable.relation);
	END LOOP;
END
$$;
GRANT USAGE ON SCHEMA public TO ejabberd_exporter;
ALTER ROLE ejabberd_exporter SET default_transaction_read_only = on;
ALTER ROLE ejabberd_exporter SET statement_timeout = '10s';
ALTER ROLE ejabberd_exporter SET lock_timeout = '500ms';
ALTER ROLE ejabberd_exporter SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE ejabberd_exporter SET log_parameter_max_length = 0;
ALTER ROLE ejabberd_exporter SET log_parameter_max_length_on_error = 0;
-- Every role may make temporary tables, of no use to anybody here. To take that from all of them, if ejabberd is alone in its database:
-- REVOKE TEMPORARY ON DATABASE ejabberd FROM PUBLIC;
-- On the same host the Unix socket needs no password if the service runs as a system user of this name.
-- Otherwise:  \password ejabberd_exporter   and PGPASSWORD or --database.password-file for the exporter.
