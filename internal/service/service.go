// SPDX-License-Identifier: Apache-2.0

package service

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// Options choose what is started.
type Options struct {
	Root       Root     // of ejabberd and PostgreSQL; for tests RootVariable says it where empty
	Domains    []string // chapril.test and libre.test where empty
	OldSchema  bool     // the SQL schema without a column for the vhost
	NoSQL      bool     // everything in Mnesia, no PostgreSQL
	NamesByAPI bool     // see Config

	TURNSecret string // see Config
	RoomsInSQL bool   // see Config

	ExtraModules string // see Config
	ExtraConfig  string // see Config

	// Kept is a directory in which the database and the uploads outlive Stop; who names it again finds them, its accounts
	// included. Empty: they go with the rest.
	Kept string

	Log *slog.Logger // told what has started; may be nil

	People    bool // accounts with a past, sessions, rooms, offline messages; needs one vhost only with OldSchema
	Uploads   bool // files of those people
	Cluster   bool // a second node
	Component bool // echo.chapril.test
	Peer      bool // peer.test on Prosody, with s2s both ways
}

// Everything starts all there is.
func Everything() Options {
	return Options{NamesByAPI: true, People: true, Uploads: true, Component: true, Peer: true}
}

// Service is what is running. What was not asked for is nil. Its methods are for one goroutine at a time.
type Service struct {
	Dir       string // everything lies below it; Stop removes it
	Domains   []string
	CA        *CA
	CAFile    string // PEM of the CA
	Resolver  *Resolver
	Postgres  *Postgres
	Database  *Database
	Ejabberd  *Ejabberd
	Second    *Ejabberd // the cluster's other node
	Component *Component
	Prosody   *Prosody
	Clients   []*Client
	Admin     Account // ejabberd's administrator
	Exporter  Account // may call the exporter's API commands, those with names included
	Truth     Truth   // what was put in

	stops []func() // run in reverse
}

// Start brings the service up. When it fails, nothing is left behind.
func Start(ctx context.Context, options Options) (*Service, error) {
	if len(options.Domains) == 0 {
		options.Domains = []string{"chapril.test", "libre.test"}
		if options.OldSchema { // it cannot tell the accounts of two vhosts apart
			options.Domains = options.Domains[:1]
		}
	}
	s := &Service{
		Domains:  options.Domains,
		Admin:    Account{adminUser, options.Domains[0], password},
		Exporter: Account{exporterUser, options.Domains[0], password},
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	for _, step := range []struct {
		name   string
		wanted bool
		do     func(context.Context, Options) error
	}{
		{"directory", true, s.makeDir},
		{"resolver", true, s.startResolver},
		{"postgresql", !options.NoSQL, s.startPostgres},
		{"ejabberd", true, s.startEjabberd},
		{"second node", options.Cluster, s.startSecond},
		{"component", options.Component, s.startComponent},
		{"prosody", options.Peer, s.startProsody},
		{"people", options.People, s.addPeople},
		{"uploads", options.Uploads, s.addUploads},
	} {
		if !step.wanted {
			continue
		}
		begin := time.Now()
		if err := step.do(ctx, options); err != nil {
			s.Stop()
			return nil, err
		}
		options.Log.InfoContext(ctx, "started", "what", step.name, "seconds", time.Since(begin).Seconds())
	}
	return s, nil
}

// Stop ends everything in reverse order and removes the directory.
func (s *Service) Stop() {
	for len(s.stops) > 0 {
		last := len(s.stops) - 1
		s.stops[last]()
		s.stops = s.stops[:last]
	}
}

func (s *Service) onStop(stop func()) { s.stops = append(s.stops, stop) }

// makeDir makes the directory. Its name is short: the paths of Unix sockets in it may have 107 bytes.
func (s *Service) makeDir(context.Context, Options) error {
	dir, err := os.MkdirTemp("", "xmpp-")
	if err != nil {
		return fmt.Errorf("make the directory of the service: %w", err)
	}
	s.Dir = dir
	s.onStop(func() { _ = os.RemoveAll(dir) })
	// The accounts of the servers must get through to their own directories.
	if err := os.Chmod(dir, 0o711); err != nil {
		return fmt.Errorf("make the directory of the service: %w", err)
	}
	if s.CA, err = NewCA(); err != nil {
		return err
	}
	s.CAFile = filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(s.CAFile, s.CA.PEM, 0o644); err != nil {
		return fmt.Errorf("write the CA's certificate: %w", err)
	}
	return nil
}

// startResolver starts the resolver; the records come when the ports are known.
func (s *Service) startResolver(context.Context, Options) (err error) {
	if s.Resolver, err = StartResolver(); err != nil {
		return err
	}
	s.onStop(s.Resolver.Stop)
	return nil
}

func (s *Service) startPostgres(ctx context.Context, options Options) (err error) {
	if s.Postgres, err = StartPostgres(ctx, options.Root, filepath.Join(cmp.Or(options.Kept, s.Dir), "postgres")); err != nil {
		return err
	}
	s.onStop(s.Postgres.Stop)
	if s.Postgres.old {
		s.Database = s.Postgres.database("ejabberd")
		return nil
	}
	schema := "pg.new.sql"
	if options.OldSchema {
		schema = "pg.sql"
	}
	s.Database, err = s.Postgres.CreateDatabase(ctx, "ejabberd", schema)
	return err
}

func (s *Service) startEjabberd(ctx context.Context, options Options) error {
	names := make([]string, 0, 2*len(s.Domains))
	for _, domain := range s.Domains {
		names = append(names, asciiName(domain), "*."+asciiName(domain))
	}
	config := Config{
		Root:          options.Root,
		Node:          nodeName(options, 0),
		Domains:       s.Domains,
		Database:      s.Database,
		NewSchema:     !options.OldSchema,
		NamesByAPI:    options.NamesByAPI,
		CAFile:        s.CAFile,
		XMPPCert:      filepath.Join(s.Dir, "xmpp.pem"),
		HTTPSCert:     filepath.Join(s.Dir, "https.pem"),
		UploadDir:     filepath.Join(cmp.Or(options.Kept, s.Dir), "upload"),
		SoftQuota:     160,
		HardQuota:     200,
		MaxDays:       365,
		ComponentHost: "echo." + s.Domains[0],
		TURNSecret:    options.TURNSecret,
		RoomsInSQL:    options.RoomsInSQL,
		ExtraModules:  options.ExtraModules,
		ExtraConfig:   options.ExtraConfig,
	}
	if err := s.WriteCertificate(config.XMPPCert, CertOptions{Names: names}); err != nil {
		return err
	}
	if err := s.WriteCertificate(config.HTTPSCert, CertOptions{Names: []string{"www." + asciiName(s.Domains[0])}}); err != nil {
		return err
	}
	ejabberd, err := StartEjabberd(ctx, filepath.Join(s.Dir, "ejabberd"), config, s.Resolver.Port)
	if err != nil {
		return err
	}
	s.Ejabberd = ejabberd
	s.onStop(ejabberd.Stop)
	s.publish(ejabberd.Config.Ports)
	if s.Postgres != nil && s.Postgres.old {
		return nil // they are registered
	}
	for _, account := range []Account{s.Admin, s.Exporter} {
		if err := ejabberd.Register(ctx, account); err != nil {
			return err
		}
		s.Truth.People = append(s.Truth.People, Person{Account: account, Created: time.Now()})
	}
	return nil
}
