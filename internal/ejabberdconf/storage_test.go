// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"reflect"
	"testing"
)

// TestVhostsThatDiffer: what the vhosts of one database do not agree on is unknown of it.
func TestVhostsThatDiffer(t *testing.T) {
	config := readText(t, "hosts: [a.example, b.example, c.example]\ndefault_db: sql\nsql_type: pgsql\nsql_pool_size: 5\n"+
		"host_config: {b.example: {sql_pool_size: 20, sql_username: other}}")
	if len(config.Databases) != 1 || config.Databases[0].PoolSize != 0 || config.Databases[0].Role != "" {
		t.Errorf("databases %+v", config.Databases)
	}
}

func TestStorage(t *testing.T) {
	const sql = "hosts: [a.example, b.example]\ndefault_db: sql\n"
	both := []string{"a.example", "b.example"}
	for text, want := range map[string]map[string][]string{
		"hosts: [a.example]\nmodules: {mod_roster: {}, mod_muc: {}}":                             nil,
		sql + "modules: {mod_roster: {}}":                                                        {"mod_roster": both, "oauth": both},
		sql + "modules: {mod_roster: {db_type: mnesia}}\noauth_db_type: mnesia":                  nil,
		sql + "modules: {mod_roster: {}}\nhost_config: {a.example: {modules: {}}}":               {"mod_roster": {"b.example"}, "oauth": both},
		"hosts: [a.example]\nmodules: {mod_muc: {db_type: sql}}":                                 {"mod_muc": {"a.example"}},
		"hosts: [a.example]\nmodules: {mod_mam: {db_type: odbc}, mod_vcard: {}}":                 {"mod_mam": {"a.example"}},
		"hosts: [a.example]\nmodules: {mod_private: {}}\ndefault_db: sql\noauth_db_type: mnesia": {"mod_private": {"a.example"}},
	} {
		if got := readText(t, text).InSQL; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestElsewhere(t *testing.T) {
	got := readText(t, "hosts: [a.example, b.example]\ndefault_db: sql\nmodules: {mod_mam: {db_type: mnesia}, mod_last: {}}\n"+
		"host_config: {b.example: {modules: {mod_offline: {db_type: mnesia}}}}").Elsewhere
	if want := map[string][]string{"mod_mam": {"a.example"}, "mod_offline": {"b.example"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRoomsInSQL(t *testing.T) {
	for text, want := range map[string]int{
		"hosts: [a.example, b.example]\nmodules: {mod_muc: {}}\ndefault_db: sql":        0,
		"hosts: [a.example, b.example]\nmodules: {mod_muc: {ram_db_type: sql}}":         2,
		"hosts: [a.example, b.example]\nmodules: {mod_muc: {}}\ndefault_ram_db: sql":    2,
		"hosts: [a.example, b.example]\nmodules: {mod_roster: {}}\ndefault_ram_db: sql": 0,
	} {
		if got := readText(t, text).RoomsInSQL; len(got) != want {
			t.Errorf("%s: %v, want %d", text, got, want)
		}
	}
}
