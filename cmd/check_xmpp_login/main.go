// SPDX-License-Identifier: Apache-2.0

// Command check_xmpp_login is a monitoring plugin: it proves that an account can log in and that others answer it.
package main

import (
	"github.com/chapril/ejabberd_exporter/internal/nagios"
	"github.com/chapril/ejabberd_exporter/internal/xmpp/sasl"
	"github.com/chapril/ejabberd_exporter/probes"
)

func main() { nagios.Main(probes.Login(sasl.Authenticate)) }
