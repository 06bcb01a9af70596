// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresAccount is the account of Debian's package, and the name of the superuser.
const postgresAccount = "postgres"

// Postgres is a PostgreSQL server of its own. It asks everybody for a password, on TCP and on the socket.
type Postgres struct {
	Port      int    // on 127.0.0.1
	SocketDir string // holds .s.PGSQL.PORT

	root     Root
	dir      string
	bin      string // directory of the newest installed release
	password string // of the superuser
	old      bool   // an earlier server left its databases there
	process  *process
}

// StartPostgres starts a server on the database cluster below dir, and makes that where there is none. The programs are those of
// root.
func StartPostgres(ctx context.Context, root Root, dir string) (*Postgres, error) {
	bin, err := postgresBin(root)
	if err != nil {
		return nil, err
	}
	ports, err := FreePorts(1)
	if err != nil {
		return nil, err
	}
	p := &Postgres{Port: ports[0], SocketDir: dir, root: root, dir: dir, bin: bin, password: rand.Text()}
	if p.old = p.remember(); !p.old {
		if err := p.init(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.Start(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// postgresBin finds the programs of the newest installed release: Debian keeps initdb and postgres out of PATH.
func postgresBin(root Root) (string, error) {
	found := root.glob("/usr/lib/postgresql/*/bin")
	if len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL below /usr/lib/postgresql: apt-get install postgresql")
	}
	return slices.MaxFunc(found, func(a, b string) int { return pgRelease(a) - pgRelease(b) }), nil
}

// pgRelease is the release whose programs lie in bin.
func pgRelease(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	return n
}

// remember finds the password of an earlier server.
func (p *Postgres) remember() bool {
	if _, err := os.Stat(filepath.Join(p.data(), "PG_VERSION")); err != nil {
		return false
	}
	password, err := os.ReadFile(p.passwordFile())
	p.password = string(password)
	return err == nil
}

func (p *Postgres) passwordFile() string { return filepath.Join(p.dir, "password") }

func (p *Postgres) init(ctx context.Context) error {
	if err := makeDir(p.dir, postgresAccount); err != nil {
		return err
	}
	passwordFile := p.passwordFile()
	if err := os.WriteFile(passwordFile, []byte(p.password), 0o600); err != nil {
		return fmt.Errorf("write the superuser's password: %w", err)
	}
	if err := giveTo(passwordFile, postgresAccount); err != nil {
		return err
	}
	auth := "scram-sha-256"
	if pgRelease(p.bin) < 14 { // the ejabberd of its time knows nothing better
		auth = "md5"
	}
	_, err := p.command("initdb", "--pgdata="+p.data(), "--username="+postgresAccount, "--pwfile="+passwordFile,
		"--auth="+auth, "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync").run(ctx)
	return err
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

func (p *Postgres) command(program string, args ...string) command {
	return command{
		root:    p.root,
		account: postgresAccount,
		log:     filepath.Join(p.dir, "log"),
		death:   syscall.SIGQUIT, // immediate shutdown, children included
		args:    append([]string{filepath.Join(p.bin, program)}, args...),
	}
}

// Start starts the server, again after Stop, and waits until it answers.
func (p *Postgres) Start(ctx context.Context) error {
	process, err := p.command("postgres", "-D", p.data(), "-p", strconv.Itoa(p.Port), "-k", p.SocketDir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "unix_socket_permissions=0777").start()
	if err != nil {
		return err
	}
	p.process = process
	err = process.until(ctx, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, p.AdminURL(postgresAccount))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
	if err != nil {
		p.Stop()
	}
	return err
}

// Stop ends the server and cuts its clients off.
func (p *Postgres) Stop() {
	if p.process.alive() {
		_ = p.Signal(syscall.SIGCONT) // frozen backends would outlive it
	}
	p.process.stop(syscall.SIGINT, 10*time.Second)
}

// Signal sends a signal to the server and to each of its backends: SIGSTOP and SIGCONT make a database that hangs.
func (p *Postgres) Signal(signal syscall.Signal) error {
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.process.pid, p.process.pid))
	if err != nil {
		return fmt.Errorf("find the backends of PostgreSQL: %w", err)
	}
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			return fmt.Errorf("find the backends of PostgreSQL: %w", err)
		}
		_ = deliver(pid, signal) // it may have ended meanwhile
	}
	return deliver(p.process.pid, signal)
}

// URL is for connecting over TCP.
func (p *Postgres) URL(role, password, database string) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(role, password),
		Host:   "127.0.0.1:" + strconv.Itoa(p.Port),
		Path:   "/" + database,
	}
	return u.String()
}

// AdminURL is for connecting as the superuser.
func (p *Postgres) AdminURL(database string) string {
	return p.URL(postgresAccount, p.password, database)
}

// LogPath is what the server logs.
func (p *Postgres) LogPath() string { return filepath.Join(p.dir, "log") }
