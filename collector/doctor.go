// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/guard"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Trap is a setting or a state with which ejabberd runs, and of which its users or its administrator will be sorry one day.
type Trap struct {
	Name   string // value of the label check
	Severe bool   // something does not work, or stands open, now
	Why    string // why it matters
	Fix    string // the line that fixes it, or what to do
	// Look says what was found, in a line each; nothing: this server has not got the trap. An error is that it could not look.
	Look func(ctx context.Context, src *Sources) ([]string, error)
}

// Traps are all that the doctor looks for, in the order in which an administrator should hear of them.
var Traps = []Trap{
	listenerAbsent, vhostAbsent, schemaMismatch, driverMissing, captchaBroken, oauthMissing,
	apiOpen, proxiesTrusted, distributionExposed, uploadsListable, plainPasswords, s2sInClear,
	registrationOpen, registrationWeb, noWelcome, failToBan,
	certificateNotReloaded, configNotReloaded,
	portsLow, backlogSmall, logWiped, hardQuotaOnly, sweepLate,
}

// Finding is what the doctor says of one Trap.
type Finding struct {
	*Trap
	Found []string // empty: the trap is not there
	Err   error    // why it could not be looked for
}

// Examine looks for every Trap, one after the other.
func Examine(ctx context.Context, src *Sources) []Finding {
	findings := make([]Finding, len(Traps))
	for i := range Traps {
		f := &findings[i]
		f.Trap = &Traps[i]
		f.Err = guard.Run(func() (err error) {
			ctx, cancel := context.WithTimeout(ctx, trapLimit)
			defer cancel()
			f.Found, err = f.Look(ctx, src)
			return err
		})
	}
	return findings
}

// trapLimit ends a look whose source does not answer.
const trapLimit = 15 * time.Second

var configFinding = &metric.Metric{
	Name: "ejabberd_config_finding", Source: "configuration, /proc, sock_diag, API, PostgreSQL", Refreshed: true,
	Labels: []metric.Label{metric.OneOf("check", trapNames()...)},
	Help:   "Whether the doctor found this trap: ejabberd_exporter doctor says what it is and what to do; absent where it could not be looked for",
}

// Findings shows what the doctor finds, so that a trap that opens while nobody looks is seen.
var Findings = Definition{
	Name: "findings", Source: Discovery, Refresh: time.Hour, After: &UploadTree,
	Help:    "Traps that the doctor finds in configuration and host",
	Columns: Credentials.Columns,
	Metrics: []*metric.Metric{configFinding},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Config == nil {
			return src.absent(errNotHere)
		}
		for _, f := range Examine(ctx, src) {
			if f.Err == nil {
				out.Add(configFinding, truth(len(f.Found) > 0), f.Name)
			}
		}
		return nil
	},
}

func trapNames() []string {
	names := make([]string, len(Traps))
	for i, t := range Traps {
		names[i] = t.Name
	}
	return names
}

// taste runs another collector and gives what it says. Off is nothing to be found; a failure is not known.
func taste(ctx context.Context, src *Sources, d Definition) (*metric.Set, error) {
	set := metric.NewSet(src.Bounds)
	if err := d.Collect(ctx, src, set); err != nil && !IsOff(err) {
		return nil, err
	}
	return set, nil
}
