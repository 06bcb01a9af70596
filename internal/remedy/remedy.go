// SPDX-License-Identifier: Apache-2.0

// Package remedy holds the exact lines that give the exporter what it lacks, and nothing more: for ejabberd.yml, PostgreSQL and
// systemd. --check prints them; the files under examples/ are made from them.
package remedy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
)

// Needs tells which of the texts of this package give what was refused, be it a choice. What is only down needs none.
func Needs(err error) (api, role, directory bool) {
	refused := (*ejabberd.Refused)(nil)
	return errors.As(err, &refused) || errors.Is(err, ejabberd.ErrNoAPI), database.Refused(err), errors.Is(err, fs.ErrPermission)
}

// API are the lines for ejabberd.yml that let local processes call commands that return numbers, on a loopback port of its own.
func API(port int, vhost string) string {
	numbers, personal := ejabberd.Commands()
	return fmt.Sprintf(`# Write these lines to /etc/ejabberd/exporter.yml, have it read by a line in ejabberd.yml, and reload:
#   include_config_file: /etc/ejabberd/exporter.yml
#   ejabberdctl reload_config
listen:
  - port: %d
    ip: "127.0.0.1"
    module: ejabberd_http
    tag: exporter
    request_handlers:
      /api: mod_http_api
api_permissions:
  "exporter: numbers, for any process of this host":
    from:
      - tag: exporter
    who:
      ip: 127.0.0.1/32
    what:
%s
`, port, items("      - ", numbers)) + forAccount(vhost, append(numbers, personal...))
}

// forAccount is the part for a dedicated account, commented out: it is a choice, and needs a password.
func forAccount(vhost string, commands []string) string {
	if native, err := idna.Lookup.ToUnicode(vhost); err == nil {
		vhost = native // by its name in the DNS ejabberd knows no host, and no account there
	}
	return fmt.Sprintf(`# Who is online (accounts online and active, kinds of connections) is a choice of its own: these commands list
# addresses of people, so only an account made for it may call them. The exporter keeps none of it.
#   ejabberdctl register exporter %[1]s PASSWORD
#   --ejabberd.user=exporter@%[1]s --ejabberd.password-file=FILE
#acl:
#  exporter:
#    user: exporter@%[1]s
#api_permissions:
#  "exporter: sessions, for its account":
#    from:
#      - mod_http_api
#    who:
#      - access:
#          - allow:
#              - acl: exporter
#    what:
%[2]s
`, cmp.Or(vhost, "HOST"), items("#      - ", commands))
}

// items writes a YAML list.
func items(indent string, names []string) string { return indent + strings.Join(names, "\n"+indent) }

// Grants is the SQL that makes the exporter's role and grants it the columns that the collectors declare, and no others. It fits
// every schema of ejabberd's: tables and columns that do not exist are passed over, and it may be run again after an upgrade.
func Grants(columns map[string][]string) string {
	var rows []string
	for _, table := range slices.Sorted(maps.Keys(columns)) {
		for _, column := range slices.Sorted(slices.Values(columns[table])) {
			rows = append(rows, fmt.Sprintf("\t\t\t('%s', '%s')", table, column))
		}
	}
	return fmt.Sprintf(`-- Run as PostgreSQL's superuser in ejabberd's database:  sudo -u postgres psql ejabberd
-- Columns, not tables: no password, message, contact or session column is among them.
DO $$
DECLARE
	readable record;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') THEN
		CREATE ROLE %[1]s LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION CONNECTION LIMIT 10;
	END IF;
	EXECUTE format('GRANT CONNECT ON DATABASE %%I TO %[1]s', current_database());
	FOR readable IN
		SELECT c.oid::regclass AS relation, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS list
		FROM (VALUES
%[2]s
		) AS wanted (relation, attribute)
		JOIN pg_class c ON c.relname = wanted.relation AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = wanted.attribute AND NOT a.attisdropped
		GROUP BY c.oid
	LOOP
		EXECUTE format('GRANT SELECT (%%s) ON %%s TO %[1]s', readable.list, readable.relation);
	END LOOP;
END
$$;
GRANT USAGE ON SCHEMA public TO %[1]s;
ALTER ROLE %[1]s SET default_transaction_read_only = on;
ALTER ROLE %[1]s SET statement_timeout = '10s';
ALTER ROLE %[1]s SET lock_timeout = '500ms';
ALTER ROLE %[1]s SET idle_in_transaction_session_timeout = '10s';
ALTER ROLE %[1]s SET log_parameter_max_length = 0;
ALTER ROLE %[1]s SET log_parameter_max_length_on_error = 0;
-- Every role may make temporary tables, of no use to anybody here. To take that from all of them, if ejabberd is alone in its database:
-- REVOKE TEMPORARY ON DATABASE ejabberd FROM PUBLIC;
-- On the same host the Unix socket needs no password if the service runs as a system user of this name.
-- Otherwise:  \password %[1]s   and PGPASSWORD or --database.password-file for the exporter.
`, database.Role, strings.Join(rows, ",\n"))
}

// Systemd is the drop-in that lets the hardened unit see upload directories below ejabberd's own directory, which is closed to
// everybody else, without seeing anything beside them.
func Systemd(docroots ...string) string {
	var b strings.Builder
	b.WriteString("# /etc/systemd/system/ejabberd-exporter.service.d/uploads.conf, then: systemctl daemon-reload && systemctl restart ejabberd-exporter\n[Service]\n")
	if slices.ContainsFunc(docroots, func(d string) bool { return strings.HasPrefix(d, "/var/lib/ejabberd/") }) {
		b.WriteString("TemporaryFileSystem=/var/lib/ejabberd:ro\n")
	}
	b.WriteString("# Restart it again after the first upload at a host: that is when ejabberd makes a directory. Until then the - lets it start without.\n")
	for _, docroot := range slices.Compact(slices.Sorted(slices.Values(docroots))) {
		b.WriteString("BindReadOnlyPaths=-" + docroot + "\n")
	}
	return b.String()
}
