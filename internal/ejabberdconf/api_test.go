// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"slices"
	"testing"
)

func TestAPIURLs(t *testing.T) {
	api := map[string]string{"/api": "mod_http_api"}
	config := &Config{Listeners: []Listener{
		{Port: 5222, IP: "::", Transport: "tcp", Module: "ejabberd_c2s"},
		{Port: 1, IP: "203.0.113.5", Transport: "tcp", Handlers: api},
		{Port: 2, IP: "::", Transport: "tcp", TLS: true, Handlers: api},
		{Port: 3, IP: "127.0.0.1", Transport: "tcp", TLS: true, Handlers: api},
		{Port: 4, IP: "0.0.0.0", Transport: "tcp", Handlers: api},
		{Port: 5, IP: "127.0.0.1", Transport: "tcp", Handlers: map[string]string{"/api": "mod_http_api", "/api/v0": "mod_http_api", "/ws": "ejabberd_http_ws"}},
		{Port: 6, IP: "::1", Transport: "tcp", Handlers: api},
		{Unix: "/run/api.sock", IP: "0.0.0.0", Transport: "tcp", Handlers: api},
		{Port: 4, IP: "::", Transport: "tcp", Handlers: api},
		{Port: 7, IP: "::", Transport: "tcp", Handlers: map[string]string{"/": "mod_http_api"}},
	}}
	want := []string{
		"http://127.0.0.1:5/api",
		"http://[::1]:6/api",
		"http://127.0.0.1:4/api",
		"http://127.0.0.1:5/api/v0",
		"http://127.0.0.1:7",
		"https://127.0.0.1:3/api",
		"https://127.0.0.1:2/api",
		"http://203.0.113.5:1/api",
	}
	if got := config.APIURLs(); !slices.Equal(got, want) {
		t.Errorf("APIURLs() =\n%q, want\n%q", got, want)
	}
}
