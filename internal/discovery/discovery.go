// SPDX-License-Identifier: Apache-2.0

// Package discovery finds out what there is to read on this host: from ejabberd.yml, or the facts that --discover wrote, with
// flags above both. It turns that into the sources of the collectors.
package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// DefaultConfig is where Debian's package has the configuration.
const DefaultConfig = "/etc/ejabberd/ejabberd.yml"

// Options are the flags that steer discovery. Zero values leave it to what is found.
type Options struct {
	Config string // ejabberd.yml; empty: Default, if there is one
	Facts  string // what --discover wrote; read instead of Config

	Default string // where ejabberd.yml lies on this host; empty: DefaultConfig

	URL, User, PasswordFile, CAFile string
	Password                        string // from the environment
	Timeout                         time.Duration

	Vhosts                 []string
	VhostsMax, SessionsMax int

	DatabaseURL, DatabasePasswordFile string

	Docroots             map[string]string // by vhost
	SoftQuota, HardQuota int64             // bytes
	Retention            time.Duration
}

// Found is what discovery found.
type Found struct {
	Config  *ejabberdconf.Config // never nil; empty where nothing was found
	Sources *collector.Sources
	APIURL  string // empty: none
	// Notes say what this host keeps from the exporter; those of Config say what was not understood in ejabberd.yml.
	Notes []string
	// ProbeOnly: there is no ejabberd on this host and no flag names one.
	ProbeOnly bool

	client    *ejabberd.Client
	databases *database.Databases
}

// Discover finds the sources. It fails only where going on would be guessing: a configuration that is named but missing, or
// that is broken. A source that does not answer now is a source all the same. before is what an earlier discovery found, or nil:
// its database connections are taken over, and it must be closed when nothing uses it any more.
func Discover(ctx context.Context, o Options, before *Found) (*Found, error) {
	config, err := read(o)
	var blocked error
	switch {
	case errors.Is(err, fs.ErrPermission) && o.Facts == "":
		blocked, config = err, &ejabberdconf.Config{}
	case errors.Is(err, fs.ErrNotExist) && o.Config == "" && o.Facts == "":
		config = &ejabberdconf.Config{}
	case err != nil:
		return nil, err
	}
	override(config, o)
	found := &Found{Config: config}
	src := &collector.Sources{
		VhostsGiven:   len(o.Vhosts) > 0,
		Uploads:       config.Uploads,
		Vhosts:        config.Hosts,
		AccountsInSQL: config.AccountsInSQL,
		SessionsInSQL: config.SessionsInSQL,
		RoomsInSQL:    config.RoomsInSQL,
		InSQL:         config.InSQL,
		Pools:         map[string]int{},
		SessionsMax:   o.SessionsMax,
		Blocked:       blocked,
		Bounds:        metric.Bounds{},
	}
	var earlier []*collector.UploadStore
	if before != nil {
		earlier = before.Sources.UploadStores
	}
	src.UploadStores = collector.UploadStores(config.Uploads, earlier)
	found.Sources = src
	if err := found.findAPI(ctx, o); err != nil {
		return nil, err
	}
	if err := found.findDatabases(o, before); err != nil {
		found.Close(ctx)
		return nil, err
	}
	src.Bounds.Bind("vhost", o.VhostsMax, src.Vhosts...)
	if config.Path != "" {
		found.here(o)
	}
	found.ProbeOnly = src.API == nil && src.Databases == nil && len(src.Uploads) == 0 && blocked == nil
	return found, nil
}

// Changed tells whether there is something else to be read now than what was found. What can't be read is for Discover to judge.
func (f *Found) Changed(o Options) bool {
	config, err := read(o)
	if err != nil {
		return true
	}
	override(config, o)
	// Hosts that are not written down come from the API, which may not have answered.
	return len(config.Hosts) == 0 && f.client != nil || !reflect.DeepEqual(config, f.Config)
}

func read(o Options) (*ejabberdconf.Config, error) {
	if o.Facts != "" {
		return ejabberdconf.ReadFacts(o.Facts)
	}
	return ejabberdconf.Read(cmp.Or(o.Config, o.Default, DefaultConfig))
}

// override puts flags above what was read.
func override(config *ejabberdconf.Config, o Options) {
	if len(o.Vhosts) > 0 {
		config.Hosts = o.Vhosts
	}
	for _, vhost := range slices.Sorted(maps.Keys(o.Docroots)) { // the file systems are numbered in this order
		i := slices.IndexFunc(config.Uploads, func(u ejabberdconf.Upload) bool { return u.Vhost == vhost })
		if i < 0 {
			config.Uploads = append(config.Uploads, ejabberdconf.Upload{Vhost: vhost})
			i = len(config.Uploads) - 1
		}
		config.Uploads[i].Docroot = o.Docroots[vhost]
		if !slices.Contains(config.Hosts, vhost) {
			config.Hosts = append(config.Hosts, vhost)
		}
	}
	for i := range config.Uploads {
		u := &config.Uploads[i]
		if o.SoftQuota > 0 {
			u.SoftQuota = o.SoftQuota
		}
		if o.HardQuota > 0 {
			u.HardQuota = o.HardQuota
		}
		if o.Retention > 0 {
			u.Retention = o.Retention
		}
	}
}

// Close gives connections back.
func (f *Found) Close(ctx context.Context) {
	if f.client != nil {
		f.client.Close()
	}
	if f.databases != nil {
		f.databases.Close(ctx)
	}
}

// findDatabases makes a target of each database that ejabberd uses, or of the one that a flag names.
func (f *Found) findDatabases(o Options, before *Found) error {
	known := f.Config.Databases
	if o.DatabaseURL != "" && len(known) == 0 {
		// Nothing is known of ejabberd but that this is its database: what is in there is what there is.
		known = []ejabberdconf.Database{{Vhosts: f.Config.Hosts}}
		f.Sources.AccountsInSQL = f.Config.Hosts
		f.Sources.InSQL = map[string][]string{}
		for _, store := range ejabberdconf.Stores {
			f.Sources.InSQL[store] = f.Config.Hosts
		}
	}
	if o.DatabaseURL != "" && len(known) > 1 {
		return fmt.Errorf("--database.url names one database, but ejabberd uses %d: leave the flag out and use PGPASSWORD or --database.password-file", len(known))
	}
	if len(known) == 0 {
		return nil
	}
	pass, err := password(o.DatabasePasswordFile)
	if err != nil {
		return fmt.Errorf("--database.password-file: %w", err)
	}
	var targets []*database.Target
	var names []string
	for _, db := range known {
		login, err := database.Login(db, o.DatabaseURL, pass)
		if err != nil {
			return err
		}
		name := login.Database
		if slices.Contains(names, name) {
			name = fmt.Sprintf("%s-%d", name, len(names)+1)
		}
		names = append(names, name)
		f.Sources.Pools[name] = db.PoolSize * len(db.Vhosts)
		targets = append(targets, &database.Target{Name: name, Vhosts: db.Vhosts, Role: db.Role, Login: login, Services: f.Config.Services})
	}
	if before != nil && before.databases != nil {
		f.databases, before.databases = before.databases.Renew(targets...), nil
	} else {
		f.databases = database.New(targets...)
	}
	f.Sources.Databases = f.databases
	f.Sources.Bounds.Bind("database", 0, names...)
	return nil
}
