// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/probeconf"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// probing is /probe, and the file with its modules.
type probing struct {
	*exposition.Prober
	path   string // nothing: every probe that needs no account is a module
	logger *slog.Logger
}

func (s *settings) probing(exporter *collector.Exporter, logger *slog.Logger) (*probing, error) {
	p := &probing{path: s.probeConfig, logger: logger}
	modules, err := p.read()
	if err != nil {
		return nil, err
	}
	served := func(domain string) bool { return slices.Contains(exporter.Sources().Vhosts, domain) }
	p.Prober, err = exposition.NewProber(modules, exposition.ProberOptions{
		Allowed: func(domain string) bool { return served(domain) || s.targets.allow(domain) },
		Foreign: func(domain string) bool { return !s.probePrivate && !served(domain) },
		Max:     s.probeMax,
		Local:   map[string]string{"resolver": s.probeResolver, "ca-file": s.probeCAFile},
		Logger:  logger,
	})
	return p, err
}

func (p *probing) read() ([]probes.Module, error) {
	if p.path == "" {
		return probes.Modules(probes.All(sasl.Authenticate)), nil
	}
	return probeconf.Read(p.path, probes.All(sasl.Authenticate))
}

// reload reads the file again. When it is no good, what is known stays.
func (p *probing) reload(forget bool) error {
	modules, err := p.read()
	if err == nil {
		err = p.Replace(modules, forget)
	}
	if err != nil {
		p.logger.Error("the probe configuration is no good, going on with what is known", "reason", err)
		return err
	}
	p.logger.Info("read the probe configuration again", "modules", len(modules))
	return nil
}

// onHangup reloads on SIGHUP until ctx ends. Only who runs the exporter can send that: what was held back is forgotten, so that
// a password that was put right is tried at once.
func (p *probing) onHangup(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			if p.path != "" {
				_ = p.reload(true) // logged
			}
		}
	}
}

// serveReload answers POST /-/reload.
func (p *probing) serveReload(w http.ResponseWriter, _ *http.Request) {
	if err := p.reload(false); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
}
