// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_cert is a monitoring plugin: it proves that every XMPP port serves the right certificate.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Cert()) }
