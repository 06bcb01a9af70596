// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrNotMounted is told of a document root on whose place a file system should be mounted: what lies below is no upload, and to say
// that there are none would be false.
var ErrNotMounted = errors.New("a file system of /etc/fstab is not mounted there: mount it")

// Mounted tells whether the file system that /etc/fstab wants below a document root is there. Where that cannot be told it is
// no error.
func Mounted(docroot string) error {
	wanted, err := wantedMounts("/etc/fstab")
	if err != nil {
		return nil //nolint:nilerr // a container has none
	}
	present, err := presentMounts()
	if err != nil {
		return nil //nolint:nilerr // hidden
	}
	return mounted(docroot, wanted, present)
}

func mounted(docroot string, wanted, present []string) error {
	path, err := filepath.EvalSymlinks(docroot)
	if err != nil {
		return nil //nolint:nilerr // who walks there says so
	}
	for _, point := range wanted {
		below := path == point || strings.HasPrefix(path, point+"/")
		if below && !slices.Contains(present, point) {
			return fmt.Errorf("upload docroot %s: %w", docroot, ErrNotMounted)
		}
	}
	return nil
}

// wantedMounts are the mount points of fstab(5), without those that are mounted by hand only.
func wantedMounts(fstab string) (points []string, err error) {
	err = eachLine(fstab, func(fields []string) {
		if len(fields) > 3 && !strings.HasPrefix(fields[0], "#") && !slices.Contains(strings.Split(fields[3], ","), "noauto") {
			points = append(points, filepath.Clean(unescape.Replace(fields[1])))
		}
	})
	return points, err
}

// presentMounts are the mount points that this process sees: mountinfo of proc(5).
func presentMounts() (points []string, err error) {
	err = eachLine("/proc/self/mountinfo", func(fields []string) {
		if len(fields) > 4 {
			points = append(points, unescape.Replace(fields[4]))
		}
	})
	return points, err
}

// unescape undoes what both tables do to white space and backslashes.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func eachLine(path string, tell func(fields []string)) error {
	text, err := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		tell(strings.Fields(line))
	}
	return err
}
