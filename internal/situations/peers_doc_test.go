// SPDX-License-Identifier: Apache-2.0

package situations

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	peersDocument = "../../docs/peers.md"

	peersHead = `# Other plugins
<!-- Written by make compare-plugins. -->

What the plugins that Debian packages for XMPP say in the [situations](situations.md) that they claim to cover, beside what ours
say. Written by a run on %s, with

%s
Each is called as its documentation says, told the domain and the authority to trust, and with the options that see more. A cell is
the state that it ends with; **bold** is the wrong one: OK of what is broken, an alarm about what is not, or no answer: those that take
a time limit get 5 seconds, and all are stopped after 10. UNKNOWN where CRITICAL would be right counts as seen. "–" is what a plugin
does not claim to see, which is no fault.

- check_jabber claims that a stream opens and, on ports with direct TLS, for how long the certificate is good.
- check_xmppng claims streams of clients and of servers, STARTTLS, the certificate, and both address families.
- check_ssl_cert claims the certificate, over STARTTLS too. A service of a private authority has no timestamps of certificate
  transparency, so it is told to ignore those.

%sNone of the three follows SRV records, visits more than one address, logs in, or judges mechanisms. Debian's other programs that
look at XMPP servers are no plugins: xmpp-dns, nmap, sslscan and testssl.sh print what they find, for people to read.
`
)

// noFarewell is why check_xmppng has nothing good to say of a real ejabberd.
const noFarewell = `check_xmppng sees all that is good about a real ejabberd, and then ends with UNKNOWN: ejabberd answers the end of the stream and
closes the connection without the close_notify of TLS, which Python takes for an error since OpenSSL 3.

`

// TestPeersDocument: the document has a row for each comparison, with the state that is right. The run that writes it is
// make compare-plugins.
func TestPeersDocument(t *testing.T) {
	text, err := os.ReadFile(peersDocument)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range comparisons {
		_, v := c.find(t)
		if row := fmt.Sprintf("| %s | %s |", c.title(), v.state); !strings.Contains(string(text), row) {
			t.Errorf("docs/peers.md does not say %q: run make compare-plugins", row)
		}
	}
}

// writePeers writes what a run found, and leaves what the plugins cost as it is.
func writePeers(t *testing.T, results [][]answer) {
	t.Helper()
	versions, header, rule, note := "", "", "", ""
	for n, p := range peers {
		versions += fmt.Sprintf("- %s of %s %s\n", p.name, p.pkg, version(t, p.pkg))
		header, rule = header+" "+p.name+" |", rule+"---|"
		if p.name == "check_xmppng" && strings.Contains(results[0][n].first, "UNEXPECTED_EOF") {
			note = noFarewell
		}
	}
	versions += fmt.Sprintf("- ejabberd %s, OpenSSL %s\n", version(t, "ejabberd"), version(t, "openssl"))
	var b strings.Builder
	fmt.Fprintf(&b, peersHead, time.Now().UTC().Format(time.DateOnly), versions, note)
	fmt.Fprintf(&b, "\n## What they say\n\n| situation | right, and ours |%s\n|---|---|%s\n", header, rule)
	wrong, asked := make([]int, len(peers)), make([]int, len(peers))
	var words strings.Builder
	for i, c := range comparisons {
		_, v := c.find(t)
		fmt.Fprintf(&b, "| %s | %s |", c.title(), v.state)
		for n, a := range results[i] {
			state := a.state
			if state == "" {
				state = "–"
			} else {
				asked[n]++
			}
			if a.wrong {
				wrong[n]++
				state = "**" + state + "**"
				fmt.Fprintf(&words, "- %s, %s: `%s`\n", c.title(), peers[n].name, strings.ReplaceAll(a.first, "`", "'"))
			}
			fmt.Fprintf(&b, " %s |", state)
		}
		b.WriteString("\n")
	}
	b.WriteString("| wrong | 0 |")
	for n := range peers {
		fmt.Fprintf(&b, " %d of %d |", wrong[n], asked[n])
	}
	b.WriteString("\n\n## The words for what is wrong\n\n" + strings.ReplaceAll(words.String(), "``", "(nothing)"))
	_, cost := peersParts(t)
	write(t, b.String(), cost)
}

// costs is the heading of the part that BenchmarkPeers writes.
const costs = "\n## What they cost\n"

// peersParts are the document's two parts; empty where it is not there yet.
func peersParts(t testing.TB) (say, cost string) {
	t.Helper()
	text, err := os.ReadFile(peersDocument)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	say, cost, _ = strings.Cut(string(text), costs)
	return say, cost
}

func write(t testing.TB, say, cost string) {
	t.Helper()
	if err := os.WriteFile(peersDocument, []byte(say+costs+cost), 0o644); err != nil {
		t.Fatal(err)
	}
}

// title names the situation in the table.
func (c comparison) title() string {
	for _, theme := range append(all(), theme{realTheme, onEjabberd()}) {
		for _, s := range theme.situations {
			if s.name == c.situation {
				title := theme.name + ": " + s.name
				if c.plugin == "s2s" {
					title += ", for servers"
				}
				return title
			}
		}
	}
	return c.situation
}
