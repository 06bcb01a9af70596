// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const dir = "../../docs/recipes"

// kitchen is where recipes are tried: a real service, the programs, and what a Debian host has, in its place.
type kitchen struct {
	*service.Service
	bin  string            // our programs
	home string            // files that a recipe names with other paths
	said string            // what the last recipe printed
	node *service.Ejabberd // whose ejabberdctl is run
	text map[string]string // what stands in a recipe, and what it is here
	does map[string]func(t *testing.T)
}

func newKitchen(t *testing.T, options service.Options) *kitchen {
	t.Helper()
	service.Require(t)
	k := &kitchen{bin: t.TempDir(), home: t.TempDir(), does: map[string]func(*testing.T){}}
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", k.bin+"/", "../../cmd/ejabberd_exporter", "../../cmd/check_xmpp_cert", "../../cmd/check_xmpp_login").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	k.Service = service.ForTest(t, options)
	k.node = k.Ejabberd
	k.text = map[string]string{
		"example.org":                k.Domains[0],
		"/etc/ejabberd/ejabberd.yml": k.Ejabberd.ConfigPath,
	}
	return k
}

// prelude makes the shell of a recipe see the service where a Debian host has its own. Commands that another machine's programs do
// (systemctl, ejabberdctl as a user of the host) are asked of the test over HTTP.
const prelude = `set -eu
ask() { curl --silent --show-error --fail-with-body --max-time 120 --data "$2" "$HARNESS/$1"; }
ejabberdctl() { ask ejabberdctl "$(printf '%s\n' "$@")"; }
systemctl() { ask "systemctl/$1" "" ; }
sudo() { shift 2; "$@"; }
ejabberd_exporter() { env -u PGUSER -u PGHOST -u PGPORT ejabberd_exporter "$@" --ejabberd.config="$CONFIG_FILE" --no-collector.log; }
check_xmpp_cert() { command check_xmpp_cert "$@" --resolver "$RESOLVER" --ca-file "$CA_FILE"; }
check_xmpp_login() { command check_xmpp_login "$@" --resolver "$RESOLVER" --ca-file "$CA_FILE"; }
`

// block is a block of commands, or a remark to the test: <!-- NAME -->.
var block = regexp.MustCompile("(?s)```sh\n(.*?)```|<!-- ([a-z ]+) -->")

var exits = regexp.MustCompile(`(?m)(?:^|[;&|{]) *(?:exit\b|set -\w*e)`)

// cook runs a recipe from its beginning to its end. variables stand for those at its beginning.
func (k *kitchen) cook(t *testing.T, name string, variables map[string]string) {
	t.Helper()
	if log, err := k.try(t, name, variables); err != nil {
		t.Errorf("%s: %v\n%s\n%s", name, err, k.said, log)
	}
	if strings.Contains(k.said, "UNEXPECTED") {
		t.Errorf("%s: what should be refused is not:\n%s", name, k.said)
	}
}

// try runs a recipe, and gives what its shell did and said of errors.
func (k *kitchen) try(t *testing.T, name string, variables map[string]string) (string, error) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	harness := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { k.serve(t, w, r) }))
	defer harness.Close()
	script, ran := prelude, 0
	for _, part := range block.FindAllStringSubmatch(string(text), -1) {
		if part[2] != "" {
			if k.does[part[2]] == nil {
				t.Fatalf("%s: nobody does %q", name, part[2])
			}
			script += "ask " + strings.ReplaceAll("do/"+part[2], " ", "%20") + " ''\n"
			continue
		}
		ran++
		if exits.MatchString(part[1]) {
			t.Errorf("%s closes the shell of who pastes it:\n%s", name, part[1])
		}
		script += part[1]
		if ran == 1 { // the variables
			for variable, value := range variables {
				if !strings.Contains(part[1], variable+"=") {
					t.Errorf("%s does not set %s at its beginning", name, variable)
				}
				script += variable + "='" + value + "'\n"
			}
		}
	}
	// The longest first: a path may have the domain in it.
	for _, there := range slices.SortedFunc(maps.Keys(k.text), func(a, b string) int { return len(b) - len(a) }) {
		script = strings.ReplaceAll(script, there, k.text[there])
	}
	if ran < 3 {
		t.Fatalf("%s has %d blocks of commands", name, ran)
	}
	shell := exec.CommandContext(t.Context(), "bash", "-x", "-c", script)
	shell.Env = append(os.Environ(),
		"PATH="+k.bin+":"+os.Getenv("PATH"), "HARNESS="+harness.URL, "CONFIG_FILE="+k.Ejabberd.ConfigPath,
		"RESOLVER="+k.Resolver.Addr(), "CA_FILE="+k.CAFile, "PGHOST=127.0.0.1", "PGPORT="+strconv.Itoa(k.Postgres.Port), "PGUSER=postgres", "PGPASSWORD="+k.adminPassword(t),
	)
	var out, log bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &log
	err = shell.Run()
	k.said = out.String()
	return log.String(), err
}

// serve does what the shell asks for.
func (k *kitchen) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	t.Helper()
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	fail := func(err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	switch what, _ := strings.CutPrefix(r.URL.Path, "/"); {
	case what == "ejabberdctl":
		said, err := k.node.Ctl(context.WithoutCancel(r.Context()), strings.Split(strings.TrimSuffix(body.String(), "\n"), "\n")...)
		fail(err)
		_, _ = fmt.Fprint(w, said)
	case what == "systemctl/stop":
		k.Ejabberd.Stop()
	case what == "systemctl/start":
		fail(k.Ejabberd.Start(context.WithoutCancel(r.Context())))
	case strings.HasPrefix(what, "do/"):
		k.does[strings.TrimPrefix(what, "do/")](t)
	default:
		http.NotFound(w, r)
	}
}

// grant makes the exporter's role by the lines that --grants prints, with the password that the shell of a recipe has.
func (k *kitchen) grant(t *testing.T) {
	t.Helper()
	if err := k.Database.Grant(t.Context(), filepath.Join(k.bin, "ejabberd_exporter"), k.adminPassword(t)); err != nil {
		t.Fatal(err)
	}
}

func (k *kitchen) adminPassword(t *testing.T) string {
	t.Helper()
	admin, err := url.Parse(k.Postgres.AdminURL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := admin.User.Password()
	return password
}

// secret writes a file that only we read.
func (k *kitchen) secret(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(k.home, name)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (k *kitchen) has(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(k.said, part) {
			t.Errorf("it does not say %q:\n%s", part, k.said)
		}
	}
}
