// SPDX-License-Identifier: Apache-2.0

// Demo shows the exporter at work: it starts a whole XMPP service in a temporary directory, points the exporter, the plugins and
// Prometheus at it, says in a few lines what they see, and stops everything on Ctrl-C. With --once it prints the exporter's page
// on standard output instead, with --pictures it keeps pictures of the status page, and ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

func main() {
	once := flag.Bool("once", false, "print the page and end")
	bin := flag.String("bin", "bin", "directory of the programs, as make build leaves them")
	pictures := flag.String("pictures", "", "directory to put pictures of the status page into, and end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *bin, *pictures, *once, os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// demo is what is running.
type demo struct {
	*service.Service
	bin      string
	exporter *exporter
	door     int // port where servers dial back to check_xmpp_federation
	say      func(format string, args ...any)
}

func run(ctx context.Context, bin, pictures string, once bool, out, notes io.Writer) error {
	began := time.Now()
	d := &demo{bin: bin, say: func(format string, args ...any) { _, _ = fmt.Fprintf(notes, format+"\n", args...) }}
	d.say("Starting ejabberd, PostgreSQL, Prosody, a resolver, clients … all on loopback, below a temporary directory.")
	var err error
	if d.Service, err = service.Start(ctx, service.Everything()); err != nil {
		return err
	}
	defer d.Stop()
	if err := d.startExporter(ctx); err != nil {
		return err
	}
	defer func() { d.exporter.stop() }()
	d.say("Up after %.0f s.\n", time.Since(began).Seconds())

	page, err := d.exporter.page(ctx)
	if err != nil {
		return err
	}
	if pictures != "" {
		return d.takePictures(ctx, pictures)
	}
	failed := d.summarise(page)
	if err := d.runPlugins(ctx); err != nil {
		failed = append(failed, err.Error())
	}
	if once {
		if _, err := io.WriteString(out, page); err != nil {
			return err
		}
	} else if err := d.show(ctx); err != nil {
		return err
	}
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "; "))
	}
	return nil
}

// show starts Prometheus, says where to look, and waits for Ctrl-C.
func (d *demo) show(ctx context.Context) error {
	prometheus, err := d.StartPrometheus(ctx, d.prometheusConfig())
	if err != nil {
		return err
	}
	defer prometheus.Stop()
	d.say("\nLook at")
	d.say("  %s/", d.exporter.url)
	d.say("  %s/metrics", d.exporter.url)
	d.say("  %s/probe?module=c2s&target=%s&debug=true", d.exporter.url, d.Domains[0])
	d.say("  %s/graph?g0.expr=ejabberd_sessions", prometheus.URL)
	d.say("ejabberd's configuration and logs: %s", d.Ejabberd.Dir)
	d.say("\nCtrl-C stops everything and deletes it.")
	<-ctx.Done()
	d.say("\nStopping.")
	return nil
}

// prometheusConfig scrapes the exporter and probes through it, as examples/prometheus.yml does.
func (d *demo) prometheusConfig() string {
	address := strings.TrimPrefix(d.exporter.url, "http://")
	targets := strings.Join(d.Domains, ", ")
	return fmt.Sprintf(`global: {scrape_interval: 5s, scrape_timeout: 5s}
scrape_configs:
  - job_name: ejabberd
    static_configs: [{targets: [%[1]q]}]
  - job_name: xmpp
    metrics_path: /probe
    static_configs:
      - {targets: [%[2]s], labels: {module: c2s}}
      - {targets: [%[2]s], labels: {module: s2s}}
      - {targets: [%[2]s], labels: {module: cert}}
    relabel_configs:
      - {source_labels: [module], target_label: __param_module}
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: %[1]q}
`, address, targets)
}
