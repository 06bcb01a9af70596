// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func said(words ...string) (string, int) {
	var out strings.Builder
	code := run(words, &out)
	return out.String(), code
}

// TestNamed: every plugin of a probe that there is as a program of its own answers to its name, as link and as first argument.
func TestNamed(t *testing.T) {
	programs, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, program := range programs {
		name := program.Name()
		if !strings.HasPrefix(name, "check_") {
			continue
		}
		names = append(names, name)
		for _, words := range [][]string{{"/usr/lib/nagios/plugins/" + name, "--help"}, {"xmpp_plugins", name, "--help"}} {
			if text, code := said(words...); code != 3 || !strings.HasPrefix(text, "Usage: "+name+" ") {
				t.Errorf("%v: exit %d, %q", words, code, text)
			}
		}
	}
	list, code := said("xmpp_plugins", "--list")
	listed := strings.Fields(list)
	slices.Sort(listed)
	if code != 0 || !slices.Equal(listed, names) {
		t.Errorf("--list: exit %d, %v, want %v", code, listed, names)
	}
}

// TestUnnamed: called by another name it is no check, so it is UNKNOWN and says which there are.
func TestUnnamed(t *testing.T) {
	for _, words := range [][]string{{}, {"xmpp_plugins"}, {"xmpp_plugins", "--version"}, {"check_xmpp", "c2s"}, {"x", "y", "check_xmpp_c2s"}} {
		if text, code := said(words...); code != 3 || !strings.Contains(text, " by the name of a plugin, ") {
			t.Errorf("%v: exit %d, %q", words, code, text)
		}
	}
}
