// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// coturnAccount is the account of Debian's package.
const coturnAccount = "turnserver"

// Coturn is a STUN and TURN server that has nothing to do with ejabberd.
type Coturn struct {
	Port           int // UDP and TCP, on 127.0.0.1 and ::1
	User, Password string

	dir     string
	process *process
}

// StartCoturn starts a relay. With a secret it takes short-lived credentials made of that; else User and Password.
func StartCoturn(ctx context.Context, secret string) (*Coturn, error) {
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "coturn-")
	if err != nil {
		return nil, fmt.Errorf("make the directory of coturn: %w", err)
	}
	c := &Coturn{Port: ports[0], User: "relay-" + Canary, Password: password, dir: dir}
	if err := c.start(ctx, secret); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Coturn) start(ctx context.Context, secret string) (err error) {
	if err := giveTo(c.dir, coturnAccount); err != nil {
		return err
	}
	credentials := "lt-cred-mech\nuser=" + c.User + ":" + c.Password
	if secret != "" {
		credentials = "use-auth-secret\nstatic-auth-secret=" + secret
	}
	config := filepath.Join(c.dir, "turnserver.conf")
	text := strings.NewReplacer("DIR", c.dir, "PORT", strconv.Itoa(c.Port), "CREDENTIALS", credentials).Replace(`listening-port=PORT
listening-ip=127.0.0.1
listening-ip=::1
relay-ip=127.0.0.1
relay-ip=::1
realm=relay.test
fingerprint
CREDENTIALS
userdb=DIR/turndb
pidfile=DIR/pid
log-file=stdout
no-cli
no-tls
no-dtls
`)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the configuration of coturn: %w", err)
	}
	if err := giveTo(config, coturnAccount); err != nil {
		return err
	}
	c.process, err = command{
		account: coturnAccount,
		log:     filepath.Join(c.dir, "log"),
		death:   syscall.SIGKILL,
		args:    []string{"/usr/bin/turnserver", "-c", config},
	}.start()
	if err != nil {
		return err
	}
	if err := c.process.until(ctx, listen(c.Port)); err != nil {
		return fmt.Errorf("%w; its log ends with:\n%s", err, tail(filepath.Join(c.dir, "log")))
	}
	return nil
}

// Stop ends the relay and removes its directory.
func (c *Coturn) Stop() {
	if c.process != nil {
		c.process.stop(syscall.SIGTERM, 5*time.Second)
	}
	_ = os.RemoveAll(c.dir)
}
