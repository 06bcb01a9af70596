// SPDX-License-Identifier: Apache-2.0

package sockets

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// nobody is the user that the tests run again as.
const nobody = 65534

// TestRealKernel compares what the kernel says with sockets that the test opens.
func TestRealKernel(t *testing.T) {
	for _, c := range []struct{ network, listen, dial, bound string }{
		{"tcp4", "127.0.0.1:0", "127.0.0.1", "127.0.0.1"},
		{"tcp6", "[::1]:0", "::1", "::1"},
		{"tcp", "[::]:0", "127.0.0.1", "::"},
	} {
		t.Run(c.network, func(t *testing.T) {
			l, err := net.Listen(c.network, c.listen)
			if err != nil {
				t.Skip("no such address on this machine")
			}
			defer l.Close()
			port := l.Addr().(*net.TCPAddr).Port
			ours := open(t, l, c.dial)
			all, err := List(t.Context(), TCP, Established, Listening)
			if err != nil {
				t.Fatal(err)
			}
			listening, connected := 0, 0
			for _, s := range all {
				switch {
				case s.ListensOn(TCP, netip.MustParseAddr(c.bound), port):
					listening++
				case s.State == Established && s.LocalPort == port:
					connected++
					if dialled := family(netip.MustParseAddr(c.dial)); s.Family != dialled || !s.PeerHere || s.RTT <= 0 || s.PeerPort != ours || int(s.UID) != os.Getuid() {
						t.Errorf("got %s here=%v rtt=%v uid=%d", s.Family, s.PeerHere, s.RTT, s.UID)
					}
				}
			}
			if listening != 1 || connected != 1 {
				t.Errorf("%d listen, %d are connected, want 1 and 1", listening, connected)
			}
		})
	}
}

// open connects to the listener, both ways used once so that there is a round-trip time, and gives the client's port.
func open(t *testing.T, l net.Listener, ip string) int {
	t.Helper()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	client, err := net.Dial("tcp", net.JoinHostPort(ip, port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		if _, err := way[0].Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := way[1].Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	return client.LocalAddr().(*net.TCPAddr).Port
}

func TestRealUDP(t *testing.T) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	all, err := List(t.Context(), UDP)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.ListensOn(UDP, netip.MustParseAddr("127.0.0.1"), conn.LocalAddr().(*net.UDPAddr).Port) && s.Serves(IP4) && !s.Serves(IP6) {
			return
		}
	}
	t.Errorf("the socket is not among %d", len(all))
}

// TestUnprivileged runs the tests above as a user who owns nothing.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("the other tests are unprivileged already")
	}
	program, err := os.Open("/proc/self/exe") // the test's directory is closed to others
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3", "-test.run=TestReal", "-test.v")
	cmd.ExtraFiles = []*os.File{program}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestBacklog: the kernel tells how many may wait, as whoever called listen asked for.
func TestBacklog(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 7) }); err != nil {
		t.Fatal(err)
	}
	all, err := List(t.Context(), TCP, Listening)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.LocalPort == l.Addr().(*net.TCPAddr).Port {
			if s.Backlog != 7 || s.Everywhere() {
				t.Errorf("backlog %d, everywhere %t, want 7 and false", s.Backlog, s.Everywhere())
			}
			return
		}
	}
	t.Error("our own socket is not listed")
}
