// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"
)

//go:embed prosody.cfg.lua.tmpl
var prosodyTemplate string

//go:embed prosody_dns.lua
var prosodyDNS string

//go:embed prosody_tls_info.lua
var prosodyTLSInfo string

// SASL2 are the modules of Debian's prosody-modules, and one of ours, with which clients log in to a Prosody by XEP-0388.
var SASL2 = []string{"tls_info", "sasl2"}

// prosodyAccount is the account of Debian's package.
const prosodyAccount = "prosody"

// Prosody is a federation peer with one account.
type Prosody struct {
	Domain   string
	Account  Account
	C2S      int // STARTTLS
	C2STLS   int // TLS from the first byte
	S2S      int
	S2STLS   int
	Dir      string // holds the configuration, the data and prosody.log
	DNS      int    // port of its resolver on 127.0.0.1
	CAFile   string
	CertFile string   // certificate, chain and key
	Login    []string // modules by which clients log in

	process *process
}

// StartProsody starts a peer for domain below dir. It trusts the CA in caFile alone, and asks the resolver at port dns. login are
// modules by which clients log in; none are those of RFC 6120.
func StartProsody(ctx context.Context, dir, domain string, certificate *Certificate, caFile string, dns int, login ...string) (*Prosody, error) {
	if len(login) == 0 {
		login = []string{"saslauth"}
	}
	ports, err := FreePorts(4)
	if err != nil {
		return nil, err
	}
	p := &Prosody{
		Domain:  domain,
		Account: Account{User: Canary, Domain: domain, Password: password},
		C2S:     ports[0], C2STLS: ports[1], S2S: ports[2], S2STLS: ports[3],
		Dir:      dir,
		DNS:      dns,
		CAFile:   caFile,
		CertFile: filepath.Join(dir, "prosody.pem"),
		Login:    login,
	}
	if err := p.write(certificate); err != nil {
		return nil, err
	}
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Prosody) write(certificate *Certificate) error {
	// The directory of the accounts, in Prosody's own spelling.
	accounts := filepath.Join("data", strings.ReplaceAll(p.Domain, ".", "%2e"), "accounts")
	for _, sub := range []string{".", "plugins", "certs", "data", filepath.Dir(accounts), accounts} {
		if err := makeDir(filepath.Join(p.Dir, sub), prosodyAccount); err != nil {
			return err
		}
	}
	tmpl, err := template.New("prosody.cfg.lua").Parse(prosodyTemplate)
	if err != nil {
		return fmt.Errorf("parse the template of prosody.cfg.lua: %w", err)
	}
	var config strings.Builder
	if err := tmpl.Execute(&config, struct {
		*Prosody
		Loopback []string
	}{p, Loopback()}); err != nil {
		return fmt.Errorf("fill in prosody.cfg.lua: %w", err)
	}
	for name, text := range map[string]string{
		"prosody.cfg.lua":                              config.String(),
		"plugins/mod_service_dns.lua":                  prosodyDNS,
		"plugins/mod_tls_info.lua":                     prosodyTLSInfo,
		"prosody.pem":                                  string(certificate.PEM),
		filepath.Join(accounts, p.Account.User+".dat"): fmt.Sprintf("return { password = %q }\n", p.Account.Password),
	} {
		path := filepath.Join(p.Dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write Prosody's files: %w", err)
		}
		if err := giveTo(path, prosodyAccount); err != nil {
			return err
		}
	}
	return nil
}

// Start starts the server, again after Stop, and waits until it listens.
func (p *Prosody) Start(ctx context.Context) error {
	process, err := command{
		account: prosodyAccount,
		env:     []string{"HOME=" + p.Dir},
		log:     filepath.Join(p.Dir, "stdout.log"),
		death:   syscall.SIGKILL,
		args:    []string{"/usr/bin/prosody", "--config", filepath.Join(p.Dir, "prosody.cfg.lua"), "-F"},
	}.start()
	if err != nil {
		return err
	}
	p.process = process
	if err := process.until(ctx, listen(p.C2S, p.C2STLS, p.S2S, p.S2STLS)); err != nil {
		p.Stop()
		return fmt.Errorf("%w; prosody.log ends with:\n%s", err, tail(filepath.Join(p.Dir, "prosody.log")))
	}
	return nil
}

// Stop ends the server.
func (p *Prosody) Stop() { p.process.stop(syscall.SIGTERM, 5*time.Second) }
