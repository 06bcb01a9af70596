// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// exporter is the program that this is all about, started as an operator would start it.
type exporter struct {
	url     string
	process *exec.Cmd
	ended   chan struct{}
	log     string
}

// startExporter gives the exporter its PostgreSQL role, by the lines that it prints itself, and starts it with no more than the
// path of ejabberd.yml and a password.
func (d *demo) startExporter(ctx context.Context) error {
	program := filepath.Join(d.bin, "ejabberd_exporter")
	password := rand.Text()
	if err := d.Database.Grant(ctx, program, password); err != nil {
		return err
	}
	ports, err := service.FreePorts(1)
	if err != nil {
		return err
	}
	address := "127.0.0.1:" + strconv.Itoa(ports[0])
	e := &exporter{url: "http://" + address, ended: make(chan struct{}), log: filepath.Join(d.Dir, "exporter.log")}
	log, err := os.Create(e.log)
	if err != nil {
		return err
	}
	defer log.Close()
	modules := filepath.Join(d.Dir, "probe.yml")
	if err := os.WriteFile(modules, []byte(d.modules()), 0o600); err != nil {
		return err
	}
	e.process = exec.Command(program, "--ejabberd.config="+d.Ejabberd.ConfigPath, "--web.listen-address="+address,
		"--probe.resolver="+d.Resolver.Addr(), "--probe.ca-file="+d.CAFile, "--probe.config="+modules)
	e.process.Env = append(os.Environ(), "PGPASSWORD="+password)
	e.process.Stdout, e.process.Stderr = log, log
	e.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us; the exporter stops after its page is read
	if err := e.process.Start(); err != nil {
		return err
	}
	go func() {
		_ = e.process.Wait() // its log says why
		close(e.ended)
	}()
	d.exporter = e
	return e.ready(ctx)
}

// modules are what the status page runs while somebody looks.
func (d *demo) modules() string {
	return fmt.Sprintf("modules:\n  c2s: {}\n  s2s: {}\n  login: {jid: %s, password: %s, ping: [%s]}\n", d.Admin.JID(), d.Admin.Password, d.Prosody.Domain)
}

// ready waits until the exporter serves.
func (e *exporter) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := e.get(ctx, "/-/ready"); err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-e.ended:
			log, _ := os.ReadFile(e.log)
			return fmt.Errorf("the exporter ended: %s", bytes.TrimSpace(log))
		case <-ctx.Done():
			return errors.New("the exporter does not get ready")
		}
	}
}

func (e *exporter) page(ctx context.Context) (string, error) { return e.get(ctx, "/metrics") }

func (e *exporter) get(ctx context.Context, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", path, answer.Status)
	}
	return string(text), err
}

// stop lets the exporter shut down by itself.
func (e *exporter) stop() {
	_ = e.process.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-e.ended:
	case <-time.After(20 * time.Second):
		_ = e.process.Process.Kill()
		<-e.ended
	}
}
