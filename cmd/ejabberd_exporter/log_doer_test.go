// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// doer does deeds to a service.
type doer struct {
	*testing.T
	*service.Service
	client *service.Client // logged in
}

const upload = "urn:xmpp:http:upload:0"

// until waits for something that is about to happen.
func (d *doer) until(happened func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); !happened(); {
		select {
		case <-tick.C:
		case <-end:
			return errors.New("it never happened")
		}
	}
	return nil
}

func (d *doer) logIn(account service.Account) error {
	client, err := d.LogIn(d.Context(), service.Session{Account: account, Resource: "phone-" + service.Canary, Show: "available"})
	if err != nil {
		return err
	}
	d.client = client
	return nil
}

// federate has an account of the peer ask the host of the rooms, which has not spoken with the peer before.
func (d *doer) federate() error {
	client, err := service.Connect(d.Context(), service.Login{
		Account: d.Prosody.Account, Resource: "other-" + service.Canary, Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Prosody.C2S)),
	}, d.CA.Pool())
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Ask(d.Context(), "get", "conference."+d.Domains[0], "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	return err
}

// greet is a server that speaks no XMPP.
func greet(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte("220 mail\r\n"))
	}
}

// refused turns what must fail into success.
func refused(err error) error {
	if err == nil {
		return errors.New("it was allowed")
	}
	return nil
}

// plain logs the administrator in with PLAIN, from an address of loopback.
func (d *doer) plain(from, password string) error {
	ctx, cancel := context.WithTimeout(d.Context(), 10*time.Second)
	defer cancel()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Ejabberd.Config.Ports.C2STLS)))
	if err != nil {
		return err
	}
	defer conn.Close()
	stream := xmpp.NewStream(conn)
	if err := stream.Handshake(ctx, &tls.Config{RootCAs: d.CA.Pool(), ServerName: d.Admin.Domain, MinVersion: tls.VersionTLS12}); err != nil {
		return err
	}
	if _, err := stream.Open(ctx, xmpp.Header{Namespace: xmpp.Client, To: d.Admin.Domain}); err != nil {
		return err
	}
	if _, err := stream.Features(ctx); err != nil {
		return err
	}
	secret := base64.StdEncoding.EncodeToString([]byte("\x00" + d.Admin.User + "\x00" + password))
	if err := stream.Send(ctx, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+secret+"</auth>"); err != nil {
		return err
	}
	answer, err := stream.Receive(ctx)
	if err != nil {
		return err
	}
	if answer.Name.Local != "success" {
		return errors.New(answer.Name.Local)
	}
	return nil
}

// oldTLS wants to speak a version of TLS that the configuration forbids.
func (d *doer) oldTLS() error {
	ctx, cancel := context.WithTimeout(d.Context(), 10*time.Second)
	defer cancel()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(d.Ejabberd.Config.Ports.C2S)))
	if err != nil {
		return err
	}
	defer conn.Close()
	stream := xmpp.NewStream(conn)
	if _, err := stream.Open(ctx, xmpp.Header{Namespace: xmpp.Client, To: d.Admin.Domain}); err != nil {
		return err
	}
	if _, err := stream.Features(ctx); err != nil {
		return err
	}
	if err := stream.StartTLS(ctx); err != nil {
		return err
	}
	return refused(stream.Handshake(ctx, &tls.Config{RootCAs: d.CA.Pool(), ServerName: d.Admin.Domain, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}))
}

// bounce writes to another server and waits for the error that comes back.
func (d *doer) bounce(domain string) error {
	if err := d.client.Message(d.Context(), "somebody-"+service.Canary+"@"+domain, "body-"+service.Canary); err != nil {
		return err
	}
	for {
		select {
		case m := <-d.client.Messages:
			if m.Attribute("type") == "error" && strings.HasSuffix(m.Attribute("from"), "@"+domain) {
				return nil
			}
		case <-time.After(40 * time.Second):
			return errors.New("no error came back")
		}
	}
}

// slot asks for an upload slot.
func (d *doer) slot(size int) (url string, err error) {
	answer, err := d.client.Ask(d.Context(), "get", "upload."+d.Domains[0],
		fmt.Sprintf("<request xmlns='%s' filename='file-%s.bin' size='%d'/>", upload, service.Canary, size))
	if err != nil {
		return "", err
	}
	return answer.Child(upload, "slot").Child(upload, "put").Attribute("url"), nil
}

// put asks for a slot and puts a file of another size, perhaps, into it.
func (d *doer) put(announced, size, status int) error {
	url, err := d.slot(announced)
	if err != nil {
		return err
	}
	return d.http(url, size, status)
}

func (d *doer) http(url string, size, status int) error {
	request, err := http.NewRequestWithContext(d.Context(), http.MethodPut, url, bytes.NewReader(make([]byte, size)))
	if err != nil {
		return err
	}
	web := d.HTTPClient()
	defer web.CloseIdleConnections()
	answer, err := web.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != status {
		return fmt.Errorf("HTTP %d, not %d", answer.StatusCode, status)
	}
	return nil
}

// lockUsers makes more questions wait for the table of accounts than the pool has connections, longer than they may wait.
func (d *doer) lockUsers() error {
	var asking sync.WaitGroup
	locked := make(chan error, 1)
	go func() {
		locked <- d.Database.Exec(d.Context(), "BEGIN; LOCK users; SELECT pg_sleep(5); COMMIT")
	}()
	if err := d.until(func() bool {
		n, err := d.Database.Count(d.Context(), "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'users'::regclass")
		return err == nil && n > 0
	}); err != nil {
		return err
	}
	for i := range 12 {
		asking.Go(func() {
			_ = d.Ejabberd.Call(d.Context(), "check_account", map[string]any{"user": fmt.Sprintf("user-%d-%s", i, service.Canary), "host": d.Domains[0]}, nil)
		})
	}
	asking.Wait()
	return <-locked
}
