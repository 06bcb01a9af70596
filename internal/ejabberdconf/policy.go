// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Policy is what the doctor judges: settings with which ejabberd starts, and of which somebody may be sorry one day.
type Policy struct {
	LogRotateCount int64  `json:"log_rotate_count"`
	LogRotateSize  int64  `json:"log_rotate_size"`  // bytes; 0 = ejabberd never rotates
	S2SStartTLS    string `json:"s2s_use_starttls"` // false, optional, required, required_trusted
	// TrustsAllProxies: whoever connects may say in a header which address it has.
	TrustsAllProxies bool `json:"trusts_all_proxies,omitempty"`
	// CaptchaCommand is the program that paints captchas, if there is one.
	CaptchaCommand string `json:"captcha_command,omitempty"`
	// OAuth: tokens are meant to be issued.
	OAuth bool `json:"oauth,omitempty"`
	// APIToAnybody are the commands which every program on this host may call over HTTP without a password, and which say who is
	// there or change something.
	APIToAnybody []string `json:"api_to_anybody,omitempty"`
	// RegisterWeb are the paths at which mod_register_web answers.
	RegisterWeb []string `json:"register_web,omitempty"`

	// What follows are vhosts.
	OpenRegistration []string `json:"open_registration,omitempty"` // anybody may register, and no captcha is asked for
	AnybodyRegisters []string `json:"anybody_registers,omitempty"` // be it with a captcha
	NoWelcome        []string `json:"no_welcome,omitempty"`        // anybody may register, and is told nothing
	BansAnybody      []string `json:"bans_anybody,omitempty"`      // mod_fail2ban, with nobody exempt
	PlainPasswords   []string `json:"plain_passwords,omitempty"`   // passwords are stored as they are
	HardQuotaOnly    []string `json:"hard_quota_only,omitempty"`   // an upload quota without a soft one
	SoftQuotaOnly    []string `json:"soft_quota_only,omitempty"`   // a soft one without a hard one
	SoftAboveHard    []string `json:"soft_above_hard,omitempty"`   // a soft one above the hard one
}

// defaultRotateSize is ejabberd's log_rotate_size.
const defaultRotateSize = 10 << 20

func (r *reader) policy() {
	p := &r.Policy
	p.LogRotateCount, p.LogRotateSize = 1, defaultRotateSize
	if n, ok := r.options.value("", "log_rotate_count"); ok {
		text, _ := n.text()
		count, err := strconv.ParseInt(text, 10, 64)
		if err != nil || count < 0 {
			r.misread(n, "log_rotate_count", "a number")
		} else {
			p.LogRotateCount = count
		}
	}
	if n, ok := r.options.value("", "log_rotate_size"); ok {
		if size, ok := n.number(); ok {
			p.LogRotateSize = size
		} else {
			r.misread(n, "log_rotate_size", "bytes, or infinity")
		}
	}
	p.S2SStartTLS = r.starttlsPolicy()
	p.TrustsAllProxies = slices.Contains(r.texts("trusted_proxies"), "all")
	if command := r.options.text("", "captcha_cmd", ""); filepath.IsAbs(command) && !strings.Contains(command, "@") {
		p.CaptchaCommand = command
	}
	p.OAuth = r.usesOAuth()
	p.APIToAnybody = r.apiToAnybody()
	for _, l := range r.Listeners {
		for path, handler := range l.Handlers {
			if handler == "mod_register_web" && !slices.Contains(p.RegisterWeb, path) {
				p.RegisterWeb = append(p.RegisterWeb, path)
			}
		}
	}
	slices.Sort(p.RegisterWeb)
	for _, vhost := range r.Hosts {
		r.vhostPolicy(vhost)
	}
}

func (r *reader) vhostPolicy(vhost string) {
	p := &r.Policy
	if m, ok := r.options.module(vhost, "mod_register"); ok && r.anybodyRegisters(vhost, m) {
		p.AnybodyRegisters = append(p.AnybodyRegisters, vhost)
		if captcha, _ := m["captcha_protected"].boolean(); !captcha {
			p.OpenRegistration = append(p.OpenRegistration, vhost)
		}
		if !slices.ContainsFunc(m["welcome_message"].entries(), func(e entry) bool {
			text, _ := e.value.text()
			return text != ""
		}) {
			p.NoWelcome = append(p.NoWelcome, vhost)
		}
	}
	if m, ok := r.options.module(vhost, "mod_fail2ban"); ok && m.text("access", "none") == "none" && !m["access"].inPlace() {
		p.BansAnybody = append(p.BansAnybody, vhost)
	}
	if r.storesPasswords(vhost) && r.storesPlain(vhost) {
		p.PlainPasswords = append(p.PlainPasswords, vhost)
	}
	if m, ok := r.options.module(vhost, "mod_http_upload_quota"); ok {
		soft := r.quota(vhost, m, "access_soft_quota", "soft_upload_quota")
		hard := r.quota(vhost, m, "access_hard_quota", "hard_upload_quota")
		switch {
		case soft == 0 && hard > 0:
			p.HardQuotaOnly = append(p.HardQuotaOnly, vhost)
		case soft > 0 && hard == 0:
			p.SoftQuotaOnly = append(p.SoftQuotaOnly, vhost)
		case soft > hard:
			p.SoftAboveHard = append(p.SoftAboveHard, vhost)
		}
	}
}

// storesPasswords: the vhost's accounts are ejabberd's own, not LDAP's or an external program's.
func (r *reader) storesPasswords(vhost string) bool {
	methods := r.options.items(vhost, "auth_method")
	return len(methods) == 0 || slices.ContainsFunc(methods, func(n node) bool {
		text, _ := n.text()
		return isSQL(text) || text == "internal" || text == "mnesia"
	})
}

// storesPlain: from ejabberd 25.03 on a list of types may stand in the place of one format.
func (r *reader) storesPlain(vhost string) bool {
	types := r.options.items(vhost, "auth_stored_password_types")
	if len(types) == 0 {
		return r.options.text(vhost, "auth_password_format", "plain") == "plain"
	}
	return slices.ContainsFunc(types, func(n node) bool {
		text, _ := n.text()
		return text == "plain"
	})
}

// texts are those of an option that is a list, or a word in its place.
func (r *reader) texts(option string) []string {
	var texts []string
	for _, part := range r.options.parts("", option) {
		texts = append(texts, part.list()...)
	}
	return texts
}

// starttlsPolicy is what s2s_use_starttls says, in ejabberd's own words for it.
func (r *reader) starttlsPolicy() string {
	switch use := r.options.text("", "s2s_use_starttls", "false"); use {
	case "required", "required_trusted", "optional":
		return use
	case "true", "yes", "on":
		return "optional"
	}
	return "false"
}

// usesOAuth: tokens are handed out, or options say how. That api_permissions would accept one says nothing: Debian's file has that.
func (r *reader) usesOAuth() bool {
	for _, l := range r.Listeners {
		for _, handler := range l.Handlers {
			if handler == "ejabberd_oauth" {
				return true
			}
		}
	}
	for option := range r.options.global {
		if strings.HasPrefix(option, "oauth_") {
			return true
		}
	}
	return false
}

func (r *reader) servesAPI() bool { return len(r.APIURLs()) > 0 }

// patience is how long a directory may take to be looked at. On a file server that hangs it takes for ever, and nobody would know
// anything then, of ejabberd either.
const patience = 2 * time.Second

// listable gives up where a directory takes too long, and does not look at further ones.
func (r *reader) listable(docroot string) *bool {
	if r.hanging {
		return nil
	}
	seen := make(chan *bool, 1)
	go func() { seen <- r.look(docroot) }()
	select {
	case is := <-seen:
		return is
	case <-time.After(patience):
		r.hanging = true
		return nil
	}
}

// everybodyLists says whether every user of this host can list a directory of uploads: each directory on the way lets others pass, and
// itself lets them read. Nil where that can not be seen, as of a directory that does not exist yet.
func everybodyLists(docroot string) *bool {
	info, err := os.Stat(docroot)
	if err != nil {
		return nil
	}
	open := info.Mode().Perm()&0o005 == 0o005
	for dir := filepath.Dir(docroot); open; dir = filepath.Dir(dir) {
		if info, err = os.Stat(dir); err != nil {
			return nil
		}
		open = info.Mode().Perm()&0o001 != 0
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return &open
}
