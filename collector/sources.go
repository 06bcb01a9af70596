// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"errors"
	"fmt"

	"github.com/chapril/ejabberd_exporter/internal/certs"
	"github.com/chapril/ejabberd_exporter/internal/database"
	"github.com/chapril/ejabberd_exporter/internal/ejabberd"
	"github.com/chapril/ejabberd_exporter/internal/ejabberdconf"
	"github.com/chapril/ejabberd_exporter/internal/metric"
)

// Sources are what the collectors may read. A nil source is one that this server does not have.
type Sources struct {
	API       AdminAPI
	Databases SQL
	Uploads   []ejabberdconf.Upload
	// UploadStores are the directories of Uploads, each once.
	UploadStores []*UploadStore
	Events       EventSource
	Log          LogSource
	LogPath      string // of ejabberd.log; empty where it is not known
	// Vhosts are the hosts that ejabberd serves, as discovered.
	Vhosts []string
	// VhostsGiven: an operator chose Vhosts; that ejabberd serves others too is nothing to wonder about.
	VhostsGiven bool
	// AccountsInSQL are the vhosts whose accounts are in the database. The others' rows are none, which does not mean that they
	// have no accounts: LDAP or Mnesia holds them.
	AccountsInSQL []string
	// SessionsInSQL are the vhosts whose sessions must be counted in the database.
	SessionsInSQL []string
	// RoomsInSQL are the vhosts of which rooms that are alive must be counted in the database.
	RoomsInSQL []string
	// InSQL are, by ejabberdconf.Stores, the vhosts that keep that in the database. What the others have is not known from there.
	InSQL map[string][]string
	// Pools are the connections that a node of ejabberd holds to each database while all is well; 0: unknown.
	Pools map[string]int
	// SessionsMax is the number of sessions above which connections are not looked at one by one; 0: no limit.
	SessionsMax int
	// Blocked says why discovery could not look: sources that it did not find are then missing, not off.
	Blocked error
	// Config is what ejabberd.yml of this host says; nil where there is none, and then nothing is asked of the kernel.
	Config *ejabberdconf.Config
	// Names are the hosts that certificates must cover.
	Names  []certs.Name
	Bounds metric.Bounds
}

// AdminAPI is what the collectors ask of ejabberd: facts that it holds in memory, never ones that it would have to ask its
// database for. Implemented by *ejabberd.Client.
type AdminAPI interface {
	Status(ctx context.Context) (version, node string, err error)
	Uptime(ctx context.Context) (seconds int, err error)
	Processes(ctx context.Context) (int, error)
	Vhosts(ctx context.Context) ([]string, error)
	Sessions(ctx context.Context, vhost string) (int, error)
	SessionCount(ctx context.Context) (int, error)
	S2S(ctx context.Context) (in, out int, err error)
	ConnectedUsers(ctx context.Context, each func(vhost string, account ejabberd.Account)) error
	ConnectedUsersInfo(ctx context.Context, each func(ejabberd.Session)) error
	Up() (up, known bool)
	// Turn tells whether something that is asked rarely may be asked now, see Definition.Rare.
	Turn() bool
	Cluster(ctx context.Context) (nodes []ejabberd.Node, complete bool, err error)
	OnlineRooms(ctx context.Context, each func(service string)) error
	RoomCount(ctx context.Context) (int, error)
	Requests() []ejabberd.Count
}

// SQL is access to the databases that hold the vhosts. Implemented by *database.Databases.
type SQL interface {
	// Use runs f on the named database, on one of the exporter's two connections.
	Use(ctx context.Context, lane database.Lane, name string, f func(ctx context.Context, db *database.Conn) error) error
	// Names are the databases' names, as labels.
	Names() []string
}

// absent is why a source is not there.
func (s *Sources) absent(off error) error {
	if s.Blocked != nil {
		return s.Blocked
	}
	return off
}

// api returns the API or the reason why it is off.
func (s *Sources) api() (AdminAPI, error) {
	if s.API == nil {
		return nil, s.absent(fmt.Errorf("%w: no admin API of ejabberd is configured (--ejabberd.url)", ErrOff))
	}
	return s.API, nil
}

// refresh runs f on every database, one after the other, on the connection for refreshes. One that fails does not keep the
// others from being asked.
func (s *Sources) refresh(ctx context.Context, f func(context.Context, *database.Conn) error) error {
	if s.Databases == nil {
		return s.absent(errNoSQL)
	}
	var errs []error
	for _, name := range s.Databases.Names() {
		errs = append(errs, s.Databases.Use(ctx, database.Refresh, name, f))
	}
	return errors.Join(errs...)
}

var errNoSQL = fmt.Errorf("%w: ejabberd keeps nothing in PostgreSQL here", ErrOff)
