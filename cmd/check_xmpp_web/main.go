// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_web is a monitoring plugin: it proves that clients in browsers can open sessions.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Web()) }
