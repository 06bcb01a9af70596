// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
)

// The file that the Debian package leaves behind, where it is installed and may be read: nothing in it may be strange to us.
func TestReadInstalled(t *testing.T) {
	config, err := Read("/etc/ejabberd/ejabberd.yml")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		t.Skipf("needs Debian's ejabberd and root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(config.Notes) > 0 {
		t.Errorf("notes: %q", config.Notes)
	}
	if !slices.ContainsFunc(config.Listeners, func(l Listener) bool { return l.Module == "ejabberd_c2s" && l.StartTLS }) {
		t.Errorf("no listener for clients with STARTTLS among %+v", config.Listeners)
	}
	if !slices.Contains(config.APIURLs(), "https://127.0.0.1:5443/api") {
		t.Errorf("API at %q", config.APIURLs())
	}
}
