// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"strings"
)

// lintConfig are the exceptions from dashboard-linter's rules: one rule, at the targets that ask for probes.
func lintConfig(all []board) []byte {
	var b bytes.Buffer
	b.WriteString("# Written by make dashboards: what dashboard-linter must not say, and why.\nexclusions:\n  target-instance-rule:\n" +
		"    reason: the instance of a probe is the domain that was probed, so that these targets match it with $vhost\n    entries:\n")
	for _, board := range all {
		for _, p := range board.panels() {
			for i, q := range p.show {
				if strings.Contains(q.expr, `instance=~"$vhost"`) {
					fmt.Fprintf(&b, "      - {dashboard: %q, panel: %q, targetIdx: \"%d\"}\n", "ejabberd: "+board.title, p.title, i)
				}
			}
		}
	}
	return b.Bytes()
}
