// SPDX-License-Identifier: Apache-2.0

package database

import (
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

// bare makes an environment without PG* variables.
func bare(t *testing.T) {
	t.Helper()
	for _, name := range []string{"PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE", "PGSSLMODE", "PGSSLROOTCERT"} {
		t.Setenv(name, "")
	}
	t.Setenv("PGPASSFILE", t.TempDir()+"/none")
}

// TestLoginPort: the port of ejabberd's database is that of every host and of what is tried without TLS.
func TestLoginPort(t *testing.T) {
	bare(t)
	t.Setenv("PGHOST", "a.example,b.example")
	login, err := Login(ejabberdconf.Database{Host: "c.example", Port: 6432, Name: "ejabberd"}, "", "")
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]bool{login.Host: true}
	if login.Port != 6432 {
		t.Errorf("%s:%d", login.Host, login.Port)
	}
	for _, next := range login.Fallbacks {
		hosts[next.Host] = true
		if next.Port != 6432 {
			t.Errorf("then %s:%d", next.Host, next.Port)
		}
	}
	if !hosts["a.example"] || !hosts["b.example"] || len(hosts) != 2 {
		t.Errorf("hosts %v", hosts)
	}
	t.Setenv("PGPORT", "7432")
	if login, err = Login(ejabberdconf.Database{Host: "c.example", Port: 6432}, "", ""); err != nil || login.Port != 7432 || login.Fallbacks[0].Port != 7432 {
		t.Errorf("PGPORT: %+v, %v", login, err)
	}
}

// TestLoginQuotesNoPassword: pgx hides a password up to the first quotation mark in it.
func TestLoginQuotesNoPassword(t *testing.T) {
	const password = "it's a canary"
	for host, db := range map[string]ejabberdconf.Database{
		"":            {Host: "db.example", Port: 5432, Name: "ejabberd"},
		"env.example": {Name: "ejabberd"},
	} {
		bare(t)
		t.Setenv("PGHOST", host)
		t.Setenv("PGSSLMODE", "verify-full")
		t.Setenv("PGSSLROOTCERT", t.TempDir()+"/none")
		_, err := Login(db, "", password)
		if err == nil {
			t.Fatal("TLS without the certificates that it is to trust")
		}
		if strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "PGSSLROOTCERT") {
			t.Errorf("host %q: %v", host, err)
		}
	}
	if _, err := Login(ejabberdconf.Database{}, "postgres://role:"+password+"@/?port=none", ""); err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "--database.url") {
		t.Errorf("a URL: %v", err)
	}
}
