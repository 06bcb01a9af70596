// SPDX-License-Identifier: Apache-2.0

package probes_test

import (
	"strconv"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

// TestEchoLeavesNothing: an archive that keeps everything by default keeps none of the probe's messages.
func TestEchoLeavesNothing(t *testing.T) {
	t.Parallel()
	s := service.ForTest(t, service.Options{Component: true})
	common := []string{
		"jid=" + s.Admin.JID(), "password-file=" + secretFile(t, s.Admin.Password), "resolver=" + s.Resolver.Addr(), "ca-file=" + s.CAFile,
	}
	for name, more := range map[string][]string{
		"component":    nil,
		"two accounts": {"second-jid=" + s.Exporter.JID(), "second-password-file=" + secretFile(t, s.Exporter.Password)},
	} {
		if _, err := runOn(t, probes.Echo(sasl.Authenticate), s.Domains[0], append(more, common...)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A message without hints comes last: once it is there, the others would be.
	client, err := service.Connect(t.Context(), service.Login{Account: s.Admin, Address: "127.0.0.1:" + strconv.Itoa(s.Ejabberd.Config.Ports.C2S)}, s.CA.Pool())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Message(t.Context(), s.Component.Host, "keep this"); err != nil {
		t.Fatal(err)
	}
	<-client.Messages
	archived, err := s.Database.Count(t.Context(), "SELECT count(*) FROM archive WHERE txt NOT LIKE 'keep this%'")
	if err != nil || archived != 0 {
		t.Errorf("%d messages of the probe are archived: %v", archived, err)
	}
	kept, err := s.Database.Count(t.Context(), "SELECT count(*) FROM archive WHERE txt LIKE 'keep this%'")
	if err != nil || kept == 0 {
		t.Errorf("nothing is archived at all, so this proves nothing: %v", err)
	}
}
