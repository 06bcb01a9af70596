// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated document anew")

const (
	document = "../../docs/situations.md"

	head = `# Situations
<!-- Generated from the tests by make docs. -->

What can be wrong with an XMPP service, and what each plugin says about it: %d situations, %d plugin runs. The tests play each
of them for each plugin, against scripted peers and, in the last chapter, a real ejabberd. They run the plugins as they are shipped and hold to
this table: the state and exit code, phase and reason of every failure, a part of the status line. In none of them may a plugin
take longer than its ` + "`-t`" + ` and half a second, have more than 32 MiB of memory (16 where all is well), or write anything to standard error.

c2s is ` + "`check_xmpp_c2s`" + `, and so on. Where no ` + "`-t`" + ` is named it is ten seconds. ` + "`-H` and `-p`, `--url` or `--resolver`" + ` lead to the
place of the situation; accounts are named by ` + "`--jid`" + `.
`
)

// TestMadeFromCode keeps the document equal to the table. `make docs` writes it anew.
func TestMadeFromCode(t *testing.T) {
	text := tableDoc()
	if *update {
		if err := os.WriteFile(document, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(document); err != nil || string(have) != text {
		t.Errorf("docs/situations.md does not say what the table says: run make docs (%v)", err)
	}
}

func tableDoc() string {
	situations, runs := 0, 0
	var b strings.Builder
	for _, theme := range append(all(), theme{realTheme, onEjabberd()}) {
		fmt.Fprintf(&b, "\n## %s\n\n| situation | plugin | with | state | phase | reason | the status line says |\n|---|---|---|---|---|---|---|\n", theme.name)
		for _, s := range theme.situations {
			situations++
			name := s.name
			for _, v := range s.verdicts {
				runs += len(strings.Fields(v.plugins))
				var phases, reasons []string
				for failure := range strings.FieldsSeq(v.failure) {
					phase, reason, _ := strings.Cut(failure, "/")
					phases, reasons = append(phases, phase), append(reasons, reason)
				}
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", name, strings.ReplaceAll(v.plugins, " ", ", "), code(v.flags), v.state,
					strings.Join(phases, "<br>"), strings.Join(reasons, "<br>"), code(v.says))
				name = ""
			}
		}
	}
	return fmt.Sprintf(head, situations, runs) + b.String()
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.TrimSpace(text) + "`"
}
