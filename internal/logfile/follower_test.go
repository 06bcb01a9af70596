// SPDX-License-Identifier: Apache-2.0

package logfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/chapril/ejabberd_exporter/internal/logfile"
)

const head = "2026-11-24 03:00:35.394778+00:00 [warning] <0.593.0>@ejabberd_c2s:process_auth_result/3:280 (tls|<0.593.0>) "

// failed is a line, and refusals what it counts.
const failed = head + "Failed c2s PLAIN authentication for user-canary@chapril.test from 192.0.2.7: Invalid username or password\n"

var refusals = logfile.Key{Metric: logfile.AuthFailures, Value: "PLAIN"}

// log is a log that a test writes and a follower follows.
type log struct {
	*testing.T
	*logfile.Follower
	path string
}

func follow(t *testing.T, present string) *log {
	t.Helper()
	l := &log{t, logfile.New(), filepath.Join(t.TempDir(), "ejabberd.log")}
	l.write(present)
	l.Point(l.path)
	t.Cleanup(func() { l.Point("") })
	return l
}

func (l *log) write(text string) {
	l.Helper()
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		l.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		l.Fatal(err)
	}
}

func (l *log) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// want compares a counter.
func (l *log) want(key logfile.Key, n uint64) {
	l.Helper()
	counts, err := l.Counts()
	l.must(err)
	if counts.Of[key] != n {
		l.Errorf("%+v is %d, want %d", key, counts.Of[key], n)
	}
}

func TestWhatWasThereBeforeIsNotCounted(t *testing.T) {
	l := follow(t, failed)
	l.want(refusals, 0)
	l.write(failed)
	l.want(refusals, 1)
}

func TestLineInPieces(t *testing.T) {
	l := follow(t, failed[:20])
	l.write(failed[20:]) // began before us
	l.want(refusals, 0)
	l.write(failed[:50])
	l.want(refusals, 0)
	l.write(failed[50:] + failed[:len(failed)-1])
	l.want(refusals, 1)
	l.write("\n")
	l.want(refusals, 2)
}

func TestRotation(t *testing.T) {
	l := follow(t, "")
	l.write(failed)
	l.want(refusals, 1)
	l.write(failed) // seen by nobody before the rename
	l.must(os.Rename(l.path, l.path+".1"))
	l.want(refusals, 2)
	old, err := os.OpenFile(l.path+".1", os.O_APPEND|os.O_WRONLY, 0)
	l.must(err)
	defer old.Close()
	l.write(failed) // the new one, as logrotate makes it
	l.want(refusals, 3)
	_, err = old.WriteString(failed) // by ejabberd, which has not noticed yet
	l.must(err)
	l.want(refusals, 4)
	l.write(failed)
	l.want(refusals, 5)
}

// TestTheOldLogIsLetGo: a renamed log is read on for a while, not for ever.
func TestTheOldLogIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := follow(t, "")
		for i := range 20 {
			l.must(os.Rename(l.path, fmt.Sprint(l.path, i)))
			l.write(failed)
			l.want(refusals, uint64(i+1))
		}
		time.Sleep(time.Minute)
		l.want(refusals, 20)
		open, err := filepath.Glob("/proc/self/fd/*")
		l.must(err)
		count := 0
		for _, fd := range open {
			if to, _ := os.Readlink(fd); strings.HasPrefix(to, l.path) {
				count++
			}
		}
		if count != 1 {
			t.Errorf("%d logs are open, want the present one", count)
		}
	})
}

func TestTruncationInPlace(t *testing.T) {
	l := follow(t, strings.Repeat(failed, 3))
	l.write(failed + failed[:20])
	l.want(refusals, 1)
	l.must(os.Truncate(l.path, 0))
	l.want(refusals, 1)
	l.write(failed)
	l.want(refusals, 2)
}

func TestRemovedAndMadeAnew(t *testing.T) {
	l := follow(t, failed)
	l.must(os.Remove(l.path))
	l.want(refusals, 0) // the counters stay
	l.write(failed)
	l.want(refusals, 1)
}

func TestLogThatIsNotThereYet(t *testing.T) {
	l := follow(t, "")
	l.must(os.Remove(l.path))
	other := &log{t, logfile.New(), l.path}
	other.Point(l.path)
	if _, err := other.Counts(); !errors.Is(err, logfile.ErrMissing) {
		t.Errorf("%v, want that it is missing", err)
	}
	other.write(failed) // all of it was written while we were looking
	other.want(refusals, 1)
}

func TestIdleUntilPointed(t *testing.T) {
	if _, err := logfile.New().Counts(); !errors.Is(err, logfile.ErrIdle) {
		t.Errorf("%v, want idle", err)
	}
}

func TestUnreadable(t *testing.T) {
	l := &log{t, logfile.New(), filepath.Join(t.TempDir(), "ejabberd.log")}
	l.write(failed)
	l.must(os.Chmod(l.path, 0))
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: the thread ends with us
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Error(err)
		}
		l.Point(l.path)
		if _, err := l.Counts(); !errors.Is(err, logfile.ErrUnreadable) || strings.Contains(err.Error(), l.path) {
			t.Errorf("%v, want that it may not be read", err)
		}
	}()
	<-done
	l.must(os.Chmod(l.path, 0o600))
	l.want(refusals, 0)
}

func TestLongLinesAreCut(t *testing.T) {
	l := follow(t, "")
	l.write(head + "Failed c2s PLAIN authentication for " + strings.Repeat("x", 1<<20) + "\n" + failed)
	l.want(refusals, 2)
	l.write(strings.Repeat("x", 1<<20) + failed) // a line of its own is not what comes after
	l.want(refusals, 2)
}

// TestBurst: a burst is counted at once, and in next to no memory.
func TestBurst(t *testing.T) {
	l := follow(t, "")
	lines := (10 << 20) / len(failed)
	l.write(strings.Repeat(failed, lines))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	l.want(refusals, uint64(lines))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("10 MiB of log took %d bytes of memory", grown)
	}
}

func TestLastLine(t *testing.T) {
	l := follow(t, failed)
	counts, err := l.Counts()
	l.must(err)
	if age := time.Since(counts.LastLine); age < 0 || age > time.Minute {
		t.Errorf("the log was written %v ago", age)
	}
	l.write(failed + "of that line, too\n")
	counts, err = l.Counts()
	l.must(err)
	if want := time.Date(2026, 11, 24, 3, 0, 35, 394778000, time.UTC); !counts.LastLine.Equal(want) {
		t.Errorf("the last line is of %v, want %v", counts.LastLine, want)
	}
}

// TestRunLooksByItself: two rotations between two questions lose nothing.
func TestRunLooksByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := follow(t, "")
		go l.Follower.Run(t.Context())
		for i := range 3 {
			l.write(failed)
			time.Sleep(2 * time.Second)
			l.must(os.Rename(l.path, fmt.Sprint(l.path, i)))
		}
		l.want(refusals, 3)
	})
}

// TestLastSuccess: when a mechanism last worked is told, that it failed or was never tried is not.
func TestLastSuccess(t *testing.T) {
	const accepted = "[info] <0.1.0>@ejabberd_c2s:process_auth_result/3:268 (tls|<0.1.0>) Accepted c2s PLAIN authentication for user-canary@chapril.test\n"
	l := follow(t, "2026-11-24 02:00:35.394778+00:00 "+accepted)
	l.write(failed)
	last := func() map[logfile.Key]time.Time {
		t.Helper()
		counts, err := l.Counts()
		l.must(err)
		return counts.Last
	}
	if got := last(); len(got) > 0 {
		t.Errorf("before anybody logged in: %v", got)
	}
	l.write("2026-11-24 03:00:35.394778+00:00 " + accepted + "2026-11-24 04:00:35.394778+00:00 " + accepted)
	l.write(failed)
	plain := logfile.Key{Metric: logfile.AuthSuccess, Value: "PLAIN"}
	if got, want := last(), time.Date(2026, 11, 24, 4, 0, 35, 394778000, time.UTC); len(got) != 1 || !got[plain].Equal(want) {
		t.Errorf("the last is %v, want %v", got, want)
	}
}
