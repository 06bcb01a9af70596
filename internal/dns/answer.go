// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxAliases bounds a chain of CNAMEs.
const maxAliases = 8

// read reads the answer to q, following its aliases.
func read(p dnsmessage.Parser, h dnsmessage.Header, q question) answer {
	switch h.RCode {
	case dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError:
	case dnsmessage.RCodeServerFailure:
		return answer{err: ErrServerFailure}
	case dnsmessage.RCodeRefused:
		return answer{err: ErrRefused}
	default:
		return answer{err: fmt.Errorf("%w: response code %d", ErrMalformed, h.RCode)}
	}
	found, err := resources(&p)
	if err != nil {
		return answer{err: ErrMalformed}
	}
	records, keep, err := follow(found, q)
	if err != nil {
		return answer{err: err}
	}
	if len(records) > 0 {
		return answer{records: records, ttl: keep}
	}
	keep = min(keep, negative(&p))
	if h.RCode == dnsmessage.RCodeNameError {
		return answer{err: errNoName, ttl: keep}
	}
	return answer{err: errNoData, ttl: keep}
}

// resources reads the answer section, the sorts that we ask for; the rest (signatures) is skipped.
func resources(p *dnsmessage.Parser) (found []dnsmessage.Resource, err error) {
	for {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		switch h.Type {
		case dnsmessage.TypeSRV, dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeTXT, dnsmessage.TypeCNAME:
		default:
			if err := p.SkipAnswer(); err != nil {
				return nil, err
			}
			continue
		}
		rec, err := p.Answer()
		if err != nil {
			return nil, err
		}
		found = append(found, rec)
	}
}

// follow picks the records of the name that q's name is an alias of in the end, and the shortest TTL on the way.
func follow(found []dnsmessage.Resource, q question) (records []record, keep time.Duration, err error) {
	name, keep := q.name, maxPositive
	for range maxAliases {
		var alias *dnsmessage.Resource
		for i, rec := range found {
			if rec.Header.Class != dnsmessage.ClassINET || lower(rec.Header.Name) != name {
				continue
			}
			switch rec.Header.Type {
			case q.kind:
				if !decent(rec) {
					return nil, 0, fmt.Errorf("%w: a target is no host name", ErrMalformed)
				}
				records, keep = append(records, record{rec.Body, ttl(rec.Header)}), min(keep, ttl(rec.Header))
			case dnsmessage.TypeCNAME:
				alias = &found[i]
			}
		}
		if len(records) > 0 || alias == nil {
			return records, keep, nil
		}
		name, keep = lower(alias.Body.(*dnsmessage.CNAMEResource).CNAME), min(keep, ttl(alias.Header))
	}
	return nil, 0, fmt.Errorf("%w: aliases without end", ErrMalformed)
}

// decent tells whether the name that a record points to could be one of a host: it will be shown and connected to.
func decent(rec dnsmessage.Resource) bool {
	var name string
	switch body := rec.Body.(type) {
	case *dnsmessage.SRVResource:
		name = body.Target.String()
	case *dnsmessage.CNAMEResource:
		name = body.CNAME.String()
	default:
		return true
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// negative is how long the zone lets us believe that something does not exist: 0 without an SOA.
func negative(p *dnsmessage.Parser) time.Duration {
	for {
		h, err := p.AuthorityHeader()
		if err != nil {
			return 0
		}
		if h.Type == dnsmessage.TypeSOA {
			soa, err := p.SOAResource()
			if err != nil {
				return 0
			}
			return min(ttl(h), seconds(soa.MinTTL), maxNegative)
		}
		if p.SkipAuthority() != nil {
			return 0
		}
	}
}

func ttl(h dnsmessage.ResourceHeader) time.Duration { return seconds(h.TTL) }

// seconds reads a TTL; one with the highest bit set counts as 0 (RFC 2181).
func seconds(n uint32) time.Duration {
	if n > 1<<31-1 {
		return 0
	}
	return time.Duration(n) * time.Second
}
