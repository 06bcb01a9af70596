// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// sighting is what was seen at one address of a website.
type sighting struct {
	*visit
	open map[string]int // the status that a path answers which should not answer
	like map[string]int // the status of a path that is answered as every path is: that is no door
}

// knock looks at websites, at each address of each. Faults are about those that could not be found.
func (g *guard) knock(ctx context.Context, pages []page) (all []*sighting, faults []fault) {
	s := (&browsing{engine: g.engine}).locate(ctx, pages)
	for _, f := range s.faults {
		nowhere := errors.Is(f.Failure, errNoAddress) || errors.Is(f.Failure, errNoFamily[ip4]) || errors.Is(f.Failure, errNoFamily[ip6])
		if !nowhere || len(g.sites) > 0 { // a domain need not have a website, but one that was named should be somewhere
			faults = append(faults, f)
		}
	}
	var mu sync.Mutex
	s.tour(ctx, func(ctx context.Context, at endpoint) *visit {
		return g.try(ctx, at, func(ctx context.Context, at endpoint) *visit {
			seen := look(ctx, at)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, seen)
			return seen.visit
		})
	})
	slices.SortFunc(all, func(a, b *sighting) int { return cmp.Compare(a.subject(), b.subject()) })
	return all, faults
}

// look asks a website for all that should be closed. Its certificate does not matter: what is open is open.
func look(ctx context.Context, at endpoint) *sighting {
	v := &sighting{newVisit(at), map[string]int{}, map[string]int{}}
	client := &browser{visit: v.visit, config: &tls.Config{ServerName: at.url.Hostname(), InsecureSkipVerify: true}} //nolint:gosec // see above
	defer client.close()
	short, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	if !client.open(short) {
		return v
	}
	ask := func(path string) (got fetched, ok bool) {
		ok = client.phase(Get, func() (err error) {
			got, err = client.get(short, at.url.JoinPath(path))
			return err
		})
		return got, ok
	}
	nothing, ok := ask(rand.Text()) // there are websites that show their front page for whatever they are asked
	if !ok {
		return v
	}
	for _, path := range webDoors {
		asked := path
		if path == "/api" {
			asked = "/api/status"
		}
		got, ok := ask(asked)
		switch {
		case !ok:
			return v
		case !answers(got):
		case got.Status == nothing.Status && (got.Status == 401 || len(got.Body) == len(nothing.Body)):
			v.like[path] = got.Status
		default:
			v.open[path] = got.Status
		}
	}
	return v
}

// answers tells an open door from a wall: a page, a login prompt, or an API that speaks though it refuses.
func answers(got fetched) bool {
	return got.Status < 300 || got.Status == 401 ||
		got.Status == 403 && strings.HasPrefix(got.Header.Get("Content-Type"), "application/json")
}

// tellSite notes what was found at one address of a website.
func (g *guard) tellSite(v *sighting) {
	subject := siteOf(v.url) + " " + v.family
	switch {
	case v.failure != nil && v.failure.Phase == Get:
		g.out.Notes = append(g.out.Notes, Note{Unknown, subject, v.failure.Error(), v.failure.Reason})
	case v.failure != nil:
		g.out.Note(OK, subject, "closed: "+v.failure.Error())
	}
	if v.failure == nil {
		g.checked++
	}
	var closed []string
	for _, path := range webDoors {
		if status, open := v.open[path]; open {
			g.found(subject, path, fmt.Sprintf("%s answers %d", path, status))
		} else if status, like := v.like[path]; like {
			g.out.Set.Add(exposedOpen, 0, path)
			g.out.Note(OK, subject, fmt.Sprintf("%s answers %d, as every path does: that is no door", path, status))
		} else if v.failure == nil || v.failure.Phase != Get {
			g.out.Set.Add(exposedOpen, 0, path)
			closed = append(closed, path)
		}
	}
	if v.failure == nil && len(closed) > 0 {
		g.out.Note(OK, subject, "closed: "+strings.Join(closed, ", "))
	}
}
