// SPDX-License-Identifier: Apache-2.0

package examples_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// shared are the options that are the same for every plugin of a host: a variable without the plugin's name sets them for all.
// Those after jid are about its account.
var shared = []string{"domain", "resolver", "ca-file", "jid", "password-file", "password"}

// TestMadeFromCodeOfPlugins: every plugin and every option of its is known to Icinga.
func TestMadeFromCodeOfPlugins(t *testing.T) {
	plugins := describe(t)
	for path, want := range map[string]string{
		"icinga2/commands.conf":        icingaCommands(plugins),
		"icinga2/director-basket.json": directorBasket(t, plugins),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil {
			t.Error(err)
		} else if string(got) != want {
			t.Errorf("%s is not what the plugins can do; run: make docs", path)
		}
	}
}

func icingaCommands(plugins []plugin) string {
	var b bytes.Buffer
	b.WriteString(`/* The plugins as check commands. Made from their --help by make docs.
 *
 * Variables are named after command and option: xmpp_cert_component is --component of check_xmpp_cert. Those that are the same
 * for all checks of a host go without the command: xmpp_domain, xmpp_resolver, xmpp_ca_file, xmpp_jid, xmpp_password_file.
 * Lists repeat the option. Secrets: xmpp_password goes through the environment, which others on the machine cannot read; who
 * may read Icinga's objects can, so a file is better still. check_ejabberd asks the exporter: ejabberd_url says where that is.
 *
 * The address of a host is not passed on: where a service is found is what the DNS of the domain says, and is proved with the
 * rest. To look at one machine: vars.xmpp_c2s_hostname = "$check_address$".
 */
`)
	for _, p := range plugins {
		fmt.Fprintf(&b, "\n// %s\nobject CheckCommand %q {\n", p.help, p.command())
		if p.has("hostname") {
			b.WriteString("\timport \"ipv4-or-ipv6\"\n\n")
		}
		fmt.Fprintf(&b, "\tcommand = [ PluginDir + %q ]\n\n\targuments = {\n", "/"+p.name)
		for _, o := range p.options {
			fmt.Fprintf(&b, "\t\t\"--%s\" = {\n", o.name)
			if o.value {
				fmt.Fprintf(&b, "\t\t\tvalue = \"$%s$\"\n", p.variable(o.name))
			} else {
				fmt.Fprintf(&b, "\t\t\tset_if = \"$%s$\"\n", p.variable(o.name))
			}
			if o.name == "domain" {
				b.WriteString("\t\t\trequired = true\n")
			}
			fmt.Fprintf(&b, "\t\t\tdescription = %q\n\t\t}\n", o.help)
		}
		b.WriteString("\t}\n")
		for _, name := range p.environment {
			fmt.Fprintf(&b, "\n\tenv.%s = \"$%s$\"", name, p.variable(p.secret(name)))
		}
		if len(p.environment) > 0 {
			b.WriteString("\n")
		}
		b.WriteString("\n")
		for _, name := range p.shared() {
			fmt.Fprintf(&b, "\tvars.%s = \"$%s$\"\n", p.variable(name), p.family(name))
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// directorBasket is the same for the Director, which gives commands no environment: there, passwords are in files.
func directorBasket(t *testing.T, plugins []plugin) string {
	t.Helper()
	type object = map[string]any
	commands, fields := object{}, object{}
	for _, p := range plugins {
		arguments, vars, ids := object{}, object{}, []object{}
		for _, o := range p.options {
			argument := object{"description": o.help}
			kind := "String"
			switch {
			case !o.value:
				argument["set_if"] = "$" + p.variable(o.name) + "$"
				kind = "Boolean"
			case o.list:
				argument["repeat_key"] = true
				kind = "Array"
				fallthrough
			default:
				argument["value"] = "$" + p.variable(o.name) + "$"
			}
			if o.name == "domain" {
				argument["required"] = true
			}
			arguments["--"+o.name] = argument
			id := len(fields) + 1
			fields[fmt.Sprint(id)] = object{
				"varname": p.variable(o.name), "caption": p.command() + " " + o.name, "description": o.help, "format": nil,
				"datatype": `Icinga\Module\Director\DataType\DataType` + kind, "settings": object{},
			}
			ids = append(ids, object{"datafield_id": id, "is_required": "n", "var_filter": nil})
		}
		for _, name := range p.shared() {
			if p.has(name) {
				vars[p.variable(name)] = "$" + p.family(name) + "$"
			}
		}
		imports := []string{}
		if p.has("hostname") {
			imports = append(imports, "ipv4-or-ipv6")
		}
		commands[p.command()] = object{
			"object_name": p.command(), "object_type": "object", "disabled": "n", "methods_execute": "PluginCheck", "timeout": "60",
			"command": p.name, "arguments": arguments, "vars": vars, "fields": ids, "imports": imports, "is_string": nil, "zone": nil,
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(object{"Command": commands, "Datafield": fields}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (p plugin) command() string { return strings.TrimPrefix(p.name, "check_") }

func (p plugin) has(name string) bool {
	return slices.ContainsFunc(p.options, func(o option) bool { return o.name == name })
}

// variable sets an option for this plugin, family for all plugins.
func (p plugin) variable(name string) string {
	return p.command() + "_" + strings.ReplaceAll(name, "-", "_")
}

func (p plugin) family(name string) string {
	family, _, _ := strings.Cut(p.command(), "_")
	return family + "_" + strings.ReplaceAll(name, "-", "_")
}

// secret names what is in an environment variable: password for CHECK_XMPP_PASSWORD.
func (p plugin) secret(environment string) string {
	name := strings.ToLower(strings.TrimPrefix(environment, "CHECK_"))
	name, _ = strings.CutPrefix(name, p.command()+"_")
	name, _ = strings.CutPrefix(name, "xmpp_")
	return strings.ReplaceAll(name, "_", "-")
}

// shared are those of the shared options that the plugin has.
func (p plugin) shared() []string {
	var names []string
	for i, name := range shared {
		secret := slices.ContainsFunc(p.environment, func(e string) bool { return p.secret(e) == name })
		if (p.has(name) || secret) && (i < slices.Index(shared, "jid") || p.has("jid")) && p.variable(name) != p.family(name) {
			names = append(names, name)
		}
	}
	return names
}
