// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_register is a monitoring plugin: it proves that registration is what it should be.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Register()) }
