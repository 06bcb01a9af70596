// SPDX-License-Identifier: Apache-2.0

package service

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreePorts gives n different port numbers that are free for TCP and UDP on 127.0.0.1 and, where it exists, ::1. They lie
// below the range from which the kernel takes ports for outgoing connections, so that none of those comes first.
func FreePorts(n int) ([]int, error) {
	var held []func()
	defer func() {
		for _, release := range held {
			release()
		}
	}()
	hosts := Loopback()
	ports := make([]int, 0, n)
	for range 100 * n {
		if len(ports) == n {
			return ports, nil
		}
		port := 10000 + rand.IntN(22000)
		release, err := holdPort(hosts, port)
		if err != nil {
			continue
		}
		held = append(held, release)
		ports = append(ports, port)
	}
	return nil, errors.New("no free loopback ports between 10000 and 32000")
}

// Loopback gives 127.0.0.1 and, where this machine has it, ::1.
func Loopback() []string {
	probe, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return []string{"127.0.0.1"}
	}
	_ = probe.Close()
	return []string{"127.0.0.1", "::1"}
}

func holdPort(hosts []string, port int) (release func(), err error) {
	var closers []func() error
	release = func() {
		for _, closer := range closers {
			_ = closer()
		}
	}
	for _, host := range hosts {
		address := net.JoinHostPort(host, strconv.Itoa(port))
		tcp, err := net.Listen("tcp", address)
		if err != nil {
			release()
			return nil, fmt.Errorf("port is taken: %w", err)
		}
		closers = append(closers, tcp.Close)
		udp, err := net.ListenPacket("udp", address)
		if err != nil {
			release()
			return nil, fmt.Errorf("port is taken: %w", err)
		}
		closers = append(closers, udp.Close)
	}
	return release, nil
}

// listen gives a check that all these ports are open on 127.0.0.1.
func listen(ports ...int) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		for _, port := range ports {
			if port == 0 { // not configured
				continue
			}
			conn, err := dialer.DialContext(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				return err
			}
			if err := conn.Close(); err != nil {
				return err
			}
		}
		return nil
	}
}
