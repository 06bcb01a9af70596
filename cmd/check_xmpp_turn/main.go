// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_turn is a monitoring plugin: it proves that calls get through NAT.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.TURN(sasl.Authenticate)) }
