// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strconv"
	"strings"
)

// targets are the domains that --probe.target names, in lower case. Whole trees begin with "*.".
type targets map[string]bool

func (t *targets) String() string     { return "" }
func (t *targets) IsCumulative() bool { return true }

func (t *targets) Set(v string) error {
	domain := strings.ToLower(strings.TrimSuffix(v, "."))
	if name := strings.TrimPrefix(domain, "*."); name == "" || strings.Contains(name, "*") {
		return errors.New("write a domain, or *.DOMAIN for all below it")
	}
	if *t == nil {
		*t = targets{}
	}
	(*t)[domain] = true
	return nil
}

// allow says whether domain, in lower case, was named, itself or by a tree above it.
func (t *targets) allow(domain string) bool {
	if strings.Contains(domain, "*") {
		return false
	}
	if (*t)[domain] {
		return true
	}
	for {
		_, above, ok := strings.Cut(domain, ".")
		if !ok {
			return false
		}
		if (*t)["*."+above] {
			return true
		}
		domain = above
	}
}

// positive is a number from 1 on.
type positive int

func (p *positive) String() string { return strconv.Itoa(int(*p)) }

func (p *positive) Set(v string) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		return errors.New("write a number, 1 at least")
	}
	*p = positive(n)
	return nil
}
