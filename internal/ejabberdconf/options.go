// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import "slices"

// options are the top-level options, those of host_config, which stand in their place for one vhost, and those of
// append_host_config, which come behind them.
type options struct {
	global   map[string][]node // a list or map that is written twice, say in an included file, is one longer list or map
	hosts    map[string]map[string]node
	appended map[string]map[string][]node
}

func newOptions(entries []entry) *options {
	o := &options{global: map[string][]node{}, hosts: map[string]map[string]node{}, appended: map[string]map[string][]node{}}
	for _, e := range entries {
		switch e.key {
		case "host_config":
			for _, host := range e.value.entries() {
				vhost := ascii(host.key)
				if o.hosts[vhost] == nil {
					o.hosts[vhost] = map[string]node{}
				}
				for _, option := range host.value.entries() {
					o.hosts[vhost][option.key] = option.value
				}
			}
		case "append_host_config":
			for _, host := range e.value.entries() {
				vhost := ascii(host.key)
				if o.appended[vhost] == nil {
					o.appended[vhost] = map[string][]node{}
				}
				for _, option := range host.value.entries() {
					o.appended[vhost][option.key] = append(o.appended[vhost][option.key], option.value)
				}
			}
		default:
			o.global[e.key] = append(o.global[e.key], e.value)
		}
	}
	return o
}

// parts are the values of an option that count for a vhost, or globally for vhost "".
func (o *options) parts(vhost, option string) []node {
	parts := o.global[option]
	if own, ok := o.hosts[vhost][option]; ok {
		parts = []node{own}
	}
	return slices.Concat(parts, o.appended[vhost][option])
}

// value is an option that is written once.
func (o *options) value(vhost, option string) (node, bool) {
	parts := o.parts(vhost, option)
	if len(parts) == 0 {
		return node{}, false
	}
	return parts[0], true
}

// text is a scalar option, or fallback.
func (o *options) text(vhost, option, fallback string) string {
	if n, ok := o.value(vhost, option); ok {
		if text, ok := n.text(); ok && !n.resolved().empty() {
			return text
		}
	}
	return fallback
}

// items are those of an option that is a list.
func (o *options) items(vhost, option string) []node {
	var items []node
	for _, part := range o.parts(vhost, option) {
		items = append(items, part.items()...)
	}
	return items
}

// entries are those of an option that is a map, such as modules.
func (o *options) entries(vhost, option string) []entry {
	var entries []entry
	for _, part := range o.parts(vhost, option) {
		entries = append(entries, part.entries()...)
	}
	return entries
}

// lookup finds an entry of an option that is a map: the last one, as in ejabberd.
func (o *options) lookup(vhost, option, key string) (node, bool) {
	entries := o.entries(vhost, option)
	for _, e := range slices.Backward(entries) {
		if e.key == key {
			return e.value, true
		}
	}
	return node{}, false
}

// module is a module of a vhost with its options.
func (o *options) module(vhost, name string) (module, bool) {
	n, ok := o.lookup(vhost, "modules", name)
	if !ok {
		return nil, false
	}
	m := module{}
	for _, e := range n.entries() {
		m[e.key] = e.value
	}
	return m, true
}

// module is the options of a module, or of a listener.
type module map[string]node

// text is a scalar option, or fallback.
func (m module) text(option, fallback string) string {
	if n, ok := m[option]; ok {
		if text, ok := n.text(); ok && !n.resolved().empty() {
			return text
		}
	}
	return fallback
}
