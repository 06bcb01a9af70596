// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

// Every text here carries the secret, and no error may.
func TestRefused(t *testing.T) {
	const main, password = "/etc/ejabberd/ejabberd.yml", "sql_password: " + secret + "\nhosts: [a.example]\n"
	cases := []struct {
		name    string
		files   files
		environ []string
		want    string // the whole error
		is      error
	}{
		{name: "missing", files: files{}, want: main + ": file does not exist: --ejabberd.config names the file", is: fs.ErrNotExist},
		{
			name: "closed", files: files{main: "!"}, is: fs.ErrPermission,
			want: main + ": permission denied: run as root or ejabberd, or let the service read facts: ejabberd_exporter --discover, as root, writes them without secrets, and --ejabberd.facts reads them",
		},
		{name: "empty", files: files{main: ""}, want: main + ": no hosts: is this ejabberd's configuration?"},
		{name: "no hosts", files: files{main: "sql_password: " + secret}, want: main + ": no hosts: is this ejabberd's configuration?"},
		{name: "hosts of nothing", files: files{main: "hosts: ['']\nx: " + secret}, want: main + ": no hosts: is this ejabberd's configuration?"},
		{name: "list", files: files{main: "- " + secret}, want: main + ":1: not a configuration of ejabberd: want a map of options"},
		{name: "text", files: files{main: secret}, want: main + ":1: not a configuration of ejabberd: want a map of options"},
		{name: "broken line", files: files{main: password + secret + "\nmodules: {}\n"}, want: main + ":3: not valid YAML at or shortly before this line"},
		{name: "unclosed quote", files: files{main: password + "x: \"" + secret}, want: main + ":3: not valid YAML at or shortly before this line"},
		{name: "tab", files: files{main: password + "x:\n\t- " + secret}, want: main + ":4: not valid YAML at or shortly before this line"},
		{name: "unknown alias", files: files{main: password + "x: *" + secret}, want: main + ": not valid YAML"},
		{name: "binary", files: files{main: password + "\x00\x01"}, want: main + ": not valid YAML"},
		{
			name:  "broken included file",
			files: files{main: password + "include_config_file: more.yml", "/etc/ejabberd/more.yml": "a: 1\n" + secret + ": {"},
			want:  "/etc/ejabberd/more.yml:2: not valid YAML at or shortly before this line",
		},
		{name: "missing included file", files: files{main: password + "include_config_file: /" + secret}, want: main + ":3: the included file does not exist"},
		{
			name:  "closed included file",
			files: files{main: password + "include_config_file: [/etc/more.yml]", "/etc/more.yml": "!"}, is: fs.ErrPermission,
			want: "/etc/more.yml: permission denied: run as root or ejabberd, or let the service read facts: ejabberd_exporter --discover, as root, writes them without secrets, and --ejabberd.facts reads them",
		},
		{name: "include of nothing", files: files{main: password + "include_config_file: [[" + secret + "]]"}, want: main + ":3: include_config_file is not understood: want paths"},
		{name: "file that includes itself", files: files{main: password + "include_config_file: " + main}, want: main + ": includes itself"},
		{
			name:  "files that include each other",
			files: files{main: password + "include_config_file: /b.yml", "/b.yml": "include_config_file: /c.yml", "/c.yml": "include_config_file: /b.yml"},
			want:  "/b.yml: includes itself",
		},
		{name: "macro defined twice", files: files{main: password + "define_macro:\n  A: 1\n  A: " + secret}, want: main + ":5: a macro of this name is defined twice: rename one of them"},
		{name: "macro that stands for itself", files: files{main: password + "define_macro: {" + "A: B, B: A}"}, want: main + ":3: a macro stands for itself"},
		{
			name: "environment", files: files{main: password}, environ: []string{"EJABBERD_MACRO_A=[" + secret},
			want: "environment: EJABBERD_MACRO_A is not YAML",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.files.read(c.environ...)
			if err == nil {
				t.Fatal("read without an error")
			}
			if err.Error() != c.want {
				t.Errorf("error\n%v, want\n%s", err, c.want)
			}
			for _, kind := range []error{fs.ErrNotExist, fs.ErrPermission} {
				if got, want := errors.Is(err, kind), c.is != nil && errors.Is(c.is, kind); got != want {
					t.Errorf("errors.Is(err, %v) = %v", kind, got)
				}
			}
		})
	}
}

// Two files that include each other's next twice are a small tree of two to the power of its depth.
func TestManyIncludes(t *testing.T) {
	many := files{"/etc/ejabberd/ejabberd.yml": "hosts: [a.example]\ninclude_config_file: [/0, /0]"}
	for i := range 30 {
		many[fmt.Sprintf("/%d", i)] = fmt.Sprintf("include_config_file: [/%d, /%d]", i+1, i+1)
	}
	many["/30"] = ""
	if _, err := many.read(); err == nil || !strings.HasSuffix(err.Error(), "more than 1000 files are included") {
		t.Errorf("error %v", err)
	}
}

// A secret that stands where another value belongs must not come out by the note about it, nor by the facts.
func TestSecretInTheWrongPlace(t *testing.T) {
	for _, place := range []string{
		"hosts: [a.example, {x: SECRET}]", "hosts: [a.example]\nlisten: SECRET", "hosts: [a.example]\nlisten: [{port: SECRET}]",
		"hosts: [a.example]\nlisten: [{port: 5222, module: ejabberd_c2s, ip: SECRET, tls: SECRET}]",
		"hosts: [a.example]\nlisten: [{port: 5222, module: ejabberd_c2s, transport: SECRET}]",
		"hosts: [a.example]\nlisten: [{port: 5222, module: ejabberd_http, request_handlers: {/api: [SECRET]}}]",
		"hosts: [a.example]\ndefault_db: sql\nsql_type: pgsql\nsql_port: SECRET\nsql_pool_size: SECRET\nnew_sql_schema: SECRET",
		"hosts: [a.example]\ndefault_db: sql\nsql_type: SECRET\nsql_server: SECRET",
		"hosts: [a.example]\nmodules: {mod_http_upload: {max_size: SECRET, jid_in_url: SECRET}, mod_http_upload_quota: {max_days: SECRET}}",
		"hosts: [a.example]\nmodules: SECRET", "hosts: [a.example]\nhost_config: {SECRET: {modules: {}}}", "hosts: [a.example]\ncertfiles: [{x: SECRET}]",
		"hosts: [a.example]\nmodules: {mod_metrics: {port: SECRET, ip: SECRET}}",
		"hosts: [a.example]\ninclude_config_file: /SECRET.cfg",
	} {
		config := readText(t, strings.ReplaceAll(place, "SECRET", secret))
		var page strings.Builder
		if err := config.Write(&page); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page.String(), secret) {
			t.Errorf("%s\ncomes out as\n%s", place, page.String())
		}
	}
}
