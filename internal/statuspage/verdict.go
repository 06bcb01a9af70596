// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// item is something that needs somebody.
type item struct {
	Level    level
	What, Do string
	Where    string // id of the part of the page that says more
}

// Part is the name of that part.
func (i item) Part() string {
	return map[string]string{
		"outside": "From outside", "certificates": "Certificates", "ports": "Ports", "uploads": "Uploads", "disk": "Disk",
		"database": "Database", "collectors": "Collectors",
	}[i.Where]
}

// verdict is the page in a sentence.
type verdict struct {
	Level    level
	Sentence string
	Items    []item
	Busy     bool // something is still being looked at
}

func (b *builder) need(l level, where, what, do string) {
	b.items = append(b.items, item{l, what, do, where})
}

// verdict says whether anything needs anybody, the worst first.
func (b *builder) verdict() verdict {
	v := verdict{Level: good, Items: b.items, Busy: b.busy() > 0}
	slices.SortStableFunc(v.Items, func(x, y item) int { return rank(y.Level) - rank(x.Level) })
	needed := 0
	for _, i := range v.Items {
		if i.Level == bad {
			needed++
		}
	}
	look := len(v.Items) - needed
	switch {
	case needed > 0:
		v.Level = bad
		v.Sentence = things(float64(needed), "thing needs you", "things need you")
		if look > 0 {
			v.Sentence += fmt.Sprintf(", %d more %s worth a look", look, map[bool]string{true: "is", false: "are"}[look == 1])
		}
		v.Sentence += ":"
	case len(b.Sights) == 0 && !b.told():
		v.Level, v.Sentence = unknown, "Nothing is watched here yet."
		if b.busy() > 0 {
			v.Level, v.Sentence = busy, "Nothing has answered yet."
		}
	default:
		v.Sentence = "Everything that is watched works."
		if b.busy() > 0 {
			v.Sentence = "Everything that has answered works."
		}
		if look > 0 {
			v.Level = warn
			v.Sentence += " " + things(float64(look), "thing is worth a look:", "things are worth a look:")
		}
	}
	return v
}

func rank(l level) int {
	return slices.Index([]level{unknown, off, busy, good, warn, bad}, l)
}

// told tells whether any collector has said anything.
func (b *builder) told() bool {
	return slices.ContainsFunc(b.Collectors, func(s state) bool { return s.Set != nil || s.Err != nil && !isOff(s) })
}

// busy is how many answers are still missing.
func (b *builder) busy() (n int) {
	for _, s := range b.Collectors {
		if waiting(s) {
			n++
		}
	}
	for _, s := range b.Sights {
		if s.Report == nil {
			n++
		}
	}
	return n
}

// server looks at ejabberd itself.
func (b *builder) server() {
	if up, known := b.sum("ejabberd_up"); known && up == 0 {
		what, do := "ejabberd does not answer its admin API.", "See whether it runs: `systemctl status ejabberd`, and the end of ejabberd.log. If it does, `--ejabberd.url` is not its API."
		listening, counted := b.sum("ejabberd_listener_up")
		if counted && listening == 0 {
			what = "ejabberd is down: its admin API does not answer, and nobody listens on any of its ports."
			do = "Start it: `systemctl start ejabberd`. If it ends again, the end of ejabberd.log says why."
		}
		b.need(bad, "collectors", what, do)
	}
	for _, node := range b.pick("ejabberd_cluster_node_up") {
		if node.Value == 0 {
			b.need(bad, "collectors", "Node "+node.Labels[0]+" of the cluster is stopped.", "Start ejabberd there, or take the node out of the cluster: `ejabberdctl leave_cluster`")
		}
	}
	if stale, known := b.sum("ejabberd_exporter_config_stale"); known && stale == 1 {
		b.need(warn, "collectors", "ejabberd serves other hosts than those that were found.", "Restart the exporter.")
	}
}

// traps tells what the doctor found, but for what the page knows better.
func (b *builder) traps() {
	var found []string
	for _, f := range b.pick("ejabberd_config_finding") {
		if f.Value == 1 && !slices.Contains([]string{"certificate_not_reloaded", "sweep_late"}, f.Labels[0]) {
			found = append(found, strings.ReplaceAll(f.Labels[0], "_", " "))
		}
	}
	if len(found) > 0 {
		b.need(warn, "collectors", "The doctor found "+things(float64(len(found)), "trap", "traps")+": "+strings.Join(found, ", ")+".",
			"`ejabberd_exporter doctor` says where, why it matters, and what to do.")
	}
}

// port is a port of ejabberd's, as the kernel sees it.
type port struct {
	Number, For, Connections string
	Families                 []family
}

type family struct {
	Name  string
	Level level
	Text  string
}

var familyNames = map[string]string{"ip4": "IPv4", "ip6": "IPv6"}

// ports tells where somebody listens.
func (b *builder) ports() (ports []port) {
	var deaf []string
	connections := 0.0
	for _, up := range b.pick("ejabberd_listener_up") {
		number, name := up.Labels[0], familyNames[up.Labels[1]]
		if len(ports) == 0 || ports[len(ports)-1].Number != number {
			ports, connections = append(ports, port{Number: number, For: b.Ports[number]}), 0
		}
		p := &ports[len(ports)-1]
		f := family{name, good, "listening"}
		if up.Value == 0 {
			f.Level, f.Text = bad, "nobody listens"
			deaf = append(deaf, number+" "+name)
		}
		p.Families = append(p.Families, f)
		if open, known := b.sum("ejabberd_listener_connections", up.Labels...); known {
			connections += open
			p.Connections = things(connections, "connection", "connections")
		}
	}
	slices.SortStableFunc(ports, func(x, y port) int {
		return len(x.Number)*100000 - len(y.Number)*100000 + strings.Compare(x.Number, y.Number)
	})
	if up, known := b.sum("ejabberd_up"); len(deaf) > 0 && (!known || up == 1 || len(deaf) < len(b.pick("ejabberd_listener_up"))) {
		b.need(bad, "ports", "Nobody listens on port "+strings.Join(deaf, ", ")+".", "Look in ejabberd.log for the listener that could not start; often another program has the port: `ss -lptn`")
	}
	return ports
}

// waiting: nothing is known of it yet, and that is no failure.
func waiting(s state) bool { return s.Set == nil && s.Err == nil }

// since is how old the numbers are.
func (b *builder) since(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(b.Now, t)
}
