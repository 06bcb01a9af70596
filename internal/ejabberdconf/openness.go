// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"net/netip"
	"slices"
	"strings"
)

// numbersOnly are the commands that answer with numbers and with names of hosts and nodes: who may call them learns of nobody.
var numbersOnly = []string{
	"status", "stats", "stats_host", "registered_vhosts", "connected_users_number", "incoming_s2s_number", "outgoing_s2s_number",
	"list_cluster", "list_cluster_detailed", "muc_online_rooms_count",
}

// apiToAnybody are the other commands which api_permissions gives to every program of this host over HTTP: rules that ask for a
// loopback address and for nothing else. A rule that is not understood opens nothing, to cry wolf never.
func (r *reader) apiToAnybody() []string {
	var open []string
	if !r.servesAPI() {
		return nil
	}
	for _, rule := range r.options.entries("", "api_permissions") {
		m := module{}
		for _, e := range rule.value.entries() {
			m[e.key] = e.value
		}
		if !r.fromHTTP(m) || !r.asksAddressOnly(m["who"]) {
			continue
		}
		for _, command := range m["what"].list() {
			if !strings.HasPrefix(command, "!") && !slices.Contains(numbersOnly, command) && !slices.Contains(open, command) {
				open = append(open, command)
			}
		}
	}
	return open
}

// fromHTTP says whether a rule counts for requests to a listener that has a port: a Unix socket is protected by its directory.
func (r *reader) fromHTTP(rule module) bool {
	from, ok := rule["from"]
	if !ok {
		return true
	}
	return slices.ContainsFunc(flat(from), func(e entry) bool {
		if e.key != "tag" {
			return e.key == apiModule
		}
		tag, _ := e.value.text()
		return slices.ContainsFunc(r.options.items("", "listen"), func(listener node) bool {
			return slices.ContainsFunc(listener.entries(), func(option entry) bool {
				text, _ := option.value.text()
				return option.key == "tag" && text == tag
			}) && slices.ContainsFunc(listener.entries(), func(option entry) bool {
				_, number := option.value.port()
				return option.key == "port" && number
			})
		})
	})
}

// asksAddressOnly says whether one of the alternatives of who is met by everybody who comes from this host.
func (r *reader) asksAddressOnly(who node) bool {
	if who.yaml == nil {
		return false
	}
	return slices.ContainsFunc(flat(who), func(e entry) bool {
		if e.key != "access" {
			return r.metHere("", e)
		}
		rule := e.value
		if name, scalar := rule.text(); scalar {
			if name == "all" { // ejabberd's own
				return true
			}
			named, ok := r.options.lookup("", "access_rules", name)
			if !ok {
				return false
			}
			rule = named
		}
		return slices.ContainsFunc(flat(rule), func(line entry) bool {
			return line.key == "allow" && r.allMet("", line.value, r.metHere)
		})
	})
}

// allMet says whether all conditions of a line are met; one without conditions is.
func (r *reader) allMet(vhost string, conditions node, met func(vhost string, condition entry) bool) bool {
	if conditions.yaml == nil {
		return true
	}
	return !slices.ContainsFunc(flat(conditions), func(c entry) bool { return !met(vhost, c) })
}

// metHere says whether everybody who comes from 127.0.0.1 meets a condition.
func (r *reader) metHere(vhost string, c entry) bool {
	switch c.key {
	case "all":
		return true
	case "ip":
		return slices.ContainsFunc(c.value.list(), loopback)
	case "acl":
		name, _ := c.value.text()
		return name == "all" || r.addressList(vhost, name)
	}
	return c.value.yaml == nil && r.addressList(vhost, c.key)
}

// addressList says whether an access list takes in 127.0.0.1, whoever it is.
func (r *reader) addressList(vhost, name string) bool {
	list, ok := r.options.lookup(vhost, "acl", name)
	return ok && slices.ContainsFunc(flat(list), func(e entry) bool { return e.key == "ip" && slices.ContainsFunc(e.value.list(), loopback) })
}

func loopback(text string) bool {
	here := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Contains(here)
	}
	address, err := netip.ParseAddr(text)
	return err == nil && address == here
}

// anybodyRegisters says whether mod_register lets everybody in who comes from anywhere.
func (r *reader) anybodyRegisters(vhost string, m module) bool {
	return r.allows(vhost, m, "access") && r.allows(vhost, m, "ip_access")
}

// allows says whether a rule that an option names, or that stands in its place, allows everybody: its first line that applies to
// everybody does. Without the option everybody is allowed.
func (r *reader) allows(vhost string, m module, option string) bool {
	rule, ok := m[option]
	if !ok {
		return true
	}
	if name, scalar := rule.text(); scalar {
		if name == "all" || name == "none" {
			return name == "all"
		}
		if rule, ok = r.options.lookup(vhost, "access_rules", name); !ok {
			return false
		}
	}
	for _, line := range flat(rule) {
		if line.value.yaml == nil || r.everybody(vhost, line.value) {
			return line.key == "allow"
		}
	}
	return false
}
