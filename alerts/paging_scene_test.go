// SPDX-License-Identifier: Apache-2.0

package alerts_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
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
	"syscall"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	domain = "chapril.test"
	stop   = syscall.SIGTERM
	// hurry makes five seconds of a minute. Ranges within rules stay as they are.
	hurry = 12
)

// scene is the demo's service and what watches it.
type scene struct {
	*service.Service
	t                        *testing.T
	dir                      string
	prometheus, alertmanager *service.Monitor
	pages                    chan alert // what reaches the pager
}

// alert is one as Prometheus and Alertmanager tell it.
type alert struct {
	Labels, Annotations map[string]string
	State               string // of Prometheus: pending or firing
	Status, Fingerprint string // of Alertmanager
}

// watched starts the service, and beside it the exporter, Prometheus and Alertmanager by our examples.
func watched(t *testing.T) *scene {
	t.Helper()
	s := &scene{Service: service.ForTest(t, service.Everything()), t: t, dir: t.TempDir(), pages: make(chan alert, 100)}
	pager := httptest.NewServer(http.HandlerFunc(s.receive))
	t.Cleanup(pager.Close)
	exporter := s.startExporter()

	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	config := s.example("alertmanager.yml", "http://127.0.0.1:8080/page", pager.URL, "mail.example.net:25", "127.0.0.1:"+strconv.Itoa(ports[0]))
	if s.alertmanager, err = service.StartAlertmanager(t.Context(), filepath.Join(s.dir, "alertmanager"), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.alertmanager.Stop)

	for _, path := range glob(t, "*.rules.yml") {
		s.write("rules/"+path, faster(read(t, path)))
	}
	config = s.example("prometheus.yml", "127.0.0.1:9334", exporter, "127.0.0.1:9093", strings.TrimPrefix(s.alertmanager.URL, "http://"))
	if s.prometheus, err = service.StartPrometheus(t.Context(), filepath.Join(s.dir, "prometheus"), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.prometheus.Stop)
	return s
}

// example writes one of our examples for this service: with its addresses, and in a hurry. It returns the path.
func (s *scene) example(name string, replace ...string) string {
	s.t.Helper()
	text := read(s.t, "../examples/"+name)
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			s.t.Fatalf("%s no longer has %s", name, replace[i])
		}
	}
	return s.write(name, faster(strings.NewReplacer(append(replace, "example.org", domain)...).Replace(text)))
}

var waits = regexp.MustCompile(`(?m)^( *(?:- )?(?:for|\w+_interval|\w+_timeout|group_wait): )(\S+)$`)

// faster shortens what rules and programs wait for.
func faster(text string) string {
	return waits.ReplaceAllStringFunc(text, func(line string) string {
		parts := waits.FindStringSubmatch(line)
		unit := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[parts[2][len(parts[2])-1]]
		n, err := strconv.Atoi(parts[2][:len(parts[2])-1])
		if err != nil || unit == 0 {
			panic("not a duration: " + line)
		}
		return fmt.Sprintf("%s%dms", parts[1], (time.Duration(n) * unit / hurry).Milliseconds())
	})
}

func (s *scene) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// startExporter builds the exporter and starts it as an operator would, with the modules of examples/probe.yml. It returns its address.
func (s *scene) startExporter() string {
	s.t.Helper()
	program := filepath.Join(s.dir, "ejabberd_exporter")
	if out, err := exec.CommandContext(s.t.Context(), "go", "build", "-o", program, "../cmd/ejabberd_exporter").CombinedOutput(); err != nil {
		s.t.Fatalf("build the exporter: %v\n%s", err, out)
	}
	password := rand.Text()
	if err := s.Database.Grant(s.t.Context(), program, password); err != nil {
		s.t.Fatal(err)
	}
	modules := s.example("probe.yml", "jabber.org", s.Prosody.Domain)
	known := map[string]bool{}
	for _, account := range regexp.MustCompile(`jid: (.+)@.+\n +(?:second-)?password: (.+)`).FindAllStringSubmatch(read(s.t, modules), -1) {
		if user := account[1]; !known[user] {
			known[user] = true
			if err := s.Ejabberd.Register(s.t.Context(), service.Account{User: user, Domain: domain, Password: account[2]}); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	ports, err := service.FreePorts(1)
	if err != nil {
		s.t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	cmd := exec.Command(program, "--ejabberd.config="+s.Ejabberd.ConfigPath, "--web.listen-address="+address,
		"--probe.resolver="+s.Resolver.Addr(), "--probe.ca-file="+s.CAFile, "--probe.config="+modules)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	cmd.Stdout, cmd.Stderr = s.t.Output(), s.t.Output()
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by our signal
	})
	return address
}

// receive is the gateway to telephones: it takes what Alertmanager posts.
func (s *scene) receive(w http.ResponseWriter, r *http.Request) {
	var posted struct{ Alerts []alert }
	if err := json.NewDecoder(r.Body).Decode(&posted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, a := range posted.Alerts {
		s.pages <- a
	}
}

// alerts are those that Prometheus has pending or firing.
func (s *scene) alerts() []alert {
	var answer struct{ Data struct{ Alerts []alert } }
	s.get(s.prometheus.URL+"/api/v1/alerts", &answer)
	return answer.Data.Alerts
}

// groups are the names of the groups of rules that Prometheus has read.
func (s *scene) groups() (names []string) {
	var answer struct {
		Data struct{ Groups []struct{ Name string } }
	}
	s.get(s.prometheus.URL+"/api/v1/rules", &answer)
	for _, g := range answer.Data.Groups {
		names = append(names, g.Name)
	}
	if len(names) == 0 {
		s.t.Error("Prometheus has read no rules")
	}
	return names
}

// differs says how an expression that is grouped by job is not what it has to be: "job=value …", in order.
func (s *scene) differs(expr, want string) string {
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	s.get(s.prometheus.URL+"/api/v1/query?query="+url.QueryEscape(expr), &answer)
	var got []string
	for _, r := range answer.Data.Result {
		if job := r.Metric["job"]; job != "xmpp-upload" {
			got = append(got, fmt.Sprintf("%s=%v", job, r.Value[1]))
		}
	}
	slices.Sort(got)
	if said := strings.Join(got, " "); said != want {
		return fmt.Sprintf("%s is %q", expr, said)
	}
	return ""
}

func (s *scene) get(address string, into any) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		s.t.Fatal(err)
	}
}
