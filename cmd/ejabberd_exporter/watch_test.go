// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/events"
)

func TestWhereEventsAreListenedFor(t *testing.T) {
	a, b := ejabberdconf.Events{Vhost: "a.test", IP: "127.0.0.1", Port: 11111}, ejabberdconf.Events{Vhost: "b.test", IP: "127.0.0.1", Port: 11111}
	elsewhere := ejabberdconf.Events{Vhost: "b.test", IP: "127.0.0.1", Port: 2222}
	away := ejabberdconf.Events{Vhost: "b.test", IP: "192.0.2.7", Port: 11111}
	stock, flag := netip.MustParseAddrPort("127.0.0.1:11111"), netip.MustParseAddrPort("[::1]:3333")
	for name, c := range map[string]struct {
		events []ejabberdconf.Events
		flags  watched
		want   events.Target
	}{
		"no mod_metrics":           {nil, watched{}, events.Target{}},
		"both vhosts":              {[]ejabberdconf.Events{a, b}, watched{}, events.Target{Address: stock, Vhosts: []string{"a.test", "b.test"}}},
		"another port":             {[]ejabberdconf.Events{a, elsewhere}, watched{}, events.Target{Address: stock, Vhosts: []string{"a.test"}}},
		"to another machine":       {[]ejabberdconf.Events{away}, watched{}, events.Target{}},
		"one to another machine":   {[]ejabberdconf.Events{away, a}, watched{}, events.Target{Address: stock, Vhosts: []string{"a.test"}}},
		"a flag":                   {[]ejabberdconf.Events{away}, watched{events: flag}, events.Target{Address: flag, Vhosts: []string{"a.test", "b.test"}}},
		"a flag for every machine": {nil, watched{events: flag, remote: true}, events.Target{Address: flag, Vhosts: []string{"a.test", "b.test"}, Remote: true}},
	} {
		config := &ejabberdconf.Config{Hosts: []string{"a.test", "b.test"}, Events: c.events}
		if got := newWatch(c.flags).target(config); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestWhichLogIsFollowed(t *testing.T) {
	for _, c := range []struct {
		flag   string
		config ejabberdconf.Config
		want   string
	}{
		{"", ejabberdconf.Config{}, ""}, // no ejabberd here
		{"", ejabberdconf.Config{Path: "/etc/ejabberd/ejabberd.yml"}, defaultLog},
		{"", ejabberdconf.Config{Path: "/etc/ejabberd/ejabberd.yml", Log: "/srv/ejabberd.log"}, "/srv/ejabberd.log"},
		{"/flag.log", ejabberdconf.Config{Path: "/etc/ejabberd/ejabberd.yml", Log: "/srv/ejabberd.log"}, "/flag.log"},
		{"/flag.log", ejabberdconf.Config{}, "/flag.log"},
	} {
		if got := newWatch(watched{logPath: c.flag}).log(&c.config); got != c.want {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}
