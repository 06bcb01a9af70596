// SPDX-License-Identifier: Apache-2.0

package recipes

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// newcomer makes an account and gives the file with its password.
func (k *kitchen) newcomer(t *testing.T, user string) (account service.Account, password string) {
	t.Helper()
	account = service.Account{User: user + "-" + service.Canary, Domain: k.Domains[0], Password: "pass-" + service.Canary}
	if err := k.Ejabberd.Register(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	return account, k.secret(t, user, account.Password)
}

func TestBanAnAccount(t *testing.T) {
	t.Parallel()
	k := newKitchen(t, service.Options{})
	mallory, password := k.newcomer(t, "mallory")
	if _, err := k.LogIn(t.Context(), service.Session{Account: mallory, Resource: "r-" + service.Canary, Family: "ip4", Show: "available"}); err != nil {
		t.Fatal(err)
	}
	k.text["/root/old-password"] = password
	k.cook(t, "ban-an-account", map[string]string{"ACCOUNT": mallory.User})
	k.has(t, "XMPP_LOGIN CRITICAL", "not-authorized", "auth")
}

func TestLoadACertificate(t *testing.T) {
	t.Parallel()
	k := newKitchen(t, service.Options{})
	if err := k.WriteCertificate(k.Ejabberd.Config.XMPPCert, service.CertOptions{Names: []string{k.Domains[0], "*." + k.Domains[0]}}); err != nil {
		t.Fatal(err)
	}
	renewed, err := os.ReadFile(k.Ejabberd.Config.XMPPCert)
	if err != nil {
		t.Fatal(err)
	}
	public, _, _ := strings.Cut(string(renewed), "-----BEGIN PRIVATE KEY")
	k.text["/etc/letsencrypt/live/example.org/fullchain.pem"] = k.secret(t, "fullchain.pem", public)
	k.cook(t, "load-a-certificate", nil)
	k.has(t, "XMPP_CERT CRITICAL", "XMPP_CERT OK")
}

func TestMoveRetention(t *testing.T) {
	t.Parallel()
	k := newKitchen(t, service.Options{People: true, Uploads: true})
	k.does["sweep"] = func(t *testing.T) {
		for _, vhost := range k.Domains {
			if err := k.Ejabberd.Sweep(t.Context(), vhost); err != nil {
				t.Error(err)
			}
		}
	}
	k.cook(t, "move-retention", nil)
	k.has(t, "With retention=180d", "kept 180 days", "the next sweep deletes       4 files of 2 accounts", "the next sweep deletes       nothing")
}

func TestDrainANode(t *testing.T) {
	t.Parallel()
	k := newKitchen(t, service.Options{Cluster: true, People: true})
	k.does["the other node"] = func(*testing.T) { k.node = k.Second }
	k.cook(t, "drain-a-node", map[string]string{"DELAY": "1"})
	_, listed, _ := strings.Cut(k.said, "Stopping Erlang node")
	if !strings.Contains(listed, k.Second.Node) || strings.Contains(listed, k.Ejabberd.Node) {
		t.Errorf("the cluster lists %s, want %s alone", listed, k.Second.Node)
	}
}

func TestRestoreTheDatabase(t *testing.T) {
	t.Parallel()
	k := newKitchen(t, service.Options{NamesByAPI: true, People: true, Uploads: true})
	monitor, password := k.newcomer(t, "monitor")
	k.grant(t)
	k.text["/root/monitor-password"] = password
	k.text["monitor@"] = monitor.User + "@"
	k.text["/var/backups/"] = k.home + "/"
	lose := func(t *testing.T) {
		if err := k.Database.Exec(t.Context(), "DROP SCHEMA IF EXISTS public CASCADE"); err != nil {
			t.Error(err)
		}
	}
	k.does["the loss"] = lose
	k.cook(t, "restore-the-database", nil)
	k.has(t, "Everything that is enabled works.", "XMPP_LOGIN OK")

	// Who pastes all of it after a loss, the dump of every night included, still has the dump from before.
	lose(t)
	k.cook(t, "restore-the-database", nil)
	k.has(t, "Everything that is enabled works.", "XMPP_LOGIN OK")

	dumps, err := filepath.Glob(filepath.Join(k.home, "ejabberd-*"))
	if err != nil || len(dumps) != 1 {
		t.Fatalf("of one day there are %v (%v), want one dump", dumps, err)
	}
	info, err := os.Stat(dumps[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(dumps[0], info.Size()-16); err != nil {
		t.Fatal(err)
	}
	log, err := k.try(t, "restore-the-database", nil)
	if err == nil || !strings.Contains(log, "+ pg_restore --file=/dev/null") || strings.Contains(log, "+ dropdb") {
		t.Errorf("a dump that breaks off is restored: %v\n%s", err, log)
	}
}
