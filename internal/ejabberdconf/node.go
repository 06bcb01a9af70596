// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is a value of the file. It is looked at only when a fact is asked for: what nobody asks for, such as a password, is
// never copied, and an alias is never expanded further than needed.
type node struct {
	yaml   *yaml.Node
	path   string
	macros *macros
}

// entry is one "key: value" of a map.
type entry struct {
	key   string
	value node
}

// with is another node of the same file.
func (n node) with(y *yaml.Node) node { return node{yaml: y, path: n.path, macros: n.macros} }

// position is what errors and notes say of a node: never its value.
func (n node) position() string { return fmt.Sprintf("%s:%d", n.path, n.yaml.Line) }

// resolved follows aliases and macros. A chain that does not end is refused when macros are collected; the bound is for aliases.
func (n node) resolved() node {
	if n.yaml == nil { // an option that is not there
		return n.with(&yaml.Node{})
	}
	for range 100 {
		if n.yaml.Kind == yaml.AliasNode {
			n = n.with(n.yaml.Alias)
			continue
		}
		next, ok := n.macros.of(n)
		if !ok {
			return n
		}
		n = next
	}
	return n.with(&yaml.Node{Line: n.yaml.Line})
}

// entries are those of a map, in order; none if the node is something else.
func (n node) entries() []entry {
	n = n.resolved()
	if n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	var entries []entry
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key := n.with(n.yaml.Content[i])
		if key.yaml.Kind == yaml.AliasNode {
			key = key.with(key.yaml.Alias)
		}
		entries = append(entries, entry{key.yaml.Value, n.with(n.yaml.Content[i+1])})
	}
	return entries
}

// items are those of a list; anything else but nothing is a list of one, as in ejabberd.
func (n node) items() []node {
	n = n.resolved()
	if n.yaml.Kind != yaml.SequenceNode {
		if n.empty() {
			return nil
		}
		return []node{n}
	}
	var items []node
	for _, y := range n.yaml.Content {
		items = append(items, n.with(y).resolved())
	}
	return items
}

// inPlace says whether a rule is written in the place of a name: as a map of lines, or as a list of them.
func (n node) inPlace() bool {
	n = n.resolved()
	return n.yaml.Kind != yaml.ScalarNode && len(n.yaml.Content) > 0
}

// empty says whether there is no value, as in "modules:" with nothing behind it.
func (n node) empty() bool {
	return n.yaml.Kind == 0 || n.yaml.Kind == yaml.ScalarNode && n.yaml.Tag == "!!null"
}

// text is a scalar as it is written, with the @NAME@ of macros replaced.
func (n node) text() (string, bool) {
	n = n.resolved()
	if n.yaml.Kind != yaml.ScalarNode {
		return "", false
	}
	return n.macros.replace(n.yaml.Value), true
}

// boolean understands all of ejabberd's words for yes and no.
func (n node) boolean() (value, ok bool) {
	text, _ := n.text()
	switch text {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// number is a whole number above 0, or 0 for infinity.
func (n node) number() (int64, bool) {
	text, _ := n.text()
	if endless(text) {
		return 0, true
	}
	value, err := strconv.ParseInt(text, 10, 64)
	return value, err == nil && value > 0
}

// endless says whether the word stands for "no limit".
func endless(word string) bool {
	return word == "infinity" || word == "infinite" || word == "unlimited"
}

// port is a TCP or UDP port.
func (n node) port() (int, bool) {
	text, _ := n.text()
	port, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	return int(port), err == nil && port > 0
}

// address is an IP address.
func (n node) address() (string, bool) {
	text, _ := n.text()
	address, err := netip.ParseAddr(text)
	return address.String(), err == nil
}
