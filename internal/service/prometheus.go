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

// Prometheus is Debian's Prometheus.
type Prometheus struct {
	URL string

	client  http.Client
	process *process
}

// StartPrometheus starts Prometheus below dir with the configuration file that is given.
func StartPrometheus(ctx context.Context, dir, config string) (*Prometheus, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make Prometheus's directory: %w", err)
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	p := &Prometheus{URL: "http://" + address, client: http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	p.process, err = command{
		log:   filepath.Join(dir, "log"),
		death: syscall.SIGKILL,
		args: []string{
			"/usr/bin/prometheus", "--config.file=" + config, "--web.listen-address=" + address,
			"--storage.tsdb.path=" + filepath.Join(dir, "data"),
		},
	}.start()
	if err != nil {
		return nil, err
	}
	if err := p.process.until(ctx, p.ready); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

func (p *Prometheus) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/-/ready", nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(request)
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
func (p *Prometheus) Stop() { p.process.stop(syscall.SIGTERM, 10*time.Second) }
