// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
)

func TestNames(t *testing.T) {
	config := &ejabberdconf.Config{
		Hosts:      []string{"a.example", "b.example"},
		Components: []string{"bridge.test", "conference.a.example", "conference.b.example", "upload.a.example"},
		Uploads: []ejabberdconf.Upload{
			{Vhost: "a.example", PutURL: "https://upload.a.example:5443/upload"},
			{Vhost: "b.example", PutURL: "https://files.b.example/upload"},
		},
	}
	for limit, want := range map[int][]string{
		0: {
			"a.example file c2s c2s_tls s2s https", "b.example file c2s c2s_tls s2s https", "bridge.test file s2s", "conference.a.example file s2s",
			"conference.b.example file s2s", "upload.a.example file s2s https", "files.b.example file https",
		},
		1: {"a.example file c2s c2s_tls s2s https", "bridge.test file s2s", "conference.a.example file s2s", "upload.a.example file s2s https"},
	} {
		var got []string
		for _, n := range Names(config, limit) {
			text := n.Host
			for _, source := range []Source{File, C2S, C2STLS, S2S, HTTPS} {
				if n.On(source) {
					text += fmt.Sprint(" ", source)
				}
			}
			got = append(got, text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: got\n%q\nwant\n%q", limit, got, want)
		}
	}
}

func TestSourceOf(t *testing.T) {
	for want, l := range map[Source]ejabberdconf.Listener{
		C2S:    {Port: 5222, Transport: "tcp", Module: "ejabberd_c2s", StartTLS: true},
		C2STLS: {Port: 5223, Transport: "tcp", Module: "ejabberd_c2s", TLS: true},
		S2S:    {Port: 5269, Transport: "tcp", Module: "ejabberd_s2s_in", StartTLS: true},
		HTTPS:  {Port: 5443, Transport: "tcp", Module: "ejabberd_http", TLS: true},
	} {
		if got, ok := SourceOf(l); !ok || got != want {
			t.Errorf("%s: %q, %v, want %s", l.Module, got, ok, want)
		}
	}
	for _, l := range []ejabberdconf.Listener{
		{Port: 5222, Transport: "tcp", Module: "ejabberd_c2s"},
		{Port: 5280, Transport: "tcp", Module: "ejabberd_http"},
		{Unix: "/run/x", Transport: "tcp", Module: "ejabberd_http", TLS: true},
		{Port: 5349, Transport: "udp", Module: "ejabberd_stun", TLS: true},
	} {
		if got, ok := SourceOf(l); ok {
			t.Errorf("%+v: %s", l, got)
		}
	}
}
