// SPDX-License-Identifier: Apache-2.0

package house

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestBuild looks at what `make build` leaves: every program of cmd/, static, and able to say its version.
func TestBuild(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "make", "-C", root, "--no-print-directory", "build", "BIN="+bin, "VERSION=1.2.3-test")
	if said, err := build.CombinedOutput(); err != nil || len(said) > 0 {
		t.Fatalf("make build: %v\n%s", err, said)
	}
	sources, err := os.ReadDir(filepath.Join(root, "cmd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		program := filepath.Join(bin, source.Name())
		checkSize(t, program)
		// The plugins exit 3 here, as their contract says.
		if said, err := exec.CommandContext(t.Context(), program, "--version").Output(); !strings.Contains(string(said), "1.2.3-test") {
			t.Errorf("%s --version says %q (%v)", source.Name(), said, err)
		}
		binary, err := elf.Open(program)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, segment := range binary.Progs {
			if segment.Type == elf.PT_INTERP {
				t.Errorf("%s wants a dynamic loader: it must run on every machine", source.Name())
			}
		}
		_ = binary.Close()
	}
}

// small are the plugins that run most often.
var small = []string{"check_xmpp_c2s", "check_xmpp_s2s", "check_xmpp_cert", "check_xmpp_dns"}

// checkSize: a plugin is started every minute, from a disk or over a network that others use too.
func checkSize(t *testing.T, program string) {
	t.Helper()
	name, limit := filepath.Base(program), int64(12_000_000)
	if slices.Contains(small, name) {
		limit = 8_000_000
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Error(err)
	} else if strings.HasPrefix(name, "check_") && info.Size() > limit {
		t.Errorf("%s has %d bytes, %d at most: what does it link that it does not need?", name, info.Size(), limit)
	}
}
