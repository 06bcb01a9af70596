// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// seen is the result of a check as a monitoring system shows it.
type seen struct {
	State            int
	Text, More, Data string
}

// key is a check: host and plugin, or what else the service is called.
type key struct{ host, plugin string }

// pluginOf is the plugin that a service is called after: check_xmpp_c2s for "XMPP c2s".
func pluginOf(service string) string {
	return "check_" + strings.ToLower(strings.ReplaceAll(service, " ", "_"))
}

// want is what has to be seen of a plugin on a domain: text and data are regular expressions, for what follows
// "XMPP_C2S STATE - " and for the performance data.
type want struct {
	state      int
	text, data string
}

// fine is what every plugin says of a healthy domain.
var fine = map[string]want{
	"check_xmpp_c2s":        {0, `^4 endpoints, worst certificate 89 days, TLS 1\.3, `, `time=[0-9.]+s;2;5;0 .*endpoints=4;;;0 endpoints_failed=0;;;0 cert_days=89\.`},
	"check_xmpp_s2s":        {0, `^2 endpoints, worst certificate 89 days, TLS 1\.3, `, `time=[0-9.]+s;2;5;0 .*endpoints=2;;;0 .*dialback=1;`},
	"check_xmpp_federation": {0, `^federates with probe\.example\.net both ways in \d+ ms, 2 endpoints, worst certificate 89 days, `, `out=[0-9.]+s;;;0 back=[0-9.]+s;;;0 ping=[0-9.]+s;;;0 endpoints=2;`},
	"check_xmpp_cert":       {0, `^6 endpoints, worst certificate 89 days, TLS 1\.3, `, `cert_days_min=89\.[0-9]+;22\.[0-9]+:;9\.[0-9]+: certs_distinct=1;`},
	"check_xmpp_dns":        {0, `^1 host, TTL from 1 s`, `srv_targets=1;;;0 srv_unresolved=0;;;0 min_ttl=1s;`},
	"check_xmpp_web":        {0, `^8 endpoints, worst certificate 89 days, TLS 1\.3, `, `hostmeta=[0-9.]+s;;;0 bosh=[0-9.]+s;;;0 ws=[0-9.]+s;;;0 cert_days=89\.`},
	"check_xmpp_turn":       {0, `^4 endpoints, `, `stun=[0-9.]+s;;;0 allocate=[0-9.]+s;`},
	"check_xmpp_exposed":    {0, `^looked at from here: `, `open=0;`},
	"check_xmpp_login":      {0, `^logged in by SCRAM-SHA-`, `auth=[0-9.]+s;;;0 ping=[0-9.]+s;;;0 ping_failed=0;;;0 components_failed=0;`},
	"check_xmpp_echo":       {0, `^3 of 3 messages came back from echo\.chapril\.test in `, `rtt=[0-9.]+s;;;0 rtt_max=[0-9.]+s;;;0 lost=0;`},
	"check_xmpp_register":   {0, `^registration is open with a captcha`, `register=1;;;0 captcha=1;`},
	"check_xmpp_upload":     {0, `^1024 bytes uploaded in .* and fetched in `, `slot=[0-9.]+s;;;0 put=[0-9.]+s;;;0 get=[0-9.]+s;;;0 max_file_size=104857600B;`},
	"check_ejabberd": {
		0, `^ejabberd [0-9.-]+ is up, all \d+ listeners are there, \d+ collectors work, certificates are good for 89 days`,
		`up=1;;;0 database_up=U;;;0 collectors_failed=0;;;0 listeners_down=0;;;0 cert_days=89\.`,
	},
	"check_ejabberd_sessions": {0, `^(sum )?ejabberd sessions( \w+\.test)? \d+ *$`, `ejabberd_sessions(_\w+\.test)?=\d+;2000;5000$`},
}

// broken is what the plugins that see it say of a domain that is not. The others find it fine.
var broken = map[key]want{
	{closed, "check_xmpp_c2s"}:      {2, refused, `time=U;2;5;0 .*endpoints=4;;;0 endpoints_failed=4;;;0 cert_days=U `},
	{closed, "check_xmpp_cert"}:     {2, refused, `cert_days_min=89\.`},
	{closed, "check_xmpp_login"}:    {2, refused, `auth=U;;;0 ping=U;`},
	{closed, "check_xmpp_turn"}:     {2, refused, `stun=U;;;0 allocate=U;`},
	{closed, "check_xmpp_echo"}:     {2, refused, `rtt=U;`},
	{closed, "check_xmpp_register"}: {2, refused, `register=U;;;0 captcha=U;`},
	{closed, "check_xmpp_upload"}:   {2, refused, `slot=U;;;0 put=U;;;0 get=U;`},

	{expired, "check_xmpp_s2s"}:        {2, past, `endpoints=2;;;0 endpoints_failed=2;;;0 cert_days=-1\.`},
	{expired, "check_xmpp_federation"}: {2, `^out: handshake: certificate expired 1\.0 days ago`, `out=U;;;0 back=U;;;0 ping=U;;;0 endpoints=2;;;0 endpoints_failed=2;`},
	{expired, "check_xmpp_cert"}:       {2, past, `cert_days_min=-1\.[0-9]+;.* certs_distinct=2;`},

	{half, "check_xmpp_c2s"}:      {2, noIPv6, `endpoints=4;;;0 endpoints_failed=1;;;0 cert_days=89\.`},
	{half, "check_xmpp_cert"}:     {2, noIPv6, `cert_days_min=89\.`},
	{half, "check_xmpp_login"}:    {2, noIPv6, `auth=[0-9.]+s;`},
	{half, "check_xmpp_echo"}:     {2, noIPv6, `lost=0;`},
	{half, "check_xmpp_register"}: {2, noIPv6, `register=1;`},
	{half, "check_xmpp_upload"}:   {2, noIPv6, `get=[0-9.]+s;`},
}

const (
	refused = `^xmpp\.closed\.test:\d+ ip[46]: connect: connection refused \(and 3 more\)`
	past    = `^xmpp\.expired\.test:\d+ ip[46]: handshake: certificate expired 1\.0 days ago`
	noIPv6  = `^xmpp\.half\.test:\d+ ip6: connect: connection refused`
)

var states = [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}

func expected(host, plugin string) (want, bool) {
	if w, ok := broken[key{host, plugin}]; ok {
		return w, true
	}
	w, ok := fine[plugin]
	return w, ok
}

// differs says how what was seen is not what has to be; "" where it is.
func (s seen) differs(host, plugin string) string {
	w, ok := expected(host, plugin)
	if !ok {
		return fmt.Sprintf("nothing says what %s should see: %+v", plugin, s)
	}
	start := strings.ToUpper(strings.TrimSuffix(strings.TrimPrefix(plugin, "check_"), "_sessions")) + " " + states[w.state] + " - "
	text, named := strings.CutPrefix(s.Text, start)
	switch {
	case s.State != w.state:
		return fmt.Sprintf("state %d, want %d", s.State, w.state)
	case !named, !regexp.MustCompile(w.text).MatchString(text):
		return fmt.Sprintf("text, want %s%s", start, w.text)
	case !regexp.MustCompile(w.data).MatchString(s.Data):
		return fmt.Sprintf("performance data, want %s", w.data)
	case s.More == "":
		return "no line for each endpoint"
	}
	return ""
}

// await looks until every check is as it has to be.
func await(t *testing.T, s *scene, look func() map[key]seen) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		results := look()
		wrong := map[key]string{}
		s.each(func(domain, plugin string) {
			k := key{domain, plugin}
			if result, there := results[k]; !there {
				wrong[k] = "not checked"
			} else if how := result.differs(domain, plugin); how != "" {
				wrong[k] = fmt.Sprintf("%s\n%+v", how, result)
			}
		})
		if len(wrong) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			for k, how := range wrong {
				t.Errorf("%s on %s: %s", k.plugin, k.host, how)
			}
			return
		}
	}
}
