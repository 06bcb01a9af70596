// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// version is that of a Debian package, or of the program that make bench builds.
func version(name string) string {
	if name == "statsd_exporter" {
		module, _ := os.ReadFile("tools/statsd_exporter/go.mod")
		if found := regexp.MustCompile(`github.com/prometheus/statsd_exporter (v\S+)`).FindSubmatch(module); found != nil {
			return string(found[1])
		}
		return "of unknown version"
	}
	if name == "postgresql" {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
		if len(found) == 0 {
			return "unknown"
		}
		name = "postgresql-" + filepath.Base(filepath.Dir(filepath.Dir(found[len(found)-1])))
	}
	text, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
	if err != nil {
		return "unknown"
	}
	return string(text)
}

// machine is where it was measured.
func machine() string {
	processor := "unknown processor"
	info, _ := os.ReadFile("/proc/cpuinfo")
	if found := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(info); found != nil {
		processor = string(found[1])
	}
	var system unix.Sysinfo_t
	_ = unix.Sysinfo(&system)
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d cores of %s, %d GB of memory, Linux %s; Go %s, ejabberd %s, PostgreSQL %s, coreutils %s, findutils %s",
		runtime.NumCPU(), processor, system.Totalram*uint64(system.Unit)/1e9, strings.TrimSpace(string(kernel)),
		strings.TrimPrefix(runtime.Version(), "go"), version("ejabberd"), version("postgresql"), version("coreutils"), version("findutils"))
}
