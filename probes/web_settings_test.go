// SPDX-License-Identifier: Apache-2.0

package probes

import "testing"

// TestEncrypted: which URLs may be visited, and how they are written then.
func TestEncrypted(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.org":                "https://example.org/",
		"wss://Example.org:5443/ws#a":        "https://Example.org:5443/ws",
		"https://b\u00fccher.example/a?b":    "https://xn--bcher-kva.example/a?b",
		"https://B\u00dcCHER.example:5443/":  "https://xn--bcher-kva.example:5443/",
		"https://b%C3%BCcher.example:5443/":  "https://xn--bcher-kva.example:5443/",
		"https://my_store.example/":          "https://my_store.example/",
		"https://[2001:db8::1]:5443/":        "https://[2001:db8::1]:5443/",
		"http://b\u00fccher.example/":        "",
		"https://user@b\u00fccher.example/":  "",
		"https://b\u00fccher.example:70000/": "",
		"https://b\u00fccher |.example/":     "",
		"https://b\u00fccher\u2028.example/": "",
		"https://":                           "",
	} {
		u, err := encrypted(text)
		got := ""
		if err == nil {
			got = u.String()
		}
		if got != want {
			t.Errorf("%s is %q, want %q: %v", text, got, want, err)
		}
	}
}
