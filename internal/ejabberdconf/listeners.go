// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"path/filepath"
	"strings"
)

func (r *reader) listeners() {
	for _, n := range r.options.items("", "listen") {
		m := module{}
		for _, e := range n.entries() {
			m[e.key] = e.value
		}
		l := Listener{
			IP:        "0.0.0.0",
			Transport: m.text("transport", "tcp"),
			Module:    m.text("module", ""),
		}
		if l.Module == "" || l.Transport != "tcp" && l.Transport != "udp" {
			r.misread(n, "listen", "port, module, and tcp or udp")
			continue
		}
		port, ok := m["port"]
		if !ok {
			r.misread(n, "listen", "a port")
			continue
		}
		text, _ := port.text()
		if socket, unix := strings.CutPrefix(text, "unix:"); unix {
			l.Unix = socket
		} else if l.Port, ok = port.port(); !ok {
			r.misread(port, "port", "a number up to 65535, or unix:PATH")
			continue
		}
		if ip, ok := m["ip"]; ok {
			if l.IP, ok = ip.address(); !ok {
				r.misread(ip, "ip", "an address")
				continue
			}
		}
		l.TLS = r.flag(m, "tls")
		l.ProxyProtocol = r.flag(m, "use_proxy_protocol")
		r.startTLS(&l, m)
		r.handlers(&l, m)
		r.Listeners = append(r.Listeners, l)
	}
}

// startTLS: clients are offered it by their listener, servers by a global option.
func (r *reader) startTLS(l *Listener, m module) {
	required := r.flag(m, "starttls_required")
	offered := r.flag(m, "starttls") || required || r.flag(m, "tls_verify")
	if l.Module == "ejabberd_s2s_in" {
		switch use := r.options.text("", "s2s_use_starttls", "false"); use {
		case "optional", "true", "yes", "on":
			offered = true
		case "required", "required_trusted":
			offered, required = true, true
		}
	}
	if !l.TLS {
		l.StartTLS, l.StartTLSRequired = offered, required
	}
}

func (r *reader) handlers(l *Listener, m module) {
	handlers, ok := m["request_handlers"]
	if !ok {
		return
	}
	l.Handlers = map[string]string{}
	for _, e := range handlers.entries() {
		name, ok := e.value.text()
		if !ok {
			r.misread(e.value, "request_handlers", "the name of a module")
			continue
		}
		l.Handlers["/"+strings.Trim(e.key, "/")] = name
		if l.Unix != "" && name == apiModule {
			r.notef("%s: the admin API on this Unix socket is not used: the exporter asks listeners that have a port", e.value.position())
		}
	}
}

// flag is an option that is yes or no, and no where it is not said.
func (r *reader) flag(m module, option string) bool {
	n, ok := m[option]
	if !ok {
		return false
	}
	value, ok := n.boolean()
	if !ok {
		r.misread(n, option, "true or false")
	}
	return value
}

// certFiles collects the files of certificates of the server, of vhosts, and of listeners.
func (r *reader) certFiles() {
	seen := map[string]bool{}
	add := func(n node) {
		path, ok := n.text()
		if !ok || path == "" {
			r.misread(n, "certfiles", "paths")
			return
		}
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.ctl.spool(), path)
		}
		if !seen[path] {
			seen[path] = true
			r.CertFiles = append(r.CertFiles, path)
		}
	}
	for _, vhost := range append([]string{""}, r.Hosts...) {
		for _, option := range []string{"certfiles", "domain_certfile", "c2s_certfile", "s2s_certfile"} {
			for _, n := range r.options.items(vhost, option) {
				add(n)
			}
		}
	}
	for _, listener := range r.options.items("", "listen") {
		for _, e := range listener.entries() {
			if e.key == "certfile" {
				add(e.value)
			}
		}
	}
}
