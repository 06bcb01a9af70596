// SPDX-License-Identifier: Apache-2.0

package page

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/secret"
	"github.com/chapril/ejabberd_exporter/probes"
)

// passwordVariable is the environment variable that the exporter's password may come from.
const passwordVariable = "CHECK_EJABBERD_PASSWORD" //nolint:gosec // a name, not a password

// source is where the page is.
type source struct {
	url, file              string
	caFile                 string
	username, passwordFile string
	maxAge                 time.Duration
}

func (s *source) declare(set *probes.Settings) {
	set.String(&s.url, probes.Local, "url", "http://127.0.0.1:9334/metrics", "Address of the exporter's page")
	set.String(&s.file, probes.Local, "file", "", "File with the page instead, such as the exporter's --once writes for a textfile collector")
	set.String(&s.caFile, probes.Local, "ca-file", "", "File with the certificates of the authorities to trust, in PEM, instead of the system's")
	set.String(&s.username, probes.Local, "username", "", "User of the exporter's page, where it asks for one")
	set.String(&s.passwordFile, probes.Local, "password-file", "", "File with the password of that user, instead of the environment variable "+passwordVariable)
	set.Duration(&s.maxAge, probes.Local, "max-age", 3*time.Minute,
		"How old a file may be, and what the exporter reads at each scrape; what it refreshes may be three of its intervals old")
}

// read reads the series that are wanted.
func (s *source) read(ctx context.Context, wanted map[string]bool) ([]sample, error) {
	if s.file != "" {
		return s.readFile(wanted)
	}
	where, err := url.Parse(s.url)
	switch {
	case err != nil, where.Scheme != "http" && where.Scheme != "https", where.Host == "":
		return nil, errors.New("--url: want an address such as http://127.0.0.1:9334/metrics")
	case where.User != nil:
		return nil, errors.New("--url: everybody on this machine can read a command line: say --username and --password-file")
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	request, err := s.request(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("the exporter does not answer at %s: %w: is it running, and may this machine reach it?", where.Host, network(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(answer)
	}
	series, err := parse(answer.Body, wanted)
	if err != nil {
		return nil, fmt.Errorf("the page at --url: %w", network(err))
	}
	return series, nil
}

func (s *source) readFile(wanted map[string]bool) (series []sample, err error) {
	file, err := os.Open(s.file)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", secret.Pathless(err))
	}
	defer file.Close()
	info, err := file.Stat()
	switch age := time.Duration(0); {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is no file")
	default:
		if age = time.Since(info.ModTime()); age > s.maxAge {
			return nil, fmt.Errorf("--file: it was written %s ago, and --max-age is %s: does whatever writes it still run?", age.Round(time.Second), s.maxAge)
		}
		series, err = parse(file, wanted)
	}
	if err != nil {
		return nil, fmt.Errorf("--file: %w", secret.Pathless(err))
	}
	return series, nil
}

// client follows no redirect and uses no proxy: what it reads is what stands at the address, and the password goes nowhere else.
func (s *source) client() (*http.Client, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if s.caFile != "" {
		pem, err := os.ReadFile(s.caFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", secret.Pathless(err))
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("--ca-file: no certificate in it")
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

func (s *source) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, errors.New("--url: want an address such as http://127.0.0.1:9334/metrics")
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	request.Header.Set("User-Agent", "check_ejabberd")
	if deadline, limited := ctx.Deadline(); limited { // a slow collector shall not cost the whole page
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", strconv.FormatFloat(time.Until(deadline).Seconds(), 'f', 3, 64))
	}
	password := os.Getenv(passwordVariable)
	if s.passwordFile != "" {
		if password, err = secret.Read(s.passwordFile); err != nil {
			return nil, fmt.Errorf("--password-file: %w", err)
		}
	}
	switch {
	case s.username == "" && s.passwordFile != "":
		return nil, errors.New("--username is missing: whose password is it")
	case s.username != "" && password == "":
		return nil, errors.New("--password-file is missing, or empty, and " + passwordVariable + " is not set")
	case s.username != "":
		request.SetBasicAuth(s.username, password)
	}
	return request, nil
}

// refusal says what to do about an answer that is no page.
func refusal(answer *http.Response) error {
	hint := map[int]string{
		http.StatusUnauthorized: "--username and --password-file say who asks",
		http.StatusForbidden:    "something before the exporter refuses this machine",
		http.StatusNotFound:     "--url needs the path of the page, /metrics unless --web.telemetry-path says otherwise",
		http.StatusBadRequest:   "it may want https",
	}[answer.StatusCode]
	if answer.StatusCode/100 == 3 {
		hint = "it redirects, which is not followed: give the final address to --url"
	}
	return fmt.Errorf("the exporter answers %d instead of its page: %s", answer.StatusCode, cmp.Or(hint, "its log may say why"))
}

// network leaves the address out of an error of net/http: the summary has it already.
func network(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("timeout")
	}
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if dial, ok := errors.AsType[*net.OpError](err); ok {
		err = dial.Err
	}
	if system, ok := errors.AsType[*os.SyscallError](err); ok {
		err = system.Err
	}
	return err
}
