// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/certs"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	certNotAfter = certificateGauge("ejabberd_certificate_not_after_timestamp_seconds", "When the certificate expires, in seconds since 1970",
		certs.File, certs.C2S, certs.C2STLS, certs.S2S, certs.HTTPS)
	certNotBefore = certificateGauge("ejabberd_certificate_not_before_timestamp_seconds", "Since when the certificate is valid, in seconds since 1970",
		certs.File, certs.C2S, certs.C2STLS, certs.S2S, certs.HTTPS)
	certMatches = certificateGauge("ejabberd_certificate_matches_file", "Whether the certificate that is served lies on disk; 0: renewed, but never reloaded. "+
		"Of files that hold a key too only the date is read: 0 is then a file that was written after the first third of the served certificate's life. "+
		"Absent where files are not to be seen",
		certs.C2S, certs.C2STLS, certs.S2S, certs.HTTPS)
)

func certificateGauge(name, help string, sources ...certs.Source) *metric.Metric {
	var values []string
	for _, s := range sources {
		values = append(values, string(s))
	}
	return &metric.Metric{
		Name: name, Help: help, Source: "TLS handshakes on this host with SNI, certfiles", Fold: metric.Min, Refreshed: true,
		Labels: []metric.Label{metric.OneOf("source", values...), metric.BoundTo("name")},
	}
}

// Certificates compares the certificates that each listener serves for each name with those on disk.
var Certificates = Definition{
	Name: "certificates", Source: TLS, Refresh: 5 * time.Minute,
	Help:    "Certificates that are served and those on disk: when they expire, and whether they are the same",
	Metrics: []*metric.Metric{certNotAfter, certNotBefore, certMatches},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Config == nil {
			return src.absent(errNotHere)
		}
		disk := certs.ReadDisk(src.Config.CertFiles)
		for _, name := range src.Names {
			if c := disk.Newest(name.Host); c != nil {
				addDates(out, certs.File, name.Host, c)
			}
		}
		seen := 0
		var errs []error
		asked := map[int]bool{}
		for _, l := range src.Config.Listeners {
			source, ok := certs.SourceOf(l)
			if !ok || l.ProxyProtocol || asked[l.Port] { // on several addresses it serves the same
				continue
			}
			asked[l.Port] = true
			n, err := askListener(ctx, l, source, src.Names, disk, out)
			seen += n
			errs = append(errs, err)
		}
		if proxiedOnly(src.Config.Listeners) && len(out.All()) == 0 { // those on disk are worth telling alone
			return errProxied
		}
		// One that is down is for ejabberd_listener_up to tell.
		if err := errors.Join(errs...); seen == 0 && err != nil {
			return fmt.Errorf("no certificate is served: %w", err)
		}
		return nil
	},
}

var errProxied = fmt.Errorf("%w: every listener that serves a certificate answers a proxy only (use_proxy_protocol)", ErrOff)

// proxiedOnly tells whether every listener that serves a certificate refuses, and logs as an error, whoever sends no PROXY header.
func proxiedOnly(listeners []ejabberdconf.Listener) bool {
	proxied := false
	for _, l := range listeners {
		if _, ok := certs.SourceOf(l); ok {
			if !l.ProxyProtocol {
				return false
			}
			proxied = true
		}
	}
	return proxied
}

// askListener asks for each name that somebody may look for there, and tells how many certificates it got.
func askListener(ctx context.Context, l ejabberdconf.Listener, source certs.Source, names []certs.Name, disk *certs.Disk, out *metric.Set) (seen int, last error) {
	for _, name := range names {
		if !name.On(source) {
			continue
		}
		served, err := certs.Served(ctx, l, name.Host)
		switch {
		case errors.Is(err, certs.ErrNoAnswer):
			return seen, err
		case err != nil: // a component that is not there, say
			last = err
			continue
		}
		seen++
		// Who asks for a name that no certificate covers gets one of another name.
		if served.VerifyHostname(name.Host) == nil {
			addDates(out, source, name.Host, served)
		}
		if matches, known := disk.Matches(name.Host, served); known {
			out.Add(certMatches, truth(matches), string(source), name.Host)
		}
	}
	return seen, last
}

func addDates(out *metric.Set, source certs.Source, name string, c *x509.Certificate) {
	out.Add(certNotAfter, float64(c.NotAfter.Unix()), string(source), name)
	out.Add(certNotBefore, float64(c.NotBefore.Unix()), string(source), name)
}
