// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/secret"
)

// The environment variables that secrets may come from.
const (
	turnPasswordVariable = "CHECK_XMPP_TURN_PASSWORD" //nolint:gosec // a name
	turnSecretVariable   = "CHECK_XMPP_TURN_SECRET"   //nolint:gosec // a name
)

// turnSettings are what turn alone can be told.
type turnSettings struct {
	port                               portNumber
	transports                         transportList
	username, passwordFile, secretFile string

	authenticate Authenticate
	account      accountSettings
}

func (t *turnSettings) declare(set *Settings) {
	set.Var(&t.port, Local, "port", "Port to connect to, instead of what the SRV records say or 3478").Short = 'p'
	set.Var(&t.transports, Safe, "transport", "Transport that must work, udp or tcp; both where none is named").List = true
	set.String(&t.username, Local, "turn-username", "", "User to try a TURN allocation as")
	set.String(&t.passwordFile, Local, "turn-password-file", "", "File with the password of that user, instead of the environment variable "+turnPasswordVariable)
	set.String(&t.secretFile, Local, "secret-file", "",
		"File with the secret that the server shares with its XMPP server, which makes short-lived credentials, instead of the environment variable "+turnSecretVariable)
	t.account.declare(set, "", passwordVariable, "to ask for the list of relays and for credentials with")
}

// services are what is to be asked.
func (t *turnSettings) services(allocate bool) (services []service) {
	for _, transport := range []struct {
		name       string
		stun, turn service
	}{{"udp", stunUDP, turnUDP}, {"tcp", stunTCP, turnTCP}} {
		if len(t.transports) > 0 && !slices.Contains(t.transports, transport.name) {
			continue
		}
		services = append(services, transport.stun)
		if allocate {
			services = append(services, transport.turn)
		}
	}
	return services
}

// relayLogin is what a TURN server wants to see.
type relayLogin struct{ username, password string }

// credentials reads the secrets; nil where there are none.
func (t *turnSettings) credentials(domain string) (*relayLogin, error) {
	shared, err := secretFrom("--secret-file", t.secretFile, turnSecretVariable)
	if err != nil {
		return nil, err
	}
	if t.account.address.user != "" {
		if t.username != "" || shared != "" {
			return nil, errors.New("--jid asks the server for credentials, so that --turn-username and --secret-file have no use")
		}
		return nil, nil
	}
	if shared != "" {
		return shortLived(shared, t.username, domain, time.Now().Add(time.Hour)), nil
	}
	password, err := secretFrom("--turn-password-file", t.passwordFile, turnPasswordVariable)
	switch {
	case err != nil:
		return nil, err
	case t.username == "" && password == "":
		return nil, nil
	case t.username == "":
		return nil, errors.New("--turn-username is missing: whose password is it")
	case password == "":
		return nil, errors.New("--turn-password-file is missing, and " + turnPasswordVariable + " is not set")
	}
	return &relayLogin{t.username, password}, nil
}

// shortLived makes credentials out of a shared secret, as mod_stun_disco and coturn do: the user name says until when it is
// good.
func shortLived(shared, name, domain string, until time.Time) *relayLogin {
	if name == "" { // ejabberd takes nothing but a hash of the user and one of the host behind the time; others take anything
		user, host := sha1.Sum([]byte("probe")), sha1.Sum([]byte(domain))
		name = hex.EncodeToString(user[:4]) + hex.EncodeToString(host[:4])
	}
	username := strconv.FormatInt(until.Unix(), 10) + ":" + name
	mac := hmac.New(sha1.New, []byte(shared))
	mac.Write([]byte(username))
	return &relayLogin{username, base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}

// secretFrom reads a secret from a file or, without one, from the environment: never from the command line, which everybody
// on the machine can read.
func secretFrom(flag, file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	text, err := secret.Read(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	return text, nil
}

// transportList is udp, tcp, or both.
type transportList []string

func (l *transportList) String() string { return strings.Join(*l, ",") }

func (l *transportList) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		if name != "udp" && name != "tcp" {
			return errors.New("udp or tcp")
		}
		*l = append(*l, name)
	}
	return nil
}
