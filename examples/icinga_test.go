// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const icingaProgram = "/usr/sbin/icinga2"

// startIcinga starts Icinga 2 on our commands and services. Its results are asked for over Livestatus.
func (s *scene) startIcinga(t *testing.T) func() map[key]seen {
	t.Helper()
	dir := s.ownDir(t, "icinga")
	services := s.example(t, "icinga2/services.conf", `(?s)object Host .*?\n\}\n`, func(domain, host string) string {
		host = strings.Replace(host, "/etc/icinga2/xmpp-probe.password", s.password, 1)
		return strings.TrimSuffix(host, "}\n") + s.variables(domain) + "}\n"
	})
	s.write(t, "icinga/services.conf", strings.NewReplacer("= 5m\n", "= 10s\n", "= 1m\n", "= 10s\n", "= 1h\n", "= 10s\n").Replace(services))
	s.write(t, "icinga/commands.conf", read(t, "icinga2/commands.conf"))
	socket := filepath.Join(dir, "live")
	main := s.write(t, "icinga/icinga2.conf", `include <itl>
include <plugins>
const MaxConcurrentChecks = 2
library "livestatus"
object CheckerComponent "checker" { }
object LivestatusListener "live" {
	socket_type = "unix"
	socket_path = "`+socket+`"
}
include "commands.conf"
include "services.conf"
`)
	args := []string{icingaProgram, "daemon", "-x", "warning", "-c", main, "-D", "PluginDir=" + s.plugins}
	for _, name := range []string{"DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir", "ConfigDir"} {
		args = append(args, "-D", "Configuration."+name+"="+dir)
	}
	for name, file := range map[string]string{"PidPath": "pid", "StatePath": "state", "ObjectsPath": "objects", "VarsPath": "vars", "ModAttrPath": "modattr"} {
		args = append(args, "-D", "Configuration."+name+"="+filepath.Join(dir, file))
	}
	launch(t, args...)
	return func() map[key]seen {
		results, err := askLivestatus(socket)
		if err != nil {
			t.Log(err)
		}
		return results
	}
}

// variables are what a host needs beside the example.
func (s *scene) variables(domain string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n\tvars.xmpp_resolver = %q\n\tvars.xmpp_ca_file = %q\n", s.Resolver.Addr(), s.CAFile)
	for _, o := range s.options {
		values, _ := json.Marshal(o.values)
		text := strings.ReplaceAll(string(values), "DOMAIN", domain)
		if len(o.values) == 1 {
			text = strings.Trim(text, "[]")
		}
		fmt.Fprintf(&b, "\tvars.xmpp_%s_%s = %s\n", o.plugin, strings.ReplaceAll(o.option, "-", "_"), text)
	}
	return b.String()
}

func askLivestatus(socket string) (map[key]seen, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	const query = "GET services\nColumns: host_name description has_been_checked state plugin_output long_plugin_output perf_data\nOutputFormat: json\n\n"
	if _, err := conn.Write([]byte(query)); err != nil {
		return nil, err
	}
	var rows [][]any
	if err := json.NewDecoder(conn).Decode(&rows); err != nil {
		return nil, err
	}
	results := map[key]seen{}
	for _, row := range rows {
		if checked, _ := row[2].(float64); checked == 1 {
			state, _ := row[3].(float64)
			results[key{fmt.Sprint(row[0]), pluginOf(fmt.Sprint(row[1]))}] = seen{int(state), fmt.Sprint(row[4]), fmt.Sprint(row[5]), fmt.Sprint(row[6])}
		}
	}
	return results, nil
}
