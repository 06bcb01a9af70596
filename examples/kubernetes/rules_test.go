// SPDX-License-Identifier: Apache-2.0

package kubernetes_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is made from alerts/")

const rulesHeader = `# Made from alerts/*.rules.yml by make docs.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ejabberd
  labels:
    app.kubernetes.io/name: ejabberd-exporter
spec:
  groups:
`

// TestMadeFromCode: prometheusrule.yaml has the groups of all rule files, as they are written there. The rules that keep the names of
// other exporters alive are for who needs them.
func TestMadeFromCode(t *testing.T) {
	const file = "prometheusrule.yaml"
	var text strings.Builder
	text.WriteString(rulesHeader)
	paths, err := filepath.Glob("../../alerts/*.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	groups := 0
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "legacy-") {
			continue
		}
		_, body, ok := strings.Cut(read(t, path), "groups:\n")
		if !ok {
			t.Errorf("%s has no groups", path)
		}
		for line := range strings.Lines(body) {
			if strings.TrimSpace(line) != "" {
				text.WriteString("  ")
			}
			text.WriteString(line)
			if strings.HasPrefix(line, "  - name: ") {
				groups++
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, file) != text.String() {
		t.Errorf("%s is out of date: make docs", file)
	}
	if rule := decode(t).rule; len(rule.Spec.Groups) != groups {
		t.Errorf("%d groups in %s, %d in alerts/", len(rule.Spec.Groups), file, groups)
	}
}
