// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"fmt"
	"strings"
)

// policy makes a look at what ejabberd.yml says: the vhosts, paths or commands that have the trap.
func policy(format string, have func(*Sources) []string) func(context.Context, *Sources) ([]string, error) {
	return func(_ context.Context, src *Sources) ([]string, error) {
		if list := have(src); len(list) > 0 {
			return []string{fmt.Sprintf(format, strings.Join(list, ", "))}, nil
		}
		return nil, nil
	}
}

var registrationOpen = Trap{
	Name: "registration_without_captcha", Severe: true,
	Why:  "bots find an open registration within days; their accounts spam other servers, which then refuse yours",
	Fix:  "mod_register: {captcha_protected: true}, with captcha_cmd and a request handler /captcha: ejabberd_captcha",
	Look: policy("anybody can register an account without a captcha at %s", func(src *Sources) []string { return src.Config.Policy.OpenRegistration }),
}

var registrationWeb = Trap{
	Name: "registration_by_web",
	Why:  "a page with forms is what bots try first, and it can change passwords and delete accounts too",
	Fix:  "take the request handler mod_register_web out of the listener, unless the page is wanted and watched",
	Look: policy("mod_register_web answers at %s", func(src *Sources) []string { return src.Config.Policy.RegisterWeb }),
}

var noWelcome = Trap{
	Name: "no_welcome_message",
	Why:  "who registers is told neither the rules nor that files and messages are deleted some day",
	Fix:  `mod_register: {welcome_message: {subject: "Welcome", body: "…"}}`,
	Look: policy("anybody can register, and is told nothing, at %s", func(src *Sources) []string { return src.Config.Policy.NoWelcome }),
}

var failToBan = Trap{
	Name: "fail2ban_without_exception",
	Why:  "mod_fail2ban bans addresses: a probe with a wrong password bans the monitoring host, and everybody behind the same address",
	Fix:  "mod_fail2ban: {access: monitoring}, with access_rules: {monitoring: [{allow: [{ip: ADDRESS-OF-THE-MONITORING-HOST}]}]}",
	Look: policy("mod_fail2ban exempts nobody at %s", func(src *Sources) []string { return src.Config.Policy.BansAnybody }),
}
