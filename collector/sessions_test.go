// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// manyHosts is an ejabberd with more vhosts than are asked one by one.
type manyHosts struct {
	AdminAPI
	err error // of the list of sessions
}

func (manyHosts) Vhosts(context.Context) ([]string, error) {
	return []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example"}, nil
}

func (m manyHosts) ConnectedUsers(_ context.Context, each func(string, ejabberd.Account)) error {
	for _, vhost := range []string{"a.example", "f.example", "f.example"} {
		each(vhost, 1)
	}
	return m.err
}

func TestSessionsOfManyVhosts(t *testing.T) {
	collect := func(api manyHosts) (*metric.Set, error) {
		vhosts, _ := api.Vhosts(t.Context())
		src := &Sources{API: api, Vhosts: vhosts, Bounds: metric.Bounds{}}
		src.Bounds.Bind("vhost", 0, vhosts...)
		out := metric.NewSet(src.Bounds)
		return out, Sessions.Collect(t.Context(), src, out)
	}
	out, err := collect(manyHosts{})
	if err != nil {
		t.Fatal(err)
	}
	for vhost, want := range map[string]float64{"a.example": 1, "b.example": 0, "f.example": 2} {
		if n, ok := out.Get(sessions, vhost); !ok || n != want {
			t.Errorf("%s has %v sessions, want %v", vhost, n, want)
		}
	}
	// With the permissions that --check proposes by default nobody lists sessions: that is a choice.
	if _, err := collect(manyHosts{err: &ejabberd.Refused{Command: "connected_users", Status: http.StatusForbidden}}); !IsOff(err) {
		t.Errorf("a refusal is %v, want off", err)
	}
	if _, err := collect(manyHosts{err: errors.New("broken")}); err == nil || IsOff(err) {
		t.Errorf("a failure is %v", err)
	}
}
