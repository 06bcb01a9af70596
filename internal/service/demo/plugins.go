// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// flags are what each plugin is told here beside the domain: elsewhere the ports are the usual ones and the resolver and the
// authorities are the system's.
func (d *demo) flags() map[string][]string {
	ports := d.Ejabberd.Config.Ports
	https := net.JoinHostPort(d.Domains[0], strconv.Itoa(ports.HTTPS))
	dns := []string{"--resolver=" + d.Resolver.Addr()}
	trust := append(slices.Clone(dns), "--ca-file="+d.CAFile)
	account := append(slices.Clone(trust), "--jid="+d.Admin.JID())
	return map[string][]string{
		"c2s":        trust,
		"s2s":        trust,
		"cert":       trust,
		"dns":        append(dns, "--component=conference", "--component=upload"),
		"web":        append(trust, "--url=https://"+https, "--register-web=captcha"),
		"turn":       {"--hostname=127.0.0.1", "--port=" + strconv.Itoa(ports.STUN)},
		"register":   append(trust, "--expect=captcha"),
		"login":      append(account, "--ping="+d.Prosody.Domain, "--component=conference=conference/text"),
		"echo":       account,
		"upload":     account,
		"federation": append(trust, d.doors()...),
	}
}

// probeDomain is the domain that check_xmpp_federation is here.
const probeDomain = "probe.test"

// doors are where it is dialled back.
func (d *demo) doors() []string {
	flags := []string{"--probe-domain=" + probeDomain}
	for _, host := range service.Loopback() {
		flags = append(flags, "--listen="+net.JoinHostPort(host, strconv.Itoa(d.door)))
	}
	return flags
}

// openDoor gives that domain a port of this machine.
func (d *demo) openDoor() error {
	ports, err := service.FreePorts(1)
	if err != nil {
		return err
	}
	d.door = ports[0]
	d.Resolver.SetSRV("_xmpp-server._tcp."+probeDomain, "localhost", d.door)
	return nil
}

// fromElsewhere are plugins that say nothing useful on the machine that they look at.
var fromElsewhere = []string{"exposed"}

// runPlugins runs each plugin once and prints what it says, without performance data.
func (d *demo) runPlugins(ctx context.Context) error {
	plugins, err := filepath.Glob(filepath.Join(d.bin, "check_xmpp_*"))
	if err != nil || len(plugins) == 0 {
		return errors.New("no plugins: run make build first")
	}
	if err := d.openDoor(); err != nil {
		return err
	}
	d.say("What the plugins say")
	var failed []error
	for _, plugin := range plugins {
		name := strings.TrimPrefix(filepath.Base(plugin), "check_xmpp_")
		flags, known := d.flags()[name]
		switch {
		case slices.Contains(fromElsewhere, name):
			continue
		case !known:
			failed = append(failed, fmt.Errorf("nobody told the demo how to run %s", filepath.Base(plugin)))
			continue
		}
		check := exec.CommandContext(ctx, plugin, append([]string{"--domain=" + d.Domains[0], "-t", "10"}, flags...)...)
		check.Env = append(os.Environ(), "CHECK_XMPP_PASSWORD="+d.Admin.Password)
		text, err := check.Output()
		first, _, _ := strings.Cut(string(text), " | ")
		d.say("  %s", first)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", filepath.Base(plugin), err))
		}
	}
	return errors.Join(failed...)
}
