// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"maps"
	"testing"
)

// TestServices: a service need not be named below the vhost that has it.
func TestServices(t *testing.T) {
	got := readText(t, "hosts: [im.a.example, b.example]\nmodules: {mod_pubsub: {host: pubsub.shared.example}}\nappend_host_config: {}\n"+
		"host_config: {im.a.example: {modules: {mod_muc: {host: rooms.a.example}, mod_pubsub: {host: pubsub.shared.example}}}, "+
		"b.example: {modules: {mod_muc: {}, mod_pubsub: {host: pubsub.shared.example}}}}").Services
	if want := map[string]string{"rooms.a.example": "im.a.example", "pubsub.shared.example": ""}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := readText(t, "hosts: [a.example]\nmodules: {mod_muc: {}}").Services; got != nil {
		t.Errorf("%v of services that are all named below their vhost", got)
	}
}
