// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"strings"
	"testing"
)

// TestDeadHouse: where nobody answers at all, closed doors prove nothing.
func TestDeadHouse(t *testing.T) {
	for _, c := range []struct {
		name  string
		tcp   map[portNumber]outcome
		state State
	}{
		{"silence", map[portNumber]outcome{4369: silent, 5222: silent}, Unknown},
		{"filtered, and somebody at home", map[portNumber]outcome{4369: silent, 5222: opened}, OK},
		{"open", map[portNumber]outcome{4369: opened, 5222: opened}, Critical},
	} {
		g := &guard{exposedSettings: exposedSettings{ports: numberList{4369}}, out: NewReport(), meant: map[string]bool{}}
		w := &watched{endpoint: endpoint{target: target{xmppClient, "xmpp.example.org", 5222}, family: ip4}, tcp: c.tcp}
		w.alive = c.tcp[5222] != silent
		g.tell(w)
		_, known := g.out.Set.Get(exposedOpen, epmdDoor)
		if g.out.Worst() != c.state || known != (c.state != Unknown) {
			t.Errorf("%s: %+v, %s", c.name, g.out.Notes, g.out.Set.Text())
		}
	}
}

// TestEPMD: the ports that an epmd names, and no more than a few of them.
func TestEPMD(t *testing.T) {
	text := "name ejabberd at port 41234\nname x at port none\nname y at port 70000\n" + strings.Repeat("name z at port 1\n", 100)
	if got := nodePorts(text); len(got) != 8 || got[0] != 41234 || got[1] != 1 {
		t.Errorf("%v", got)
	}
}
