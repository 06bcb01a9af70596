// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestSchemas: the tables decide what is counted, whatever the configuration says of them.
func TestSchemas(t *testing.T) {
	t.Parallel()
	service.Require(t)
	server := service.PostgresForTest(t, "")
	one, two := "hosts: [chapril.test]", "hosts: [chapril.test, libre.test]"
	for name, c := range map[string]struct {
		schema, sql, hosts string
		numbers            map[string]float64
		absent             []string
		failing            string // what accounts says, if it fails
	}{
		"old schema, one vhost": {
			schema: "pg.sql", hosts: one,
			sql:     `INSERT INTO users (username, password) VALUES ('a', ''), ('b', '')`,
			numbers: map[string]float64{`ejabberd_accounts{vhost="chapril.test"}`: 2, `ejabberd_accounts_created{vhost="chapril.test",window="1h"}`: 2},
		},
		"old schema, two vhosts": {
			schema: "pg.sql", hosts: two,
			sql:     `INSERT INTO users (username, password) VALUES ('a', ''), ('b', '')`,
			numbers: map[string]float64{`ejabberd_accounts{vhost="shared"}`: 2},
			absent:  []string{`ejabberd_accounts{vhost="chapril.test"}`, `ejabberd_accounts{vhost="libre.test"}`},
		},
		"new schema that the configuration calls old": {
			schema: "pg.new.sql", hosts: two + "\nnew_sql_schema: false",
			sql:     `INSERT INTO users (username, server_host, password) VALUES ('a', 'chapril.test', ''), ('b', 'gone.test', '')`,
			numbers: map[string]float64{`ejabberd_accounts{vhost="chapril.test"}`: 1, `ejabberd_accounts{vhost="libre.test"}`: 0},
			absent:  []string{`ejabberd_accounts{vhost="gone.test"}`, `ejabberd_accounts{vhost="other"}`},
		},
		"several rows per account": {
			schema: "pg.new.sql", hosts: two,
			sql: `ALTER TABLE users ADD COLUMN type smallint NOT NULL DEFAULT 1, DROP CONSTRAINT users_pkey, ADD PRIMARY KEY (server_host, username, type);
				INSERT INTO users (username, server_host, password, type, created_at) VALUES
					('a', 'chapril.test', '', 1, localtimestamp - interval '3 days'), ('a', 'chapril.test', '', 2, localtimestamp),
					('a', 'chapril.test', '', 3, localtimestamp), ('b', 'chapril.test', '', 4, localtimestamp), ('a', 'libre.test', '', 1, localtimestamp)`,
			numbers: map[string]float64{
				`ejabberd_accounts{vhost="chapril.test"}`: 2, `ejabberd_accounts{vhost="libre.test"}`: 1,
				`ejabberd_accounts_created{vhost="chapril.test",window="1h"}`: 1, `ejabberd_accounts_created{vhost="chapril.test",window="7d"}`: 2,
			},
		},
		"empty database":        {hosts: two, sql: `SELECT`, failing: "this is not ejabberd's schema, or one that is not known: check the database's name"},
		"somebody else's table": {hosts: two, sql: `CREATE TABLE users (id int, mail text)`, failing: "this is not ejabberd's schema"},
	} {
		t.Run(name, func(t *testing.T) {
			db := makeDatabase(t, server, c.schema)
			execute(t, db, c.sql)
			prepareRole(t, db)
			d := serve(t, "--ejabberd.config="+sqlConfig(t, db, c.hosts), "--database.password-file="+file(t, "password", rolePassword))
			var complaints complaint
			if c.failing != "" {
				complaints = of(c.failing, "accounts", "credentials", "names")
			}
			page := d.failing(t, complaints)
			want(t, page, c.numbers)
			for _, series := range c.absent {
				if n, there := number(page, series); there {
					t.Errorf("%s is %v, but is not known", series, n)
				}
			}
			want(t, page, map[string]float64{fmt.Sprintf(`ejabberd_database_up{database="%s"}`, db.Name): 1})
		})
	}
}

// makeDatabase makes a database for one test, with the tables of one of ejabberd's schema files, or none.
func makeDatabase(t *testing.T, server *service.Postgres, schema string) *service.Database {
	t.Helper()
	name := strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, t.Name()))
	if schema != "" {
		db, err := server.CreateDatabase(t.Context(), name, schema)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	execute(t, &service.Database{Postgres: server, Name: "postgres"}, "CREATE DATABASE "+name)
	return &service.Database{Postgres: server, Name: name, Role: "nobody"}
}

func prepareRole(t *testing.T, db *service.Database) {
	t.Helper()
	execute(t, db, grants(collector.ByDefault()))
	execute(t, db, "ALTER ROLE ejabberd_exporter PASSWORD '"+rolePassword+"'")
}

// sqlConfig writes an ejabberd.yml that names a database and nothing else that the exporter could read.
func sqlConfig(t *testing.T, db *service.Database, hosts string) (path string) {
	t.Helper()
	return file(t, "ejabberd.yml", fmt.Sprintf(`%s
auth_method: sql
default_db: sql
sql_type: pgsql
sql_server: 127.0.0.1
sql_port: %d
sql_database: %s
sql_username: %s
sql_password: %s
`, hosts, db.Postgres.Port, db.Name, db.Role, "ejabberds-own-"+service.Canary))
}
