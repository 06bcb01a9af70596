// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const nagiosProgram = "/usr/sbin/nagios4"

// startNagios starts Nagios on our commands and services, beside Debian's contacts and periods.
func (s *scene) startNagios(t *testing.T) func() map[key]seen {
	t.Helper()
	dir := s.ownDir(t, "nagios")
	services := s.example(t, "nagios/services.cfg", `(?s)define host \{.*?\n\}\n`, func(_, host string) string {
		return strings.Replace(host, "/etc/nagios4/xmpp-probe.password", s.password, 1)
	})
	services = regexp.MustCompile(`check_command +(check_xmpp_\w+)(!.*)?`).ReplaceAllStringFunc(services, func(line string) string {
		plugin, _, _ := strings.Cut(strings.Fields(line)[1], "!")
		_, options, _ := strings.Cut(line, "!")
		for option, value := range map[string]string{"resolver": s.Resolver.Addr(), "ca-file": s.CAFile} {
			if s.has(t, plugin, option) {
				options += " --" + option + " " + value
			}
		}
		return "check_command " + plugin + "!" + options + s.line(plugin, "$_HOSTXMPP_DOMAIN$")
	})
	commands, err := os.ReadFile("nagios/commands.cfg")
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "nagios/services.cfg", services)
	s.write(t, "nagios/commands.cfg", string(commands))
	s.write(t, "nagios/resource.cfg", "$USER1$="+s.plugins+"\n")
	// A minute of the services is ten seconds here, and two checks run at a time.
	status := filepath.Join(dir, "status.dat")
	main := s.write(t, "nagios/nagios.cfg", strings.ReplaceAll(`cfg_file=/etc/nagios4/objects/commands.cfg
cfg_file=/etc/nagios4/objects/contacts.cfg
cfg_file=/etc/nagios4/objects/timeperiods.cfg
cfg_file=/etc/nagios4/objects/templates.cfg
cfg_file=DIR/commands.cfg
cfg_file=DIR/services.cfg
resource_file=DIR/resource.cfg
log_file=DIR/nagios.log
object_cache_file=DIR/objects.cache
precached_object_file=DIR/objects.precache
status_file=DIR/status.dat
status_update_interval=1
check_external_commands=0
command_file=DIR/nagios.cmd
query_socket=DIR/nagios.qh
lock_file=DIR/nagios.pid
temp_file=DIR/nagios.tmp
temp_path=DIR
check_result_path=DIR
state_retention_file=DIR/retention.dat
retain_state_information=0
use_syslog=0
check_for_updates=0
enable_notifications=0
interval_length=10
service_inter_check_delay_method=n
host_inter_check_delay_method=n
check_result_reaper_frequency=1
max_concurrent_checks=2
check_workers=1
illegal_macro_output_chars=`+"`~$&|'\"<>"+`
`, "DIR", dir))
	launch(t, nagiosProgram, main)
	return func() map[key]seen { return readStatus(status) }
}

// readStatus reads what Nagios has last written of its services.
func readStatus(path string) map[key]seen {
	text, _ := os.ReadFile(path) // it comes with the first results
	results := map[key]seen{}
	for _, block := range strings.Split(string(text), "\nservicestatus {")[1:] {
		block, _, _ = strings.Cut(block, "\n\t}")
		is := map[string]string{}
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			is[name] = value
		}
		if is["has_been_checked"] == "1" {
			state, _ := strconv.Atoi(is["current_state"])
			results[key{is["host_name"], pluginOf(is["service_description"])}] = seen{state, is["plugin_output"], is["long_plugin_output"], is["performance_data"]}
		}
	}
	return results
}
