// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/probes"
)

// How rarely a module logs in. A wrong password is tried again after ten minutes, then after twice as long each time, up to more
// than the hour for which mod_fail2ban remembers failures: however long it stays wrong, nobody behind this address is banned.
const (
	loginEvery   = 30 * time.Second
	refusedFirst = 10 * time.Minute
	refusedMost  = 80 * time.Minute
)

// module is a module of /probe with what it found last.
type module struct {
	probes.Module
	turn chan struct{} // one login at a time
	last *result
	hold time.Duration // after the next refusal
}

// measure runs the module, or gives what it found last where it must not log in again yet. It fails when its turn did not come.
func (m *module) measure(ctx context.Context, run probes.Run, target probes.Target) (*result, error) {
	if !m.HasAccount() {
		return measure(ctx, run, target), nil
	}
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if m.last != nil && m.last.target == target && time.Now().Before(m.last.until) {
		return m.last, nil
	}
	deadline, _ := ctx.Deadline()
	// Whoever asked may leave: what is found then is still good for the next one.
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	r := measure(ctx, run, target)
	if !errors.Is(r.err, probes.ErrOtherDomain) { // then it did not log in
		m.keep(r)
	}
	return r, nil
}

// keep makes a result stand in for further runs.
func (m *module) keep(r *result) {
	r.until = r.at.Add(loginEvery)
	if probes.LoginRefused(r.err) {
		r.until = r.at.Add(m.hold)
		m.hold = min(2*m.hold, refusedMost)
	} else {
		m.hold = refusedFirst
	}
	m.last = r
}

// modules can be replaced while they are in use.
type modules struct {
	mu  sync.RWMutex
	all []*module
}

func (m *modules) find(name string) *module {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if i := slices.IndexFunc(m.all, func(known *module) bool { return known.Name == name }); i >= 0 {
		return m.all[i]
	}
	return nil
}

func (m *modules) names() (names []string) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, known := range m.all {
		names = append(names, known.Name)
	}
	return names
}

// Replace puts other modules in place of those there are. One that stays as it was keeps what it found last, unless that is to
// be forgotten: whoever may ask for a reload over HTTP must not thereby make logins more frequent.
func (p *Prober) Replace(all []probes.Module, forget bool) error {
	next := make([]*module, len(all))
	for i := range all {
		if _, _, err := p.prepare(&all[i]); err != nil {
			return err
		}
		next[i] = &module{Module: all[i], turn: make(chan struct{}, 1), hold: refusedFirst}
		known := p.modules.find(all[i].Name)
		if known != nil && !forget && known.Probe.Name == all[i].Probe.Name && slices.Equal(known.Set, all[i].Set) {
			next[i] = known
		}
	}
	p.modules.mu.Lock()
	defer p.modules.mu.Unlock()
	p.modules.all = next
	return nil
}
