// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/*/want.json anew")

// environment is what every golden case sees of the process's own.
var environment = []string{"PATH=/bin", "EJABBERD_MACRO_FROM_ENVIRONMENT=b.example"}

// secret stands in the test data wherever a secret may stand, and where one may land by mistake.
const secret = "canary-s3cret"

func TestRead(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/ejabberd.yml")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in testdata: %v", err)
	}
	for _, path := range cases {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			config, err := read(path, os.ReadFile, environment)
			if err != nil {
				t.Fatal(err)
			}
			var page bytes.Buffer
			if err := config.Write(&page); err != nil {
				t.Fatal(err)
			}
			absolute, err := filepath.Abs(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(page.String(), absolute, "DIR")
			if strings.Contains(got, secret) {
				t.Error("a secret of the file is among the facts")
			}
			golden := filepath.Join(dir, "want.json")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("facts differ from %s (go test -update writes it anew):\n%s", golden, got)
			}
		})
	}
}
