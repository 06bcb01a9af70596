// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// Store is a web server that files can be put on, and that does what the path says.
type Store struct {
	mu    sync.Mutex
	files map[string][]byte
	puts  int
}

// Puts is how often something was put.
func (s *Store) Puts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.puts
}

func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := strings.TrimPrefix(r.URL.Path, "/")
	if r.Method == http.MethodPut {
		s.puts++
		body, _ := io.ReadAll(r.Body)
		if s.files == nil {
			s.files = map[string][]byte{}
		}
		s.files[what] = body
		switch {
		case r.Header.Get("Authorization") != "Bearer x", r.Header.Get("X-Other") != "", r.Header.Get("Content-Type") != "application/octet-stream":
			w.WriteHeader(http.StatusForbidden)
		case what == "413":
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		case what == "put-moved":
			w.Header().Set("Location", "https://other.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		default:
			w.WriteHeader(http.StatusCreated)
		}
		return
	}
	switch what {
	case "different":
		s.files[what][0]++
	case "longer":
		s.files[what] = append(s.files[what], 0)
	case "gone":
		delete(s.files, what)
	case "get-moved":
		http.Redirect(w, r, "https://other.example/", http.StatusFound)
		return
	case "endless":
		for {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}
	if s.files[what] == nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(s.files[what])
}
