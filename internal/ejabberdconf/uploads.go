// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"path"
	"strings"
	"time"
)

// day of max_days, and the most of them that fit a time.Duration: longer is for ever.
const (
	day     = 24 * time.Hour
	maxDays = 100_000
)

func (r *reader) uploads() {
	for _, vhost := range r.Hosts {
		m, ok := r.options.module(vhost, "mod_http_upload")
		if !ok {
			continue
		}
		u := Upload{
			Vhost:    vhost,
			Docroot:  r.docroot(vhost, m),
			JIDInURL: m.text("jid_in_url", "sha1"),
			PutURL:   strings.ReplaceAll(strings.TrimRight(m.text("put_url", "https://@HOST@:5443/upload"), "/"), "@HOST@", vhost),
			MaxSize:  100 << 20,
			Access:   m.text("access", "local"),
		}
		if m["access"].inPlace() {
			u.Access = "" // a rule written in place has no name
		}
		if u.JIDInURL != "node" {
			u.JIDInURL = "sha1"
		}
		if n, ok := m["max_size"]; ok {
			if u.MaxSize, ok = n.number(); !ok {
				r.misread(n, "max_size", "bytes, or infinity")
				u.MaxSize = 100 << 20
			}
		}
		if quota, ok := r.options.module(vhost, "mod_http_upload_quota"); ok {
			u.SoftQuota, u.HardQuota = r.quotas(vhost, quota)
			u.Retention = r.retention(quota)
		}
		u.Listable = r.listable(u.Docroot)
		r.Uploads = append(r.Uploads, u)
	}
}

// docroot replaces the host as ejabberd writes it: in Unicode, for the directory is named so.
func (r *reader) docroot(vhost string, m module) string {
	docroot := strings.TrimRight(m.text("docroot", "@HOME@/upload"), "/")
	docroot = strings.ReplaceAll(docroot, "@HOME@", r.Home)
	docroot = strings.ReplaceAll(docroot, "@HOST@", r.unicode[vhost])
	if !path.IsAbs(docroot) {
		r.notef("%s: docroot of mod_http_upload is not absolute: taken as below ejabberd's spool directory, where ejabberdctl starts it", m["docroot"].position())
		docroot = path.Join(r.ctl.spool(), docroot)
	}
	return docroot
}

func (r *reader) retention(quota module) time.Duration {
	n, ok := quota["max_days"]
	if !ok {
		return 0
	}
	days, ok := n.number()
	if !ok {
		r.misread(n, "max_days", "a number of days, or infinity")
	}
	if !ok || days > maxDays {
		return 0
	}
	return time.Duration(days) * day
}

// events finds mod_metrics.
func (r *reader) events() {
	for _, vhost := range r.Hosts {
		m, ok := r.options.module(vhost, "mod_metrics")
		if !ok {
			continue
		}
		e := Events{Vhost: vhost, IP: "127.0.0.1", Port: 11111}
		if n, ok := m["ip"]; ok {
			if ip, ok := n.address(); ok {
				e.IP = ip
			} else {
				r.misread(n, "ip", "an address")
			}
		}
		if n, ok := m["port"]; ok {
			if port, ok := n.port(); ok {
				e.Port = port
			} else {
				r.misread(n, "port", "a number up to 65535")
			}
		}
		r.Events = append(r.Events, e)
	}
}
