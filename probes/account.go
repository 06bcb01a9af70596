// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"golang.org/x/net/idna"

	"github.com/chapril/ejabberd_exporter/internal/xmpp"
)

// ErrOtherDomain says that an account was to be tried on a domain that is not its own: its password is for nobody else.
var ErrOtherDomain = errors.New("the account is of another domain: it logs in to its own alone")

// Authenticate proves a password on an encrypted stream and returns the mechanism; features come next: sasl.Authenticate. It is handed in because
// the tables of SCRAM cost a quarter of a megabyte, and time at each start, which plugins that do not log in shall not pay.
type Authenticate func(ctx context.Context, s *xmpp.Stream, f *xmpp.Features, username, password string) (mechanism string, err error)

// account is whom a probe logs in as.
type account struct{ user, domain, password string }

// accountSettings say which account that is.
type accountSettings struct {
	prefix, variable string
	address          accountAddress
	file, password   string
}

// declare declares the settings of an account under names with a prefix; variable is the environment variable that may hold
// its password.
func (a *accountSettings) declare(set *Settings, prefix, variable, whose string) {
	a.prefix, a.variable = prefix, variable
	set.Var(&a.address, Local, prefix+"jid", "Account "+whose+", USER@DOMAIN; the server chooses the resource")
	set.String(&a.file, Local, prefix+"password-file", "", "File with the password of --"+prefix+"jid, instead of the environment variable "+variable)
	set.String(&a.password, Secret, prefix+"password", "", "Password of --"+prefix+"jid, instead of a file with it")
}

// read reads the password. Its errors name no account.
func (a *accountSettings) read(domain string) (account, error) {
	if a.address.user == "" {
		return account{}, errors.New("--" + a.prefix + "jid is missing: the account to log in with")
	}
	if a.address.domain != domain {
		return account{}, ErrOtherDomain
	}
	password := a.password
	if password == "" {
		var err error
		if password, err = secretFrom("--"+a.prefix+"password-file", a.file, a.variable); err != nil {
			return account{}, err
		}
	}
	if password == "" {
		return account{}, errors.New("--" + a.prefix + "password-file is missing, and " + a.variable + " is not set")
	}
	return account{a.address.user, a.address.domain, password}, nil
}

// accountAddress is USER@DOMAIN.
type accountAddress struct{ user, domain string }

// String is empty, as the default is: addresses of accounts are not repeated.
func (a *accountAddress) String() string { return "" }

func (a *accountAddress) Set(text string) error {
	user, host, ok := strings.Cut(text, "@")
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
	if !ok || user == "" || strings.ContainsAny(user, "\"&'/:<> \t\r\n") || err != nil || domain == "" {
		return errors.New("an account is USER@DOMAIN, without a resource")
	}
	*a = accountAddress{user, domain}
	return nil
}

// errBanned: the server speaks to nobody at this address any more. mod_fail2ban does that after 20 failed logins.
var errBanned = errors.New("banned: the server refuses the address of this machine after too many failed logins")

// banned recognizes that in what a server says.
func banned(err error) bool {
	ended, ok := errors.AsType[*xmpp.StreamError](err)
	return ok && ended.Condition == "policy-violation" && strings.Contains(ended.Text, "failed authentications")
}

// loginFailure finds the reason why a login failed.
func loginFailure(err error) error {
	why := ""
	_, refused := errors.AsType[*xmpp.AuthError](err)
	switch {
	case err == nil:
		return nil
	case banned(err):
		why, err = StreamError, errBanned
	case refused:
		why = Refused
	case errors.Is(err, xmpp.ErrNoMechanism):
		why = Mechanism
	}
	return &Failure{Phase: Auth, Reason: cmp.Or(why, reason(Auth, err)), Err: err}
}

// LoginRefused tells whether a run failed because the server does not let the account in. Trying again makes it worse: servers ban
// addresses that do, and mod_fail2ban counts every refusal, whatever its reason. One that says it is temporary is worth another try.
func LoginRefused(err error) bool {
	refused, ok := errors.AsType[*xmpp.AuthError](err)
	return ok && refused.Condition != "temporary-auth-failure"
}
