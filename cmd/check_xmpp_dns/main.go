// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_dns is a monitoring plugin: it proves that the DNS sends clients and servers to the right places.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Zone()) }
