// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/remedy"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// startPostgres starts a server for a test's databases.
func startPostgres(t *testing.T) *service.Postgres {
	t.Helper()
	return service.PostgresForTest(t, "")
}

// fill makes a database with ejabberd's tables and the given rows, and the sources that read it: as exactly the role that the
// GRANTs make, every store in SQL.
func fill(t *testing.T, server *service.Postgres, name, schema, sql string, vhosts ...string) *Sources {
	t.Helper()
	db, err := server.CreateDatabase(t.Context(), name, schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, statements := range []string{sql, remedy.Grants(Columns(All)), "ALTER ROLE ejabberd_exporter PASSWORD 'canary'"} {
		if err := db.Exec(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
	}
	login, err := pgx.ParseConfig(server.URL(database.Role, "canary", name))
	if err != nil {
		t.Fatal(err)
	}
	databases := database.New(&database.Target{Name: name, Vhosts: vhosts, Role: name, Login: login})
	t.Cleanup(func() { databases.Close(context.Background()) })
	src := &Sources{
		API: &fakeAPI{version: "26.07", vhosts: vhosts}, Databases: databases, Vhosts: vhosts, AccountsInSQL: vhosts,
		InSQL: map[string][]string{}, Pools: map[string]int{name: 10 * len(vhosts)}, Bounds: metric.Bounds{},
	}
	for _, store := range ejabberdconf.Stores {
		src.InSQL[store] = vhosts
	}
	src.Bounds.Bind("vhost", 0, vhosts...)
	src.Bounds.Bind("database", 0, name)
	return src
}

// fakeAPI answers what a test wants ejabberd to say, for releases that are not installed.
type fakeAPI struct {
	AdminAPI
	version  string
	vhosts   []string
	online   map[string]string // who is, with the vhost
	services []string          // of the rooms that are alive
	nodes    []ejabberd.Node
	complete bool
}

func (f *fakeAPI) Status(context.Context) (version, node string, err error) {
	return f.version, "one.test", nil
}
func (f *fakeAPI) Vhosts(context.Context) ([]string, error) { return f.vhosts, nil }
func (f *fakeAPI) Uptime(context.Context) (int, error)      { return 1, nil }
func (f *fakeAPI) ConnectedUsers(_ context.Context, each func(string, ejabberd.Account)) error {
	for user, vhost := range f.online {
		each(vhost, ejabberd.AccountOf(user, vhost))
	}
	return nil
}
func (f *fakeAPI) RoomCount(context.Context) (int, error) { return len(f.services), nil }
func (f *fakeAPI) OnlineRooms(_ context.Context, each func(string)) error {
	for _, s := range f.services {
		each(s)
	}
	return nil
}

func (f *fakeAPI) Cluster(context.Context) (nodes []ejabberd.Node, complete bool, err error) {
	return f.nodes, f.complete, nil
}

// collect runs a collector and wants it to say exactly this.
func collect(t *testing.T, d Definition, src *Sources, want string) {
	t.Helper()
	out := metric.NewSet(src.Bounds)
	if err := d.Collect(t.Context(), src, out); err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line+"\n")
		}
	}
	if got := out.Text(); got != strings.Join(lines, "") {
		t.Errorf("%s says\n%s\nwant\n%s", d.Name, got, strings.Join(lines, ""))
	}
}

// off wants a collector to say that there is nothing to count, and why.
func off(t *testing.T, d Definition, src *Sources, why string) {
	t.Helper()
	out := metric.NewSet(src.Bounds)
	if err := d.Collect(t.Context(), src, out); !IsOff(err) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %v, want off: %s", d.Name, err, why)
	}
}
