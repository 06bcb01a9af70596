// SPDX-License-Identifier: Apache-2.0

// Command xmpp_plugins is all the monitoring plugins in one program, for packages: it is the plugin by whose name it is called.
// Thirteen static programs share most of what they are made of.
package main

import (
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/version"

	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/internal/page"
	"github.com/chapril/ejabberd_exporter/internal/secret"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() {
	secret.NoCore()
	os.Exit(run(os.Args, os.Stdout))
}

// run is the plugin that the first of the words names, or the second, which is for trying.
func run(words []string, stdout io.Writer) int {
	var names []string
	for name, plugin := range plugins() {
		for i := range min(2, len(words)) {
			if filepath.Base(words[i]) == name {
				return plugin.Run(words[i+1:], stdout)
			}
		}
		names = append(names, name)
	}
	if len(words) == 2 && words[1] == "--list" { // for packages, which make links of these names
		_, _ = fmt.Fprintln(stdout, strings.Join(names, "\n"))
		return int(probes.OK)
	}
	_, _ = fmt.Fprintf(stdout, "xmpp_plugins %s: call it by the name of a plugin, through a link or as its first argument: %s\n",
		version.Version, strings.Join(names, " "))
	return int(probes.Unknown)
}

// plugins are all of them, by the name of their program.
func plugins() iter.Seq2[string, nagios.Plugin] {
	return func(yield func(string, nagios.Plugin) bool) {
		for _, p := range probes.All(sasl.Authenticate) {
			if !yield("check_xmpp_"+p.Name, nagios.Of(p)) {
				return
			}
		}
		yield("check_ejabberd", page.Plugin())
	}
}
