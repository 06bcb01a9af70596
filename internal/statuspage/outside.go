// SPDX-License-Identifier: Apache-2.0

package statuspage

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/probes"
)

// outside is what probes see.
type outside struct {
	Configured bool
	Modules    []module
	LeftOut    int
	Try        []link // probes to run now, where none are configured
}

type link struct{ Text, Href string }

// module is a probe with all hosts that it looked at.
type module struct {
	Name, Help string
	Hosts      []probed
	Fine       []string // hosts where all is well, where they are too many to be shown one by one
}

// manyHosts is how many hosts of a module are shown one by one, whatever their state.
const manyHosts = 6

// probed is what a module found at one host.
type probed struct {
	Host      string
	Level     level
	Word, Age string
	Facts     []string
	Doors     []door
	Debug     string
}

// door is a host and port of a service.
type door struct {
	Service, Where string
	Families       []family
	Wrong          bool // one of them does not work, and says why
}

// outside tells what the modules of --probe.config found.
func (b *builder) outside() outside {
	o := outside{Configured: b.Configured, LeftOut: b.LeftOut}
	for _, s := range b.Sights {
		i := slices.IndexFunc(o.Modules, func(m module) bool { return m.Name == s.Module })
		if i < 0 {
			i, o.Modules = len(o.Modules), append(o.Modules, module{Name: s.Module, Help: s.Help})
		}
		o.Modules[i].Hosts = append(o.Modules[i].Hosts, b.probed(s))
	}
	for i := range o.Modules {
		o.Modules[i].shorten()
	}
	b.tellTroubles()
	if !b.Configured && len(b.Targets) > 0 {
		for _, module := range []string{"c2s", "s2s", "cert"} {
			o.Try = append(o.Try, link{module + " of " + b.Targets[0], debug(module, b.Targets[0])})
		}
	}
	return o
}

// shorten leaves one line of the hosts where all is well, if they are many.
func (m *module) shorten() {
	if len(m.Hosts) <= manyHosts {
		return
	}
	m.Hosts = slices.DeleteFunc(m.Hosts, func(p probed) bool {
		if p.Level == good {
			m.Fine = append(m.Fine, p.Host)
		}
		return p.Level == good
	})
}

// debug is where one probe says all that it saw.
func debug(module, target string) string {
	return "probe?" + url.Values{"module": {module}, "target": {target}, "debug": {"true"}}.Encode()
}

func (b *builder) probed(s exposition.Sight) probed {
	p := probed{Host: s.Target, Age: b.since(s.Began), Debug: debug(s.Module, s.Target)}
	if s.Running {
		p.Age = strings.TrimPrefix(p.Age+", running now", ", ")
	}
	if s.Report == nil {
		p.Level, p.Word = busy, "running"
		return p
	}
	p.Doors = doors(s.Report.Endpoints)
	why := reasons(s.Failures())
	if !s.Good {
		if !slices.ContainsFunc(p.Doors, func(d door) bool { return d.Wrong }) {
			p.Facts = why
		}
	} else if days, ok := b.certificateLeft(s); ok {
		p.Facts = append(p.Facts, "certificate "+days)
	}
	for _, sample := range s.Report.Set.All() {
		if sample.Metric.Name == "probe_xmpp_exposed_open" && sample.Value > 0 {
			p.Facts = append(p.Facts, sample.Labels[0]+" is open")
			why = append(why, sample.Labels[0]+" is open")
		}
	}
	switch failure := (*probes.Failure)(nil); {
	case errors.Is(s.Err, probes.ErrOtherDomain):
		p.Host, p.Level, p.Word, p.Debug = "no host", warn, "not run", ""
		p.Facts = []string{"its account is of none of the hosts that are probed"}
		b.need(warn, "outside", "Probe "+s.Module+" is not run: its account is of no host that may be probed.", "Name the account's domain with --probe.target.")
	case s.Err != nil && !errors.As(s.Err, &failure), s.Report.Worst() == probes.Unknown:
		p.Level, p.Word = bad, "cannot tell"
		p.Facts = append(p.Facts, "the probe could not do its work")
		b.troubled(s, "it could not do its work", "“All that it saw” says why: most often it is about its settings in `--probe.config`.")
	case !s.Good:
		p.Level, p.Word = bad, "fails"
		b.troubled(s, cmp.Or(strings.Join(why, ", "), "“all that it saw” says why"), advice(s.Failures()))
	case s.Report.Worst() == probes.Warning:
		p.Level, p.Word = warn, "works, with a remark"
		b.need(warn, "outside", "Probe "+s.Module+" of "+s.Target+" works, with a remark.", "“All that it saw” says what it is.")
	default:
		p.Level, p.Word = good, "works"
	}
	return p
}

// trouble is what is wrong with modules at some hosts, for the same reason.
type trouble struct {
	modules, hosts []string
	why, do        string
}

func (b *builder) troubled(s exposition.Sight, why, do string) {
	i := slices.IndexFunc(b.troubles, func(t trouble) bool { return t.modules[0] == s.Module && t.why == why })
	if i < 0 {
		i, b.troubles = len(b.troubles), append(b.troubles, trouble{modules: []string{s.Module}, why: why, do: do})
	}
	b.troubles[i].hosts = append(b.troubles[i].hosts, s.Target)
}

// tellTroubles tells what is wrong for the same reason at the same hosts once.
func (b *builder) tellTroubles() {
	var told []trouble
	for _, t := range b.troubles {
		i := slices.IndexFunc(told, func(o trouble) bool { return o.why == t.why && slices.Equal(o.hosts, t.hosts) })
		if i < 0 {
			told = append(told, t)
			continue
		}
		told[i].modules = append(told[i].modules, t.modules...)
	}
	for _, t := range told {
		hosts := t.hosts
		if n := len(hosts); n > 3 {
			hosts = append(slices.Clone(hosts[:2]), fmt.Sprintf("%d more hosts", n-2))
		}
		what := "Probe " + t.modules[0] + " fails"
		if len(t.modules) > 1 {
			what = "Probes " + enumerate(t.modules) + " fail"
		}
		b.need(bad, "outside", what+" at "+enumerate(hosts)+" ("+t.why+").", t.do)
	}
}

// advice says what to do about the first of the failures for which there is something.
func advice(failures []probes.Failure) string {
	for _, f := range failures {
		switch f.Reason {
		case probes.Refused:
			if f.Phase == probes.Auth {
				return "Put the account or its password right in `--probe.config`, then send SIGHUP: it is not tried again soon, so that ejabberd bans nobody."
			}
			return "See that ejabberd listens there, and in both families: `ss -ltn`."
		case probes.Timeout, probes.Unreachable, probes.Closed:
			return "See that ejabberd runs, and which firewall is in between."
		case probes.DNS:
			return "Put the SRV and address records right: `check_xmpp_dns` says which."
		case probes.Certificate:
			return "Renew the certificate, or complete its chain or its names, then: `ejabberdctl reload_config`"
		case probes.TLSAlert:
			return "See the TLS versions and ciphers that ejabberd.yml allows."
		case probes.StartTLSMissing:
			return "Switch starttls on at this listener in ejabberd.yml."
		}
	}
	return "“All that it saw” tells more."
}

// certificateLeft is how long the certificate is good that a probe met and that expires first.
func (b *builder) certificateLeft(s exposition.Sight) (text string, known bool) {
	for _, sample := range s.Report.Set.All() {
		if sample.Metric.Name == "probe_ssl_earliest_cert_expiry" {
			return left(stamp(sample.Value).Sub(b.Now)), true
		}
	}
	return "", false
}

var services = map[string]string{
	"xmpp-client": "Clients, STARTTLS", "xmpps-client": "Clients, TLS", "xmpp-server": "Servers, STARTTLS", "xmpps-server": "Servers, TLS",
	"host-meta": "host-meta", "bosh": "BOSH", "websocket": "WebSocket", "web-register": "Registration page",
	"stun-udp": "STUN, UDP", "stun-tcp": "STUN, TCP", "turn-udp": "TURN, UDP", "turn-tcp": "TURN, TCP",
	"http-put": "Upload", "http-get": "Download",
}

// doors joins the endpoints of a service, host and port; several addresses of a family are each told.
func doors(endpoints []probes.Endpoint) (doors []door) {
	for _, e := range endpoints {
		service, where := services[e.Service], net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port)))
		if n := len(doors); n == 0 || doors[n-1].Service != service || doors[n-1].Where != where {
			doors = append(doors, door{Service: service, Where: where})
		}
		f := family{familyNames[e.Family], good, "works"}
		switch {
		case e.Untestable:
			f.Level, f.Text = off, "not testable from here"
		case !e.Works:
			f.Level, f.Text = bad, cause(e.Phase, e.Reason)
		}
		d := &doors[len(doors)-1]
		d.Families, d.Wrong = append(d.Families, f), d.Wrong || f.Level != good
	}
	return doors
}

// causes say the reasons of failures.
var causes = map[string]string{
	probes.Refused: "refused", probes.Timeout: "no answer in time", probes.Unreachable: "unreachable", probes.DNS: "not found in the DNS",
	probes.TLSAlert: "TLS does not come about", probes.Certificate: "certificate is not accepted", probes.StreamError: "the server ends the stream",
	probes.StartTLSMissing: "STARTTLS is not offered", probes.Mechanism: "a login mechanism is missing", probes.Protocol: "the answer is not understood",
	probes.Closed: "connection closed", probes.OtherReason: "failed",
}

func cause(phase, reason string) string {
	if text := causes[reason]; text != "" && phase != "" {
		return fmt.Sprintf("%s: %s", phase, text)
	}
	return "fails"
}

func reasons(failures []probes.Failure) (texts []string) {
	for _, f := range failures {
		texts = append(texts, cause(f.Phase, f.Reason))
	}
	return texts
}
