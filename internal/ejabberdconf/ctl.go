// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// defaultHome is where the packages put ejabberd.
const defaultHome = "/var/lib/ejabberd"

const macroPrefix = "EJABBERD_MACRO_"

// settings are the few variables of ejabberdctl.cfg and of the environment that matter here.
type settings map[string]string

var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Z_][A-Z_0-9]*)=(.*)$`)

// readCtl reads the plain KEY=value lines of ejabberdctl.cfg, which is a shell script that ejabberdctl sources. Values that
// the shell would compute are left out. A missing file is no error: there are defaults for everything.
func (r *reader) readCtl(path string, environ []string) {
	r.ctl = settings{}
	for _, variable := range environ {
		if name, value, ok := strings.Cut(variable, "="); ok && strings.HasPrefix(name, macroPrefix) {
			r.ctl[name] = value
		}
	}
	text, err := r.readFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.notef("%v: taking defaults for what it may set", unreadable(path, err))
	}
	for line := range strings.Lines(string(text)) {
		found := assignment.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			continue
		}
		name, value := found[1], unquoted(found[2])
		switch {
		case strings.ContainsAny(value, "$`"):
		case strings.HasPrefix(name, macroPrefix), name == "ERLANG_NODE", name == "ERL_MAX_PORTS", name == "ERL_EPMD_PORT", name == "ERL_DIST_PORT":
			r.ctl[name] = value
		case name == "HOME", name == "SPOOL_DIR", name == "CONTRIB_MODULES_CONF_DIR", name == "LOGS_DIR", name == "EJABBERD_LOG_PATH":
			if filepath.IsAbs(value) {
				r.ctl[name] = filepath.Clean(value)
			}
		}
	}
	r.Home = r.ctl["HOME"]
	if r.Home == "" {
		r.Home = r.ctl.spool()
	}
	r.Spool = r.ctl.spool()
	r.Log = r.ctl["EJABBERD_LOG_PATH"]
	if dir := r.ctl["LOGS_DIR"]; r.Log == "" && dir != "" {
		r.Log = filepath.Join(dir, "ejabberd.log")
	}
	r.Node = r.ctl["ERLANG_NODE"]
	if ports, err := strconv.Atoi(r.ctl["ERL_MAX_PORTS"]); err == nil && ports > 0 {
		r.MaxPorts = ports
	}
	if port, err := strconv.ParseUint(r.ctl["ERL_EPMD_PORT"], 10, 16); err == nil {
		r.EpmdPort = int(port)
	}
	if port, err := strconv.ParseUint(r.ctl["ERL_DIST_PORT"], 10, 16); err == nil {
		r.DistPort = int(port)
	}
}

// unquoted is a shell word without its quotes and without the comment behind it.
func unquoted(word string) string {
	word = strings.TrimSpace(word)
	if word != "" && (word[0] == '"' || word[0] == '\'') {
		value, _, _ := strings.Cut(word[1:], word[:1])
		return value
	}
	value, _, _ := strings.Cut(word, " ")
	return value
}

// spool is the directory that ejabberd works in: relative paths of its configuration start there.
func (s settings) spool() string {
	if dir := s["SPOOL_DIR"]; dir != "" {
		return dir
	}
	return defaultHome
}

// macros are those of the environment, by name.
func (s settings) macros() map[string]string {
	macros := map[string]string{}
	for name, value := range s {
		if macro, ok := strings.CutPrefix(name, macroPrefix); ok {
			macros[macro] = value
		}
	}
	return macros
}
