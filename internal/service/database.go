// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// Database is ejabberd's database: its own role owns it, and the tables come from the schema file of ejabberd's package.
type Database struct {
	Postgres *Postgres
	Name     string
	Role     string
	Password string
}

// sqlDir holds the schema files of Debian's ejabberd.
const sqlDir = "/usr/share/ejabberd/sql"

// CreateDatabase makes a database and a role, both called name, with the tables of one of ejabberd's schema files:
// pg.new.sql, which has a column for the vhost, or pg.sql.
func (p *Postgres) CreateDatabase(ctx context.Context, name, schema string) (*Database, error) {
	tables, err := os.ReadFile(filepath.Join(string(p.root), sqlDir, schema))
	if err != nil {
		return nil, fmt.Errorf("read ejabberd's schema (apt-get install ejabberd): %w", err)
	}
	d := p.database(name)
	quoted := pgx.Identifier{name}.Sanitize()
	for _, sql := range []string{
		"CREATE ROLE " + quoted + " LOGIN PASSWORD '" + d.Password + "'",
		"CREATE DATABASE " + quoted + " OWNER " + quoted,
	} {
		if err := execute(ctx, p.AdminURL(postgresAccount), sql); err != nil {
			return nil, fmt.Errorf("create the database: %w", err)
		}
	}
	if err := execute(ctx, p.URL(d.Role, d.Password, d.Name), string(tables)); err != nil {
		return nil, fmt.Errorf("create the tables of %s: %w", schema, err)
	}
	return d, nil
}

// database is what CreateDatabase made under that name.
func (p *Postgres) database(name string) *Database {
	return &Database{Postgres: p, Name: name, Role: name, Password: "password-of-" + name}
}

// Grant makes the exporter's role by the lines that the program prints itself, and gives it a password.
func (d *Database) Grant(ctx context.Context, program, password string, flags ...string) error {
	grants, err := exec.CommandContext(ctx, program, append([]string{"--grants"}, flags...)...).Output()
	if err != nil {
		return fmt.Errorf("%s --grants: %w: run make build first", program, err)
	}
	for _, sql := range []string{string(grants), "ALTER ROLE ejabberd_exporter PASSWORD '" + password + "'"} {
		if err := d.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// Exec runs a statement as the superuser.
func (d *Database) Exec(ctx context.Context, sql string, args ...any) (err error) {
	conn, err := pgx.Connect(ctx, d.Postgres.AdminURL(d.Name))
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		return fmt.Errorf("run SQL: %w", err)
	}
	return nil
}

// Count gives the number that a query as the superuser answers.
func (d *Database) Count(ctx context.Context, sql string, args ...any) (n int64, err error) {
	conn, err := pgx.Connect(ctx, d.Postgres.AdminURL(d.Name))
	if err != nil {
		return 0, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if err := conn.QueryRow(ctx, sql, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count in PostgreSQL: %w", err)
	}
	return n, nil
}

// execute runs one statement or a file full of them.
func execute(ctx context.Context, url, sql string) (err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		return fmt.Errorf("run SQL: %w", err)
	}
	return nil
}
