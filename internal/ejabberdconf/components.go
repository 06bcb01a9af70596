// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"slices"
	"strings"
)

// componentModules answer on a host of their own, below that of the vhost where the configuration names none.
var componentModules = map[string]string{
	"mod_echo":        "echo.@HOST@",
	"mod_http_upload": "upload.@HOST@",
	"mod_matrix_gw":   "matrix.@HOST@",
	"mod_mix":         "mix.@HOST@",
	"mod_muc":         "conference.@HOST@",
	"mod_multicast":   "multicast.@HOST@",
	"mod_proxy65":     "proxy.@HOST@",
	"mod_pubsub":      "pubsub.@HOST@",
}

// components finds the hosts that ejabberd answers for beside the vhosts: those of modules, and those of listeners for external
// components.
func (r *reader) components() {
	r.Services = map[string]string{}
	add := func(name, vhost string) {
		name = ascii(strings.ReplaceAll(strings.ReplaceAll(name, "@HOST@", r.unicode[vhost]), "@host@", r.unicode[vhost]))
		if name != "" && !slices.Contains(r.Hosts, name) && !slices.Contains(r.Components, name) {
			r.Components = append(r.Components, name)
		}
		if vhost == "" || strings.HasSuffix(name, "."+vhost) {
			return
		}
		if owner, known := r.Services[name]; known && owner != vhost {
			vhost = ""
		}
		r.Services[name] = vhost
	}
	for _, vhost := range r.Hosts {
		for name, fallback := range componentModules {
			m, ok := r.options.module(vhost, name)
			if !ok {
				continue
			}
			hosts := slices.Concat(m["hosts"].list(), m["host"].list())
			if len(hosts) == 0 {
				hosts = []string{fallback}
			}
			for _, host := range hosts {
				add(host, vhost)
			}
		}
	}
	for _, listener := range r.options.items("", "listen") {
		for _, e := range listener.entries() {
			if e.key == "hosts" {
				for _, host := range e.value.entries() {
					add(host.key, "")
				}
			}
		}
	}
	slices.Sort(r.Components)
	if len(r.Services) == 0 {
		r.Services = nil
	}
}

// list are the texts of a list, or of the one that stands in its place; none where there is nothing.
func (n node) list() []string {
	if n.yaml == nil {
		return nil
	}
	var list []string
	for _, item := range n.items() {
		if text, ok := item.text(); ok {
			list = append(list, text)
		}
	}
	return list
}
