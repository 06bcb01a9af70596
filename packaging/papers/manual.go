// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"time"
)

// manual lays out anew what kingpin's --help-man writes, whose title holds a version of several lines and no date, whose name
// has no description, and whose dashes are hyphens.
func manual(text, name, version string, date time.Time) (string, error) {
	head, flags, found := strings.Cut(text, "\n.SH \"OPTIONS\"\n")
	_, about, described := strings.Cut(head, "\n.SH \"DESCRIPTION\"\n")
	if !found || !described {
		return "", fmt.Errorf("%s --help-man is laid out in a new way: change manual to fit", name)
	}
	brief, _, _ := strings.Cut(about, ".")
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %s %q\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), date.Format(time.DateOnly), name+" "+version, name, escape(brief))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n[FLAGS]\n.SH DESCRIPTION\n%s\n.SH OPTIONS\n", name, escape(strings.TrimSpace(about)))
	for option := range strings.SplitSeq(strings.TrimPrefix(flags, ".TP\n"), "\n.TP\n") {
		flag, help, found := strings.Cut(option, "\n")
		flag = strings.TrimSuffix(strings.TrimPrefix(flag, `\fB`), `\fR`)
		if !found || !strings.HasPrefix(flag, "-") {
			return "", fmt.Errorf("%s --help-man: %q is no flag with its help", name, option)
		}
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", escape(flag), escape(strings.TrimSpace(help)))
	}
	return b.String(), nil
}

// escape writes text so that roff takes it as it is.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return strings.NewReplacer("\n.", "\n\\&.", "\n'", "\n\\&'").Replace(text)
}
