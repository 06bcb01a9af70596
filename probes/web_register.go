// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"regexp"
)

// What makes a page a form for new accounts, and where its captcha is. They are compiled where they are needed: no other plugin
// shall pay for them at its start.
const (
	passwordField = `(?i)<input[^>]*\btype\s*=\s*["']?password\b` //nolint:gosec // of a form
	captchaImage  = `(?i)<img[^>]*\bsrc\s*=\s*["']([^"']*captcha[^"']*)["']`
)

// readRegistration looks at the form for new accounts and never submits it.
func (b *browsing) readRegistration(ctx context.Context, c *browser) {
	var got fetched
	if !c.phase(Get, func() (err error) {
		got, err = c.get(ctx, c.url)
		return err
	}) {
		return
	}
	offered := got.Status == 200 && regexp.MustCompile(passwordField).Match(got.Body)
	switch {
	case b.settings.register == registerAbsent && offered:
		c.fault(Critical, Get, Protocol, errors.New("the web offers registration"))
	case b.settings.register == registerAbsent:
		c.said = "no registration on the web"
	case got.Status != 200:
		c.fault(Critical, Get, Protocol, fmt.Errorf("no registration on the web: the server %s", got.status()))
	case !offered:
		c.fault(Critical, Get, Protocol, errors.New("no registration on the web: the page has no form for a password"))
	default:
		c.phase(Get, func() error { return c.readCaptcha(ctx, got) })
	}
}

// readCaptcha wants to see the picture: without it nobody can register, though the form is there.
func (c *browser) readCaptcha(ctx context.Context, form fetched) error {
	match := regexp.MustCompile(captchaImage).FindSubmatch(form.Body)
	if match == nil {
		return &Failure{Reason: Protocol, Err: errors.New("the web offers registration without a captcha")}
	}
	at, err := form.from.Parse(html.UnescapeString(string(match[1])))
	if err != nil || at.Scheme != "https" || at.Host != form.from.Host {
		return &Failure{Reason: Protocol, Err: errors.New("the captcha's picture is not on the same host over https")}
	}
	picture, err := c.get(ctx, at)
	switch {
	case err != nil:
		return err
	case picture.Status != 200:
		return &Failure{Reason: Protocol, Err: fmt.Errorf("no picture for the captcha: the server %s", picture.status())}
	case !isPicture(picture.Body):
		return &Failure{Reason: Protocol, Err: errors.New("the captcha is no picture: its command may be broken")}
	}
	c.said = "registration with a captcha"
	return nil
}

// isPicture knows PNG, JPEG and GIF by their first bytes.
func isPicture(data []byte) bool {
	for _, magic := range []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF87a", "GIF89a"} {
		if bytes.HasPrefix(data, []byte(magic)) {
			return true
		}
	}
	return false
}
