// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"context"
	"fmt"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// addRows fills the tables of ejabberd's own schema, indexes and all. Everything is drawn by hashes of row numbers, so that the
// same size has the same rows.
func (s *Service) addRows(ctx context.Context) error {
	for _, sql := range []string{
		s.users(), s.last(), s.archive(), s.spool(), s.contacts(), s.vcards(),
		"VACUUM ANALYZE",
	} {
		if err := s.Database.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// drawn is an expression for a number from 0 to 1, another one for each row and lot.
func drawn(row string, lot int) string {
	return fmt.Sprintf("((hashint8extended(%s, %d) & 1073741823) / 1073741824.0)::float8", row, lot)
}

// nameOf and hostOf are expressions for the account of a number.
func nameOf(n string) string { return "'person-" + service.Canary + "-' || " + n }

func hostOf(n string) string {
	return fmt.Sprintf("CASE WHEN %[1]s %% 100 < 2 THEN '%[4]s' WHEN %[1]s %% 100 < 10 THEN '%[3]s' ELSE '%[2]s' END", n, Domains[0], Domains[1], Domains[2])
}

// age is how many days ago an account was made: over ten years, and more of late than long ago.
var age = "3650 * power(" + drawn("i", 1) + ", 2)"

// users have the password of the administrator, whose row ejabberd wrote.
func (s *Service) users() string {
	return fmt.Sprintf(`
		INSERT INTO users (username, server_host, password, serverkey, salt, iterationcount, created_at)
		SELECT %s, %s, a.password, a.serverkey, a.salt, a.iterationcount, localtimestamp - %s * interval '1 day'
		FROM generate_series(1, %d) AS i, users AS a WHERE a.username = '%s'`,
		nameOf("i"), hostOf("i"), age, s.Accounts, s.Admin.User)
}

// last: a quarter never logged in; of the others most were there lately, or left soon after they came.
func (s *Service) last() string {
	never := drawn("i", 2) + " < 0.25"
	gone := age + " * power(" + drawn("i", 3) + ", 3)"
	return fmt.Sprintf(`
		INSERT INTO last (username, server_host, seconds, state)
		SELECT %s, %s, (extract(epoch FROM now()) - 86400 * CASE WHEN %s THEN %s ELSE %s END)::bigint::text,
			CASE WHEN %s THEN 'Registered but didn''t login' ELSE '' END
		FROM generate_series(1, %d) AS i`,
		nameOf("i"), hostOf("i"), never, age, gone, never, s.Accounts)
}

// archive grew over a year, in the order of time; few accounts write most of it.
func (s *Service) archive() string {
	return fmt.Sprintf(`
		INSERT INTO archive (username, server_host, timestamp, peer, bare_peer, xml, txt, kind, nick, created_at)
		SELECT %s, %s, ((extract(epoch FROM now()) - ago) * 1000000)::bigint, peer || '/phone-%[3]s', peer,
			'<message xmlns=''jabber:client'' type=''chat'' to=''' || peer || ''' id=''' || md5(i::text) || '''><body>' || said || '</body></message>',
			said, 'chat', '', localtimestamp - ago * interval '1 second'
		FROM (
			SELECT i, 1 + floor(%[4]d * power(%[5]s, 4))::bigint AS n, 31536000 * power(1 - i / %[6]d.0, 1.2) AS ago,
				'peer-%[3]s-' || (i %% 997) || '@%[7]s' AS peer,
				repeat(md5((i * 7)::text) || ' %[3]s ', 1 + (power(%[8]s, 4) * 24)::int) AS said
			FROM generate_series(1::bigint, %[6]d) AS i
		) AS message`,
		nameOf("n"), hostOf("n"), service.Canary, s.Accounts, drawn("i", 4), s.Archive, Domains[0], drawn("i", 5))
}

// spool holds what waits for one account in fifty.
func (s *Service) spool() string {
	return fmt.Sprintf(`
		INSERT INTO spool (username, server_host, xml, created_at)
		SELECT %s, %s, '<message xmlns=''jabber:client'' type=''chat''><body>' || repeat(md5(i::text), 12) || ' %s</body></message>',
			localtimestamp - 60 * power(%s, 2) * interval '1 day'
		FROM (SELECT i, 1 + floor(%d * power(%s, 2))::bigint AS n FROM generate_series(1::bigint, %d) AS i) AS message`,
		nameOf("n"), hostOf("n"), service.Canary, drawn("i", 6), max(1, s.Accounts/50), drawn("i", 7), s.Spool)
}

// contacts are one for each account, so that the table is as long as that of accounts.
func (s *Service) contacts() string {
	return fmt.Sprintf(`
		INSERT INTO rosterusers (username, server_host, jid, nick, subscription, ask, askmessage, server, subscribe, "type")
		SELECT %s, %s, 'peer-%[3]s-' || i || '@%[4]s', '%[3]s', 'B', CASE WHEN %[5]s < 0.05 THEN 'O' ELSE 'N' END, '', 'N', '', 'item'
		FROM (SELECT i, 1 + floor(%[6]d * power(%[7]s, 2))::bigint AS n FROM generate_series(1::bigint, %[6]d) AS i) AS contact`,
		nameOf("n"), hostOf("n"), service.Canary, Domains[1], drawn("i", 8), s.Accounts, drawn("i", 9))
}

// vcards are those of one account in five.
func (s *Service) vcards() string {
	vcard := "<vCard xmlns=''vcard-temp''><FN>" + service.Canary + "</FN><DESC>" + strings.Repeat(service.Canary+" ", 20) + "</DESC></vCard>"
	return fmt.Sprintf(`
		INSERT INTO vcard (username, server_host, vcard)
		SELECT %s, %s, '%s' FROM generate_series(1, %d, 5) AS i`,
		nameOf("i"), hostOf("i"), vcard, s.Accounts)
}
