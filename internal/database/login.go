// SPDX-License-Identifier: Apache-2.0

package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// Role is the exporter's own PostgreSQL role unless another one is configured.
const Role = "ejabberd_exporter"

// socketDirs are where PostgreSQL's Unix socket lies on the systems that ejabberd is packaged for.
var socketDirs = []string{"/var/run/postgresql", "/tmp"}

// errEnvironment quotes nothing, because pgx quotes a password behind the first quotation mark in it.
var errEnvironment = errors.New("how to log in to ejabberd's database is not understood: look at PGSSLMODE, PGSSLROOTCERT and the other PG* variables, " +
	"and at sql_server in ejabberd.yml")

// Login decides how the exporter logs in to a database that ejabberd uses. url (a PostgreSQL URL or key=value string, may be
// empty) and the PG* environment come first; what they leave open is the address that ejabberd uses, the database's name and the
// exporter's own role. Without any password the local socket is tried, where peer authentication needs none.
func Login(db ejabberdconf.Database, url, password string) (*pgx.ConnConfig, error) {
	if err := guardedPassfile(); err != nil {
		return nil, err
	}
	login, err := pgx.ParseConfig(url)
	if err != nil && url == "" {
		return nil, errEnvironment
	}
	if err != nil {
		// pgx quotes the string, which may hold a password.
		return nil, errors.New("--database.url is not understood: give postgres://ROLE@HOST:PORT/DATABASE, and the password by PGPASSWORD or --database.password-file")
	}
	if url != "" {
		if password != "" {
			login.Password = password
		}
		return login, nil
	}
	set := func(env string) bool { return os.Getenv(env) != "" || os.Getenv("PGSERVICE") != "" }
	if !set("PGUSER") {
		login.User = Role
	}
	if !set("PGDATABASE") {
		login.Database = db.Name
	}
	if !set("PGPORT") {
		login.Port = uint16(db.Port)
		for _, next := range login.Fallbacks { // the other hosts of PGHOST, and each one without TLS
			next.Port = login.Port
		}
	}
	if password != "" {
		login.Password = password
	}
	if set("PGHOST") {
		return login, nil
	}
	// TLS settings and fallbacks of pgx follow the host: parse again with the right one.
	if login, err = pgx.ParseConfig(keywords(login, host(db, login))); err != nil {
		return nil, errEnvironment
	}
	return login, nil
}

// guardedPassfile refuses a file of passwords that everybody may read, as PostgreSQL's own programs do; pgx does not look.
func guardedPassfile() error {
	file, err := os.Open(os.Getenv("PGPASSFILE")) //nolint:gosec // the operator's own file
	if err != nil {
		return nil //nolint:nilerr // without the file there is no password in it
	}
	defer func() { _ = file.Close() }()
	if err := secret.Guarded(file); err != nil {
		return fmt.Errorf("PGPASSFILE: %w", err)
	}
	return nil
}

// host is the socket directory for a local server when no password is at hand, and ejabberd's own address otherwise.
func host(db ejabberdconf.Database, login *pgx.ConnConfig) string {
	local := db.Host == "localhost" || db.Host == "127.0.0.1" || db.Host == "::1"
	if local && login.Password == "" {
		for _, dir := range socketDirs {
			if _, err := os.Stat(filepath.Join(dir, ".s.PGSQL."+strconv.Itoa(int(login.Port)))); err == nil {
				return dir
			}
		}
	}
	return db.Host
}

func keywords(login *pgx.ConnConfig, host string) string {
	quote := func(v string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'" }
	text := fmt.Sprintf("host=%s port=%d user=%s dbname=%s", quote(host), login.Port, quote(login.User), quote(login.Database))
	if login.Password != "" {
		text += " password=" + quote(login.Password)
	}
	return text
}
