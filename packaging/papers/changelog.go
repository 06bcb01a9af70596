// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

// heading is a version in CHANGELOG.md, with its date once it is out.
var heading = regexp.MustCompile(`(?m)^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?\n`)

// changelog is CHANGELOG.md as Debian writes it. What is not released stands under the version that is packaged, as of date; with
// nothing to tell there, the version must be the newest that is.
func changelog(text, name, version string, date time.Time) (string, error) {
	var b strings.Builder
	sections := heading.FindAllStringSubmatchIndex(text, -1)
	for i, at := range sections {
		end := len(text)
		if i+1 < len(sections) {
			end = sections[i+1][0]
		}
		released, when := text[at[2]:at[3]]+"-1", date
		items := items(text[at[1]:end])
		switch {
		case at[4] >= 0:
			var err error
			if when, err = time.Parse(time.DateOnly, text[at[4]:at[5]]); err != nil {
				return "", fmt.Errorf("CHANGELOG.md, %s: %w", released, err)
			}
		case i > 0:
			return "", fmt.Errorf("CHANGELOG.md: %s has no date", released)
		case strings.TrimSuffix(version, "-1") == strings.TrimSuffix(followed(text, sections), "-1"):
			continue // packaged is what is released
		default:
			released = version
		}
		if len(items) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s (%s) unstable; urgency=medium\n\n", name, released)
		for _, item := range items {
			b.WriteString(wrap(item))
		}
		fmt.Fprintf(&b, "\n -- %s  %s\n\n", os.Getenv("MAINTAINER"), when.Format(time.RFC1123Z))
	}
	if b.Len() == 0 {
		return "", errors.New("CHANGELOG.md tells of no version")
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// followed is the newest version that is released, "" for none.
func followed(text string, sections [][]int) string {
	for _, at := range sections {
		if at[4] >= 0 {
			return text[at[2]:at[3]]
		}
	}
	return ""
}

// items are the entries of a section, each on one line, in plain text.
func items(section string) (all []string) {
	for line := range strings.Lines(section) {
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "- "):
			all = append(all, strings.TrimPrefix(trimmed, "- "))
		case strings.HasPrefix(line, "  ") && len(all) > 0:
			all[len(all)-1] += " " + trimmed
		}
	}
	for i := range all {
		all[i] = strings.ReplaceAll(all[i], "`", "")
	}
	return all
}

// wrap breaks an entry at 78 columns.
func wrap(item string) string {
	var b strings.Builder
	line := "  *"
	for word := range strings.FieldsSeq(item) {
		if len(line)+1+len(word) > 78 {
			b.WriteString(line + "\n")
			line = "   "
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}
