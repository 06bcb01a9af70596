// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Whatever stands in the files, reading ends, soon, with facts that can be used or an error.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/ejabberd.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, []byte("ERL_MAX_PORTS=1\nSPOOL_DIR=relative"))
	}
	f.Add([]byte("hosts: &a [x, *a]\nshaper_rules: {hard_upload_quota: *a}\nmodules: {mod_http_upload: {}, mod_http_upload_quota: {}}"), []byte("HOME="))
	f.Add([]byte("hosts: [X]\ndefine_macro: {X: [X], Y: '@Y@@Y@'}\ndocroot: '@Y@'\ninclude_config_file: {/more.yml: {disallow: X}}"), []byte("EJABBERD_MACRO_X=*"))
	f.Fuzz(func(t *testing.T, yml, ctl []byte) {
		main := "/etc/ejabberd/ejabberd.yml"
		config, err := files{main: string(yml), "/more.yml": string(yml), "/etc/ejabberd/ejabberdctl.cfg": string(ctl)}.read()
		if err != nil {
			return
		}
		if len(config.Hosts) == 0 {
			t.Error("no error and no hosts")
		}
		for _, u := range config.Uploads {
			if !filepath.IsAbs(u.Docroot) || u.MaxSize < 0 || u.SoftQuota < 0 || u.HardQuota < u.SoftQuota || u.Retention < 0 {
				t.Errorf("upload %+v", u)
			}
		}
		for _, db := range config.Databases {
			if db.Port < 1 || db.Port > 65535 || db.PoolSize < 0 || len(db.Vhosts) == 0 {
				t.Errorf("database %+v", db)
			}
		}
		config.APIURLs()
		if err := config.Write(io.Discard); err != nil {
			t.Error(err)
		}
	})
}
