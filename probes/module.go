// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"slices"
)

// Module is what /probe runs under a name: a probe, and what --probe.config sets for it.
type Module struct {
	Name string
	Probe
	Set        []Assignment
	Configured bool // it stands in --probe.config: the status page runs it too
}

// Assignment gives a setting a value. It may be a secret: it must not be shown.
type Assignment struct{ Name, Value string }

// HasAccount tells whether the module logs in.
func (m Module) HasAccount() bool {
	return m.LogsIn || slices.ContainsFunc(m.Set, func(a Assignment) bool { return a.Name == "jid" })
}

// Modules makes a module of each probe that needs no account and no settings, under the probe's name and with no settings.
func Modules(all []Probe) []Module {
	var modules []Module
	for _, p := range all {
		if !p.LogsIn && p.Needs == "" {
			modules = append(modules, Module{Name: p.Name, Probe: p})
		}
	}
	return modules
}

// Find finds a setting by its name, nil where there is none.
func (s *Settings) Find(name string) *Setting {
	if i := slices.IndexFunc(s.All, func(s Setting) bool { return s.Name == name }); i >= 0 {
		return &s.All[i]
	}
	return nil
}
