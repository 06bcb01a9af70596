// SPDX-License-Identifier: Apache-2.0

package dns

import "sync"

// Shared are Resolvers that outlive one run: whoever asks the same name server shares its answers for as long as their TTLs
// allow. The zero value is ready; the nil Shared shares nothing.
type Shared struct {
	mu  sync.Mutex
	all map[string]*Resolver // by server, of which the operator names a few
}

// New gives the Resolver that asks server, as the function New makes it.
func (s *Shared) New(server string) (*Resolver, error) {
	if s == nil {
		return New(server)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.all[server]; known != nil {
		return known, nil
	}
	r, err := New(server)
	if err != nil {
		return nil, err
	}
	if s.all == nil {
		s.all = map[string]*Resolver{}
	}
	s.all[server] = r
	return r, nil
}
