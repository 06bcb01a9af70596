// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Monitor is Debian's Prometheus or Alertmanager.
type Monitor struct {
	URL string

	client  http.Client
	process *process
}

// StartPrometheus starts Prometheus below dir with the configuration file that is given, and further flags.
func StartPrometheus(ctx context.Context, dir, config string, flags ...string) (*Monitor, error) {
	return startMonitor(ctx, dir, append([]string{"/usr/bin/prometheus", "--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(dir, "data")}, flags...)...)
}

// StartAlertmanager starts Alertmanager below dir with the configuration file that is given, alone: it looks for no others.
func StartAlertmanager(ctx context.Context, dir, config string) (*Monitor, error) {
	return startMonitor(ctx, dir, "/usr/bin/prometheus-alertmanager", "--config.file="+config,
		"--storage.path="+filepath.Join(dir, "data"), "--cluster.listen-address=")
}

func startMonitor(ctx context.Context, dir string, args ...string) (*Monitor, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory for %s: %w", args[0], err)
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	m := &Monitor{URL: "http://" + address, client: http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	m.process, err = command{
		log:   filepath.Join(dir, "log"),
		death: syscall.SIGKILL,
		args:  append(args, "--web.listen-address="+address),
	}.start()
	if err != nil {
		return nil, err
	}
	if err := m.process.until(ctx, m.ready); err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

func (m *Monitor) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL+"/-/ready", nil)
	if err != nil {
		return err
	}
	response, err := m.client.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// Stop ends the server.
func (m *Monitor) Stop() { m.process.stop(syscall.SIGTERM, 10*time.Second) }
