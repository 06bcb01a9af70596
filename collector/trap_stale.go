// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/logfile"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var listenerAbsent = Trap{
	Name: "listener_absent", Severe: true,
	Why: "the file promises a port that nobody can reach: it was added after the start, or somebody else holds it",
	Fix: "ejabberdctl reload_config, then look for the port in ejabberd.log",
	Look: func(ctx context.Context, src *Sources) (found []string, err error) {
		set, err := taste(ctx, src, Listeners)
		if err != nil {
			return nil, err
		}
		absent := zeroes(set, listenerUp)
		if all := len(absent); all > 0 && all == len(slices.DeleteFunc(set.All(), func(s *metric.Sample) bool { return s.Metric != listenerUp })) {
			return nil, errNotUp
		}
		for _, s := range absent {
			found = append(found, fmt.Sprintf("ejabberd.yml has a listener on port %s (%s), but nobody listens there", s.Labels[0], s.Labels[1]))
		}
		return found, nil
	},
}

var vhostAbsent = Trap{
	Name: "vhost_absent", Severe: true,
	Why: "the accounts of a host that the running server does not know cannot log in",
	Fix: "ejabberdctl reload_config",
	Look: func(ctx context.Context, src *Sources) (found []string, err error) {
		api, err := src.api()
		if err != nil {
			return nil, err
		}
		served, err := api.Vhosts(ctx)
		if err != nil {
			return nil, err
		}
		for _, vhost := range src.Config.Hosts {
			if !slices.Contains(served, vhost) {
				found = append(found, "ejabberd.yml has the host "+vhost+", but ejabberd does not serve it")
			}
		}
		return found, nil
	},
}

var certificateNotReloaded = Trap{
	Name: "certificate_not_reloaded",
	Why:  "the certificate was renewed on disk, but clients still get the old one, until the day it expires",
	Fix:  "ejabberdctl reload_config, from the deploy hook of whatever renews the certificate",
	Look: func(ctx context.Context, src *Sources) (found []string, err error) {
		if proxiedOnly(src.Config.Listeners) {
			return nil, errProxied
		}
		set, err := taste(ctx, src, Certificates)
		if err != nil {
			return nil, err
		}
		for _, s := range zeroes(set, certMatches) {
			found = append(found, fmt.Sprintf("%s serves another certificate for %s than lies on disk", s.Labels[0], s.Labels[1]))
		}
		return found, nil
	},
}

// zeroes are the samples of a metric that are 0.
func zeroes(set *metric.Set, m *metric.Metric) []*metric.Sample {
	return slices.DeleteFunc(set.All(), func(s *metric.Sample) bool { return s.Metric != m || s.Value != 0 })
}

// configNotReloaded: a file is newer than the start, and than every reload. Where the log does not reach back to when the file
// was written, a reload may have been forgotten with it.
var configNotReloaded = Trap{
	Name: "config_not_reloaded",
	Why:  "what runs is not what the file says: the next restart will bring a change that nobody remembers, or a mistake",
	Fix:  "ejabberdctl reload_config, and read its answer",
	Look: func(ctx context.Context, src *Sources) ([]string, error) {
		name, changed, hidden := newest(append([]string{src.Config.Path}, src.Config.Files...))
		if changed.IsZero() {
			return nil, hidden
		}
		p, err := src.ejabberd(ctx)
		if err != nil {
			return nil, err
		}
		usage, err := p.Usage()
		if err != nil || math.IsNaN(usage.StartTime) {
			return nil, errors.Join(errors.New("when ejabberd started is hidden"), err)
		}
		if changed.Unix() <= int64(usage.StartTime) {
			return nil, hidden
		}
		if src.LogPath == "" {
			return nil, errors.New("where ejabberd.log is is not known: --ejabberd.log")
		}
		reloads, err := logfile.ReadReloads(src.LogPath)
		switch {
		case err != nil:
			return nil, err
		case !reloads.Last.Before(changed):
			return nil, hidden
		case reloads.Since.IsZero() || reloads.Since.After(changed):
			return nil, fmt.Errorf("ejabberd.log does not reach back to when %s was written", name)
		}
		return []string{name + " was written " + changed.UTC().Format(time.DateTime) + " UTC, after ejabberd last read it"}, nil
	},
}

// newest tells which of the files was written last, and when; hidden is why one of them can not be looked at: it may be newer.
func newest(paths []string) (name string, written time.Time, hidden error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			hidden = fmt.Errorf("when %s was written can not be seen: run the doctor as root: %w", filepath.Base(path), cause(err))
		case info.ModTime().After(written):
			name, written = filepath.Base(path), info.ModTime()
		}
	}
	return name, written, hidden
}
