// SPDX-License-Identifier: Apache-2.0

package discovery

import (
	"strconv"

	"github.com/chapril/ejabberd_exporter/internal/certs"
)

// here hands over what ejabberd's configuration on this host lets the kernel, and ejabberd's own ports, be asked about.
func (f *Found) here(o Options) {
	src := f.Sources
	src.Config = f.Config
	src.Names = certs.Names(f.Config, o.VhostsMax)
	f.Notes = certs.ReadDisk(f.Config.CertFiles).Notes()
	var ports, names []string
	for _, l := range f.Config.Listeners {
		ports = append(ports, strconv.Itoa(l.Port))
	}
	for _, name := range src.Names {
		names = append(names, name.Host)
	}
	src.Bounds.Bind("port", 0, ports...)
	src.Bounds.Bind("name", 0, names...)
}
