// SPDX-License-Identifier: Apache-2.0

package service

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"
)

//go:embed ejabberd.yml.tmpl
var ejabberdTemplate string

// Ports are the loopback ports of ejabberd. Those for clients and peers are open on 127.0.0.1 and ::1 alike.
type Ports struct {
	C2S       int // STARTTLS required
	C2STLS    int // TLS from the first byte
	S2S       int
	HTTPS     int // /.well-known /api /bosh /captcha /register /upload /ws
	API       int // plain HTTP on 127.0.0.1, /api without a password
	Component int // XEP-0114, on 127.0.0.1
	STUN      int // UDP and TCP, on 127.0.0.1
}

// Config is what differs from one ejabberd of a test service to the next, mostly in ejabberd.yml.
type Config struct {
	Root      Root
	Node      string    // ejabberd@localhost where empty
	Joins     *Ejabberd // a node of the cluster that this one joins; nil: it stays alone
	Domains   []string
	Ports     Ports     // free ones where zero
	Database  *Database // nil: everything in Mnesia
	NewSchema bool      // what new_sql_schema says; ejabberd believes it

	// NamesByAPI lets the listener without a password also answer with names and addresses: connected_users,
	// connected_users_info, muc_online_rooms. ExporterJID may always ask those, with its password.
	NamesByAPI bool

	CAFile, XMPPCert, HTTPSCert string // PEM files
	UploadDir                   string // holds a docroot for each vhost
	SoftQuota, HardQuota        int    // MiB an account may store
	MaxDays                     int    // that a file is kept
	ComponentHost               string
	TURNSecret                  string // makes credentials for TURN on the ports of STUN; none without it

	RoomsInSQL bool // mod_muc keeps what it knows of living rooms there

	// Text is all of ejabberd.yml, in the place of what the fields above make of it. Of Ports those count that it listens on, and
	// status must be allowed on API without a password.
	Text string

	ExtraModules string // further lines below modules, indented by two
	ExtraConfig  string // further options at the end of the file
}

const (
	adminUser         = "admin-" + Canary
	exporterUser      = "exporter-" + Canary
	componentPassword = "component-" + Canary
	// numberCommands of the API answer with nothing but numbers and names of vhosts and nodes.
	numberCommands = "status stats stats_host registered_vhosts connected_users_number incoming_s2s_number outgoing_s2s_number list_cluster list_cluster_detailed muc_online_rooms_count"
	nameCommands   = "connected_users connected_users_info muc_online_rooms"
)

// AdminJID is the account of ejabberd's administrator.
func (c Config) AdminJID() string { return adminUser + "@" + c.Domains[0] }

// ExporterJID is the account that may call the exporter's API commands, those with names included.
func (c Config) ExporterJID() string { return exporterUser + "@" + c.Domains[0] }

// Has says whether this release of ejabberd has a module: it does not start with one that it does not know.
func (c Config) Has(module string) bool {
	return len(c.Root.glob("/usr/lib/*/ejabberd-*/ebin/"+module+".beam")) > 0
}

// settings is what the template sees.
type settings struct {
	Config
	Loopback                     []string
	ComponentPassword            string
	NumberCommands, NameCommands []string
	AdminSocket, CaptchaCommand  string
	CaptchaHost, UploadHost      string // in URLs, which have no Unicode
}

// write writes ejabberd.yml.
func (s settings) write(path string) error {
	s.Loopback = Loopback()
	s.ComponentPassword = componentPassword
	s.NumberCommands = strings.Fields(numberCommands)
	s.NameCommands = strings.Fields(nameCommands)
	s.CaptchaHost, s.UploadHost = asciiName(s.Domains[0]), "@HOST@"
	if s.CaptchaHost != s.Domains[0] {
		s.UploadHost = s.CaptchaHost // ejabberd 23.01 does not start where @HOST@ puts Unicode into the URL, nor without it for two vhosts
	}
	tmpl, err := template.New("ejabberd.yml").Parse(ejabberdTemplate)
	if err != nil {
		return fmt.Errorf("parse the template of ejabberd.yml: %w", err)
	}
	var text strings.Builder
	text.WriteString(s.Text)
	if s.Text == "" {
		err = tmpl.Execute(&text, s)
	}
	if err != nil {
		return fmt.Errorf("fill in ejabberd.yml: %w", err)
	}
	// As Debian installs it: it holds passwords.
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("write ejabberd.yml: %w", err)
	}
	return giveTo(path, ejabberdAccount)
}
