// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"

	"golang.org/x/net/idna"
)

// errShape is replaced by ErrAnswer before anybody sees it.
var errShape = errors.New("unexpected answer")

// readNumber reads the answer N of newer servers or {key: N} of those up to 23.10. null is not a number.
func readNumber(r io.Reader, key string) (int, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return 0, err
	}
	var bare *int
	if json.Unmarshal(text, &bare) != nil {
		var wrapped map[string]*int
		if json.Unmarshal(text, &wrapped) != nil || len(wrapped) != 1 {
			return 0, errShape
		}
		bare = wrapped[key]
	}
	if bare == nil || *bare < 0 {
		return 0, errShape
	}
	return *bare, nil
}

// nodeStatus is the answer of status.
type nodeStatus struct{ version, node string }

// On 23.01 nothing stands between "started" and "ejabberd":
// "The node ejabberd@localhost is started. Status: startedejabberd 23.01-1 is running in that node".
// A node with a dot or a hyphen in its name stands in quotes, as Erlang writes it: 'ejabberd@xmpp.example.org'.
var (
	versionIn = regexp.MustCompile(`ejabberd ([0-9][^ ]*) is running`)
	nodeIn    = regexp.MustCompile(`^The node '?[^ @]+@([^ ']+)'? is `)
)

func readStatus(r io.Reader) (nodeStatus, error) {
	var text *string
	if err := readJSON(r, &text); err != nil || text == nil {
		return nodeStatus{}, errShape
	}
	version, node := versionIn.FindStringSubmatch(*text), nodeIn.FindStringSubmatch(*text)
	if version == nil || node == nil {
		return nodeStatus{}, errShape
	}
	return nodeStatus{version: version[1], node: node[1]}, nil
}

// servedVhost is a vhost as we write it, in ASCII form, and as ejabberd does.
type servedVhost struct{ ascii, native string }

func readVhosts(r io.Reader) ([]servedVhost, error) {
	var names []*string
	if err := readJSON(r, &names); err != nil || len(names) == 0 { // ejabberd does not start without a vhost
		return nil, errShape
	}
	vhosts := make([]servedVhost, len(names))
	for i, name := range names {
		if name == nil || *name == "" {
			return nil, errShape
		}
		vhosts[i] = servedVhost{ascii: ascii(*name), native: *name}
	}
	return vhosts, nil
}

// readJSON reads one JSON value and nothing else.
func readJSON(r io.Reader, value any) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, value)
}

// ascii is the ASCII form of a vhost, in which the project writes all of them; ejabberd keeps them in Unicode.
func ascii(vhost string) string {
	if a, err := idna.Lookup.ToASCII(vhost); err == nil {
		return a
	}
	return vhost
}
