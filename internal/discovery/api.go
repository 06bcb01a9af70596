// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// findAPI takes the API that a flag names, or tries those of ejabberd.yml: the first that answers a question, else the first
// that is up at all, else the first one, since ejabberd may only be down now. All are tried at once: one that hangs must not
// keep the exporter from starting.
func (f *Found) findAPI(ctx context.Context, o Options) error {
	urls := f.Config.APIURLs()
	if o.URL != "" {
		urls = []string{o.URL}
	}
	if len(urls) == 0 {
		return nil
	}
	clients := make([]*ejabberd.Client, len(urls))
	scores := make([]int, len(urls))
	var trials sync.WaitGroup
	for i, candidate := range urls {
		client, err := f.newClient(o, candidate)
		if err != nil {
			return err
		}
		clients[i] = client
		trials.Go(func() { scores[i] = f.try(ctx, client, len(urls) > 1) })
	}
	trials.Wait()
	best := slices.Index(scores, slices.Max(scores))
	for i, client := range clients {
		if i != best {
			client.Close()
		}
	}
	f.client, f.APIURL = clients[best], urls[best]
	f.Sources.API = f.client
	if len(f.Sources.Vhosts) == 0 {
		if vhosts, err := f.client.Vhosts(ctx); err == nil {
			f.Config.Hosts, f.Sources.Vhosts = vhosts, vhosts
		}
	}
	return nil
}

// try says how good an API is: 0 no answer, 1 refuses, 2 answers. One alone needs no trial.
func (f *Found) try(ctx context.Context, client *ejabberd.Client, choice bool) int {
	if !choice {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	refused := (*ejabberd.Refused)(nil)
	switch _, err := client.Uptime(ctx); {
	case err == nil:
		return 2
	case errors.As(err, &refused):
		return 1
	}
	return 0
}

func (f *Found) newClient(o Options, base string) (*ejabberd.Client, error) {
	options := ejabberd.Options{URL: base, Timeout: o.Timeout, User: o.User, SessionsInSQL: f.Config.SessionsInSQL}
	options.Password = func() (string, error) {
		if o.PasswordFile == "" {
			return o.Password, nil
		}
		return password(o.PasswordFile)
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--ejabberd.ca-file: %w", err)
		}
		options.CA = x509.NewCertPool()
		if !options.CA.AppendCertsFromPEM(pem) {
			return nil, errors.New("--ejabberd.ca-file holds no certificate in PEM form")
		}
	}
	// A listener found in ejabberd.yml is asked by its address, but its certificate is for a vhost, or one that nobody vouches for,
	// as in Debian's package. On loopback that is good enough as long as no password is sent: nobody else sees what is asked.
	if u, err := url.Parse(base); err == nil && o.URL == "" && u.Scheme == "https" && len(f.Config.Hosts) > 0 {
		options.ServerName = f.Config.Hosts[0]
		address, err := netip.ParseAddr(u.Hostname())
		options.Insecure = err == nil && address.IsLoopback() && o.User == "" && o.CAFile == ""
	}
	return ejabberd.New(options)
}

// password reads a password file, if there is one.
func password(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	text, err := secret.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("the password file does not exist")
	case errors.Is(err, fs.ErrPermission):
		return "", errors.New("the password file may not be read by the user that the exporter runs as")
	case err != nil:
		return "", fmt.Errorf("the password file is refused: %w", err)
	}
	return text, nil
}
