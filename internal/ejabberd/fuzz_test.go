// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// FuzzAnswer gives any bytes to every reader. None may panic, what encoding/json can read must mean the same to us, and it must
// not matter in which pieces an answer arrives.
func FuzzAnswer(f *testing.F) {
	for _, release := range dialects {
		for _, text := range release {
			f.Add(text)
		}
	}
	for _, text := range []string{threeSessions, `["a@b/c","d@b/\"\\"]`, "[]", "null", `{"stat":null}`, "<html>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := readNumber(strings.NewReader(text), "stat"); err == nil && n < 0 {
			t.Errorf("number %d", n)
		}
		if s, err := readStatus(strings.NewReader(text)); err == nil && (s.version == "" || s.node == "") {
			t.Errorf("status %+v", s)
		}
		if v, err := readVhosts(strings.NewReader(text)); err == nil && len(v) == 0 {
			t.Error("no vhost")
		}

		users := func(r io.Reader) (all []Account, err error) {
			err = readUsers(r, func(_ string, a Account) { all = append(all, a) })
			return all, err
		}
		whole, err := users(strings.NewReader(text))
		pieces, piecesErr := users(iotest.OneByteReader(strings.NewReader(text)))
		if (err == nil) != (piecesErr == nil) || !slices.Equal(whole, pieces) {
			t.Errorf("%v at once, %v byte by byte", err, piecesErr)
		}
		var jids []string
		if utf8.ValidString(text) && strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &jids) == nil && err == nil &&
			len(jids) != len(whole) {
			t.Errorf("%d users, encoding/json reads %d", len(whole), len(jids))
		}

		var sessions []Session
		err = readSessions(strings.NewReader(text), func(s Session) { sessions = append(sessions, s) })
		var all []map[string]any
		if err == nil && json.Unmarshal([]byte(text), &all) == nil {
			compareSessions(t, sessions, all)
		}
	})
}

func compareSessions(t *testing.T, sessions []Session, all []map[string]any) {
	t.Helper()
	if len(sessions) != len(all) {
		t.Fatalf("%d sessions, encoding/json reads %d", len(sessions), len(all))
	}
	for i, s := range sessions {
		for key, got := range map[string]string{"connection": s.Connection, "status": s.Show} {
			if want, _ := all[i][key].(string); utf8.ValidString(got) && got != want {
				t.Errorf("%s of session %d is %q, encoding/json reads %q", key, i, got, want)
			}
		}
		if want, _ := all[i]["uptime"].(float64); float64(s.Uptime) != want {
			t.Errorf("uptime of session %d is %d, encoding/json reads %g", i, s.Uptime, want)
		}
	}
}
