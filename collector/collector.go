// SPDX-License-Identifier: Apache-2.0

// Package collector counts what can be known of an ejabberd server from inside: from its admin API, its database, its upload
// directory.
//
// A collector is a Definition: a fact sheet and one function that adds numbers to a Set. All is the table of contents. The
// Exporter runs them, so a collector knows nothing of timeouts, caching, other collectors or Prometheus.
package collector

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Source is where a collector's numbers come from.
type Source string

// The sources.
const (
	API       Source = "API"       // mod_http_api
	Database  Source = "Database"  // PostgreSQL, as the exporter's own role
	Uploads   Source = "Uploads"   // the directory tree of mod_http_upload
	Datagrams Source = "Datagrams" // what mod_metrics sends
	LogFile   Source = "LogFile"   // ejabberd.log
	Kernel    Source = "Kernel"    // /proc and sock_diag
	TLS       Source = "TLS"       // handshakes with ejabberd's listeners, and certificates on disk
	Discovery Source = "Discovery" // what was read from ejabberd.yml
)

// Definition declares one collector.
type Definition struct {
	Name, Help string
	Source     Source
	Disabled   bool          // off unless asked for with --collector.<name>
	Reuse      time.Duration // how long a result read at scrape time is served again; 0: 10 seconds
	Refresh    time.Duration // 0: read at scrape time; else served from a snapshot about this old
	// Rare: it asks ejabberd more than every scrape does, and waits for its turn with that, half its interval at most.
	Rare bool
	// After, where it is enabled, has its first run before this one: what it remembers is used here.
	After *Definition
	// Columns are the database columns that it reads, by table: the GRANTs are generated from them. server_host is left out
	// by itself where the schema has none.
	Columns map[string][]string
	Metrics []*metric.Metric
	// Collect adds the numbers. An error means that none of them can be trusted: only metrics marked OnFailure are kept.
	// ErrOff (wrapped with the reason) means that this server does not have what is counted here, which is no failure.
	Collect func(ctx context.Context, src *Sources, out *metric.Set) error
}

// Scope is what the collector's numbers count over: all of its metrics have the same scope.
func (d Definition) Scope() metric.Scope { return d.Metrics[0].Scope }

// ErrOff says that a server does not have a collector's source, or does not want it to be read: no series, no failure.
var ErrOff = errors.New("off")

// All is the table of contents.
var All = []Definition{
	Server,
	Cluster,
	Accounts,
	Activity,
	Newcomers,
	Names,
	Credentials,
	Banned,
	Sessions,
	Online,
	Connections,
	S2S,
	S2SSockets,
	Listeners,
	Process,
	Certificates,
	Events,
	Log,
	UploadTree,
	UploadLimits,
	UploadFilesystem,
	UploadOrphans,
	Rooms,
	MUC,
	Offline,
	Archive,
	Stored,
	Orphans,
	DatabaseServer,
	Tables,
	Findings,
	OldestData,
}

// ByDefault are the collectors that are on unless a flag says otherwise.
func ByDefault() []Definition {
	return slices.DeleteFunc(slices.Clone(All), func(d Definition) bool { return d.Disabled })
}

// Columns are all columns that the collectors read, by table, each once.
func Columns(definitions []Definition) map[string][]string {
	seen := map[string]bool{}
	columns := map[string][]string{}
	for _, d := range definitions {
		for table, names := range d.Columns {
			for _, name := range names {
				if key := table + "." + name; !seen[key] {
					seen[key] = true
					columns[table] = append(columns[table], name)
				}
			}
		}
	}
	return columns
}
