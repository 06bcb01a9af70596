// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/logfile"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// LogSource is what was counted in ejabberd.log so far. Implemented by *logfile.Follower.
type LogSource interface {
	Counts() (logfile.Counts, error)
}

// inLog declares a counter of lines in ejabberd.log.
func inLog(name, help string, labels ...metric.Label) *metric.Metric {
	return &metric.Metric{Name: name, Kind: metric.Counter, Source: "ejabberd.log", Labels: labels, Help: help}
}

// lastInLog declares a time of what ejabberd.log tells.
func lastInLog(name, help string, labels ...metric.Label) *metric.Metric {
	return &metric.Metric{
		Name: name, Source: "ejabberd.log", Labels: labels,
		Help: help + ", to the hour; absent until it is seen by this exporter since it started; needs loglevel info",
	}
}

var (
	mechanismLabel    = metric.OneOf("mechanism", logfile.Mechanisms()...)
	s2sMechanismLabel = metric.OneOf("mechanism", logfile.S2SMechanisms()...)
	directionLabel    = metric.OneOf("direction", "in", "out")

	logMetrics = map[logfile.Metric]*metric.Metric{
		logfile.Messages: inLog("ejabberd_log_messages_total", "Messages that ejabberd logged; loglevel decides which ones it does",
			metric.OneOf("level", logfile.Levels()...)),
		logfile.Events: inLog("ejabberd_log_events_total", "Messages that ejabberd logged about what somebody should know",
			metric.OneOf("event", logfile.LogEvents()...)),
		logfile.AuthAttempts: inLog("ejabberd_auth_attempts_total", "Logins that clients tried; needs loglevel info", mechanismLabel),
		logfile.AuthFailures: inLog("ejabberd_auth_failures_total", "Logins that were refused", mechanismLabel),
		logfile.S2SAuthAttempts: inLog("ejabberd_s2s_auth_attempts_total",
			"Attempts of servers to prove who they are: to us (in), ours to them (out); needs loglevel info", directionLabel, s2sMechanismLabel),
		logfile.S2SAuthFailures: inLog("ejabberd_s2s_auth_failures_total",
			"Attempts of servers to prove who they are that were refused", directionLabel, s2sMechanismLabel),
		logfile.S2SConnectFailures: inLog("ejabberd_s2s_connect_failures_total",
			"Connections to other servers that did not come about", metric.OneOf("reason", logfile.ConnectFailures()...)),
		logfile.UploadSlots: inLog("ejabberd_upload_slots_total", "Uploads that were allowed; needs loglevel info"),
		logfile.UploadRejected: inLog("ejabberd_upload_rejected_total", "Uploads that were refused, before or after they were sent",
			metric.OneOf("reason", logfile.Rejections()...)),
		logfile.UploadStoreErrors: inLog("ejabberd_upload_store_errors_total", "Uploads that could not be written to the disk"),
	}
	// To the hour: a decision needs no more, and who logged in is not told by when.
	logLast = map[logfile.Metric]*metric.Metric{
		logfile.AuthSuccess: lastInLog("ejabberd_auth_last_success_timestamp_seconds",
			"When a client last logged in with the mechanism", mechanismLabel),
		logfile.S2SAuthSuccess: lastInLog("ejabberd_s2s_auth_last_success_timestamp_seconds",
			"When a server last proved with the mechanism who it is: to us (in), we to it (out)", directionLabel, s2sMechanismLabel),
	}
	logLastLine = &metric.Metric{
		Name: "ejabberd_log_last_line_timestamp_seconds", Source: "ejabberd.log",
		Help: "When ejabberd last logged something: an old time is a log that fell silent or vanished",
	}
)

// Log counts what ejabberd writes into its log.
var Log = Definition{
	Name: "log", Source: LogFile, Reuse: time.Second,
	Help:    "Logins, federation, uploads and trouble, as ejabberd.log tells them; counted since the exporter started, no line is kept",
	Metrics: slices.Concat(inOrder(logMetrics), inOrder(logLast), []*metric.Metric{logLastLine}),
	Collect: collectLog,
}

var errNoLog = fmt.Errorf("%w: no ejabberd on this host, so no ejabberd.log: name one with --ejabberd.log", ErrOff)

func collectLog(_ context.Context, src *Sources, out *metric.Set) error {
	if src.Log == nil {
		return src.absent(errNoLog)
	}
	counts, err := src.Log.Counts()
	switch {
	case errors.Is(err, logfile.ErrIdle), errors.Is(err, logfile.ErrUnreadable), errors.Is(err, logfile.ErrMissing):
		return fmt.Errorf("%w: %w", ErrOff, err)
	case err != nil:
		return err
	}
	for key, n := range counts.Of {
		out.Add(logMetrics[key.Metric], float64(n), labelsOf(key)...)
	}
	for key, at := range counts.Last {
		out.Add(logLast[key.Metric], float64(at.Truncate(time.Hour).Unix()), labelsOf(key)...)
	}
	if !counts.LastLine.IsZero() {
		out.Add(logLastLine, float64(counts.LastLine.UnixMicro())/1e6)
	}
	return nil
}

// labelsOf are the values of a key that has them.
func labelsOf(key logfile.Key) []string {
	return slices.DeleteFunc([]string{key.Direction, key.Value}, func(label string) bool { return label == "" })
}

// inOrder are the metrics in the order of their keys.
func inOrder[K cmp.Ordered](metrics map[K]*metric.Metric) []*metric.Metric {
	var list []*metric.Metric
	for _, key := range slices.Sorted(maps.Keys(metrics)) {
		list = append(list, metrics[key])
	}
	return list
}
