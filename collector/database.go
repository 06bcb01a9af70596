// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

var (
	databaseLabel = metric.BoundTo("database")

	databaseUp = &metric.Metric{
		Name: "ejabberd_database_up", Source: "PostgreSQL login", Scope: metric.Database, OnFailure: true,
		Labels: []metric.Label{databaseLabel},
		Help:   "Whether PostgreSQL answers: 0 only when it refuses connections, does not answer or is shutting down; a refused login is an answer",
	}
	databaseSize = &metric.Metric{
		Name: "ejabberd_database_size_bytes", Source: "PostgreSQL pg_database_size", Scope: metric.Database,
		Labels: []metric.Label{databaseLabel},
		Help:   "Size of the database on disk",
	}
	databaseConnections = &metric.Metric{
		Name: "ejabberd_database_connections", Source: "PostgreSQL pg_stat_activity", Scope: metric.Database,
		Labels: []metric.Label{databaseLabel, metric.OneOf("role", "ejabberd", "exporter", "other")},
		Help:   "Connections to the database by who holds them",
	}
	connectionLimit = &metric.Metric{
		Name: "ejabberd_database_connection_limit", Source: "PostgreSQL max_connections, pg_roles, pg_database", Scope: metric.Database,
		Labels: []metric.Label{databaseLabel},
		Help:   "Connections that ejabberd's role may have: the least of the server's limit without the reserved ones, the database's and the role's",
	}
)

// DatabaseServer tells how PostgreSQL fares.
var DatabaseServer = Definition{
	Name: "database", Source: Database,
	Help:    "Whether PostgreSQL answers, the size of ejabberd's databases and their connections",
	Metrics: []*metric.Metric{databaseUp, databaseSize, databaseConnections, connectionLimit},
	Collect: func(ctx context.Context, src *Sources, out *metric.Set) error {
		if src.Databases == nil {
			return src.absent(errNoSQL)
		}
		var errs []error
		for _, name := range src.Databases.Names() {
			err := src.Databases.Use(ctx, database.Scrape, name, func(ctx context.Context, db *database.Conn) error {
				return readDatabase(ctx, db, out)
			})
			out.Add(databaseUp, truth(!database.Down(err)), name)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	},
}

func readDatabase(ctx context.Context, db *database.Conn, out *metric.Set) error {
	var size, ejabberd, exporter, all, limit float64
	err := db.QueryRow(ctx, `
		SELECT pg_database_size(current_database()),
			count(*) FILTER (WHERE usename = $1),
			count(*) FILTER (WHERE usename = current_user AND usename <> $1),
			count(usename), -- autovacuum is nobody's connection
			least(
				current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
					- coalesce(current_setting('reserved_connections', true), '0')::int,
				(SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
				(SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = $1))
		FROM pg_stat_activity WHERE datname = current_database()`, db.Target.Role).Scan(&size, &ejabberd, &exporter, &all, &limit)
	if err != nil {
		return err
	}
	name := db.Target.Name
	out.Add(databaseSize, size, name)
	out.Add(databaseConnections, exporter, name, "exporter")
	if db.Target.Role != "" {
		out.Add(connectionLimit, limit, name)
		out.Add(databaseConnections, ejabberd, name, "ejabberd")
		out.Add(databaseConnections, all-ejabberd-exporter, name, "other")
	}
	return nil
}
