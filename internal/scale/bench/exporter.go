// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/scale"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// exporter is the program as it is shipped, started as an operator would start it.
type exporter struct {
	url     string
	web     *http.Client
	process *exec.Cmd
	ended   chan struct{}
	log     bytes.Buffer
}

const role = "ejabberd_exporter"

// startExporter starts one that knows the service by its ejabberd.yml.
func startExporter(ctx context.Context, s *scale.Service, bin string, flags ...string) (*exporter, error) {
	return startExporterWith(ctx, s, nil, bin, flags...)
}

// startExporterWith starts it by another program, such as taskset.
func startExporterWith(ctx context.Context, s *scale.Service, by []string, bin string, flags ...string) (*exporter, error) {
	ports, err := service.FreePorts(1)
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	e := &exporter{url: "http://" + address, web: &http.Client{Transport: &http.Transport{}}, ended: make(chan struct{})}
	flags = append([]string{
		"--ejabberd.config=" + s.Ejabberd.ConfigPath, "--web.listen-address=" + address,
		"--probe.resolver=" + s.Resolver.Addr(), "--probe.ca-file=" + s.CAFile,
	}, flags...)
	args := append(append(slices.Clone(by), filepath.Join(bin, "ejabberd_exporter")), flags...)
	e.process = exec.Command(args[0], args[1:]...)
	e.process.Env = append(os.Environ(), "PGPASSWORD="+s.Admin.Password)
	e.process.Stdout, e.process.Stderr = &e.log, &e.log
	e.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us
	if err := e.process.Start(); err != nil {
		return nil, fmt.Errorf("start the exporter: %w", err)
	}
	go func() {
		_ = e.process.Wait() // its log says why
		close(e.ended)
	}()
	for {
		if _, err := e.get(ctx, "/-/ready", 0); err == nil {
			return e, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-e.ended:
			return nil, fmt.Errorf("the exporter ended: %s", bytes.TrimSpace(e.log.Bytes()))
		case <-ctx.Done():
			e.stop()
			return nil, ctx.Err()
		}
	}
}

func (e *exporter) pid() int { return e.process.Process.Pid }

// get reads a page. patience is what Prometheus would say it has; 0: nothing is said.
func (e *exporter) get(ctx context.Context, path string, patience time.Duration) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+path, nil)
	if err != nil {
		return nil, err
	}
	if patience > 0 {
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprintf("%.3f", patience.Seconds()))
	}
	answer, err := e.web.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", path, answer.Status)
	}
	return page, err
}

// warm scrapes until every collector has succeeded.
func (e *exporter) warm(ctx context.Context) error {
	page, err := e.get(ctx, "/metrics", 2*time.Minute)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(page) {
		if bytes.HasPrefix(line, []byte("ejabberd_exporter_collector_success{")) && bytes.HasSuffix(line, []byte(" 0\n")) {
			return fmt.Errorf("a collector failed: %s%s", line, e.log.Bytes())
		}
	}
	return nil
}

// stop lets it shut down by itself, and gives what it said.
func (e *exporter) stop() {
	_ = e.process.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-e.ended:
	case <-time.After(20 * time.Second):
		_ = e.process.Process.Kill()
		<-e.ended
	}
	e.web.CloseIdleConnections()
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return errors.New("called off")
	}
}
