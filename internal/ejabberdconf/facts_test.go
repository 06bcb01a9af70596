// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestFactsRoundTrip(t *testing.T) {
	for _, name := range []string{"mission", "vhosts", "macros", "odd", "stock"} {
		config, err := read(filepath.Join("testdata", name, "ejabberd.yml"), os.ReadFile, environment)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "facts.json")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := config.Write(file); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		back, err := ReadFacts(path)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, config) {
			t.Errorf("%s: read back\n%+v, wrote\n%+v", name, back, config)
		}
	}
}

func TestReadFactsRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "facts.json")
	const again = ": write it again with ejabberd_exporter --discover"
	for text, want := range map[string]string{
		"hosts: [a.example]\nsql_password: x\n":  "facts: " + path + ": not JSON" + again,
		`{"hosts":["a.example"]}`:                "facts: " + path + ": form 0, but this exporter reads form 2" + again,
		`{"facts":3,"planets":[]}`:               "facts: " + path + ": form 3, but this exporter reads form 2" + again,
		`{"facts":2,"planets":[]}`:               "facts: " + path + `: json: unknown field "planets"` + again,
		`{"facts":2,"path":"/e.yml","hosts":[]}`: "facts: " + path + ": no hosts" + again,
		`{"facts":2,"hosts":["a.example"]} {}`:   "facts: " + path + ": not JSON" + again,
		"":                                       "facts: " + path + ": not JSON" + again,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFacts(path); err == nil || err.Error() != want {
			t.Errorf("%q:\n%v, want\n%s", text, err, want)
		}
	}
}
