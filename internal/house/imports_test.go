// SPDX-License-Identifier: Apache-2.0

package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/chapril/ejabberd_exporter/"

// room is one row of the plan of the house: what a package may import itself. The standard library is open to all.
type room struct {
	name string   // below the module path; path.Match patterns are allowed
	ours []string // our own rooms that it may import
	from []string // other people's modules, by the beginning of the import path
	why  string
}

// rooms is the plan, from the ground upwards. docs/architecture.md tells it in words.
var rooms = []room{
	{
		name: "internal/metric",
		why:  "the privacy gate is small enough to be read whole: the standard library and nothing else",
	},
	{
		name: "internal/guard",
		why:  "whoever starts a goroutine needs it: the standard library and nothing else",
	},
	{
		name: "internal/xmpp",
		why:  "plugins stay small, and what we do on the wire is in sight: the standard library and nothing else",
	},
	{
		name: "internal/xmpp/*",
		ours: []string{"internal/xmpp"},
		from: []string{"github.com/xdg-go/scram"},
		why:  "SCRAM is cryptography that others have reviewed; the rest of XMPP is ours",
	},
	{
		name: "internal/dns",
		ours: []string{"internal/guard"},
		from: []string{"golang.org/x/net/dns/dnsmessage", "golang.org/x/net/idna"},
		why:  "the resolver of the standard library hides TTLs; of x/net only the wire format is needed",
	},
	{
		name: "internal/stun",
		why:  "two requests of STUN and TURN, in sight and small: the standard library and nothing else",
	},
	{
		name: "internal/web",
		why:  "net/http in the room of the probes would add a third of a megabyte to every plugin: the standard library and not that",
	},
	{
		name: "internal/web/*",
		from: []string{"github.com/coder/websocket"},
		why:  "the websites of the tests use the libraries that we do not ship, so that ours is tried against another's",
	},
	{
		name: "internal/secret",
		why:  "where passwords pass is small enough to be read whole: the standard library and nothing else",
	},
	{
		name: "internal/ejabberdconf",
		from: []string{"go.yaml.in/yaml/v3", "golang.org/x/net/idna"},
		why:  "it reads a file and knows nobody",
	},
	{
		name: "internal/ejabberd",
		from: []string{"golang.org/x/net/idna"},
		why:  "a source asks its server and knows nothing of metrics",
	},
	{
		name: "internal/uploads",
		ours: []string{"internal/ejabberdconf", "internal/guard"},
		from: []string{"golang.org/x/sys/unix"},
		why:  "a source lists its files and knows nothing of metrics",
	},
	{
		name: "internal/events",
		ours: []string{"internal/guard"},
		from: []string{"golang.org/x/net/idna", "golang.org/x/sys/unix"},
		why:  "a source counts datagrams and knows nothing of metrics",
	},
	{
		name: "internal/epmd",
		why:  "a source asks its server and knows nothing of metrics",
	},
	{
		name: "internal/logfile",
		ours: []string{"internal/guard"},
		why:  "a source counts lines and knows nothing of metrics",
	},
	{
		name: "internal/sockets",
		from: []string{"golang.org/x/sys/unix"},
		why:  "addresses end here: what leaves says of which family and on which port",
	},
	{
		name: "internal/process",
		from: []string{"github.com/prometheus/procfs"},
		why:  "command lines end here: what leaves is numbers",
	},
	{
		name: "internal/certs",
		ours: []string{"internal/ejabberdconf", "internal/xmpp"},
		from: []string{"golang.org/x/net/idna"},
		why:  "it looks at certificates only, on disk and in handshakes",
	},
	{
		name: "internal/database",
		ours: []string{"internal/metric", "internal/ejabberdconf", "internal/secret"},
		from: []string{"github.com/jackc/pgx/v5", "golang.org/x/net/idna"},
		why:  "it is the one room that opens connections to PostgreSQL, so that two in all can be promised",
	},
	{
		name: "collector",
		ours: []string{
			"internal/metric", "internal/ejabberd", "internal/ejabberdconf", "internal/database", "internal/uploads", "internal/events", "internal/logfile",
			"internal/process", "internal/sockets", "internal/certs", "internal/epmd", "internal/guard",
		},
		from: []string{"github.com/jackc/pgx/v5"},
		why:  "a collector adds numbers to a Set; pages, flags and probes are other rooms",
	},
	{
		name: "probes",
		ours: []string{"internal/metric", "internal/xmpp", "internal/dns", "internal/stun", "internal/web", "internal/secret"},
		from: []string{"golang.org/x/net/idna"},
		why:  "a probe sees what a stranger sees: no ejabberd.yml, no API, no database",
	},
	{
		name: "internal/probeconf",
		ours: []string{"probes", "internal/secret"},
		from: []string{"go.yaml.in/yaml/v3"},
		why:  "it reads a file with secrets and knows nothing of pages",
	},
	{
		name: "internal/exposition",
		ours: []string{"internal/metric", "probes"},
		from: []string{"github.com/prometheus/client_golang", "github.com/prometheus/common/expfmt"},
		why:  "the only room that makes Prometheus metrics: whatever reaches a page went through a Set",
	},
	{
		name: "internal/remedy",
		ours: []string{"internal/metric", "internal/ejabberd", "internal/ejabberdconf", "internal/database"},
		from: []string{"golang.org/x/net/idna"},
		why:  "it writes the lines that an administrator pastes, from what the sources declare",
	},
	{
		name: "internal/privacy",
		why:  "it writes a page that is published: numbers and dates, so that nothing else gets onto it",
	},
	{
		name: "internal/statuspage",
		ours: []string{"internal/metric", "internal/exposition", "internal/remedy", "collector", "probes"},
		why:  "it writes what others know as a page; where that comes from is their business",
	},
	{
		name: "internal/statistics",
		ours: []string{"internal/metric"},
		why:  "it writes a document that is published: numbers of Sets, so that nothing else gets into it",
	},
	{
		name: "internal/discovery",
		ours: []string{
			"internal/metric", "internal/ejabberdconf", "internal/ejabberd", "internal/database", "internal/uploads", "internal/certs", "internal/secret",
			"collector",
		},
		why: "it finds the sources and hands them to the collectors; flags and pages are other rooms",
	},
	{
		name: "internal/nagios",
		ours: []string{"internal/metric", "internal/secret", "probes"},
		from: []string{"github.com/prometheus/common/version", "golang.org/x/net/idna"},
		why:  "a plugin is a probe and its rendering, and two megabytes smaller without a library for flags",
	},
	{
		name: "internal/page",
		ours: []string{"internal/metric", "internal/nagios", "internal/secret", "probes"},
		why:  "it reads what the exporter shows to everybody: no source, and no library for a format of lines",
	},
	{
		name: "cmd/check_*",
		ours: []string{"internal/nagios", "internal/page", "internal/xmpp/sasl", "probes"},
		why:  "a plugin's main is ten lines: nagios.Main with its probe, and how to log in where it does that",
	},
	{
		name: "cmd/xmpp_plugins",
		ours: []string{"internal/nagios", "internal/page", "internal/secret", "internal/xmpp/sasl", "probes"},
		from: []string{"github.com/prometheus/common/version"},
		why:  "it is the plugins in one program, and nothing beside",
	},
	{
		name: "cmd/ejabberd_exporter",
		ours: []string{"collector", "probes", "internal/*", "internal/xmpp/sasl"},
		from: []string{
			"github.com/alecthomas/kingpin/v2", "github.com/prometheus/common/", "github.com/prometheus/exporter-toolkit/web",
			"go.yaml.in/yaml/v3",
		},
		why: "it joins the rooms and makes no metrics itself",
	},
	{
		name: "internal/service",
		ours: []string{"internal/*", "internal/xmpp/*"},
		from: []string{"github.com/jackc/pgx/v5", "golang.org/x/"},
		why:  "the real service of the tests and the demo; nothing that is shipped may import it",
	},
	{
		name: "internal/service/*",
		ours: []string{"internal/service"},
		from: []string{"github.com/prometheus/common/"},
		why:  "the demo runs what is shipped from outside, as an operator does",
	},
	{
		name: "internal/scale",
		ours: []string{"internal/service"},
		why:  "it fills a service of internal/service",
	},
	{
		name: "internal/scale/bench",
		ours: []string{"internal/scale", "internal/service", "internal/ejabberd", "internal/uploads", "collector", "probes"},
		from: []string{"github.com/jackc/pgx/v5", "golang.org/x/net/ipv4", "golang.org/x/sys/unix"},
		why:  "it measures rooms by themselves, and what is shipped from outside",
	},
	{
		name: "internal/situations",
		why:  "it has tests only",
	},
	{
		name: "internal/faults",
		why:  "it has tests only",
	},
	{
		name: "internal/recipes",
		why:  "it runs what docs/recipes tell people to run",
	},
	{
		name: "packaging/*",
		why:  "it asks the Go tool and the programs, as packages are built from outside",
	},
	{
		name: "internal/house",
		why:  "it looks at the others from outside",
	},
}

// TestImports walks over what each package imports itself, without its tests.
func TestImports(t *testing.T) {
	for _, pkg := range packages(t) {
		name := strings.TrimPrefix(pkg.ImportPath, module)
		if name == pkg.ImportPath || len(pkg.GoFiles) == 0 {
			continue
		}
		room := roomOf(name)
		if room == nil {
			t.Errorf("%s has no row in the plan of the house: say in internal/house what it may import, and why", name)
			continue
		}
		for _, imported := range pkg.Imports {
			if !room.allows(imported) {
				t.Errorf("%s may not import %s: %s", name, imported, room.why)
			}
		}
	}
}

// TestDependencies walks over everything that ends up in a program, however deep.
func TestDependencies(t *testing.T) {
	never := []struct{ room, pkg, why string }{
		{"cmd/check_*", "github.com/prometheus/client_golang", "a plugin is started every minute: it stays small and quick"},
		{"cmd/check_*", "github.com/jackc/pgx", "a plugin looks from outside"},
		{"cmd/check_*", "github.com/alecthomas/kingpin", "its templates find methods by their names, so that the linker can leave none out: two megabytes"},
		{"cmd/xmpp_plugins", "github.com/prometheus/client_golang", "a plugin is started every minute: it stays small and quick"},
		{"cmd/xmpp_plugins", "github.com/jackc/pgx", "a plugin looks from outside"},
		{"collector", "github.com/prometheus/client_golang", "only internal/exposition makes Prometheus metrics"},
		{"collector", "github.com/alecthomas/kingpin", "flags are made in cmd/ejabberd_exporter, from data"},
		{"probes", "github.com/prometheus/client_golang", "only internal/exposition makes Prometheus metrics"},
		{"probes", "github.com/alecthomas/kingpin", "flags are made in internal/nagios and cmd/ejabberd_exporter, from data"},
		{"cmd/*", module + "internal/service", "test servers do not belong into what is shipped"},
		{"cmd/*", module + "internal/xmpp/xmpptest", "scripted peers do not belong into what is shipped"},
		{"cmd/*", module + "internal/web/webtest", "websites of tests do not belong into what is shipped"},
		{"cmd/*", "net/http/pprof", "a heap profile shows whatever passed through memory: account names, addresses"},
	}
	for _, pkg := range packages(t) {
		for _, rule := range never {
			if !matches(module+rule.room, pkg.ImportPath) {
				continue
			}
			for _, dep := range pkg.Deps {
				if within(dep, rule.pkg) {
					t.Errorf("%s depends on %s: %s", pkg.ImportPath, dep, rule.why)
				}
			}
		}
	}
}

func roomOf(name string) *room {
	i := slices.IndexFunc(rooms, func(r room) bool { return matches(r.name, name) })
	if i < 0 {
		return nil
	}
	return &rooms[i]
}

func (r *room) allows(pkg string) bool {
	if name, ours := strings.CutPrefix(pkg, module); ours {
		return slices.ContainsFunc(r.ours, func(pattern string) bool { return matches(pattern, name) })
	}
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".") || // the standard library: no dot in the first element
		slices.ContainsFunc(r.from, func(prefix string) bool { return within(pkg, prefix) })
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func within(pkg, prefix string) bool {
	return pkg == prefix || strings.HasPrefix(pkg, strings.TrimSuffix(prefix, "/")+"/")
}

// listed is what the tests need of an entry of go list -json.
type listed struct {
	ImportPath, Doc string
	GoFiles         []string
	Imports, Deps   []string
}

// packages lists the packages of this module.
func packages(t *testing.T) []listed {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Doc,GoFiles,Imports,Deps", "./...")
	list.Dir = root
	list.Stderr = t.Output()
	out, err := list.Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg listed
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal("go list: ", err)
		}
		all = append(all, pkg)
	}
}
