// SPDX-License-Identifier: Apache-2.0

package process

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
)

// line is a command line as ejabberdctl's erl leaves it behind.
func line(text string) []string { return strings.Fields(text) }

func TestRunsEjabberd(t *testing.T) {
	for text, want := range map[string]bool{
		`beam.smp -K true -P 250000 -- -root /usr/lib/erlang -- -sname ejabberd@localhost -mnesia dir "/var/lib/ejabberd" -s ejabberd`: true,
		`beam.smp -- -user Elixir.IEx.CLI -extra --no-halt --app ejabberd`:                                                             true,
		`beam.smp -- -sname ctl-1-ejabberd@localhost -hidden -s ejabberd_ctl -extra ejabberd@localhost status`:                         false,
		`beam.smp -- -sname rabbit@localhost -s rabbit`:                                                                                false,
		``: false,
	} {
		if got := runsEjabberd(line(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestChoose(t *testing.T) {
	a := candidate{proc: procfs.Proc{PID: 1}, uid: 117, args: line(`beam.smp -- -mnesia dir "/srv/a" -s ejabberd`)}
	b := candidate{proc: procfs.Proc{PID: 2}, uid: 117, args: line(`beam.smp -- -mnesia dir "/srv/b/" -s ejabberd`)}
	other := candidate{proc: procfs.Proc{PID: 3}, uid: 118, args: line(`beam.smp -- -s ejabberd`)}
	for name, c := range map[string]struct {
		all   []candidate
		spool string
		owner uint32
		pid   int
		err   error
	}{
		"by its directory":           {[]candidate{a, b, other}, "/srv/b", 0, 2, nil},
		"the only one that listens":  {[]candidate{a, other}, "/srv/elsewhere", 118, 3, nil},
		"which of the two":           {[]candidate{a, b}, "", 117, 0, ErrAmbiguous},
		"another one, ours is down":  {[]candidate{a}, "/srv/b", 0, 0, ErrNone},
		"nothing runs":               {nil, "/srv/a", 117, 0, ErrNone},
		"no directory, nobody knows": {[]candidate{a}, "", 0, 0, ErrNone},
	} {
		got, err := choose(c.all, c.spool, func(uid uint32) bool { return uid == c.owner })
		if got.proc.PID != c.pid || !errors.Is(err, c.err) {
			t.Errorf("%s: process %d, %v, want %d, %v", name, got.proc.PID, err, c.pid, c.err)
		}
	}
}

func TestLimit(t *testing.T) {
	for text, want := range map[string]int{
		"beam.smp -P 250000 -- -s ejabberd":        262144,
		"beam.smp -P 262145 -- -s ejabberd":        524288,
		"beam.smp -P 1024 --":                      1024,
		"beam.smp -- -extra -P 99":                 0,
		"beam.smp -P":                              0,
		"beam.smp -P legacy -- -s ejabberd":        0,
		"beam.smp -P -1 -- -s ejabberd":            0,
		"beam.smp -K true -- -mnesia -s ejabberd ": 0,
	} {
		if got := limit(line(text), "-P"); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
