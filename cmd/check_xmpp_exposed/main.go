// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_exposed is a monitoring plugin: it proves that what is not for the world is closed.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Exposed()) }
