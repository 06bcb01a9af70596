// SPDX-License-Identifier: Apache-2.0

// Package privacy writes the page that tells the people of a service what is kept of them, how far back, and who can see it. It
// takes numbers and dates, so that nothing else can get onto the page.
package privacy

import (
	"embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
)

//go:embed report.*.md.tmpl
var templates embed.FS

// Languages are those that the page can be written in.
var Languages = []string{"en", "fr"}

// Report is what the page says. Nil is unknown, which the page says as well.
type Report struct {
	Made     time.Time
	Accounts *int64

	Stores []Store

	PlainPasswords *int64 // accounts whose password is stored as it is
	// Certificates of federation are demanded, or messages may cross the network in clear.
	S2SEncrypted            *bool
	LogsPeople              bool // ejabberd's log has accounts and addresses in it
	EverybodyMayListUploads *bool
}

// Store is one place where data is kept.
type Store struct {
	Name    string        // archive, offline, uploads, last_activity, log
	Items   *int64        // messages, files, accounts
	About   bool          // Items is an estimate
	Bytes   *int64        // uploads only
	Oldest  *time.Time    // nil: unknown, or nothing is kept
	Nothing bool          // nothing is kept
	Promise time.Duration // 0: nothing was promised
	Orphans *int64        // Items of accounts that no longer exist
}

// slack is how much longer than promised data may be there: a daily sweep, and a day to be told in.
const slack = 36 * time.Hour

// Age is how old the oldest is.
func (s Store) Age(now time.Time) time.Duration {
	if s.Oldest == nil {
		return 0
	}
	return now.Sub(*s.Oldest)
}

// Write writes the page in a language.
func (r Report) Write(w io.Writer, language string) error {
	page, err := template.New("").Funcs(template.FuncMap{
		"deref": func(b *bool) bool { return *b },
		"day":   func(t time.Time) string { return t.UTC().Format(time.DateOnly) },
		"days":  func(d time.Duration) int64 { return int64(d.Hours() / 24) },
		"size":  func(bytes *int64) string { return size(*bytes, language) },
		"late":  func(s Store) bool { return s.Promise > 0 && s.Age(r.Made) > s.Promise+slack },
		"count": func(n *int64) string { return group(*n, map[string]string{"en": ",", "fr": "\u202f"}[language]) },
	}).ParseFS(templates, "report.*.md.tmpl")
	if err != nil {
		return fmt.Errorf("the page's template: %w", err)
	}
	if err := page.ExecuteTemplate(w, "report."+language+".md.tmpl", r); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// group writes a number in groups of three digits.
func group(n int64, separator string) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits
}

// size is a number of bytes with a binary unit, as the language writes both.
func size(bytes int64, language string) string {
	value, unit := float64(bytes), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	text := strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0") + " " + units[unit]
	if language == "fr" {
		text = strings.NewReplacer(".", ",", "B", "o").Replace(text)
	}
	return text
}
