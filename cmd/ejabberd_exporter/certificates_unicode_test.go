// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestCertificatesOfInternationalHost: ejabberd is asked for its host in Unicode, and labels have the name of the DNS.
func TestCertificatesOfInternationalHost(t *testing.T) {
	p := &patient{Service: service.ForTest(t, service.Options{NoSQL: true, Domains: []string{"bücher.test"}})}
	p.flags = append(p.flags, "--ejabberd.config="+p.Ejabberd.ConfigPath)
	for _, d := range collector.All {
		if d.Name != collector.Certificates.Name {
			p.flags = append(p.flags, "--no-collector."+d.Name)
		}
	}
	page := p.once(t)
	for _, source := range []string{"c2s", "c2s_tls", "s2s"} {
		if !strings.Contains(page, fmt.Sprintf("ejabberd_certificate_not_after_timestamp_seconds{name=\"xn--bcher-kva.test\",source=%q} ", source)) {
			t.Errorf("no certificate of %s:\n%s", source, page)
		}
	}
}
