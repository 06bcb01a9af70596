// SPDX-License-Identifier: Apache-2.0

// Package statuspage shows people, in a browser, what the collectors and probes know: one page without a script, made from Sets.
//
// Everything on it is a number, a host name or a text of ours: the same closed labels as on /metrics, the same reasons as in
// the log. What a probe was told by a server, and may carry anything, is left to /probe?debug=true.
package statuspage

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the template and the style sheet
	"encoding/base64"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// patience is how long a page waits for what does not answer: it then says what there is, and what is still running.
const patience = 4 * time.Second

// How often a page may ask to be loaded again, in seconds.
const (
	minRefresh = 10
	maxRefresh = 3600
)

var (
	//go:embed page.html.tmpl
	pageText string
	//go:embed style.css
	styleText string
)

// Handler serves the page. look finds the facts, and ends when its context does.
func Handler(look func(context.Context) Facts, logger *slog.Logger) (http.Handler, error) {
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"style": func() template.CSS { return template.CSS(styleText) }, //nolint:gosec // our own file
		"icon":  icon,
		"prose": prose,
	}).Parse(pageText)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(styleText))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refresh, err := refreshOf(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		if r.Method == http.MethodHead { // whoever wants no page causes no load
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		p := build(look(ctx))
		p.Refresh = refresh
		var text bytes.Buffer
		if err := parsed.Execute(&text, p); err != nil {
			logger.Error("the status page cannot be written", "reason", err)
			http.Error(w, "the status page cannot be written: this is a bug of the exporter, please report it", http.StatusInternalServerError)
			return
		}
		_, _ = text.WriteTo(w) // who left needs nothing
	}), nil
}

// refreshOf reads ?refresh=60; 0 is never.
func refreshOf(r *http.Request) (int, error) {
	asked := r.URL.Query().Get("refresh")
	if asked == "" {
		return 0, nil
	}
	seconds, err := strconv.Atoi(asked)
	if err != nil || seconds < minRefresh || seconds > maxRefresh {
		return 0, fmt.Errorf("refresh is a number of seconds from %d to %d", minRefresh, maxRefresh)
	}
	return seconds, nil
}

// icon is the picture of the browser's tab: the verdict as a shape and a colour.
func icon(l level) template.URL {
	shape := map[level]string{
		good: "%3Ccircle cx='8' cy='8' r='7' fill='%231a7f4b'/%3E",
		warn: "%3Cpath d='M8 1l7 14H1z' fill='%23b7791f'/%3E",
		bad:  "%3Crect x='1' y='1' width='14' height='14' rx='2' fill='%23c0362c'/%3E",
	}[l]
	if shape == "" {
		shape = "%3Ccircle cx='8' cy='8' r='6' fill='none' stroke='%23808080' stroke-width='2'/%3E"
	}
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" + shape + "%3C/svg%3E") //nolint:gosec // constant
}

// piece is a part of a text.
type piece struct {
	Text string
	Code bool
}

// prose takes a text apart at its backticks: what stands between two of them is to be typed.
func prose(text string) (pieces []piece) {
	for i, part := range strings.Split(text, "`") {
		if part != "" {
			pieces = append(pieces, piece{part, i%2 == 1})
		}
	}
	return pieces
}
