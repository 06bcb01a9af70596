// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ChromiumPath is Debian's Chromium.
const ChromiumPath = "/usr/bin/chromium"

// Browser is Chromium without a window. It is for one goroutine at a time.
type Browser struct {
	process *process
	tools   *devtools
	dir     string
}

// View is how a page is looked at.
type View struct {
	Width, Height int     // in CSS pixels; Height 0 is as high as the page
	Scale         float64 // physical pixels for each of them; 0 is 1
	Dark          bool
}

// StartBrowser starts Chromium below a directory of its own. Nothing of it reaches further than to the pages that it is shown.
func StartBrowser() (*Browser, error) {
	dir, err := os.MkdirTemp("", "browser-")
	if err != nil {
		return nil, fmt.Errorf("make the browser's directory: %w", err)
	}
	b := &Browser{dir: dir}
	toBrowser, ours, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	theirs, fromBrowser, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, toBrowser.Close(), ours.Close(), os.RemoveAll(dir))
	}
	b.tools = newDevtools(ours, theirs)
	b.process, err = command{
		log: filepath.Join(dir, "log"), death: syscall.SIGKILL,
		env: []string{"HOME=" + dir, "TMPDIR=" + dir}, files: []*os.File{toBrowser, fromBrowser},
		args: []string{
			ChromiumPath, "--headless", "--remote-debugging-pipe", "--user-data-dir=" + filepath.Join(dir, "profile"),
			"--no-sandbox", // which wants more than a container gives; it sees our own pages alone
			"--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
			"--force-color-profile=srgb",
		},
	}.start()
	_, _ = toBrowser.Close(), fromBrowser.Close() // its own now
	if err != nil {
		b.tools.close()
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

// Stop ends the browser and removes what it wrote.
func (b *Browser) Stop() {
	b.tools.close() // it ends with its pipe
	b.process.stop(syscall.SIGTERM, 5*time.Second)
	_ = os.RemoveAll(b.dir)
}

// Tab is an open page.
type Tab struct {
	browser *Browser
	session string
	view    View
}

// Open shows a page, and waits until it is loaded.
func (b *Browser) Open(ctx context.Context, url string, view View) (*Tab, error) {
	defer b.bound(ctx)()
	var target struct {
		ID string `json:"targetId"`
	}
	if err := b.tools.call("", "Target.createTarget", object{"url": "about:blank"}, &target); err != nil {
		return nil, b.explain(ctx, err)
	}
	var attached struct {
		ID string `json:"sessionId"`
	}
	if err := b.tools.call("", "Target.attachToTarget", object{"targetId": target.ID, "flatten": true}, &attached); err != nil {
		return nil, b.explain(ctx, err)
	}
	t := &Tab{browser: b, session: attached.ID, view: view}
	scheme := map[bool]string{false: "light", true: "dark"}[view.Dark]
	for _, c := range []struct {
		method string
		params object
	}{
		{"Page.enable", nil},
		{"Log.enable", nil},
		{"Runtime.enable", nil},
		{"Network.enable", nil},
		{"Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}}},
		{"Emulation.setDeviceMetricsOverride", t.metrics(max(view.Height, 800))},
		{"Page.navigate", object{"url": url}},
	} {
		if err := t.call(c.method, c.params, nil); err != nil {
			return nil, b.explain(ctx, err)
		}
	}
	return t, b.explain(ctx, b.tools.await(t.session, "Page.loadEventFired"))
}

func (t *Tab) metrics(height int) object {
	return object{"width": t.view.Width, "height": height, "deviceScaleFactor": max(t.view.Scale, 1), "mobile": t.view.Width < 600}
}

func (t *Tab) call(method string, params object, into any) error {
	return t.browser.tools.call(t.session, method, params, into)
}

// Evaluate gives the value of an expression in the page.
func (t *Tab) Evaluate(ctx context.Context, script string, into any) error {
	defer t.browser.bound(ctx)()
	answer := struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
		Exception any `json:"exceptionDetails"`
	}{}
	answer.Result.Value = into
	if err := t.call("Runtime.evaluate", object{"expression": script, "returnByValue": true}, &answer); err != nil {
		return t.browser.explain(ctx, err)
	}
	if answer.Exception != nil {
		return fmt.Errorf("%s: %v", script, answer.Exception)
	}
	return nil
}

// Picture is the page as a PNG.
func (t *Tab) Picture(ctx context.Context) ([]byte, error) {
	height := t.view.Height
	if height == 0 {
		if err := t.Evaluate(ctx, "Math.ceil(document.documentElement.getBoundingClientRect().height)", &height); err != nil {
			return nil, err
		}
	}
	defer t.browser.bound(ctx)()
	if err := t.call("Emulation.setDeviceMetricsOverride", t.metrics(height), nil); err != nil {
		return nil, t.browser.explain(ctx, err)
	}
	var picture struct {
		Data []byte `json:"data"`
	}
	err := t.call("Page.captureScreenshot", object{"format": "png"}, &picture)
	return picture.Data, t.browser.explain(ctx, err)
}

// Complaints are what the browser did not like about the page so far: errors of the console, of the content security policy, of
// what the page wants to load.
func (t *Tab) Complaints() []string { return t.browser.tools.complaints[t.session] }

// Requests are the addresses that the page asked for.
func (t *Tab) Requests() []string { return t.browser.tools.requests[t.session] }

// bound makes reading from the browser end with ctx.
func (b *Browser) bound(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() { b.tools.close() })
}

// explain says what an end of the pipe means.
func (b *Browser) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the browser: %w", ctx.Err())
	case !b.process.alive():
		return b.process.died()
	}
	return fmt.Errorf("the browser: %w", err)
}
