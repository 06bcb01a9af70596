// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_s2s is a monitoring plugin: it proves that other servers can open an encrypted stream.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.S2S()) }
