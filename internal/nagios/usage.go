// SPDX-License-Identifier: Apache-2.0

package nagios

import (
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/chapril/ejabberd_exporter/probes"
)

// usageTemplate lays out --help. Kingpin wraps the lines.
const usageTemplate = `Usage: {{.App.Name}} --domain=DOMAIN [FLAGS]

{{.App.Help|Wrap 0}}
Flags:
{{.Context.Flags|Columns|FormatTwoColumns}}`

// helpText says what a plugin proves and how to read it. Indented lines are kept as they are.
func helpText(p probes.Probe) string {
	call := program(p) + " --domain example.org"
	if p.LogsIn {
		call += " --jid probe@example.org --password-file FILE"
	}
	return p.Help + `.

Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. Trouble on the network is CRITICAL; a wrong flag, a missing file, --help and --version are UNKNOWN.

Ranges are those of the Monitoring Plugins: the alarm is raised outside start:end, ends included, or inside @start:end; "~" is minus infinity. 10 is 0:10, 10: is ten or more. Days of a certificate may be given in percent of its lifetime, 25%:.

Examples:

	` + call + `
	` + call + ` -w 1 -c 5 -t 20
	` + call + ` --output json`
}

// columns lists the flags and what they are for.
func columns(flags []*kingpin.FlagModel) (rows [][2]string) {
	for _, f := range flags {
		if f.Hidden {
			continue
		}
		left := "    --" + f.Name
		if f.Short != 0 {
			left = "-" + string(f.Short) + ", --" + f.Name
		}
		if !f.IsBoolFlag() {
			left += "=" + f.FormatPlaceHolder()
		}
		help := f.Help
		if s, ok := f.Value.(settingFlag); ok && s.isList {
			help = strings.TrimSuffix(help, ".") + "; may be repeated."
		}
		rows = append(rows, [2]string{left, help})
	}
	return rows
}
