// SPDX-License-Identifier: Apache-2.0

package scaling_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	scrapes     = 6
	scrapeEvery = 10 * time.Second
)

// measurePages scrapes exporters that watch a service from inside, for two minutes in all, and says what a page costs by the number
// of vhosts.
func measurePages(t *testing.T) (rows [][2]string) {
	t.Helper()
	const small, large = 2, 10 // each vhost has a pool of five connections, and PostgreSQL takes 97
	few, many := measurePage(t, small), measurePage(t, large)
	for _, p := range []struct {
		vhosts int
		page
	}{{small, few}, {large, many}} {
		rows = append(rows, [2]string{
			fmt.Sprintf("/metrics with %d vhosts", p.vhosts),
			fmt.Sprintf("%d series, %.0f kB, %.1f ms of processor time every %.0f s, %.0f MB resident", p.series, float64(p.bytes)/1e3, 1000*p.cpu, scrapeEvery.Seconds(), p.memory/1e6),
		})
	}
	return append(rows, [2]string{"each further vhost, up to --vhosts.max", fmt.Sprintf("about %d series, %.1f kB",
		(many.series-few.series)/(large-small), float64(many.bytes-few.bytes)/1e3/(large-small))})
}

// page is what /metrics holds, and what it costs.
type page struct {
	series, bytes int
	cpu, memory   float64
}

// measurePage wants a complete page: every vhost has an account and a file.
func measurePage(t *testing.T, vhosts int) (p page) {
	t.Helper()
	domains := make([]string, vhosts)
	for i := range domains {
		domains[i] = fmt.Sprintf("vhost-%02d.test", i)
	}
	s := service.ForTest(t, service.Options{Domains: domains, NamesByAPI: true})
	for _, domain := range domains {
		account := service.Account{User: "person-" + service.Canary, Domain: domain, Password: s.Admin.Password}
		if err := s.Ejabberd.Register(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		if err := s.LayFile(service.File{Account: account, Size: 1, ModTime: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	const password = "role-" + service.Canary
	role, err := os.ReadFile("../postgresql-role.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{string(role), "ALTER ROLE ejabberd_exporter PASSWORD '" + password + "'"} {
		if err := s.Database.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PGPASSWORD", password)
	address := freeAddress(t)
	launch(t, buildExporter(t, s.Dir), "--web.listen-address="+address, "--ejabberd.config="+s.Ejabberd.ConfigPath)
	awaitOK(t, "http://"+address+"/-/ready")
	before := usageOf(t, "http://"+address)
	tick := time.NewTicker(scrapeEvery)
	defer tick.Stop()
	for range scrapes {
		<-tick.C
		text, err := fetch("http://" + address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		p.bytes, p.series = len(text), 0
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") {
				p.series++
			}
			if strings.HasPrefix(line, "ejabberd_exporter_collector_success{") && strings.HasSuffix(line, " 0\n") {
				t.Errorf("with %d vhosts: %s", vhosts, line)
			}
		}
	}
	after := usageOf(t, "http://"+address)
	p.cpu, p.memory = (after.cpu-before.cpu)/(scrapes+1), after.memory
	return p
}
