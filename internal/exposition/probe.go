// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/probes"
)

// The names of blackbox_exporter, so that existing boards and alerts work at once.
var (
	probeSuccess = &metric.Metric{
		Name: "probe_success", Source: "probe", Scope: metric.Probe,
		Help: "Whether everything that was probed works",
	}
	probeDuration = &metric.Metric{
		Name: "probe_duration_seconds", Source: "probe", Scope: metric.Probe,
		Help: "How long the probe took in all",
	}
)

// ProbeMetrics are what /probe adds to the metrics of each probe.
var ProbeMetrics = []*metric.Metric{probeSuccess, probeDuration}

// MaxProbes is how many probes run at a time unless the operator says otherwise; more wait for half of their time.
const MaxProbes = 64

// ProberOptions are what the operator says about all modules.
type ProberOptions struct {
	Allowed func(domain string) bool // which targets may be probed
	Foreign func(domain string) bool // whose probes go to public addresses alone; nil: nobody's
	Local   map[string]string        // settings for all modules that have them: resolver, ca-file
	Max     int                      // probes at a time; MaxProbes where it is 0
	Logger  *slog.Logger
}

// Prober serves /probe. The exporter is no port scanner: only allowed domains are probed, and only settings marked Safe are taken
// from the query; none at all by modules that log in.
type Prober struct {
	ProberOptions
	running chan struct{}
	modules modules
	shared  probes.Shared
}

// NewProber checks the operator's settings.
func NewProber(all []probes.Module, options ProberOptions) (*Prober, error) {
	p := &Prober{ProberOptions: options, running: make(chan struct{}, cmp.Or(options.Max, MaxProbes))}
	return p, p.Replace(all, false)
}

// prepare makes a run of a module with the operator's settings.
func (p *Prober) prepare(m *probes.Module) (*probes.Settings, probes.Run, error) {
	settings := probes.Settings{Shared: &p.shared}
	run := m.Settings(&settings)
	for _, s := range settings.All {
		if value := p.Local[s.Name]; value != "" {
			if err := s.Value.Set(value); err != nil {
				return nil, nil, fmt.Errorf("--probe.%s: %w", s.Name, err)
			}
		}
	}
	for _, a := range m.Set {
		s := settings.Find(a.Name)
		if s == nil || s.Value.Set(a.Value) != nil { // its text may repeat a secret
			return nil, nil, fmt.Errorf("--probe.config: module %s cannot be set up", m.Name)
		}
	}
	return &settings, func(ctx context.Context, target probes.Target, out *probes.Report) error {
		if p.Foreign != nil && p.Foreign(target.Domain) {
			ctx = probes.PublicOnly(ctx)
		}
		return run(ctx, target, out)
	}, nil
}

func (p *Prober) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	module, run, target, err := p.parse(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), Deadline(r.Header))
	defer cancel()
	if p.turn(ctx) {
		defer func() { <-p.running }()
	} else {
		http.Error(w, "too many probes at a time: raise --probe.max, probe less often, or with more exporters", http.StatusServiceUnavailable)
		return
	}
	result, err := module.measure(ctx, run, target)
	switch {
	case err != nil:
		http.Error(w, "this module is at work for somebody else: probe it less often", http.StatusServiceUnavailable)
	case errors.Is(result.err, probes.ErrOtherDomain):
		http.Error(w, "target is not allowed: the account of this module is of another domain", http.StatusBadRequest)
	case r.URL.Query().Get("debug") == "true":
		result.debug(w, module.Name, target)
	default:
		Serve(w, r, registry([]*metric.Set{result.report.Set}), p.Logger)
	}
}

// turn waits until this probe may run, for half the time that there is: what runs in the rest of it must not be called slow.
func (p *Prober) turn(ctx context.Context) bool {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/2)
	defer cancel()
	select {
	case p.running <- struct{}{}:
		if ctx.Err() == nil {
			return true
		}
		<-p.running
	case <-ctx.Done():
	}
	return false
}

// parse reads module, target and the safe settings out of the query. The error is the answer; it repeats nothing of the query.
func (p *Prober) parse(r *http.Request) (*module, probes.Run, probes.Target, error) {
	query := r.URL.Query()
	m := p.modules.find(query.Get("module"))
	if m == nil {
		return nil, nil, probes.Target{}, fmt.Errorf("unknown module; there are: %s; those with an account come with --probe.config",
			strings.Join(p.modules.names(), ", "))
	}
	domain := strings.ToLower(strings.TrimSuffix(query.Get("target"), "."))
	if domain == "" || !p.Allowed(domain) {
		return nil, nil, probes.Target{}, fmt.Errorf("target is not allowed: it must be a host that ejabberd serves, or be named with --probe.target")
	}
	settings, run, err := p.prepare(&m.Module)
	if err != nil {
		return nil, nil, probes.Target{}, err
	}
	for name, values := range query {
		if name == "module" || name == "target" || name == "debug" {
			continue
		}
		s := settings.Find(name)
		if s == nil || s.Scope != probes.Safe || m.HasAccount() {
			return nil, nil, probes.Target{}, fmt.Errorf("unknown parameter; module %s takes module, target, debug%s", m.Name, m.safeNames(settings))
		}
		for _, value := range values {
			if err := s.Value.Set(value); err != nil {
				return nil, nil, probes.Target{}, fmt.Errorf("parameter %s has a value that is not understood: %s", name, s.Help)
			}
		}
	}
	return m, run, probes.Target{Domain: domain}, nil
}

func (m *module) safeNames(settings *probes.Settings) string {
	text := ""
	for _, s := range settings.All {
		if s.Scope == probes.Safe && !m.HasAccount() {
			text += ", " + s.Name
		}
	}
	return text
}

// result is what one run found.
type result struct {
	report *probes.Report
	err    error
	target probes.Target
	at     time.Time // when it began
	until  time.Time // it stands in for further runs until then
}

func measure(ctx context.Context, run probes.Run, target probes.Target) *result {
	r := &result{report: probes.NewReport(), target: target, at: time.Now()}
	r.err = guard(func() error { return run(ctx, target, r.report) })
	r.report.Set.Add(probeSuccess, map[bool]float64{true: 1}[r.good()])
	r.report.Set.Add(probeDuration, time.Since(r.at).Seconds())
	return r
}

// errBug stands for a panic: its value could be anybody's data.
var errBug = errors.New("panic: this is a bug of the exporter, please report it")

func guard(run func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errBug
		}
	}()
	return run()
}

// good tells whether everything that was probed works.
func (r *result) good() bool {
	state := r.report.Worst()
	return r.err == nil && state != probes.Critical && state != probes.Unknown
}

// debug shows what one probe saw, for people.
func (r *result) debug(w http.ResponseWriter, module string, target probes.Target) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprintf(w, "module %s, target %s\n", module, target.Domain)
	if !r.until.IsZero() {
		_, _ = fmt.Fprintf(w, "seen %.0f s ago, not tried again before %.0f s from now\n", time.Since(r.at).Seconds(), time.Until(r.until).Seconds())
	}
	_, _ = fmt.Fprintln(w)
	if r.err != nil {
		_, _ = fmt.Fprintf(w, "CRITICAL - %v\n", r.err)
	}
	for _, n := range r.report.Notes {
		_, _ = fmt.Fprintf(w, "%s - %s: %s\n", n.State, n.Subject, n.Text)
	}
	_, _ = fmt.Fprintf(w, "\n%s", r.report.Set.Text())
}
