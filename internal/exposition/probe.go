// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
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

// maxProbes bounds how many probes run at a time; more wait until their deadline.
const maxProbes = 64

// Prober serves /probe. The exporter is no port scanner: only allowed domains are probed, and only settings marked Safe are taken
// from the query.
type Prober struct {
	Probes  []probes.Probe
	Allowed func(domain string) bool // which targets may be probed
	// Local are settings that the operator made for all modules that have them: resolver, ca-file.
	Local   map[string]string
	Logger  *slog.Logger
	running chan struct{}
}

// NewProber checks the operator's settings.
func NewProber(p Prober) (*Prober, error) {
	for i := range p.Probes {
		if _, _, err := p.prepare(&p.Probes[i]); err != nil {
			return nil, err
		}
	}
	p.running = make(chan struct{}, maxProbes)
	return &p, nil
}

// prepare makes a run of a probe with the operator's settings.
func (p *Prober) prepare(probe *probes.Probe) (*probes.Settings, probes.Run, error) {
	var settings probes.Settings
	run := probe.Settings(&settings)
	for _, s := range settings.All {
		if value := p.Local[s.Name]; value != "" {
			if err := s.Value.Set(value); err != nil {
				return nil, nil, fmt.Errorf("--probe.%s: %w", s.Name, err)
			}
		}
	}
	return &settings, run, nil
}

func (p *Prober) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	probe, run, target, err := p.parse(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), Deadline(r.Header))
	defer cancel()
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	case <-ctx.Done():
		http.Error(w, "too many probes at a time: probe less often, or with more exporters", http.StatusServiceUnavailable)
		return
	}
	report := probes.NewReport()
	began := time.Now()
	err = run(ctx, target, report)
	good := err == nil && report.Worst() != probes.Critical && report.Worst() != probes.Unknown
	report.Set.Add(probeSuccess, map[bool]float64{true: 1}[good])
	report.Set.Add(probeDuration, time.Since(began).Seconds())
	if r.URL.Query().Get("debug") == "true" {
		debug(w, probe, target, report, err)
		return
	}
	Serve(w, r, registry([]*metric.Set{report.Set}), p.Logger)
}

// parse reads module, target and the safe settings out of the query. The error is the answer; it repeats nothing of the query.
func (p *Prober) parse(r *http.Request) (*probes.Probe, probes.Run, probes.Target, error) {
	query := r.URL.Query()
	i := slices.IndexFunc(p.Probes, func(known probes.Probe) bool { return known.Name == query.Get("module") })
	if i < 0 {
		names := make([]string, len(p.Probes))
		for i, known := range p.Probes {
			names[i] = known.Name
		}
		return nil, nil, probes.Target{}, fmt.Errorf("unknown module; there are: %s", strings.Join(names, ", "))
	}
	probe := &p.Probes[i]
	domain := strings.ToLower(strings.TrimSuffix(query.Get("target"), "."))
	if domain == "" || !p.Allowed(domain) {
		return nil, nil, probes.Target{}, fmt.Errorf("target is not allowed: it must be a host that ejabberd serves, or be named with --probe.target")
	}
	settings, run, err := p.prepare(probe)
	if err != nil {
		return nil, nil, probes.Target{}, err
	}
	for name, values := range query {
		if name == "module" || name == "target" || name == "debug" {
			continue
		}
		i := slices.IndexFunc(settings.All, func(s probes.Setting) bool { return s.Name == name && s.Scope == probes.Safe })
		if i < 0 {
			return nil, nil, probes.Target{}, fmt.Errorf("unknown parameter; module %s takes module, target, debug%s", probe.Name, safeNames(settings))
		}
		for _, value := range values {
			if err := settings.All[i].Value.Set(value); err != nil {
				return nil, nil, probes.Target{}, fmt.Errorf("parameter %s has a value that is not understood: %s", name, settings.All[i].Help)
			}
		}
	}
	return probe, run, probes.Target{Domain: domain}, nil
}

func safeNames(settings *probes.Settings) string {
	text := ""
	for _, s := range settings.All {
		if s.Scope == probes.Safe {
			text += ", " + s.Name
		}
	}
	return text
}

// debug shows what one probe saw, for people.
func debug(w http.ResponseWriter, probe *probes.Probe, target probes.Target, report *probes.Report, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprintf(w, "module %s, target %s\n\n", probe.Name, target.Domain)
	if err != nil {
		_, _ = fmt.Fprintf(w, "CRITICAL - %v\n", err)
	}
	for _, n := range report.Notes {
		_, _ = fmt.Fprintf(w, "%s - %s: %s\n", n.State, n.Subject, n.Text)
	}
	_, _ = fmt.Fprintf(w, "\n%s", report.Set.Text())
}
