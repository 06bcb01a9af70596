// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// expected reads the file of --expect: all records that should stand under each name, nil without a file.
//
//	# name, priority, weight, port, target
//	_xmpp-client._tcp       10 5 5222 xmpp.example.org
//	_xmpps-server._tcp      0 0 0 .
//	_xmpp-server._tcp.muc   0 0 5269 xmpp.example.org
//
// As in a zone file, a name is completed with the domain unless it ends with a dot; a target is always complete. Lines as dig
// prints them (name, TTL, IN, SRV, priority …) do as well. A service of XMPP that the file does not name must have no records.
func (d *dnsSettings) expected(domain string) (map[string][]string, error) {
	if d.expect == "" {
		return nil, nil
	}
	text, err := os.ReadFile(d.expect)
	if err != nil {
		return nil, fmt.Errorf("--expect: %w", secret.Pathless(err))
	}
	want, n := map[string][]string{}, 0
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(strings.ToLower(line), "#")
		line, _, _ = strings.Cut(line, ";")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		name, record, err := expectedRecord(fields, domain)
		if err != nil {
			return nil, fmt.Errorf("--expect, line %d: %w", n, err)
		}
		want[name] = append(want[name], record)
	}
	if len(want) == 0 {
		return nil, errors.New("--expect: it names no record")
	}
	return want, nil
}

var errNoRecord = errors.New("want NAME PRIORITY WEIGHT PORT TARGET, such as _xmpp-client._tcp 10 5 5222 xmpp.example.org")

// expectedRecord reads the fields of one line.
func expectedRecord(fields []string, domain string) (name, record string, err error) {
	name, rest := fields[0], fields[1:]
	if at := slices.Index(rest, "srv"); at >= 0 {
		rest = rest[at+1:]
	}
	full, absolute := strings.CutSuffix(name, ".")
	if !absolute {
		full += "." + domain
	}
	if len(rest) != 4 || !isOwner(full) {
		return "", "", errNoRecord
	}
	for _, number := range rest[:3] {
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return "", "", errNoRecord
		}
	}
	if rest[3] != "." {
		rest[3] = strings.TrimSuffix(rest[3], ".")
	}
	return full, strings.Join(rest, " "), nil
}

// isOwner knows the name of SRV records: _service._proto and a host.
func isOwner(name string) bool {
	parts := strings.SplitN(name, ".", 3)
	return len(parts) == 3 && strings.HasPrefix(parts[0], "_") && strings.HasPrefix(parts[1], "_") && isHost(name)
}
