// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"slices"
	"testing"
)

func TestBansAnybody(t *testing.T) {
	for options, want := range map[string]bool{
		"{}": true, "{access: none}": true, "{access: ~}": true, "{access: []}": true, "{access: monitoring}": false,
		"{access: {allow: {ip: 192.0.2.1}}}":       false,
		"{access: [{allow: [{ip: 192.0.2.1}]}]}":   false,
		"{access: [[{allow: [{ip: 192.0.2.1}]}]]}": false,
	} {
		if got := readText(t, "hosts: [a.example]\nmodules: {mod_fail2ban: "+options+"}").Policy.BansAnybody; (len(got) == 1) != want {
			t.Errorf("mod_fail2ban: %s: %q, want %v", options, got, want)
		}
	}
}

// TestAccessInPlace: a rule that is written in the place of a name has none.
func TestAccessInPlace(t *testing.T) {
	for access, want := range map[string]string{
		"local": "local", "~": "local", "some": "some", "{allow: admin}": "", "[{allow: admin}]": "",
	} {
		if got := readText(t, "hosts: [a.example]\nmodules: {mod_http_upload: {access: "+access+"}}").Uploads[0].Access; got != want {
			t.Errorf("access: %s: %q, want %q", access, got, want)
		}
	}
}

func TestAPIToAnybody(t *testing.T) {
	for who, want := range map[string]bool{
		"all": true, "{access: all}": true, "[{access: all}]": true, "{access: none}": false, "{access: [{allow: all}]}": true, "{access: strangers}": false,
	} {
		got := readText(t, "hosts: [a.example]\nlisten: [{port: 5280, ip: 127.0.0.1, module: ejabberd_http, request_handlers: {/api: mod_http_api}}]\n"+
			"api_permissions: {any: {who: "+who+", what: [kick_user]}}").Policy.APIToAnybody
		if slices.Contains(got, "kick_user") != want {
			t.Errorf("who: %s: %q, want %v", who, got, want)
		}
	}
}

// TestPlainPasswords: a list of types that is not empty stands in the place of the format.
func TestPlainPasswords(t *testing.T) {
	for options, want := range map[string]bool{
		"": true, "auth_password_format: plain": true, "auth_password_format: scram": false,
		"auth_stored_password_types: []":                                     true,
		"auth_stored_password_types: [scram_sha256]":                         false,
		"auth_stored_password_types: [scram_sha256, plain]":                  true,
		"auth_stored_password_types: [plain]\nauth_password_format: scram":   true,
		"auth_stored_password_types: []\nauth_password_format: scram":        false,
		"auth_stored_password_types: [plain]\n" + own + "[scram_sha1]}}":     false,
		"auth_stored_password_types: [scram_sha512]\n" + own + "[plain]}}":   true,
		"auth_stored_password_types: [scram_sha1]\nauth_method: [ldap, sql]": false,
	} {
		if got := readText(t, "hosts: [a.example]\n"+options).Policy.PlainPasswords; (len(got) == 1) != want {
			t.Errorf("%q: %q, want %v", options, got, want)
		}
	}
}

const own = "host_config: {a.example: {auth_stored_password_types: "

// TestQuotasThatAreLogged: of these ejabberd warns with the account's address at each upload.
func TestQuotasThatAreLogged(t *testing.T) {
	for rules, want := range map[string][3]int{ // only hard, only soft, soft above hard
		"{}": {},
		"{soft_upload_quota: 160, hard_upload_quota: 200}":      {},
		"{soft_upload_quota: 200, hard_upload_quota: 200}":      {},
		"{hard_upload_quota: 200}":                              {1, 0, 0},
		"{soft_upload_quota: 160}":                              {0, 1, 0},
		"{soft_upload_quota: 160, hard_upload_quota: infinity}": {0, 1, 0},
		"{soft_upload_quota: 300, hard_upload_quota: 200}":      {0, 0, 1},
	} {
		p := readText(t, "hosts: [a.example]\nshaper_rules: "+rules+"\nmodules: {mod_http_upload_quota: {}}").Policy
		if got := [3]int{len(p.HardQuotaOnly), len(p.SoftQuotaOnly), len(p.SoftAboveHard)}; got != want {
			t.Errorf("%s: %v, want %v", rules, got, want)
		}
	}
}

func TestDistPort(t *testing.T) {
	for ctl, want := range map[string]int{"": 0, "ERL_DIST_PORT=5210": 5210, "export ERL_DIST_PORT='5210' # open": 5210, "ERL_DIST_PORT=": 0, "#ERL_DIST_PORT=1": 0} {
		config, err := files{mainFile: "hosts: [a.example]", ctlFile: ctl}.read()
		if err != nil || config.DistPort != want {
			t.Errorf("%q: port %d, %v, want %d", ctl, config.DistPort, err, want)
		}
	}
}

// TestFiles: each file that was read once, and none that was only looked for.
func TestFiles(t *testing.T) {
	config, err := files{
		mainFile:                 "hosts: [a.example]\ninclude_config_file: [more.yml, /srv/other.yml]",
		"/etc/ejabberd/more.yml": "include_config_file: /srv/other.yml",
		"/srv/other.yml":         "loglevel: info",
	}.read()
	if want := []string{"/etc/ejabberd/more.yml", "/srv/other.yml"}; err != nil || !slices.Equal(config.Files, want) {
		t.Errorf("%q, %v, want %q", config.Files, err, want)
	}
}

func TestProxyProtocol(t *testing.T) {
	listeners := readText(t, "hosts: [a.example]\nlisten: [{port: 5223, module: ejabberd_c2s, use_proxy_protocol: true}, {port: 5222, module: ejabberd_c2s}]").Listeners
	if !listeners[0].ProxyProtocol || listeners[1].ProxyProtocol {
		t.Errorf("%+v", listeners)
	}
}
