// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_federation is a monitoring plugin: it proves that a server federates in both directions, without an account.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Federation()) }
