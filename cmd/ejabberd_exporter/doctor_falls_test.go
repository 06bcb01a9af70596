// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/chapril/ejabberd_exporter/internal/epmd"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// fall is how a server gets into a trap: by a change of ejabberd.yml, or by what do does.
type fall struct {
	check, state, found string
	yml                 func(yml map[string]any) // ejabberd need not read it: the doctor does
	do                  func(t *testing.T, p *patient)
}

func module(yml map[string]any, name string) map[string]any {
	return yml["modules"].(map[string]any)[name].(map[string]any)
}

func listeners(yml map[string]any, do func(listener map[string]any)) {
	for _, l := range yml["listen"].([]any) {
		do(l.(map[string]any))
	}
}

// wellConfigured takes every trap out of the configuration of the service.
func wellConfigured(yml map[string]any) {
	module(yml, "mod_register")["welcome_message"] = map[string]any{"subject": "Welcome", "body": "Be kind."}
	module(yml, "mod_fail2ban")["access"] = "monitoring"
	yml["access_rules"].(map[string]any)["monitoring"] = []any{map[string]any{"allow": []any{map[string]any{"ip": "192.0.2.1"}}}}
	listeners(yml, func(l map[string]any) {
		if l["transport"] != "udp" {
			l["backlog"] = 128
		}
		if handlers, ok := l["request_handlers"].(map[string]any); ok {
			delete(handlers, "/register")
		}
	})
}

var falls = []fall{
	{check: "registration_without_captcha", state: "critical", found: "chapril.test", yml: func(yml map[string]any) { delete(module(yml, "mod_register"), "captcha_protected") }},
	{check: "registration_by_web", state: "warning", found: "/signup", yml: func(yml map[string]any) {
		listeners(yml, func(l map[string]any) {
			if handlers, ok := l["request_handlers"].(map[string]any); ok {
				handlers["/signup"] = "mod_register_web"
			}
		})
	}},
	{check: "no_welcome_message", state: "warning", found: "libre.test", yml: func(yml map[string]any) { delete(module(yml, "mod_register"), "welcome_message") }},
	{check: "fail2ban_without_exception", state: "warning", found: "chapril.test", yml: func(yml map[string]any) { delete(module(yml, "mod_fail2ban"), "access") }},
	{check: "api_open", state: "critical", found: "connected_users_info", yml: func(yml map[string]any) {
		rule := yml["api_permissions"].(map[string]any)["exporter"].(map[string]any)
		rule["what"] = append(rule["what"].([]any), "connected_users_info")
	}},
	{check: "trusts_all_proxies", state: "critical", found: "all", yml: func(yml map[string]any) { yml["trusted_proxies"] = "all" }},
	{check: "s2s_in_clear", state: "warning", found: "optional", yml: func(yml map[string]any) { yml["s2s_use_starttls"] = "optional" }},
	{check: "plain_passwords", state: "critical", found: "auth_password_format", yml: func(yml map[string]any) { delete(yml, "auth_password_format") }},
	{check: "log_wiped", state: "warning", found: "10 MiB", yml: func(yml map[string]any) { yml["log_rotate_count"] = 0 }},
	{check: "hard_quota_only", state: "warning", found: "libre.test", yml: func(yml map[string]any) { delete(yml["shaper_rules"].(map[string]any), "soft_upload_quota") }},
	{check: "hard_quota_only", state: "warning", found: "hard_upload_quota is not", yml: func(yml map[string]any) { delete(yml["shaper_rules"].(map[string]any), "hard_upload_quota") }},
	{check: "hard_quota_only", state: "warning", found: "above", yml: func(yml map[string]any) { yml["shaper_rules"].(map[string]any)["soft_upload_quota"] = 99999 }},
	{check: "vhost_absent", state: "critical", found: "new.test", yml: func(yml map[string]any) { yml["hosts"] = append(yml["hosts"].([]any), "new.test") }},
	{check: "listener_absent", state: "critical", found: "nobody listens", yml: func(yml map[string]any) {
		yml["listen"] = append(yml["listen"].([]any), map[string]any{"port": 1, "ip": "127.0.0.1", "module": "ejabberd_c2s"})
	}},
	{check: "schema_mismatch", state: "critical", found: "false", yml: func(yml map[string]any) { yml["new_sql_schema"] = false }},
	{check: "captcha_program_missing", state: "critical", found: "does not exist", yml: func(yml map[string]any) { yml["captcha_cmd"] = "/nonexistent/captcha.sh" }},
	{check: "config_not_reloaded", state: "warning", found: "UTC", yml: func(map[string]any) {}},
	{check: "config_not_reloaded", state: "warning", found: "more.yml was written", do: func(t *testing.T, p *patient) {
		more := file(t, "more.yml", "language: fr")
		p.rewrite(t, func(yml map[string]any) { yml["include_config_file"] = more })
		touch(t, p.Ejabberd.ConfigPath, time.Now().Add(-time.Hour))
		touch(t, more, time.Now().Add(2*time.Second))
	}},

	{check: "plain_passwords", state: "critical", found: "1 accounts of chapril.test", do: func(t *testing.T, p *patient) {
		execute(t, p.Database, "INSERT INTO users (username, server_host, password) VALUES ('plain-"+service.Canary+"', 'chapril.test', '"+service.Canary+"')")
		t.Cleanup(func() {
			if err := p.Database.Exec(context.WithoutCancel(t.Context()), "DELETE FROM users WHERE username = 'plain-"+service.Canary+"'"); err != nil {
				t.Error(err)
			}
		})
	}},
	{check: "uploads_listable", state: "warning", found: "libre.test", do: func(t *testing.T, p *patient) {
		chmod(t, p.Ejabberd.Config.UploadDir, 0o755)
		chmod(t, filepath.Join(p.Ejabberd.Config.UploadDir, "libre.test"), 0o755)
	}},
	{check: "sweep_late", state: "warning", found: "1 files of libre.test", do: func(t *testing.T, p *patient) {
		account := filepath.Join(p.Ejabberd.Config.UploadDir, "libre.test", strings.Repeat("a", 40))
		path := filepath.Join(account, strings.Repeat("b", 40), "canary.png")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := exec.CommandContext(t.Context(), "touch", "-d", "400 days ago", path).Run(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(account) })
	}},
	{check: "certificate_not_reloaded", state: "warning", found: "s2s serves another certificate for chapril.test", do: func(t *testing.T, p *patient) {
		path := p.Ejabberd.Config.XMPPCert
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.WriteFile(path, before, 0o600) })
		renewed, err := p.CA.Issue(service.CertOptions{Names: []string{"chapril.test", "*.chapril.test"}})
		if err != nil {
			t.Fatal(err)
		}
		only, _, _ := strings.Cut(string(renewed.PEM), "-----BEGIN PRIVATE KEY") // as fullchain.pem, which holds no key
		if err := os.WriteFile(path, []byte(only), 0o600); err != nil {
			t.Fatal(err)
		}
	}},
	{check: "erlang_ports_low", state: "warning", found: "1024", do: func(t *testing.T, p *patient) { p.ctl(t, "ERL_MAX_PORTS=1000") }},
	{check: "distribution_exposed", state: "warning", found: "epmd", do: func(t *testing.T, p *patient) { p.exposeNode(t) }},
	{check: "distribution_exposed", state: "warning", found: "distribution", do: func(t *testing.T, p *patient) { p.exposeNode(t) }},
	{check: "distribution_exposed", state: "warning", found: "distribution", do: func(t *testing.T, p *patient) { p.exposePort(t) }},
	{check: "distribution_exposed", state: "unknown", do: func(t *testing.T, p *patient) { p.ctl(t, "ERL_EPMD_PORT=1") }},
	{check: "distribution_exposed", state: "unknown", do: func(t *testing.T, p *patient) { p.ctl(t, "ERL_DIST_PORT=1") }},
}

// rewrite changes ejabberd.yml behind ejabberd's back; the end of the test brings the old one back, as old as it was.
func (p *patient) rewrite(t *testing.T, change func(yml map[string]any)) {
	t.Helper()
	path := p.Ejabberd.ConfigPath
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.WriteFile(path, before, 0o600)
		_ = os.Chtimes(path, info.ModTime(), info.ModTime())
	})
	var yml map[string]any
	if err := yaml.Unmarshal(before, &yml); err != nil {
		t.Fatal(err)
	}
	change(yml)
	text, err := yaml.Marshal(yml)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, path, time.Now().Add(2*time.Second)) // seconds are what ejabberd's start is known in
}

// touch makes a file as old as that.
func touch(t *testing.T, path string, written time.Time) {
	t.Helper()
	if err := os.Chtimes(path, written, written); err != nil {
		t.Fatal(err)
	}
}

// ctl adds a line to ejabberdctl.cfg until the test ends.
func (p *patient) ctl(t *testing.T, line string) {
	t.Helper()
	path := filepath.Join(filepath.Dir(p.Ejabberd.ConfigPath), "ejabberdctl.cfg")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(path, before, 0o644) })
	if err := os.WriteFile(path, []byte(string(before)+"\n"+line+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// chmod changes a directory's mode until the test ends.
func chmod(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, info.Mode()) })
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

// exposeNode starts an epmd and a node of that name as Erlang does by itself: on all addresses.
func (p *patient) exposeNode(t *testing.T) {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(ports[0])
	for _, args := range [][]string{
		{"epmd", "-port", port},
		{"erl", "-sname", "ejabberd@localhost", "-noinput", "-start_epmd", "false", "-setcookie", "none", "-connect_all", "false"},
	} {
		command := exec.CommandContext(t.Context(), args[0], args[1:]...)
		command.Env = append(os.Environ(), "ERL_EPMD_PORT="+port, "HOME="+t.TempDir())
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	}
	eventually(t, time.Minute, "node registered with epmd", func() bool {
		nodes, err := epmd.Names(t.Context(), ports[0])
		return err == nil && len(nodes) == 1
	})
	p.ctl(t, "ERL_EPMD_PORT="+port)
}

// exposePort starts a node as ejabberdctl does with ERL_DIST_PORT: without epmd, on all addresses.
func (p *patient) exposePort(t *testing.T) {
	t.Helper()
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(ports[0])
	command := exec.CommandContext(t.Context(), "erl", "-sname", "ejabberd@localhost", "-noinput", "-erl_epmd_port", port, "-start_epmd", "false", "-setcookie", "none")
	command.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	eventually(t, time.Minute, "node listens", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	p.ctl(t, "ERL_DIST_PORT="+port)
}
