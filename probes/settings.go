// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"flag"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/dns"
)

// Scope says who may set a setting.
type Scope int

const (
	// Local settings (address, port, resolver, URL, file, secret) may be set by plugin flags and by --probe.config only: the
	// exporter is no port scanner and no file reader for whoever reaches its port.
	Local Scope = iota
	// Safe settings may also stand in the query of /probe.
	Safe
	// Secret settings may be set by --probe.config only: everybody on the machine can read a command line.
	Secret
)

// Setting is one declared setting.
type Setting struct {
	Name  string // long flag without dashes, key in --probe.config and in the query of /probe
	Short byte   // one-letter plugin flag, 0 for none
	Help  string // one sentence, no full stop
	Scope Scope
	Value flag.Value // parses, and prints its default
	Bool  bool       // needs no argument on the command line
	List  bool       // may be repeated
}

// Settings collects the declarations of one probe. The variables that back them belong to one instance of the probe: declare
// anew for each module, plugin or request.
type Settings struct {
	All []Setting
	// Shared is what the run has in common with others; nothing where it is nil, as in a plugin.
	Shared *Shared
}

// Shared is what the runs of one process have in common: the answers of the DNS, while their TTLs last. The probe of the zone
// itself asks anew each time: it is about the name servers.
type Shared struct{ names dns.Shared }

func (s *Shared) resolvers() *dns.Shared {
	if s == nil {
		return nil
	}
	return &s.names
}

// Var declares a setting with a value of its own type.
func (s *Settings) Var(v flag.Value, scope Scope, name, help string) *Setting {
	s.All = append(s.All, Setting{Name: name, Help: help, Scope: scope, Value: v})
	return &s.All[len(s.All)-1]
}

// String declares a text setting.
func (s *Settings) String(p *string, scope Scope, name, value, help string) *Setting {
	return s.fromFlag(scope, name, func(f *flag.FlagSet) { f.StringVar(p, name, value, help) })
}

// Int declares a whole number.
func (s *Settings) Int(p *int, scope Scope, name string, value int, help string) *Setting {
	return s.fromFlag(scope, name, func(f *flag.FlagSet) { f.IntVar(p, name, value, help) })
}

// Duration declares a duration, with a unit ("10s").
func (s *Settings) Duration(p *time.Duration, scope Scope, name string, value time.Duration, help string) *Setting {
	return s.fromFlag(scope, name, func(f *flag.FlagSet) { f.DurationVar(p, name, value, help) })
}

// Bool declares a switch, off by default.
func (s *Settings) Bool(p *bool, scope Scope, name, help string) *Setting {
	set := s.fromFlag(scope, name, func(f *flag.FlagSet) { f.BoolVar(p, name, false, help) })
	set.Bool = true
	return set
}

// List declares a setting that may be repeated.
func (s *Settings) List(p *[]string, scope Scope, name, help string) *Setting {
	set := s.Var((*list)(p), scope, name, help)
	set.List = true
	return set
}

// fromFlag borrows the parsers of the standard flag package.
func (s *Settings) fromFlag(scope Scope, name string, declare func(*flag.FlagSet)) *Setting {
	f := flag.NewFlagSet("", flag.ContinueOnError)
	declare(f)
	set := f.Lookup(name)
	return s.Var(set.Value, scope, name, set.Usage)
}

type list []string

func (l *list) Set(v string) error { *l = append(*l, v); return nil }
func (l *list) String() string {
	text := ""
	for i, v := range *l {
		if i > 0 {
			text += ","
		}
		text += v
	}
	return text
}
