// SPDX-License-Identifier: Apache-2.0

// Package ejabberd asks a running ejabberd, through mod_http_api, for what it holds in memory: version, uptime, sessions, s2s.
//
// It never asks for anything that ejabberd would have to fetch from its SQL database, see commands.go. What it hears about
// people (JIDs, addresses, status texts) does not leave the package: callers get vhosts, numbers, and Accounts that are good
// for counting distinct ones only. Errors name the command, the HTTP status and what to do next, never what was answered.
package ejabberd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options says where the API is and how to speak to it.
type Options struct {
	// URL of mod_http_api, http or https: "http://127.0.0.1:5281/api". Of several addresses of a host name the first that
	// connects is taken; write 127.0.0.1 rather than localhost, which may be ::1, which api_permissions may not know.
	URL string
	// Timeout of a call; 3 s if zero. The two calls that list every session may take ten times as long.
	Timeout time.Duration

	// User is the full JID for basic authentication; empty for none (permission by address).
	User string
	// Password is asked at each call, so that a new one needs no restart. Its error is shown: it must not quote the password.
	Password func() (string, error)

	// CA holds the authorities that may vouch for an https API; nil for the system's.
	CA *x509.CertPool
	// ServerName is the name that the certificate must carry, usually a vhost; empty for the host of the URL.
	ServerName string
	// Insecure accepts any certificate.
	Insecure bool

	// SessionsInSQL are the vhosts with sm_db_type: sql. Counting their sessions would be a query of ejabberd's database, so
	// the calls that would do that answer ErrSessionsInSQL instead.
	SessionsInSQL []string
}

// Client asks one ejabberd node. It is safe for concurrent use: of each command at most one request is open at a time, further
// callers wait for their turn. That holds for those who gave up as well: ejabberd carries a command out whether somebody waits
// for it or not, so the next one is not sent before. Connections are kept alive: each new one costs a line in ejabberd's log.
type Client struct {
	options   Options
	base      string
	transport *http.Transport
	slots     [len(specs)]chan struct{} // taken while a request of that command is waited for
	left      [len(specs)]chan struct{} // guarded by slots: closed when the request that was last given up is off; nil for none
	stop      context.Context           // of what was given up
	cancel    context.CancelFunc

	status  cached[nodeStatus]    // guarded by slots[status]
	vhosts  cached[[]servedVhost] // guarded by slots[registeredVhosts]
	listed  listed
	pace    pace
	journal journal
}

// New makes a Client. It makes no call.
func New(o Options) (*Client, error) {
	// The URL may carry a password by mistake: no error quotes it.
	u, err := url.Parse(o.URL)
	switch {
	case err != nil:
		return nil, errors.New("the URL of ejabberd's API does not parse: write it like http://127.0.0.1:5281/api")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		return nil, errors.New("the URL of ejabberd's API has no http or https address: write it like http://127.0.0.1:5281/api")
	case u.User != nil:
		return nil, errors.New("the URL of ejabberd's API carries an account: give account and password by their own settings")
	case o.User != "" && !strings.Contains(o.User, "@"):
		return nil, errors.New("the account for ejabberd's API must be a full JID, like exporter@example.org")
	case o.User != "" && o.Password == nil:
		return nil, errors.New("the account for ejabberd's API has no password: give a password file")
	}
	if o.Timeout == 0 {
		o.Timeout = 3 * time.Second
	}
	c := &Client{
		options: o,
		base:    strings.TrimRight(u.String(), "/") + "/",
		transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: o.Timeout}).DialContext,
			TLSClientConfig: &tls.Config{
				RootCAs:            o.CA,
				ServerName:         o.ServerName,
				InsecureSkipVerify: o.Insecure, //nolint:gosec // the operator asked for it
				MinVersion:         tls.VersionTLS12,
			},
			DisableCompression:     true,
			MaxIdleConnsPerHost:    4, // about as many collectors ask at once
			IdleConnTimeout:        10 * time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
	c.stop, c.cancel = context.WithCancel(context.Background())
	for i := range c.slots {
		c.slots[i] = make(chan struct{}, 1)
	}
	return c, nil
}

// Close closes the connections that are kept alive, or on which nobody waits. Calls under way end by their own contexts.
func (c *Client) Close() {
	c.cancel()
	c.transport.CloseIdleConnections()
}
