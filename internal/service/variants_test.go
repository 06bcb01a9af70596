// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// The old SQL schema, and no SQL at all, carry people as well.
func TestVariants(t *testing.T) {
	for name, options := range map[string]Options{
		"old schema": {People: true, OldSchema: true},
		"no SQL":     {People: true, NoSQL: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := ForTest(t, options)
			for _, vhost := range s.Domains {
				var registered, online struct{ Stat int }
				call(t, s, "stats_host", map[string]any{"name": "registeredusers", "host": vhost}, &registered)
				call(t, s, "stats_host", map[string]any{"name": "onlineusers", "host": vhost}, &online)
				if registered.Stat != s.Truth.Accounts(vhost) || online.Stat != s.Truth.Sessions(vhost, "") {
					t.Errorf("%d accounts, %d sessions, want %d, %d",
						registered.Stat, online.Stat, s.Truth.Accounts(vhost), s.Truth.Sessions(vhost, ""))
				}
			}
		})
	}
}

// A start that fails says what ejabberd said and leaves nothing behind.
func TestStartFails(t *testing.T) {
	Require(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// Not t.TempDir: the servers' accounts could not pass through it.
	dir, err := os.MkdirTemp("", "xmpp-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	s, err := Start(ctx, Options{NoSQL: true, ExtraConfig: "no_such_option: true"})
	if err == nil {
		s.Stop()
		t.Fatal("ejabberd starts with an unknown option")
	}
	if !strings.Contains(err.Error(), "no_such_option") {
		t.Errorf("the error does not say why: %v", err)
	}
	if left := descendants(t); len(left) > 0 {
		t.Errorf("processes %v are still there", left)
	}
	if err := os.Remove(dir); err != nil {
		t.Errorf("files are still there: %v", err)
	}
}
