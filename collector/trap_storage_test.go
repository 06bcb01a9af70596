// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

// TestSchemaMismatch: the tables that are there tell the schema, and where there is none it is not known.
func TestSchemaMismatch(t *testing.T) {
	server := startPostgres(t)
	for name, c := range map[string]struct {
		schema, sql  string
		new          bool   // says ejabberd.yml
		found, error string // a part of it
	}{
		"fits":        {schema: "pg.new.sql", sql: `SELECT`, new: true},
		"differs":     {schema: "pg.new.sql", sql: `SELECT`, found: "is false"},
		"ldap":        {schema: "pg.new.sql", sql: `DROP TABLE users`, new: true},
		"ldap_old":    {schema: "pg.sql", sql: `DROP TABLE users`, new: true, found: "is true"},
		"empty":       {schema: "pg.new.sql", sql: `DROP OWNED BY "empty"`, new: true, error: "none of ejabberd's tables"},
		"empty_as_is": {schema: "pg.new.sql", sql: `DROP OWNED BY "empty_as_is"`, error: "none of ejabberd's tables"},
	} {
		src := fill(t, server, name, c.schema, c.sql, "one.test", "two.test")
		src.Config = &ejabberdconf.Config{Databases: []ejabberdconf.Database{{Vhosts: src.Vhosts, MultiHost: c.new}}}
		found, err := schemaMismatch.Look(t.Context(), src)
		if told := strings.Join(found, ""); (told == "") != (c.found == "") || !strings.Contains(told, c.found) {
			t.Errorf("%s: found %q, want %q", name, told, c.found)
		}
		if (err == nil) != (c.error == "") || err != nil && !strings.Contains(err.Error(), c.error) {
			t.Errorf("%s: %v, want %q", name, err, c.error)
		}
	}
}

// TestPlainPasswords: those count that the upgrade to 25.03 left without a type.
func TestPlainPasswords(t *testing.T) {
	src := fill(t, startPostgres(t), "ejabberd", "pg.new.sql", `
		ALTER TABLE users ADD COLUMN type smallint NOT NULL DEFAULT 0;
		INSERT INTO users (username, server_host, password, iterationcount) VALUES ('a', 'one.test', '', 0), ('b', 'one.test', '', 4096)`, "one.test")
	src.Config = &ejabberdconf.Config{}
	found, err := plainPasswords.Look(t.Context(), src)
	if err != nil || len(found) != 1 || !strings.HasPrefix(found[0], "1 accounts of one.test") {
		t.Errorf("%q, %v", found, err)
	}
}

// TestHardQuotaOnly: each way to have ejabberd log whoever uploads is told for itself.
func TestHardQuotaOnly(t *testing.T) {
	src := &Sources{Config: &ejabberdconf.Config{}}
	if found, err := hardQuotaOnly.Look(t.Context(), src); len(found) > 0 || err != nil {
		t.Errorf("of nothing: %q, %v", found, err)
	}
	src.Config.Policy = ejabberdconf.Policy{HardQuotaOnly: []string{"a.test", "b.test"}, SoftQuotaOnly: []string{"c.test"}, SoftAboveHard: []string{"d.test"}}
	found, err := hardQuotaOnly.Look(t.Context(), src)
	const want = "hard_upload_quota is set, but soft_upload_quota is not, at a.test, b.test\n" +
		"soft_upload_quota is set, but hard_upload_quota is not, at c.test\n" +
		"soft_upload_quota is above hard_upload_quota at d.test"
	if told := strings.Join(found, "\n"); told != want || err != nil {
		t.Errorf("%q, %v, want %q", told, err, want)
	}
}
