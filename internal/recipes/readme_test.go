// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const root = "../../"

var fenced = regexp.MustCompile("(?s)```sh\n(.*?)```")

// elsewhere are commands of the README that another run executes: what begins a command, and the file that runs it, with the words it
// has there.
var elsewhere = []struct{ command, file, words string }{
	{"make demo", ".ci/run", "make demo-once"},
	{"make test", "Makefile", "tidy-check test"},
	{"make build", "Makefile", "for step in build"},
	{"make packages", "packaging/try", "packaging/build"},
	{"apt install ./dist/ejabberd-exporter", "packaging/steps", "installed ./ejabberd-exporter_*.deb"},
	{"apt install ./dist/monitoring-plugins-xmpp", "packaging/steps", "installed ./monitoring-plugins-xmpp_*.deb"},
	{"ejabberd-exporter-check", "packaging/steps", "ejabberd-exporter-check"},
	{"ejabberdctl reload_config", "packaging/steps", "ejabberdctl reload_config"},
	{"systemctl restart ejabberd-exporter", "packaging/steps", "restarted"},
}

// TestReadme runs every command of the README's page on a real service, but for those that another run of ours executes. What each must
// print is what the README says of it.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(root + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	k := newKitchen(t, service.Options{NamesByAPI: true, People: true, Uploads: true})
	k.grant(t)
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", k.bin+"/", root+"cmd/...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	said := map[string]string{
		"bin/ejabberd_exporter --check":        "Everything that is enabled works",
		"bin/ejabberd_exporter --once":         "ejabberd_up 1",
		"bin/check_xmpp_c2s":                   "XMPP_C2S OK - 4 endpoints, worst certificate 89 days, TLS 1.3",
		"bin/check_xmpp_s2s":                   "XMPP_S2S OK",
		"bin/check_xmpp_cert":                  "XMPP_CERT OK",
		"bin/check_xmpp_dns":                   "XMPP_DNS",
		"bin/ejabberd_exporter doctor":         "traps found",
		"bin/ejabberd_exporter uploads":        "With retention=180d,quota=100MiB",
		"bin/ejabberd_exporter privacy-report": "# What this service keeps",
	}
	ran := 0
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		for line := range strings.Lines(block[1]) {
			command := strings.TrimSpace(line)
			if i := slices.IndexFunc(elsewhere, func(e struct{ command, file, words string }) bool { return strings.HasPrefix(command, e.command) }); i >= 0 {
				if runs, err := os.ReadFile(root + elsewhere[i].file); err != nil || !strings.Contains(string(runs), elsewhere[i].words) {
					t.Errorf("%s: %s does not run it any more (%v)", command, elsewhere[i].file, err)
				}
				continue
			}
			ran++
			k.readme(t, command, said)
		}
	}
	if ran != len(said) {
		t.Errorf("%d commands of the README were run, want %d", ran, len(said))
	}
}

// readme runs one command. Where the README's reader has the servers' own names and authorities, the test says where they are.
func (k *kitchen) readme(t *testing.T, command string, said map[string]string) {
	t.Helper()
	more := " --ejabberd.config=" + k.Ejabberd.ConfigPath + " --ejabberd.log=" + k.Ejabberd.LogPath()
	if strings.HasPrefix(command, "bin/check_") {
		more = " --resolver=" + k.Resolver.Addr() + " --ca-file=" + k.CAFile
	}
	command = strings.ReplaceAll(command, "example.org", k.Domains[0])
	shell := exec.CommandContext(t.Context(), "sh", "-c", command+more)
	shell.Dir = k.home
	if err := os.Symlink(k.bin, k.home+"/bin"); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	shell.Env = append(os.Environ(), "PGPASSWORD="+k.adminPassword(t))
	out, _ := shell.CombinedOutput() // the doctor and check_xmpp_dns find something here, and say so in their exit codes
	for begins, want := range said {
		if strings.HasPrefix(command, begins) {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s says\n%s\nwant %q", command, out, want)
			}
			return
		}
	}
	t.Errorf("nobody knows what %s should say", command)
}
