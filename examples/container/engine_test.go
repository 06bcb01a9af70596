// SPDX-License-Identifier: Apache-2.0

package container_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// variable is set by make test-image, which also installs what is needed.
const variable = "TEST_IMAGE"

// engine is buildah and podman on a storage of their own, which ends with the test. They pull nothing: every registry is refused.
type engine struct{ dir string }

func newEngine(t *testing.T) engine {
	t.Helper()
	if os.Getenv(variable) != "1" {
		t.Skip("make test-image runs this: it needs buildah and podman")
	}
	e := engine{t.TempDir()}
	e.write(t, "policy.json", `{"default":[{"type":"reject"}],"transports":{"containers-storage":{"":[{"type":"insecureAcceptAnything"}]}}}`)
	e.write(t, "registries.conf", "unqualified-search-registries = []\n")
	return e
}

func (e engine) write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(e.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// build makes an image. What is copied into it is what the test has made: containers of the build have no network to speak of.
func (e engine) build(t *testing.T, tag, dir string, args ...string) {
	t.Helper()
	args = append([]string{"bud", "--isolation=chroot", "--format=docker", "--pull-never", "--signature-policy=" + filepath.Join(e.dir, "policy.json"), "--tag=" + tag}, args...)
	if out, err := e.command(t, "buildah", append(args, dir)...).CombinedOutput(); err != nil {
		t.Fatalf("buildah: %v\n%s", err, out)
	}
}

// podman gives what podman says on standard output.
func (e engine) podman(t *testing.T, args ...string) string {
	t.Helper()
	out, err := e.try(t, args...)
	if err != nil {
		t.Fatalf("podman %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(out)
}

func (e engine) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	// systemd, which a build machine lacks, would start health checks, hold control groups and keep the journal.
	global := []string{"--runtime=runc", "--cgroup-manager=cgroupfs", "--events-backend=none", "--tmpdir=" + filepath.Join(e.dir, "tmp")}
	cmd := e.command(t, "podman", append(global, args...)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, complaints.String())
	}
	return string(out), err
}

// run runs an image as the Dockerfile advises. A build machine may not raise limits, so they are what they are there.
func (e engine) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return e.try(t, append([]string{
		"run", "--pull=never", "--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges",
		"--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
	}, args...)...)
}

func (e engine) command(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	storage := []string{"--root=" + filepath.Join(e.dir, "storage"), "--runroot=" + filepath.Join(e.dir, "run"), "--storage-driver=vfs"}
	cmd := exec.Command(program, append(storage, args...)...)
	cmd.Env = append(os.Environ(), "CONTAINERS_REGISTRIES_CONF="+filepath.Join(e.dir, "registries.conf"))
	return cmd
}

// get wants a page within the usual time of a scrape.
func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 15 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", url, answer.Status, err, text)
	}
	return string(text)
}
