// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_c2s is a monitoring plugin: it proves that a client can open an encrypted stream.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.C2S()) }
