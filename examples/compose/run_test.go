// SPDX-License-Identifier: Apache-2.0

package compose_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const domain = "example.org"

// stage is this machine in the place of the containers: what a file says of paths and ports inside them is put into words of here.
type stage struct {
	*types.Project
	dir      string
	ports    map[string]int // by the number in the file
	postgres *service.Postgres
	ejabberd *service.Ejabberd
}

// TestTheExampleRuns starts ejabberd with the example's ejabberd.yml on a database made by the example's SQL, and the exporter with
// what compose.yaml gives it, under an account without any right. The page must be complete.
func TestTheExampleRuns(t *testing.T) {
	service.Require(t)
	s := &stage{Project: project(t), ports: map[string]int{}}
	s.makeDir(t)
	free, err := service.FreePorts(6)
	if err != nil {
		t.Fatal(err)
	}
	for i, port := range []string{"5222", "5223", "5269", "5443", "5281", "9334"} {
		s.ports[port] = free[i]
	}
	s.startDatabase(t)
	s.startEjabberd(t)
	s.psql(t, "ejabberd", s.command(t, "role")...)
	page := s.scrape(t)

	failed := regexp.MustCompile(`ejabberd_exporter_collector_success\{collector="(\w+)"\} 0`).FindAllString(page, -1)
	if n := strings.Count(page, "ejabberd_exporter_collector_success{"); len(failed) > 0 || n < 15 {
		t.Errorf("of %d collectors these fail: %q", n, failed)
	}
	of := `{vhost="` + domain + `"} `
	for _, line := range []string{
		"ejabberd_up 1", "ejabberd_accounts" + of + "2", "ejabberd_sessions" + of + "0", "ejabberd_upload_files" + of + "1",
		`ejabberd_database_up{database="ejabberd"} 1`,
		`ejabberd_listener_up{family="ip4",port="` + strconv.Itoa(s.ports["5222"]) + `"} 1`, `ejabberd_exporter_collector_success{collector="log"} 1`,
	} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("the page lacks %s", line)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// makeDir makes the directory of everything that runs, with a short name, which the accounts of the servers get through.
func (s *stage) makeDir(t *testing.T) {
	var err error
	if s.dir, err = os.MkdirTemp("", "xmpp-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	if err := os.Chmod(s.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, secret := range s.Secrets { // a container is given the files, not the directory
		s.write(t, "secrets/"+name, read(t, secret.File))
	}
}

// here puts a text into words of this machine. conf is where the files of /opt/ejabberd/conf lie.
func (s *stage) here(text, conf string) string {
	for port, free := range s.ports {
		text = strings.ReplaceAll(text, "port: "+port+"\n", fmt.Sprintf("port: %d\n", free))
	}
	return strings.NewReplacer(
		"/opt/ejabberd/conf", conf, "/opt/ejabberd/upload", s.dir+"/upload", "/opt/ejabberd/logs", s.dir+"/ejabberd/logs",
		`ip: "::"`, `ip: "127.0.0.1"`, "sql_server: postgres\n", "sql_server: 127.0.0.1\n",
		"sql_port: 5432\n", fmt.Sprintf("sql_port: %d\n", s.postgres.Port),
		"@postgres/", fmt.Sprintf("@127.0.0.1:%d/", s.postgres.Port),
		"/run/secrets", filepath.Join(s.dir, "secrets"),
	).Replace(text)
}

func (s *stage) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// startDatabase makes the database as PostgreSQL's image does, from the file that is mounted for that.
func (s *stage) startDatabase(t *testing.T) {
	var err error
	if s.postgres, err = service.StartPostgres(t.Context(), "", filepath.Join(s.dir, "postgres")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.postgres.Stop)
	s.psql(t, "postgres", "--file="+s.write(t, "sql/ejabberd.sql", s.here(read(t, "postgres/ejabberd.sql"), "")))
	// The ejabberd of the example makes its tables by itself, from 24.06 on; Debian's is older.
	s.psql(t, "ejabberd", "--command=SET ROLE ejabberd", "--file=/usr/share/ejabberd/sql/pg.new.sql")
}

// psql runs a program's arguments as PostgreSQL's superuser.
func (s *stage) psql(t *testing.T, database string, args ...string) {
	t.Helper()
	at, err := url.Parse(s.postgres.AdminURL(database))
	if err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	cmd := exec.Command("psql", append([]string{"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PGHOST=" + at.Hostname(), "PGPORT=" + at.Port(), "PGUSER=" + at.User.Username(), "PGPASSWORD=" + password, "PGDATABASE=" + database}
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("psql %q: %v\n%s", args, err, out)
	}
}

// command gives the arguments of a one-shot service, with the files that it names as they are mounted.
func (s *stage) command(t *testing.T, name string) (args []string) {
	t.Helper()
	for _, arg := range s.Services[name].Command[1:] {
		for _, v := range s.Services[name].Volumes {
			if path, ok := strings.CutPrefix(arg, "--file="); ok && path == v.Target {
				arg = "--file=" + s.write(t, "sql"+path, s.here(read(t, v.Source), ""))
			}
		}
		args = append(args, arg)
	}
	return args
}

func (s *stage) startEjabberd(t *testing.T) {
	ca, err := service.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(service.CertOptions{Names: []string{domain, "*." + domain}})
	if err != nil {
		t.Fatal(err)
	}
	names, err := service.StartResolver()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(names.Stop)
	s.write(t, "conf/xmpp.pem", string(certificate.PEM))
	s.write(t, "conf/secrets.yml", read(t, filepath.Join(s.WorkingDir, "secrets/ejabberd.yml")))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s.ejabberd, err = service.StartEjabberd(ctx, filepath.Join(s.dir, "ejabberd"), service.Config{
		Domains: []string{domain}, UploadDir: filepath.Join(s.dir, "upload"),
		Text:  s.here(read(t, "ejabberd/ejabberd.yml"), filepath.Join(s.dir, "conf")),
		Ports: service.Ports{C2S: s.ports["5222"], C2STLS: s.ports["5223"], S2S: s.ports["5269"], HTTPS: s.ports["5443"], API: s.ports["5281"]},
	}, names.Port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.ejabberd.Stop)
	for _, user := range []string{"admin-" + service.Canary, "person-" + service.Canary} {
		if _, err := s.ejabberd.Ctl(ctx, "register", user, domain, "secret-"+service.Canary); err != nil {
			t.Fatal(err)
		}
	}
	for _, volume := range []string{"upload", "ejabberd", "ejabberd/logs"} { // as volumes are
		if err := os.Chmod(filepath.Join(s.dir, volume), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// As mod_http_upload lays it, with the modes of the example: the exporter may count it and not open it.
	if err := os.Chmod(s.write(t, "upload/"+domain+"/"+strings.Repeat("a", 40)+"/secret/file-"+service.Canary, "x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// scrape runs the exporter with the environment and the arguments of compose.yaml and gives its page.
func (s *stage) scrape(t *testing.T) string {
	binary := filepath.Join(s.dir, "ejabberd_exporter")
	build := exec.Command("go", "build", "-o", binary, "./cmd/ejabberd_exporter")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	// What is mounted into its container instead of ejabberd's files of the same names.
	conf := filepath.Join(s.dir, "exporter")
	s.write(t, "exporter/ejabberd.yml", s.here(read(t, "ejabberd/ejabberd.yml"), conf))
	s.write(t, "exporter/secrets.yml", read(t, "ejabberd/no-secrets.yml"))
	e := s.Services["exporter"]
	address := fmt.Sprintf("127.0.0.1:%d", s.ports["9334"])
	cmd := exec.CommandContext(t.Context(), binary, e.Command...)
	cmd.Env = []string{"EJABBERD_EXPORTER_WEB_LISTEN_ADDRESS=" + address} // the image's, but on loopback
	for name, value := range e.Environment {
		cmd.Env = append(cmd.Env, name+"="+s.here(*value, conf))
	}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	image := &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	if os.Getuid() == 0 {
		image = &syscall.Credential{Uid: 65534, Gid: 65534}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: image}
	}
	for _, secret := range e.Secrets { // outside of /run/secrets it wants files that others may not read
		path := filepath.Join(s.dir, "secrets", secret.Source)
		if err := errors.Join(os.Chmod(path, 0o600), os.Chown(path, int(image.Uid), int(image.Gid))); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil || strings.Contains(said.String(), "level=ERROR") {
			t.Errorf("the exporter ends with %v:\n%s", err, &said)
		}
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	client := http.Client{Timeout: time.Minute}
	for range 300 {
		<-tick.C
		answer, err := client.Get("http://" + address + "/metrics")
		if err != nil {
			continue
		}
		page, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	t.Fatalf("the exporter does not answer:\n%s", &said)
	return ""
}
