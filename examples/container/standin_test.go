// SPDX-License-Identifier: Apache-2.0

package container_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// golangImage is what the Dockerfile begins with.
const golangImage = "docker.io/library/golang:1.26"

// standIn makes an image under the name of Go's, with what this Dockerfile uses of that: a shell, make, the authorities, and Go,
// which is mounted as it lies here. What it proves of the other image is nothing; of our Dockerfile, everything after FROM.
func (e engine) standIn(t *testing.T) {
	t.Helper()
	root := filepath.Join(e.dir, "golang", "rootfs")
	for _, dir := range []string{"bin", "tmp", "root", "go", "usr/local"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	needed := "/usr/bin/busybox /usr/bin/make /etc/ssl/certs/ca-certificates.crt " + output(t, "ldd", "/usr/bin/make")
	for word := range strings.FieldsSeq(needed) {
		if strings.HasPrefix(word, "/") {
			copyFile(t, word, filepath.Join(root, word))
		}
	}
	if err := os.Symlink("/usr/bin/busybox", filepath.Join(root, "bin/sh")); err != nil {
		t.Fatal(err)
	}
	e.write(t, "golang/Dockerfile", "FROM scratch\nCOPY rootfs/ /\n"+
		"ENV PATH=/usr/local/go/bin:/usr/bin:/bin GOMODCACHE=/go/pkg/mod GOCACHE=/go/build GOPROXY=off GOTOOLCHAIN=local\n")
	e.build(t, golangImage, filepath.Join(e.dir, "golang"))
}

// mounts lend a build the Go of this machine, and what it has downloaded and compiled.
func mounts(t *testing.T) []string {
	t.Helper()
	output(t, "go", "-C", repository, "mod", "download")
	return []string{
		"--volume=" + output(t, "go", "env", "GOROOT") + ":/usr/local/go:ro",
		"--volume=" + output(t, "go", "env", "GOMODCACHE") + ":/go/pkg/mod",
		"--volume=" + output(t, "go", "env", "GOCACHE") + ":/go/build",
	}
}

func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return strings.TrimSpace(string(out))
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil {
		t.Fatal(err)
	}
}

// content lists the files of an image.
func (e engine) content(t *testing.T, image string) (files []string) {
	t.Helper()
	// podman mounts images without a container; vfs has a plain directory for each.
	root := e.podman(t, "image", "mount", image)
	defer e.podman(t, "image", "unmount", image)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
