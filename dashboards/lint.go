// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
)

// exceptions are the rules of dashboard-linter that do not fit, and what is in the queries that they do not fit.
var exceptions = []struct{ rule, reason, in string }{
	{"target-instance-rule", "the instance of a probe is the domain that was probed, so that these targets match it with $vhost", `instance=~"$vhost"`},
	{"target-rate-interval-rule", "the directory of the uploads is walked every 15 minutes, which is longer than the interval mostly", walks},
}

// lintConfig are the exceptions from dashboard-linter's rules, target by target.
func lintConfig(all []board) []byte {
	var b bytes.Buffer
	b.WriteString("# Written by make dashboards: what dashboard-linter must not say, and why.\nexclusions:\n")
	for _, e := range exceptions {
		fmt.Fprintf(&b, "  %s:\n    reason: %s\n    entries:\n", e.rule, e.reason)
		for _, board := range all {
			for _, p := range board.panels() {
				for i, q := range p.show {
					if strings.Contains(q.expr, e.in) {
						fmt.Fprintf(&b, "      - {dashboard: %q, panel: %q, targetIdx: \"%d\"}\n", "ejabberd: "+board.title, p.title, i)
					}
				}
			}
		}
	}
	return b.Bytes()
}
