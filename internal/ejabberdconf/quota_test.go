// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"strings"
	"testing"
	"time"
)

func TestQuota(t *testing.T) {
	const acl = "acl:\n  local: {user_regexp: ''}\n  listed: [{user: [a@b.example]}, {user_regexp: ['.*']}]\n  admin: {user: a@b.example}\n" +
		"shaper:\n  big: 300\n  burst: {rate: 10, burst_size: 20}\n"
	cases := []struct {
		name, rules, options string
		soft, hard           int64 // MiB
	}{
		{"map", "soft_upload_quota: {160: all}\n  hard_upload_quota: {200: all}", "", 160, 200},
		{"first line that applies to everybody", "hard_upload_quota: {500: admin, 200: all, 100: all}", "", 200, 200},
		{"list of maps", "hard_upload_quota: [{500: admin}, {200: all}]", "", 200, 200},
		{"list with several lines in a map", "hard_upload_quota: [{500: admin, 200: all}]", "", 200, 200},
		{"lists within a list", "hard_upload_quota: [[{500: admin}], [[{200: all}]]]", "", 200, 200},
		{"number", "soft_upload_quota: 160\n  hard_upload_quota: 200", "", 160, 200},
		{"number at the end of a list", "hard_upload_quota: [{500: admin}, 200]", "", 200, 200},
		{"acl all", "hard_upload_quota: {200: [{acl: all}]}", "", 200, 200},
		{"two conditions must both hold", "hard_upload_quota: [{200: [all, admin]}, {100: all}]", "", 100, 100},
		{"list of all users of this server", "hard_upload_quota: {200: local}", "", 200, 200},
		{"one of the list's lines takes in everybody", "hard_upload_quota: {200: listed}", "", 200, 200},
		{"only for some", "hard_upload_quota: {200: admin}", "", 0, 0},
		{"name that is in no list", "hard_upload_quota: {200: strangers}", "", 0, 0},
		{"only soft", "soft_upload_quota: 160", "", 160, 160},
		{"soft above hard", "soft_upload_quota: 300\n  hard_upload_quota: 200", "", 300, 300},
		{"none", "hard_upload_quota: {none: all}", "", 0, 0},
		{"infinity", "hard_upload_quota: infinity", "", 0, 0},
		{"no limit before a limit", "hard_upload_quota: [{unlimited: all}, {200: all}]", "", 0, 0},
		{"name of a shaper", "hard_upload_quota: {big: all}", "", 300, 300},
		{"shaper with a burst is no quota", "hard_upload_quota: {burst: all}", "", 0, 0},
		{"too large to be meant", "hard_upload_quota: 99999999999999", "", 0, 0},
		{"other names", "mine: 70\n  hard_upload_quota: 200", "access_soft_quota: mine", 70, 200},
		{"rule in the place of a name", "hard_upload_quota: 200", "access_soft_quota: [{300: admin}, {80: all}]", 80, 200},
		{"name without a rule", "hard_upload_quota: 200", "access_hard_quota: missing", 0, 0},
		{"name none", "hard_upload_quota: 200", "access_hard_quota: none", 0, 0},
		{"no rules", "max_user_sessions: 10", "", 0, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			config := readText(t, "hosts: [b.example]\n"+acl+"shaper_rules:\n  "+c.rules+
				"\nmodules:\n  mod_http_upload: {}\n  mod_http_upload_quota: {"+c.options+"}\n")
			u := config.Uploads[0]
			if u.SoftQuota != c.soft<<20 || u.HardQuota != c.hard<<20 {
				t.Errorf("quota = %d and %d bytes, want %d and %d MiB", u.SoftQuota, u.HardQuota, c.soft, c.hard)
			}
		})
	}
}

func TestQuotaNeedsItsModule(t *testing.T) {
	config := readText(t, "hosts: [b.example]\nshaper_rules: {hard_upload_quota: 200}\nmodules: {mod_http_upload: {}}\n")
	if u := config.Uploads[0]; u.HardQuota != 0 {
		t.Errorf("hard quota = %d without mod_http_upload_quota, want 0", u.HardQuota)
	}
}

func TestRetention(t *testing.T) {
	cases := map[string]time.Duration{
		"365":        365 * 24 * time.Hour,
		"'30'":       30 * 24 * time.Hour,
		"infinity":   0,
		"infinite":   0,
		"unlimited":  0,
		"9999999999": 0, // longer than a Duration holds
	}
	for text, want := range cases {
		config := readText(t, "hosts: [b.example]\nmodules: {mod_http_upload: {}, mod_http_upload_quota: {max_days: "+text+"}}\n")
		if got := config.Uploads[0].Retention; got != want {
			t.Errorf("max_days: %s: retention = %v, want %v", text, got, want)
		}
		if len(config.Notes) > 0 {
			t.Errorf("max_days: %s: notes: %s", text, strings.Join(config.Notes, "\n"))
		}
	}
}
