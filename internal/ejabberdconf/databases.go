// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// databases finds the PostgreSQL database of each vhost that keeps anything in SQL.
func (r *reader) databases() {
	for _, vhost := range r.Hosts {
		if r.accountsInSQL(vhost) {
			r.AccountsInSQL = append(r.AccountsInSQL, vhost)
		}
		if !r.usesSQL(vhost) {
			continue
		}
		if r.options.text(vhost, "sql_type", "odbc") != "pgsql" {
			r.notef("%s: %s keeps data in an SQL database that is not PostgreSQL, which is not supported: nothing is read from it", r.Path, vhost)
			continue
		}
		r.addDatabase(r.database(vhost))
	}
}

// addDatabase keeps one entry for each database, however many vhosts live in it.
func (r *reader) addDatabase(db Database) {
	for i := range r.Databases {
		known := &r.Databases[i]
		if known.Host == db.Host && known.Port == db.Port && known.Name == db.Name {
			known.Vhosts = append(known.Vhosts, db.Vhosts...)
			// More than one: a number for one of them would be a wrong one.
			if known.PoolSize != db.PoolSize {
				known.PoolSize = 0
			}
			if known.Role != db.Role {
				known.Role = ""
			}
			return
		}
	}
	r.Databases = append(r.Databases, db)
}

func (r *reader) database(vhost string) Database {
	db := Database{
		Host:     r.options.text(vhost, "sql_server", "localhost"),
		Port:     5432,
		Name:     r.options.text(vhost, "sql_database", "ejabberd"),
		Role:     r.options.text(vhost, "sql_username", "ejabberd"),
		Vhosts:   []string{vhost},
		PoolSize: 10,
	}
	if n, ok := r.options.value(vhost, "sql_port"); ok {
		if port, ok := n.port(); ok {
			db.Port = port
		} else {
			r.misread(n, "sql_port", "a number up to 65535")
		}
	}
	if n, ok := r.options.value(vhost, "sql_pool_size"); ok {
		if size, ok := n.number(); ok && size > 0 && size < 1<<20 {
			db.PoolSize = int(size)
		} else {
			r.misread(n, "sql_pool_size", "a number")
		}
	}
	for _, option := range []string{"new_sql_schema", "sql_schema_multihost"} {
		if n, ok := r.options.value("", option); ok {
			if db.MultiHost, ok = n.boolean(); !ok {
				r.misread(n, option, "true or false")
			}
		}
	}
	if socket, ok := strings.CutPrefix(db.Host, "unix:"); ok {
		db.Host = socket
		// libpq and pgx want the directory; the socket's name carries the port.
		if port, ok := strings.CutPrefix(path.Base(socket), ".s.PGSQL."); ok {
			if number, err := strconv.ParseUint(port, 10, 16); err == nil && number > 0 {
				db.Host, db.Port = path.Dir(socket), int(number)
			}
		}
	}
	return db
}

// sessions finds the vhosts whose sessions are in SQL.
func (r *reader) sessions() {
	for _, vhost := range r.Hosts {
		if isSQL(r.options.text(vhost, "sm_db_type", r.options.text(vhost, "default_ram_db", "mnesia"))) {
			r.SessionsInSQL = append(r.SessionsInSQL, vhost)
		}
	}
}

// usesSQL says whether a vhost keeps anything in SQL: a database that is configured but used by nothing is not even opened.
func (r *reader) usesSQL(vhost string) bool {
	for _, option := range []string{"default_db", "default_ram_db", "sm_db_type"} {
		if isSQL(r.options.text(vhost, option, "mnesia")) {
			return true
		}
	}
	for _, m := range r.options.entries(vhost, "modules") {
		for _, option := range m.value.entries() {
			if option.key == "db_type" || option.key == "ram_db_type" {
				if text, _ := option.value.text(); isSQL(text) {
					return true
				}
			}
		}
	}
	return r.accountsInSQL(vhost)
}

func (r *reader) accountsInSQL(vhost string) bool {
	methods := r.options.items(vhost, "auth_method")
	if len(methods) == 0 {
		return isSQL(r.options.text(vhost, "default_db", "mnesia"))
	}
	return slices.ContainsFunc(methods, func(n node) bool {
		text, _ := n.text()
		return isSQL(text)
	})
}

// isSQL understands the name of old as well.
func isSQL(backend string) bool { return backend == "sql" || backend == "odbc" }
