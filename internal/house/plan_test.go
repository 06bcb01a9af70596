// SPDX-License-Identifier: Apache-2.0

package house

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlanForbids proves that the plan can say no: each row is an import that somebody will try one day.
func TestPlanForbids(t *testing.T) {
	for _, try := range []struct {
		room, pkg string
		allowed   bool
	}{
		{"internal/metric", "strings", true},
		{"internal/metric", "golang.org/x/text/cases", false},
		{"internal/metric", module + "collector", false},
		{"internal/xmpp", "github.com/xdg-go/scram", false},
		{"internal/xmpp/sasl", "github.com/xdg-go/scram", true},
		{"internal/xmpp/sasl", "github.com/xdg-go/scrambled", false},
		{"internal/dns", "golang.org/x/net/html", false},
		{"collector", "github.com/prometheus/client_golang/prometheus", false},
		{"collector", module + "probes", false},
		{"probes", module + "internal/database", false},
		{"probes", module + "internal/xmpp", true},
		{"internal/exposition", "github.com/prometheus/client_golang/prometheus", true},
		{"cmd/check_xmpp_c2s", module + "internal/xmpp", false},
		{"cmd/ejabberd_exporter", "github.com/prometheus/client_golang/prometheus", false},
	} {
		room := roomOf(try.room)
		if room == nil {
			t.Errorf("no row for %s", try.room)
		} else if got := room.allows(try.pkg); got != try.allowed {
			t.Errorf("may %s import %s? got %v, want %v", try.room, try.pkg, got, try.allowed)
		}
	}
}

// TestPlanIsTold: docs/architecture.md names every room.
func TestPlanIsTold(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		if !strings.Contains(string(text), "`"+strings.TrimSuffix(room.name, "/*")) {
			t.Errorf("docs/architecture.md does not tell what %s is about", room.name)
		}
	}
}
