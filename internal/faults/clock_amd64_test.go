// SPDX-License-Identifier: Apache-2.0

package faults

import (
	"bytes"
	"debug/elf"
	endian "encoding/binary"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ofTheClock is what happens to the wall clock of an exporter, and to nobody else's.
var ofTheClock = []fault{
	{
		name: "the clock jumps a day ahead", may: []string{"ejabberd_accounts_active"}, // who was here today was here yesterday
		to: func(t *testing.T, _ *stage, e *exporter) (end func()) { return e.shifted(t, 24*time.Hour) },
	},
	{
		name: "the clock jumps a day back",
		to:   func(t *testing.T, _ *stage, e *exporter) (end func()) { return e.shifted(t, -24*time.Hour) },
	},
	{
		name: "the clock jumps an hour to and fro",
		to: func(t *testing.T, _ *stage, e *exporter) (end func()) {
			return repeatedly(t, func() error {
				back := e.shifted(t, time.Hour)
				<-time.After(time.Second)
				back()
				<-time.After(time.Second)
				return nil
			})
		},
	},
}

// shifted gives a process a wall clock of its own, until the end. Linux knows no such thing, but a program in Go reads the clock by
// a function that the kernel laid into its memory, and here it gets another one: which asks the kernel by a system call, and adds
// some seconds where the question was the wall clock (0, CLOCK_REALTIME).
func (e *exporter) shifted(t *testing.T, by time.Duration) (end func()) {
	t.Helper()
	pid := e.pid()
	code := []byte{
		0xb8, 228, 0, 0, 0, // mov eax, clock_gettime
		0x0f, 0x05, // syscall
		0x85, 0xff, // test edi, edi: which clock
		0x75, 10, // jnz to ret
		0x48, 0x8b, 0x0d, 4, 0, 0, 0, // mov rcx, what stands behind ret
		0x48, 0x01, 0x0e, // add [rsi], rcx
		0xc3, // ret
	}
	code = endian.LittleEndian.AppendUint64(code, uint64(by/time.Second))

	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	must(t, err)
	at, before := clockFunction(t, pid, memory, len(code))
	put := func(code []byte) {
		must(t, syscall.Kill(pid, syscall.SIGSTOP))
		_, err = memory.WriteAt(code, at)
		must(t, err)
		must(t, syscall.Kill(pid, syscall.SIGCONT))
	}
	put(code)
	if off := e.ahead(t); (off - by).Abs() > time.Minute {
		t.Fatalf("the exporter's clock is off by %v, want %v", off, by)
	}
	return func() { put(before); _ = memory.Close() }
}

// ahead is by how much the exporter's clock is ahead of ours: each answer of HTTP has the time.
func (e *exporter) ahead(t *testing.T) time.Duration {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, e.url+"/-/healthy", nil)
	must(t, err)
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	must(t, err)
	must(t, answer.Body.Close())
	now, err := http.ParseTime(answer.Header.Get("Date"))
	must(t, err)
	return time.Until(now)
}

// clockFunction is where a process has its function that reads clocks, and the first bytes of it.
func clockFunction(t *testing.T, pid int, memory *os.File, n int) (at int64, code []byte) {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	must(t, err)
	var from, to int64
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "[vdso]") {
			_, err := fmt.Sscanf(line, "%x-%x", &from, &to)
			must(t, err)
		}
	}
	image := make([]byte, to-from)
	_, err = memory.ReadAt(image, from)
	must(t, err)
	library, err := elf.NewFile(bytes.NewReader(image))
	must(t, err)
	symbols, err := library.DynamicSymbols()
	must(t, err)
	i := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == "__vdso_clock_gettime" })
	if i < 0 {
		t.Fatal("the kernel gave the exporter no function that reads clocks")
	}
	return from + int64(symbols[i].Value), image[symbols[i].Value:][:n]
}
