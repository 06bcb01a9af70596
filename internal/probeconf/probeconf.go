// SPDX-License-Identifier: Apache-2.0

// Package probeconf reads the file of --probe.config: the modules of /probe with their settings, secrets among them.
//
// Its errors carry the line and the names that are known, never what stands in the file: a password may stand anywhere in it.
package probeconf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/chapril/ejabberd_exporter/internal/secret"
	"github.com/chapril/ejabberd_exporter/probes"
)

// maxSize bounds the file. Real ones have a few lines for each module.
const maxSize = 1 << 20

// Read reads the modules of a file. Beside them, every probe that needs neither account nor settings remains a module under its own name.
func Read(path string, known []probes.Probe) ([]probes.Module, error) {
	modules, err := read(path, known)
	if err != nil {
		return nil, fmt.Errorf("--probe.config: %w", err)
	}
	for _, m := range probes.Modules(known) {
		if !slices.ContainsFunc(modules, func(made probes.Module) bool { return made.Name == m.Name }) {
			modules = append(modules, m)
		}
	}
	return modules, nil
}

func read(path string, known []probes.Probe) ([]probes.Module, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, secret.Pathless(err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	switch {
	case err != nil:
		return nil, secret.Pathless(err)
	case len(text) > maxSize:
		return nil, fmt.Errorf("larger than %d KiB", maxSize>>10)
	}
	r := reader{known: known}
	modules, err := r.file(text)
	if err != nil {
		return nil, err
	}
	if r.secret {
		return modules, secret.Guarded(file)
	}
	return modules, nil
}

// reader reads one file.
type reader struct {
	known  []probes.Probe
	secret bool // a secret stands in it
}

// at says where something is wrong.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{n.Line}, args...)...)
}

func (r *reader) file(text []byte) ([]probes.Module, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		if line := regexp.MustCompile(`line \d+`).FindString(err.Error()); line != "" {
			return nil, errors.New("not YAML, " + line)
		}
		return nil, errors.New("not YAML")
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	var modules []probes.Module
	err := pairs(document.Content[0], func(key, value *yaml.Node) error {
		if key.Value != "modules" {
			return at(key, "unknown field; there is: modules")
		}
		return pairs(value, func(name, settings *yaml.Node) error {
			m, err := r.module(name, settings)
			modules = append(modules, m)
			return err
		})
	})
	return modules, err
}

// pairs calls do for each field of a mapping, each of which may stand there once.
func pairs(n *yaml.Node, do func(key, value *yaml.Node) error) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return at(n, "fields are wanted here, as in \"name: value\"")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || seen[key.Value] {
			return at(key, "a field that stands there twice, or is no name")
		}
		seen[key.Value] = true
		if err := do(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

var moduleName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// module reads one module: its settings, and which probe it runs where that is not its name.
func (r *reader) module(name, fields *yaml.Node) (probes.Module, error) {
	if !moduleName.MatchString(name.Value) {
		return probes.Module{}, at(name, "a module's name is up to 64 letters, digits and _ . -")
	}
	m := probes.Module{Name: name.Value, Configured: true}
	probe := name
	_ = pairs(fields, func(key, value *yaml.Node) error { // what is wrong is told below
		if key.Value == "probe" {
			probe = value
		}
		return nil
	})
	i := slices.IndexFunc(r.known, func(p probes.Probe) bool { return p.Name == probe.Value })
	if i < 0 {
		var names []string
		for _, p := range r.known {
			names = append(names, p.Name)
		}
		return m, at(probe, "unknown probe; a module says \"probe: NAME\", or has its name: %s", strings.Join(names, ", "))
	}
	m.Probe = r.known[i]
	var settings probes.Settings
	m.Settings(&settings)
	return m, pairs(fields, func(key, value *yaml.Node) error {
		if key.Value == "probe" {
			return nil
		}
		s := settings.Find(key.Value)
		if s == nil {
			return at(key, "unknown setting; %s has: %s", m.Probe.Name, names(&settings))
		}
		r.secret = r.secret || s.Scope == probes.Secret
		return assign(&m, s, value)
	})
}

// assign reads the value of a setting, or its values where it may have several.
func assign(m *probes.Module, s *probes.Setting, value *yaml.Node) error {
	values := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode && s.List {
		values = value.Content
	}
	for _, v := range values {
		if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
			return at(v, "setting %s wants one value%s", s.Name, map[bool]string{true: ", or a list of them"}[s.List])
		}
		if s.Value.Set(v.Value) != nil { // its text may repeat a secret
			return at(v, "setting %s has a value that is not understood: %s", s.Name, s.Help)
		}
		m.Set = append(m.Set, probes.Assignment{Name: s.Name, Value: v.Value})
	}
	return nil
}

func names(settings *probes.Settings) string {
	var all []string
	for _, s := range settings.All {
		all = append(all, s.Name)
	}
	return strings.Join(all, ", ")
}
