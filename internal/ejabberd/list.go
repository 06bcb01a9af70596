// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"bytes"
	"io"
)

// readUsers reads the answer of connected_users: ["user@vhost/resource", …].
func readUsers(r io.Reader, each func(vhost string, account Account)) error {
	s, vhosts := newScanner(r), vhostNames()
	err := s.array(func() error {
		jid, err := s.text()
		if err != nil {
			return err
		}
		vhost, account, err := splitJID(jid, vhosts)
		if err == nil {
			each(vhost, account)
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.end()
}

// readSessions reads the answer of connected_users_info: [{"jid":…, "connection":…, "ip":…, "uptime":…, "status":…}, …].
// Resources and status texts are not even looked at, however long their owners made them.
func readSessions(r io.Reader, each func(Session)) error {
	s, vhosts, words := newScanner(r), vhostNames(), names{known: map[string]string{}}
	var session Session
	var found int // of the members that are used: a missing one must not read as zero
	member := func(key []byte) (err error) {
		var value []byte
		found++
		switch string(key) {
		case "jid":
			if value, err = s.text(); err == nil {
				session.Vhost, session.Account, err = splitJID(value, vhosts)
			}
		case "connection":
			if value, err = s.text(); err == nil {
				session.Connection = words.of(value)
			}
		case "ip":
			if value, err = s.text(); err == nil {
				session.Family = family(value)
			}
		case "status":
			if value, err = s.text(); err == nil {
				session.Show = words.of(value)
			}
		case "uptime":
			session.Uptime, err = s.integer()
		default:
			found--
			err = s.skip()
		}
		return err
	}
	err := s.array(func() error {
		session, found = Session{}, 0
		if err := s.object(member); err != nil {
			return err
		}
		if found != 5 {
			return errShape
		}
		each(session)
		return nil
	})
	if err != nil {
		return err
	}
	return s.end()
}

// splitJID takes a full JID apart; the resource may contain every character.
func splitJID(jid []byte, vhosts names) (vhost string, account Account, err error) {
	bare, _, _ := bytes.Cut(jid, []byte{'/'})
	user, host, ok := bytes.Cut(bare, []byte{'@'})
	if !ok || len(user) == 0 || len(host) == 0 {
		return "", 0, errShape
	}
	vhost = vhosts.of(host)
	return vhost, accountOf(user, vhost), nil
}

// family is the address family of a session.
func family(ip []byte) string {
	switch {
	case bytes.HasPrefix(ip, []byte("::ffff:")), bytes.HasPrefix(ip, []byte("::FFFF:")):
		return "ip4"
	case bytes.IndexByte(ip, ':') >= 0:
		return "ip6"
	case bytes.IndexByte(ip, '.') >= 0:
		return "ip4"
	}
	return ""
}

// names keeps one string for each of the few names that return with every session.
type names struct {
	known map[string]string
	form  func(string) string // nil for as they are
}

func vhostNames() names { return names{known: map[string]string{}, form: ascii} }

func (n names) of(name []byte) string {
	if s, ok := n.known[string(name)]; ok {
		return s
	}
	s := string(name)
	if n.form != nil {
		s = n.form(s)
	}
	if len(n.known) < 1000 { // more are no vhosts and no words: memory stays bounded whatever the server sends
		n.known[string(name)] = s
	}
	return s
}
