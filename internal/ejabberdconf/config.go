// SPDX-License-Identifier: Apache-2.0

// Package ejabberdconf reads what a monitor needs to know out of ejabberd.yml into one plain struct: facts only. Passwords,
// keys and secrets of the file never enter the struct, so they can not leak from it.
package ejabberdconf

import "time"

// Config is what was found in ejabberd.yml, with macros, included files and host_config applied and ejabberd's defaults
// filled in. It is what --discover writes as JSON and what the service reads back.
type Config struct {
	Path       string   `json:"path"`                 // the file it was read from
	Files      []string `json:"files,omitempty"`      // those that it includes and those of contributed modules
	Home       string   `json:"home,omitempty"`       // ejabberd's home directory, @HOME@
	Log        string   `json:"log,omitempty"`        // ejabberd.log, from ejabberdctl.cfg; empty where that says nothing
	Spool      string   `json:"spool,omitempty"`      // the directory of its Mnesia database, which no two servers share
	Node       string   `json:"node,omitempty"`       // Erlang node name, from ejabberdctl.cfg; empty where that says nothing
	MaxPorts   int      `json:"max_ports,omitempty"`  // ERL_MAX_PORTS of ejabberdctl.cfg: sockets and files at once; 0 where it says nothing
	EpmdPort   int      `json:"epmd_port,omitempty"`  // ERL_EPMD_PORT of ejabberdctl.cfg; 0 where it says nothing: 4369
	DistPort   int      `json:"dist_port,omitempty"`  // ERL_DIST_PORT of ejabberdctl.cfg: ejabberd's node listens there, without epmd; 0 where it says nothing
	Hosts      []string `json:"hosts"`                // vhosts in ASCII form, in the order of the file
	Components []string `json:"components,omitempty"` // hosts of modules and components, such as conference.example.org; sorted
	// Services are those of the Components that are named below no vhost or another one's, and whose they are: "" if several vhosts'.
	Services  map[string]string `json:"services,omitempty"`
	Listeners []Listener        `json:"listeners"`  // in the order of the file
	Databases []Database        `json:"databases"`  // PostgreSQL databases; none where no vhost uses one
	Uploads   []Upload          `json:"uploads"`    // one for each vhost with mod_http_upload
	CertFiles []string          `json:"cert_files"` // absolute paths and patterns such as /etc/letsencrypt/live/*/*.pem
	// AccountsInSQL are the vhosts whose accounts are kept in SQL. In the database of the others the table of accounts is
	// empty, which does not mean that they have no accounts.
	AccountsInSQL []string `json:"accounts_in_sql,omitempty"`
	// SessionsInSQL are the vhosts whose sessions are kept in SQL (sm_db_type: sql) instead of ejabberd's memory: asking
	// ejabberd to count those would make it ask its database.
	SessionsInSQL []string `json:"sessions_in_sql,omitempty"`
	// RoomsInSQL are the vhosts of which the rooms that are alive are listed in SQL (ram_db_type of mod_muc).
	RoomsInSQL []string `json:"rooms_in_sql,omitempty"`
	// InSQL are, for each of the Stores, the vhosts that keep it in SQL. The tables of the others are empty, or hold what was left
	// there, which says nothing of what they have.
	InSQL map[string][]string `json:"in_sql,omitempty"`
	// Elsewhere are, for each of the Stores, the vhosts that keep it somewhere else: what SQL holds is not all of it then.
	Elsewhere map[string][]string `json:"elsewhere,omitempty"`
	// Events is where ejabberd sends its event counters; none without mod_metrics.
	Events []Events `json:"events,omitempty"`
	Policy Policy   `json:"policy"`
	// Notes say what was not understood or not supported, for --check; they quote no values of the file.
	Notes []string `json:"notes,omitempty"`
}

// Listener is one entry of listen.
type Listener struct {
	Port             int               `json:"port"`           // 0 for a Unix socket
	Unix             string            `json:"unix,omitempty"` // path of a Unix socket
	IP               string            `json:"ip"`             // "0.0.0.0" where the file says nothing
	Transport        string            `json:"transport"`      // tcp or udp
	Module           string            `json:"module"`         // ejabberd_c2s, ejabberd_s2s_in, ejabberd_http …
	TLS              bool              `json:"tls,omitempty"`  // direct TLS
	StartTLS         bool              `json:"starttls,omitempty"`
	StartTLSRequired bool              `json:"starttls_required,omitempty"`
	ProxyProtocol    bool              `json:"use_proxy_protocol,omitempty"` // it answers a proxy, and nobody who comes without
	Handlers         map[string]string `json:"handlers,omitempty"`           // path -> module of ejabberd_http
}

// Database is one PostgreSQL database that ejabberd uses. Only what is needed to find it and to tell ejabberd's connections
// apart: never the password. Nobody logs in as Role.
type Database struct {
	Host      string   `json:"host"` // name, address or directory of the Unix socket
	Port      int      `json:"port"`
	Name      string   `json:"name"`
	Role      string   `json:"role"`       // PostgreSQL role that ejabberd uses; empty where the vhosts use several
	Vhosts    []string `json:"vhosts"`     // the vhosts that live in it
	PoolSize  int      `json:"pool_size"`  // connections that ejabberd opens for each vhost; 0 where they differ
	MultiHost bool     `json:"multi_host"` // new_sql_schema or sql_schema_multihost; the schema itself decides, see internal/database
}

// Upload is mod_http_upload of one vhost.
type Upload struct {
	Vhost     string        `json:"vhost"`
	Docroot   string        `json:"docroot"`          // absolute, @HOST@ and @HOME@ replaced
	JIDInURL  string        `json:"jid_in_url"`       // sha1 or node: how an account's directory is named
	PutURL    string        `json:"put_url"`          // @HOST@ replaced
	MaxSize   int64         `json:"max_size"`         // bytes of one file, 0 = unlimited
	SoftQuota int64         `json:"soft_quota"`       // bytes an account, by the rule for all; 0 = no quota
	HardQuota int64         `json:"hard_quota"`       // same
	Retention time.Duration `json:"retention"`        // max_days; 0 = for ever; nanoseconds in JSON
	Access    string        `json:"access,omitempty"` // name of the access rule
	// Listable: every user of this host can list the directory; unknown where nothing is said.
	Listable *bool `json:"listable,omitempty"`
}

// Events is mod_metrics of one vhost: a datagram for each event to this UDP address.
type Events struct {
	Vhost string `json:"vhost"`
	IP    string `json:"ip"`
	Port  int    `json:"port"`
}
