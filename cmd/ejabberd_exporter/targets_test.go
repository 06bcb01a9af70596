// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestTargets(t *testing.T) {
	var named targets
	for _, v := range []string{"Example.ORG.", "*.customers.example.net", "*.test"} {
		if err := named.Set(v); err != nil {
			t.Fatal(err)
		}
	}
	for domain, want := range map[string]bool{
		"example.org": true, "a.example.org": false, "org": false,
		"customers.example.net": false, "a.customers.example.net": true, "b.a.customers.example.net": true,
		"acustomers.example.net": false, "example.net": false, "x.test": true, "test": false, "": false, "*.test": false,
	} {
		if got := named.allow(domain); got != want {
			t.Errorf("%q: allowed %v, want %v", domain, got, want)
		}
	}
	for _, v := range []string{"", ".", "*", "*.", "a.*.example.org", "*example.org"} {
		if err := named.Set(v); err == nil {
			t.Errorf("%q is accepted", v)
		}
	}
	if new(targets).allow("example.org") {
		t.Error("what nobody named is allowed")
	}
}
