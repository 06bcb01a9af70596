// SPDX-License-Identifier: Apache-2.0

// Command check_literal is a plugin whose probe does what --do says, for tests of real processes.
package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

var seconds = &metric.Metric{Name: "probe_literal_seconds"}

func main() {
	nagios.Main(probes.Probe{
		Name: "literal", Help: "Proves nothing",
		Settings: func(s *probes.Settings) probes.Run {
			var do, file string
			s.String(&do, probes.Local, "do", "ok", "What to do")
			s.String(&file, probes.Local, "file", "", "File to read")
			return func(_ context.Context, _ probes.Target, out *probes.Report) error {
				out.Set.Add(seconds, 2.125)
				out.Summary = "did " + do
				return act(do, file, out)
			}
		},
		Figures: []probes.Figure{{
			Label: "time", Unit: "s", Min: "0",
			Value: func(s *metric.Set) (float64, bool) { return s.Get(seconds) },
		}},
		Thresholds: []probes.Threshold{
			{Flag: "warning", Figure: "time", State: probes.Warning, Help: "Seconds"},
			{Flag: "critical", Figure: "time", State: probes.Critical, Help: "Seconds"},
		},
	})
}

func act(do, file string, out *probes.Report) error {
	switch do {
	case "fail":
		return &probes.Failure{Phase: probes.Connect, Reason: probes.Refused, Err: errors.New("connection refused")}
	case "panic":
		panic("the probe lost its mind")
	case "hang":
		select {}
	case "talk":
		out.Note(probes.OK, "server", strings.Repeat("all is well | ", 1000))
	case "read":
		_, err := os.ReadFile(file)
		return err
	}
	return nil
}
