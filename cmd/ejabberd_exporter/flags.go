// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/chapril/ejabberd_exporter/collector"
	"github.com/chapril/ejabberd_exporter/internal/discovery"
	"github.com/chapril/ejabberd_exporter/internal/exposition"
	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/privacy"
	"github.com/chapril/ejabberd_exporter/internal/statistics"
)

const (
	name           = "ejabberd_exporter"
	defaultAddress = "127.0.0.1:9334"
	// passwordEnv holds the password for --ejabberd.user: there is no flag for it, since everybody can read arguments.
	passwordEnv = "EJABBERD_EXPORTER_EJABBERD_PASSWORD" //nolint:gosec // a name, not a password
)

// The commands.
const (
	commandServe   = "serve"
	commandDoctor  = "doctor"
	commandUploads = "uploads"
	commandPrivacy = "privacy-report"
)

// settings are the parsed flags.
type settings struct {
	discovery  discovery.Options
	collectors map[string]*bool
	targets    targets
	metrics    string
	scope      string // all or node

	watched watched

	statistics      bool // serve /statistics.json
	statisticsFloor int

	probeConfig, probeResolver, probeCAFile string
	probeMax                                int
	probePrivate                            bool

	command string
	output  string // of a command: text or json
	whatIf  whatIf

	language string
	promises promises

	once, check, discover, healthcheck, grants bool
	onceTimeout                                time.Duration

	web *web.FlagConfig
	log promslog.Config
}

// parse reads flags and environment. Without settings there is nothing more to do but to exit with the code.
func parse(args []string, stdout, stderr io.Writer) (s *settings, exit int) {
	s = &settings{}
	app := s.application()
	onCommandLine := false
	app.GetFlag("database.url").IsSetByUser(&onCommandLine)
	ended := false
	app.UsageWriter(stdout).ErrorWriter(stderr).Terminate(func(code int) { exit, ended = code, true })
	command, err := app.Parse(args)
	switch {
	case ended: // --help, --version
		return nil, exit
	case err != nil:
		_, _ = fmt.Fprintf(stderr, "%s: %v, try --help\n", name, err)
		return nil, exitNothing
	}
	if onCommandLine && passwordInURL.MatchString(s.discovery.DatabaseURL) {
		_, _ = fmt.Fprintf(stderr, "%s: --database.url holds a password, and everybody on this machine can read a command line: use --database.password-file or PGPASSWORD, see --help\n", name)
		return nil, exitNothing
	}
	s.command = command
	s.discovery.Password = os.Getenv(passwordEnv)
	return s, 0
}

// passwordInURL finds passwords in both forms of PostgreSQL's addresses: postgres://ROLE:PASSWORD@HOST and password=PASSWORD.
var passwordInURL = regexp.MustCompile(`(?i)^[a-z]+://[^/@:]*:[^/]+@|password\s*=`)

// noFileExpansion: an argument is never a file of arguments. The switch is kingpin's, for the whole process.
var noFileExpansion = sync.OnceFunc(func() { kingpin.EnableFileExpansion = false })

// application declares the flags. Each can be set by an environment variable too: EJABBERD_EXPORTER_ and the flag's name in
// capitals, with underscores.
func (s *settings) application() *kingpin.Application {
	app := kingpin.New(name, "Prometheus exporter for ejabberd. On an ejabberd host it needs no flag: it reads ejabberd.yml, or what --discover wrote.")
	noFileExpansion()
	app.DefaultEnvars()
	app.HelpFlag.Short('h')
	app.Version(version.Print(name))

	d := &s.discovery
	app.Flag("ejabberd.config", "ejabberd.yml to read; by default "+discovery.DefaultConfig+" where it exists.").StringVar(&d.Config)
	app.Flag("ejabberd.facts", "Facts written by --discover, read instead of ejabberd.yml.").StringVar(&d.Facts)
	app.Flag("ejabberd.url", "Address of mod_http_api, such as http://127.0.0.1:5281/api; by default found in ejabberd.yml.").StringVar(&d.URL)
	app.Flag("ejabberd.user", "Account (full address) to call the API with; its password is in --ejabberd.password-file or in the environment variable "+passwordEnv+".").StringVar(&d.User)
	app.Flag("ejabberd.password-file", "File whose first line is the password of --ejabberd.user.").StringVar(&d.PasswordFile)
	app.Flag("ejabberd.ca-file", "Authorities that may vouch for an https API; by default the system's.").StringVar(&d.CAFile)
	app.Flag("ejabberd.timeout", "How long one call of the API may take.").Default("3s").DurationVar(&d.Timeout)
	app.Flag("ejabberd.log", "ejabberd.log to follow; by default where ejabberdctl.cfg says, or "+defaultLog+".").StringVar(&s.watched.logPath)
	app.Flag("events.listen-address", "UDP address to listen on for mod_metrics; by default where ejabberd.yml makes it send to, if that is loopback.").SetValue((*udpAddress)(&s.watched.events))
	app.Flag("events.allow-remote", "Count events from other machines too, which anybody who reaches the port can make up.").BoolVar(&s.watched.remote)
	app.Flag("vhost", "Host that ejabberd serves, instead of those found; repeatable.").StringsVar(&d.Vhosts)
	app.Flag("vhosts.max", "Number of vhosts with series of their own; the rest is added up as \"other\".").Default("20").IntVar(&d.VhostsMax)
	app.Flag("sessions.max", "Number of sessions above which connections are not looked at one by one; 0 for no limit.").Default("2000").IntVar(&d.SessionsMax)
	app.Flag("database.url", "PostgreSQL address, postgres://ROLE@HOST:PORT/DATABASE; by default ejabberd's database as role ejabberd_exporter. PG* variables work too.").StringVar(&d.DatabaseURL)
	app.Flag("database.password-file", "File whose first line is the password of the exporter's PostgreSQL role.").StringVar(&d.DatabasePasswordFile)
	app.Flag("upload.docroot", "VHOST=DIRECTORY of uploaded files, instead of those found; repeatable.").SetValue((*docroots)(&d.Docroots))
	app.Flag("upload.soft-quota", "Soft upload quota of an account, instead of the one found, such as 160MiB.").SetValue((*size)(&d.SoftQuota))
	app.Flag("upload.hard-quota", "Hard upload quota of an account, instead of the one found, such as 200MiB.").SetValue((*size)(&d.HardQuota))
	app.Flag("upload.retention", "How long uploaded files are kept, instead of what was found, such as 365d.").SetValue((*days)(&d.Retention))
	app.Flag("probe.target", "Domain that /probe may probe beside the hosts that ejabberd serves, or *.DOMAIN for all below it; repeatable.").SetValue(&s.targets)
	app.Flag("probe.private", "Let targets of --probe.target have private, link-local and loopback addresses: whoever rules their DNS can then send probes to machines of this network.").BoolVar(&s.probePrivate)
	app.Flag("probe.max", "Number of probes that run at a time; more wait for their turn, for half of their time.").Default(strconv.Itoa(exposition.MaxProbes)).SetValue((*positive)(&s.probeMax))
	app.Flag("probe.config", "File with the modules of /probe, in YAML, and their settings and secrets; the status page runs them while somebody looks; read again on SIGHUP and POST /-/reload.").StringVar(&s.probeConfig)
	app.Flag("probe.resolver", "Name server that probes ask, HOST or HOST:PORT; by default the system's.").StringVar(&s.probeResolver)
	app.Flag("probe.ca-file", "Authorities that probes trust, in PEM; by default the system's.").StringVar(&s.probeCAFile)

	app.Flag("scope", "all, or node for the second and further exporters of a cluster: leaves out what is the same on every node.").Default("all").EnumVar(&s.scope, "all", "node")
	s.collectors = map[string]*bool{}
	for _, c := range collector.All {
		s.collectors[c.Name] = app.Flag("collector."+c.Name, c.Help+".").Default(fmt.Sprint(!c.Disabled)).Bool()
	}

	app.Flag("once", "Print the page and exit: 0 all collected, 1 some, 2 nothing.").BoolVar(&s.once)
	app.Flag("once.timeout", "How long --once waits, and --check for each collector.").Default("60s").DurationVar(&s.onceTimeout)
	app.Flag("check", "Say what was found, try each source, and print the lines that fix what is missing; exit 0 when all would work.").BoolVar(&s.check)
	app.Flag("discover", "Print what ejabberd.yml says, without any secret, for --ejabberd.facts.").BoolVar(&s.discover)
	app.Flag("grants", "Print the SQL that makes the exporter's PostgreSQL role.").BoolVar(&s.grants)
	app.Flag("healthcheck", "Ask the exporter that runs on --web.listen-address whether it is healthy; for containers.").BoolVar(&s.healthcheck)
	app.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").SetValue((*metricsPath)(&s.metrics))
	app.Flag("web.statistics", "Serve /statistics.json, which may be shown to the public: the service's accounts and federation for lists of servers, in NodeInfo 2.1.").BoolVar(&s.statistics)
	app.Flag("web.statistics-floor", "Number below which a number is left out of /statistics.json; 10 at least, since all are rounded down to ten.").Default(strconv.Itoa(statistics.DefaultFloor)).SetValue((*floor)(&s.statisticsFloor))
	s.web = kingpinflag.AddFlags(app, defaultAddress)
	promslogflag.AddFlags(app, &s.log)

	app.Command(commandServe, "Serve metrics and probes; what is done without a command.").Default()
	doctor := app.Command(commandDoctor, "Look for traps in ejabberd's configuration and on this host, and say how to get out of them; exit 0 none, 1 some, 2 one that hurts now, 3 when nothing could be looked at.")
	doctor.Flag("output", "text or json.").Default("text").EnumVar(&s.output, "text", "json")
	forecast := app.Command(commandUploads, "Say what the upload directories are heading for, and what other limits would do to them; nothing is deleted.")
	forecast.Flag("what-if", "Limits to think about: retention=180d,quota=500MiB, or soft= and hard= instead of quota=.").SetValue(&s.whatIf)
	forecast.Flag("output", "text or json.").Default("text").EnumVar(&s.output, "text", "json")
	report := app.Command(commandPrivacy, "Write a page, in Markdown, that tells people what is kept of them, how far back, and who can see it: numbers and dates only.")
	report.Flag("language", "en or fr.").Default("en").EnumVar(&s.language, privacy.Languages...)
	report.Flag("promise", "How long a store is kept, as people were told, such as archive=365d; repeatable. Uploads: what ejabberd.yml says.").SetValue(&s.promises)
	return app
}

// enabled are the collectors that the flags leave on.
func (s *settings) enabled(all []collector.Definition) []collector.Definition {
	var on []collector.Definition
	for _, c := range all {
		if *s.collectors[c.Name] && (s.scope == "all" || c.Scope() == metric.Node) {
			on = append(on, c)
		}
	}
	return on
}

type docroots map[string]string

func (d *docroots) String() string     { return "" }
func (d *docroots) IsCumulative() bool { return true }
func (d *docroots) Set(v string) error {
	vhost, path, ok := strings.Cut(v, "=")
	if !ok || vhost == "" || !filepath.IsAbs(path) {
		return fmt.Errorf("write VHOST=/absolute/directory")
	}
	if *d == nil {
		*d = docroots{}
	}
	(*d)[strings.ToLower(vhost)] = path
	return nil
}

// size is a number of bytes with a binary unit.
type size int64

func (b *size) String() string { return "" }
func (b *size) Set(v string) error {
	units := []struct {
		suffix string
		factor int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}}
	for _, u := range units {
		if number, ok := strings.CutSuffix(v, u.suffix); ok {
			var n int64
			if _, err := fmt.Sscanf(number+"\n", "%d\n", &n); err == nil && n > 0 {
				*b = size(n * u.factor)
				return nil
			}
		}
	}
	return fmt.Errorf("write a size like 200MiB")
}

// days is a duration that may be given in days.
type days time.Duration

func (d *days) String() string { return "" }
func (d *days) Set(v string) error {
	parsed, err := model.ParseDuration(v)
	if err != nil || parsed <= 0 {
		return fmt.Errorf("write a duration like 365d")
	}
	*d = days(parsed)
	return nil
}
