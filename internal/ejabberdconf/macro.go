// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// macros are those of a file and of the files that it includes. A macro stands for a whole value, quoted or not, and from 25.03
// on for @NAME@ inside a string; a keyword (define_keyword, 25.03) is the same for our purposes.
type macros struct{ values map[string]node }

// collect takes the macros out of the options of a file. Those of the environment stand above them, as in ejabberd.
func (m *macros) collect(options []entry, environment map[string]string) error {
	m.values = map[string]node{}
	for _, o := range options {
		if o.key != "define_macro" && o.key != "define_keyword" {
			continue
		}
		for _, e := range o.value.entries() {
			if _, twice := m.values[e.key]; twice {
				return fmt.Errorf("%s: a macro of this name is defined twice: rename one of them", e.value.position())
			}
			m.values[e.key] = e.value
		}
	}
	for name, text := range environment {
		var document yaml.Node
		if yaml.Unmarshal([]byte(text), &document) != nil || len(document.Content) == 0 {
			return fmt.Errorf("environment: EJABBERD_MACRO_%s is not YAML", name)
		}
		m.values[name] = node{yaml: document.Content[0], path: "environment", macros: m}
	}
	for _, value := range m.values {
		next, more := value, true
		for range len(m.values) + 1 {
			if next, more = m.of(next); !more {
				break
			}
		}
		if more {
			return fmt.Errorf("%s: a macro stands for itself", value.position())
		}
	}
	return nil
}

// of is the value that a scalar stands for, if it is the name of a macro.
func (m *macros) of(n node) (node, bool) {
	if n.yaml.Kind != yaml.ScalarNode {
		return node{}, false
	}
	value, ok := m.values[n.yaml.Value]
	return value, ok
}

// replace puts the macros that are strings or numbers in for their @NAME@. Others, such as @HOST@, stay.
func (m *macros) replace(text string) string {
	parts := strings.Split(text, "@")
	for i := 1; i < len(parts)-1; i++ {
		value, ok := m.values[parts[i]]
		if !ok {
			continue
		}
		if value = value.resolved(); value.yaml.Kind == yaml.ScalarNode {
			// The text before and after joins the value; the @ on both sides go.
			parts[i-1] += value.yaml.Value + parts[i+1]
			parts = append(parts[:i], parts[i+2:]...)
			i--
		}
	}
	return strings.Join(parts, "@")
}
