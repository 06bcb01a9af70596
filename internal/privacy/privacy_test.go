// SPDX-License-Identifier: Apache-2.0

package privacy

import (
	"strings"
	"testing"
	"time"
)

func number(n int64) *int64 { return &n }

// TestWrite: what is kept too long, what is not known and what hurts is said in every language.
func TestWrite(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	ago := func(days int) *time.Time { at := now.AddDate(0, 0, -days); return &at }
	encrypted, open := false, true
	r := Report{
		Made: now, Accounts: number(1_234_567), PlainPasswords: number(12), S2SEncrypted: &encrypted, EverybodyMayListUploads: &open,
		Stores: []Store{
			{Name: "archive", Items: number(4_000_000), About: true, Oldest: ago(31), Promise: 30 * 24 * time.Hour, Orphans: number(7)},
			{Name: "offline", Nothing: true, Items: number(0), Promise: 24 * time.Hour},
			{Name: "uploads", Items: number(5), Bytes: number(1_610_612_736), Oldest: ago(367), Promise: 365 * 24 * time.Hour, Orphans: number(2)},
			{Name: "last_activity"},
			{Name: "log", Oldest: ago(3)},
		},
	}
	for language, parts := range map[string][]string{
		"en": {
			"1,234,567 accounts", "| Message archive | about 4,000,000 | 2026-10-26 | 30 days: kept | 7 |", "| nothing | – | 1 days: kept |",
			"| Uploaded files | 5, 1.5 GiB | 2025-11-24 | 365 days: **not kept** | 2 accounts |", "| not known | not known | no promise | not looked for |",
			"passwords of 12 accounts are stored as they are", "may travel without encryption", "other users of the server can list them",
		},
		"fr": {
			"1\u202f234\u202f567 comptes", "environ 4\u202f000\u202f000", "365 jours : **non tenue**", "1,5 Gio", "inconnu", "mots de passe de 12 comptes", "sans chiffrement",
		},
	} {
		var page strings.Builder
		if err := r.Write(&page, language); err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			if !strings.Contains(page.String(), part) {
				t.Errorf("%s: it does not say %q:\n%s", language, part, &page)
			}
		}
		if strings.Contains(page.String(), "only values from which") || strings.Contains(page.String(), "<no value>") {
			t.Errorf("%s:\n%s", language, &page)
		}
	}
}
