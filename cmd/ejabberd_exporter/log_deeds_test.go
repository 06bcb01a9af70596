// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// deed is something that ejabberd writes into its log, and the series that must count it.
type deed struct {
	name  string
	do    func(*doer) error
	count map[string]float64
}

// deeds are in an order in which none keeps the next from being done.
func deeds() []deed {
	return []deed{
		{"logs in with SCRAM", func(d *doer) error { return d.logIn(d.Admin) }, map[string]float64{`ejabberd_auth_attempts_total{mechanism="SCRAM-SHA-1-PLUS"}`: 1}},
		{"logs in with PLAIN", func(d *doer) error { return d.plain("127.0.0.1", d.Admin.Password) }, map[string]float64{
			`ejabberd_auth_attempts_total{mechanism="PLAIN"}`: 1,
		}},
		{"a wrong password with PLAIN", func(d *doer) error { return refused(d.plain("127.0.0.1", "wrong-"+service.Canary)) }, map[string]float64{
			`ejabberd_auth_attempts_total{mechanism="PLAIN"}`: 1, `ejabberd_auth_failures_total{mechanism="PLAIN"}`: 1,
		}},
		{"a wrong password with SCRAM", func(d *doer) error {
			account := d.Admin
			account.Password = "wrong-" + service.Canary
			return refused(d.logIn(account))
		}, map[string]float64{
			`ejabberd_auth_attempts_total{mechanism="SCRAM-SHA-1-PLUS"}`: 1, `ejabberd_auth_failures_total{mechanism="SCRAM-SHA-1-PLUS"}`: 1,
		}},
		{"is blocked after 20 failures", func(d *doer) error {
			for range 20 {
				if err := d.plain("127.0.0.2", "wrong-"+service.Canary); err == nil {
					return errors.New("the password is right")
				}
			}
			return refused(d.plain("127.0.0.2", d.Admin.Password))
		}, map[string]float64{
			`ejabberd_auth_attempts_total{mechanism="PLAIN"}`: 20, `ejabberd_auth_failures_total{mechanism="PLAIN"}`: 20,
			`ejabberd_log_events_total{event="fail2ban_block"}`: 2,
		}},
		{"wants to speak an old TLS", (*doer).oldTLS, map[string]float64{`ejabberd_log_events_total{event="tls_failure"}`: 1}},
		{"speaks with a peer", (*doer).federate, map[string]float64{
			`ejabberd_s2s_auth_attempts_total{direction="in",mechanism="EXTERNAL"}`:  1,
			`ejabberd_s2s_auth_attempts_total{direction="out",mechanism="EXTERNAL"}`: 1,
		}},
		{"writes to a server that refuses", func(d *doer) error {
			ports, err := service.FreePorts(1)
			if err != nil {
				return err
			}
			d.Resolver.SetSRV("_xmpp-server._tcp.refused.test", "localhost", ports[0])
			return d.bounce("refused.test")
		}, map[string]float64{`ejabberd_s2s_connect_failures_total{reason="refused"}`: 1}},
		{"writes to a server that does not exist", func(d *doer) error { return d.bounce("nowhere.test") }, map[string]float64{
			`ejabberd_s2s_connect_failures_total{reason="dns"}`: 1,
		}},
		{"writes to a server that speaks no XMPP", func(d *doer) error {
			mail, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer mail.Close()
			go greet(mail)
			d.Resolver.SetSRV("_xmpp-server._tcp.mail.test", "localhost", mail.Addr().(*net.TCPAddr).Port)
			return d.bounce("mail.test")
		}, map[string]float64{`ejabberd_s2s_connect_failures_total{reason="stream_error"}`: 1}},
		{"stores a file", func(d *doer) error { return d.put(100, 100, http.StatusCreated) }, map[string]float64{"ejabberd_upload_slots_total": 1}},
		{"stores another file than announced", func(d *doer) error { return d.put(100, 99, http.StatusRequestEntityTooLarge) }, map[string]float64{
			"ejabberd_upload_slots_total": 1, `ejabberd_upload_rejected_total{reason="wrong_size"}`: 1,
		}},
		{"stores without a slot", func(d *doer) error {
			return d.http("https://"+d.Domains[0]+":"+strconv.Itoa(d.Ejabberd.Config.Ports.HTTPS)+"/upload/a/b/file-"+service.Canary, 10, http.StatusForbidden)
		}, map[string]float64{`ejabberd_upload_rejected_total{reason="invalid_slot"}`: 1}},
		{"wants to store too much", func(d *doer) error {
			_, err := d.slot(1 << 30)
			return refused(err)
		}, map[string]float64{`ejabberd_upload_rejected_total{reason="too_large"}`: 1}},
		{"can't store a file", func(d *doer) error {
			dir, away := d.Ejabberd.Config.UploadDir, d.Ejabberd.Config.UploadDir+"-away"
			err := errors.Join(os.Rename(dir, away), os.WriteFile(dir, nil, 0o600))
			return errors.Join(err, d.put(100, 100, http.StatusInternalServerError), os.Remove(dir), os.Rename(away, dir))
		}, map[string]float64{"ejabberd_upload_slots_total": 1, "ejabberd_upload_store_errors_total": 1}},
		{"has its log rotated", func(d *doer) error { return os.Rename(d.Ejabberd.LogPath(), d.Ejabberd.LogPath()+".1") }, nil},
		{"reloads the configuration", func(d *doer) error { return d.Ejabberd.Reload(d.Context()) }, map[string]float64{
			`ejabberd_log_events_total{event="config_reload"}`: 1,
		}},
		{"reloads a broken configuration", func(d *doer) error {
			good, err := os.ReadFile(d.Ejabberd.ConfigPath)
			if err != nil {
				return err
			}
			if err := os.WriteFile(d.Ejabberd.ConfigPath, append(good, "\nno_such_option: canary-"+service.Canary+"\n"...), 0o600); err != nil {
				return err
			}
			err = refused(d.Ejabberd.Reload(d.Context()))
			return errors.Join(err, os.WriteFile(d.Ejabberd.ConfigPath, good, 0o600))
		}, map[string]float64{`ejabberd_log_events_total{event="config_reload_aborted"}`: 1}},
		{"wants to be pushed by somebody who does not push", func(d *doer) error {
			if _, err := d.client.Ask(d.Context(), "set", d.Admin.JID(), "<enable xmlns='urn:xmpp:push:0' jid='nobody-"+service.Canary+"@"+d.Domains[1]+"' node='node-"+service.Canary+"'/>"); err != nil {
				return err
			}
			d.client.Close()
			if err := d.logIn(d.Exporter); err != nil {
				return err
			}
			return d.client.Message(d.Context(), d.Admin.JID(), "body-"+service.Canary)
		}, map[string]float64{
			`ejabberd_log_events_total{event="push_rejected"}`: 1, `ejabberd_auth_attempts_total{mechanism="SCRAM-SHA-1-PLUS"}`: 1,
		}},
		{"asks a database that answers too late", (*doer).lockUsers, map[string]float64{
			`ejabberd_log_events_total{event="sql_pool_overload"}`: 1,
		}},
		{"may not log in to its database", func(d *doer) error {
			for _, sql := range []string{"ALTER ROLE ejabberd NOLOGIN", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'ejabberd'"} {
				if err := d.Database.Exec(d.Context(), sql); err != nil {
					return err
				}
			}
			return nil
		}, map[string]float64{`ejabberd_log_events_total{event="sql_error"}`: 1}},
	}
}
