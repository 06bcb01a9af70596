// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

var update = flag.Bool("update", false, "write docs/examples/plugins.txt anew")

// probeDomain is the domain that check_xmpp_federation is here.
const probeDomain = "probe.test"

// shown are the flags with which each plugin is shown; the rest are where this service is, which a real one finds by DNS. door is the port at
// which the plugin of federation is dialled back.
func (k *kitchen) shown(door int) map[string][]string {
	k.Resolver.SetSRV("_xmpp-server._tcp."+probeDomain, "localhost", door)
	account := "--jid=" + k.Admin.JID()
	federation := []string{"--probe-domain=" + probeDomain}
	for _, host := range service.Loopback() {
		federation = append(federation, "--listen="+net.JoinHostPort(host, strconv.Itoa(door)))
	}
	return map[string][]string{
		"c2s": {}, "s2s": {}, "cert": {"--component=conference", "--component=upload"}, "dns": {"--component=conference", "--component=upload"},
		"web":      {"--url=https://" + k.Domains[0] + ":" + strconv.Itoa(k.Ejabberd.Config.Ports.HTTPS), "--register-web=captcha"},
		"turn":     {"--hostname=127.0.0.1", "--port=" + strconv.Itoa(k.Ejabberd.Config.Ports.STUN)},
		"register": {"--expect=captcha"},
		"login":    {account, "--ping=" + k.Prosody.Domain, "--component=conference=conference/text", "--abuse-contact"}, "echo": {account}, "upload": {account},
		"federation": federation,
	}
}

// checkEjabberd asks the plugin of what the exporter knows, from a page as --once prints it.
func (k *kitchen) checkEjabberd(t *testing.T) string {
	t.Helper()
	k.grant(t)
	exporter := exec.CommandContext(t.Context(), filepath.Join(k.bin, "ejabberd_exporter"), "--once", "--no-collector.log", "--ejabberd.config="+k.Ejabberd.ConfigPath)
	exporter.Env = append(os.Environ(), "PGPASSWORD="+k.adminPassword(t))
	page, err := exporter.Output()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), filepath.Join(k.bin, "check_ejabberd"), "--file="+k.secret(t, "page", string(page))).Output()
	if err != nil || !strings.HasPrefix(string(said), "EJABBERD OK - ") {
		t.Errorf("check_ejabberd: %v: %s", err, said)
	}
	return string(said)
}

// TestPluginsAsShown: every plugin is OK about a service that works, and says so in its first line. With -update what they say becomes
// docs/examples/plugins.txt, which docs/probes.md shows.
func TestPluginsAsShown(t *testing.T) {
	t.Parallel()
	k := newKitchen(t, service.Everything())
	if said, err := exec.CommandContext(t.Context(), "go", "build", "-o", k.bin+"/", root+"cmd/...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	var text strings.Builder
	plugins, err := filepath.Glob(root + "cmd/check_xmpp_*")
	if err != nil || len(plugins) == 0 {
		t.Fatal("no plugins: ", err)
	}
	free, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	door := free[0]
	flags := k.shown(door)
	for _, plugin := range plugins {
		name := strings.TrimPrefix(filepath.Base(plugin), "check_xmpp_")
		if name == "exposed" { // it says nothing of a host that it runs on
			continue
		}
		args := append([]string{"--domain=" + k.Domains[0]}, flags[name]...)
		here := []string{"-t", "30"}
		if name != "turn" {
			here = append(here, "--resolver="+k.Resolver.Addr())
		}
		if !slices.Contains([]string{"turn", "dns"}, name) {
			here = append(here, "--ca-file="+k.CAFile)
		}
		check := exec.CommandContext(t.Context(), filepath.Join(k.bin, "check_xmpp_"+name), slices.Concat(args, here)...)
		check.Env = append(os.Environ(), "CHECK_XMPP_PASSWORD="+k.Admin.Password)
		said, err := check.Output()
		if err != nil || !strings.HasPrefix(string(said), "XMPP_"+strings.ToUpper(name)+" OK - ") {
			t.Errorf("check_xmpp_%s: %v: %s", name, err, said)
		}
		text.WriteString("$ check_xmpp_" + name + " " + strings.Join(args, " ") + "\n" + string(said) + "\n")
	}
	text.WriteString("$ check_ejabberd\n" + k.checkEjabberd(t) + "\n")
	if *update && !t.Failed() {
		replace := []string{k.Admin.JID(), "monitor@chapril.test", "127.0.0.1", "192.0.2.10", "[::1]", "[2001:db8::10]"}
		ports := k.Ejabberd.Config.Ports
		for port, usual := range map[int]string{ports.C2S: "5222", ports.C2STLS: "5223", ports.S2S: "5269", ports.HTTPS: "5443", ports.STUN: "3478", door: "5269"} {
			replace = append(replace, strconv.Itoa(port), usual)
		}
		usual := strings.NewReplacer(replace...).Replace(text.String())
		if err := os.WriteFile(root+"docs/examples/plugins.txt", []byte(usual), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
