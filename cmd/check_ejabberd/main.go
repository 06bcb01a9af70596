// SPDX-License-Identifier: Apache-2.0

// Command check_ejabberd is a monitoring plugin: it holds what the exporter knows of ejabberd against thresholds.
package main

import "github.com/chapril/ejabberd_exporter/internal/page"

func main() { page.Plugin().Main() }
