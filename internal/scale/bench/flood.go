// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"github.com/chapril/ejabberd_exporter/internal/scale"
	"github.com/chapril/ejabberd_exporter/internal/service"
)

const (
	// floodFor is how long datagrams are sent at each pace.
	floodFor = 2 * time.Second
	// floodTurns of all paces, of which the median counts.
	floodTurns = 5
)

// paces are datagrams a second.
var paces = []int{50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 500_000}

// happened are the events of mod_metrics.
var happened = []string{
	"user_send_packet", "user_receive_packet", "s2s_send_packet", "s2s_receive_packet", "offline_message", "register_user", "remove_user",
	"sm_register_connection", "sm_remove_connection",
}

// counter is a program that counts datagrams on one core.
type counter struct {
	name      string
	port, pid int
	datagrams [][]byte
	lost      func(ctx context.Context) (float64, error) // inside the program, so far
}

// flood measures how many datagrams the exporter can count on one core, beside statsd_exporter.
func (b *bench) flood(ctx context.Context, p *part) error {
	ours, stop, err := b.ourCounter(ctx)
	if err != nil {
		return err
	}
	defer stop()
	theirs, stopTheirs, err := b.statsd(ctx)
	if err != nil {
		return err
	}
	defer stopTheirs()
	results := map[string][]flooded{}
	for range b.shorter(floodTurns) {
		for _, pace := range paces {
			for _, c := range []*counter{ours, theirs} {
				f, err := c.flood(ctx, pace)
				if err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
				key := fmt.Sprint(c.name, pace)
				results[key] = append(results[key], f)
			}
		}
	}
	at := func(c *counter, pace int, of func(flooded) float64) sample {
		var s sample
		for _, f := range results[fmt.Sprint(c.name, pace)] {
			s = append(s, of(f))
		}
		return s
	}
	loss := func(f flooded) float64 { return f.lost / f.sent }
	cost := func(f flooded) float64 { return f.cpu / (f.sent - f.lost) }
	var rows [][]string
	best := map[*counter]float64{}
	for _, pace := range paces {
		row := []string{fmt.Sprintf("%d", pace), fmt.Sprintf("%.0f", at(ours, pace, func(f flooded) float64 { return f.pace }).median())}
		for _, c := range []*counter{ours, theirs} {
			lost := at(c, pace, loss)
			if lost.median() == 0 {
				best[c] = at(c, pace, func(f flooded) float64 { return f.pace }).median()
			}
			row = append(row, fmt.Sprintf("%.2f %%", 100*lost.median()), seconds(at(c, pace, cost).median()))
		}
		rows = append(rows, row)
	}
	p.write("\nEach program on one core by itself, the sender on the other: events of nine kinds and three vhosts, for %s at each pace, medians of %d turns. "+
		"Ours reads what mod_metrics sends, statsd_exporter %s the same as counters of statsd (`name:1|c`, a datagram each), with the same 1 MiB asked for as buffer. "+
		"Lost is what the kernel or a queue of the program dropped; the processor time is that for one which was counted.\n", floodFor, b.shorter(floodTurns), version("statsd_exporter"))
	p.table([]string{"datagrams a second asked", "sent", "ours: lost", "CPU for one", "statsd_exporter: lost", "CPU for one"}, rows)
	most := paces[len(paces)-1]
	capacity := 1 / at(ours, most, cost).median()
	p.asked("datagrams a second on one core without loss", "at least 300,000", best[ours] >= 290_000, "%.0f; by the processor time of one, %.0f", best[ours], capacity)
	ratio := at(theirs, most, cost).over(at(ours, most, cost)).median()
	p.asked("datagrams and prometheus/statsd_exporter", "at least 3x", ratio >= 3,
		"%.0f and %.0f a second without loss; %.1fx by the processor time of one", best[ours], best[theirs], ratio)
	return nil
}

// flooded is what came of a pace.
type flooded struct{ sent, pace, lost, cpu float64 }

// flood sends datagrams at a pace and waits until all are read or dropped.
func (c *counter) flood(ctx context.Context, pace int) (flooded, error) {
	dropped, err := c.drops(ctx)
	if err != nil {
		return flooded{}, err
	}
	before, err := cpuOf(c.pid)
	if err != nil {
		return flooded{}, err
	}
	sent, took, err := send(c.port, c.datagrams, pace)
	if err != nil {
		return flooded{}, err
	}
	for range 100 { // until the queue is empty
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return flooded{}, err
		}
		if _, waiting, err := socketOf(c.port); err != nil {
			return flooded{}, err
		} else if waiting == 0 {
			break
		}
	}
	after, err := cpuOf(c.pid)
	if err != nil {
		return flooded{}, err
	}
	lost, err := c.drops(ctx)
	return flooded{float64(sent), float64(sent) / took.Seconds(), lost - dropped, (after - before).Seconds()}, err
}

// drops is what was lost so far, by the kernel or inside.
func (c *counter) drops(ctx context.Context) (float64, error) {
	n, _, err := socketOf(c.port)
	if err != nil || c.lost == nil {
		return n, err
	}
	inside, err := c.lost(ctx)
	return n + inside, err
}

// socketOf finds a UDP socket: what the kernel dropped of it, and the bytes that wait.
func socketOf(port int) (drops, waiting float64, err error) {
	text, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 13 || !strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			continue
		}
		_, queue, _ := strings.Cut(fields[4], ":")
		n, _ := strconv.ParseUint(queue, 16, 64)
		drops, err = strconv.ParseFloat(fields[12], 64)
		return drops, float64(n), err
	}
	return 0, 0, fmt.Errorf("nobody listens on UDP port %d", port)
}

// alike is how many equal datagrams are handed to the kernel in one piece.
const alike = 16

// bursts are messages of equal datagrams, which the kernel takes apart (UDP_SEGMENT): to send each by itself costs more than
// to count it, and no more than 250,000 a second were sent.
func bursts(datagrams [][]byte) []ipv4.Message {
	var messages []ipv4.Message
	for _, one := range datagrams {
		control := make([]byte, unix.CmsgSpace(2))
		header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
		header.Level, header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		header.SetLen(unix.CmsgLen(2))
		binary.NativeEndian.PutUint16(control[unix.CmsgLen(0):], uint16(len(one)))
		messages = append(messages, ipv4.Message{Buffers: [][]byte{bytes.Repeat(one, alike)}, OOB: control})
	}
	return messages
}

// send sends datagrams from the first core, a few at a time.
func send(port int, datagrams [][]byte, pace int) (sent int, took time.Duration, err error) {
	runtime.LockOSThread() // not given back: the thread ends with its goroutine, and the core with it
	var core unix.CPUSet
	core.Set(0)
	var all unix.CPUSet
	_ = unix.SchedGetaffinity(0, &all)
	if err := unix.SchedSetaffinity(0, &core); err != nil {
		return 0, 0, err
	}
	defer func() { _ = unix.SchedSetaffinity(0, &all); runtime.UnlockOSThread() }()
	udp, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return 0, 0, err
	}
	defer udp.Close()
	conn := ipv4.NewPacketConn(udp)
	messages := bursts(datagrams)
	began := time.Now()
	for time.Since(began) < floodFor {
		due := int(time.Since(began).Seconds() * float64(pace))
		if sent+alike > due {
			runtime.Gosched()
			continue
		}
		next := messages[sent/alike%len(messages):]
		n, err := conn.WriteBatch(next[:min(len(next), 4, (due-sent)/alike)], 0)
		if err != nil {
			return 0, 0, err
		}
		sent += n * alike
	}
	return sent, time.Since(began), nil
}

// ourCounter is an exporter that listens to nobody else.
func (b *bench) ourCounter(ctx context.Context) (*counter, func(), error) {
	ports, err := service.FreePorts(1)
	if err != nil {
		return nil, nil, err
	}
	e, err := startExporterWith(ctx, b.service, []string{"taskset", "-c", "1"}, b.bin, "--events.listen-address=127.0.0.1:"+strconv.Itoa(ports[0]))
	if err != nil {
		return nil, nil, err
	}
	c := &counter{name: "ours", port: ports[0], pid: e.pid()}
	for _, vhost := range scale.Domains {
		for _, event := range happened {
			c.datagrams = append(c.datagrams, fmt.Appendf(nil, "%s/localhost.%s:c/%d:1", vhost, event, time.Now().Unix()))
		}
	}
	return c, e.stop, nil
}

// statsd is prometheus/statsd_exporter, as make bench builds it.
func (b *bench) statsd(ctx context.Context) (*counter, func(), error) {
	ports, err := service.FreePorts(2)
	if err != nil {
		return nil, nil, err
	}
	web := "127.0.0.1:" + strconv.Itoa(ports[1])
	program := exec.CommandContext(ctx, "taskset", "-c", "1", "bin/tools/statsd_exporter", "--statsd.listen-tcp=", "--statsd.read-buffer=1048576",
		"--statsd.listen-udp=127.0.0.1:"+strconv.Itoa(ports[0]), "--web.listen-address="+web, "--log.level=error")
	if err := program.Start(); err != nil {
		return nil, nil, fmt.Errorf("start statsd_exporter: %w", err)
	}
	stop := func() { _ = program.Process.Kill(); _ = program.Wait() }
	c := &counter{name: "statsd_exporter", port: ports[0], pid: program.Process.Pid}
	reader := &exporter{url: "http://" + web, web: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	c.lost = func(ctx context.Context) (total float64, err error) {
		page, err := reader.get(ctx, "/metrics", 0)
		for line := range strings.Lines(string(page)) {
			if text, ok := strings.CutPrefix(line, "statsd_exporter_udp_packet_drops_total "); ok {
				total, _ = strconv.ParseFloat(strings.TrimSpace(text), 64)
			}
		}
		return total, err
	}
	for range 100 {
		if _, err = c.lost(ctx); err == nil {
			break
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			break
		}
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	for _, vhost := range scale.Domains {
		for _, event := range happened {
			c.datagrams = append(c.datagrams, fmt.Appendf(nil, "ejabberd.%s.%s:1|c", strings.ReplaceAll(vhost, ".", "_"), event))
		}
	}
	return c, stop, nil
}
