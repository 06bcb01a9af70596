// SPDX-License-Identifier: Apache-2.0

package probes

// All is the table of contents. It is a function so that the linker leaves out of a plugin what the plugin does not use.
func All(authenticate Authenticate) []Probe {
	return []Probe{C2S(), S2S(), Cert(), Zone(), Web(), TURN(authenticate), Exposed(), Federation(), Login(authenticate), Echo(authenticate), Register(), Upload(authenticate)}
}
