// SPDX-License-Identifier: Apache-2.0

// Package epmd asks Erlang's port mapper on this host which nodes have told it their ports, as epmd -names does.
package epmd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Port is where epmd listens unless ERL_EPMD_PORT says otherwise.
const Port = 4369

const (
	namesRequest = 'n'
	patience     = 2 * time.Second
	// answerMost is more than the lines of all nodes that one host runs.
	answerMost = 64 << 10
)

// ErrNone says that no epmd runs here.
var ErrNone = errors.New("no epmd listens")

// Node is a node of this host.
type Node struct {
	Name string // the part before the @
	Port int    // of Erlang's distribution
}

// Names lists the nodes that epmd knows.
func Names(ctx context.Context, port int) ([]Node, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNone
	case err != nil:
		return nil, fmt.Errorf("ask epmd for its nodes: %w", err)
	}
	defer func() { _ = conn.Close() }()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if _, err := conn.Write([]byte{0, 1, namesRequest}); err != nil {
		return nil, fmt.Errorf("ask epmd for its nodes: %w", err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, answerMost))
	if err != nil {
		return nil, fmt.Errorf("epmd's list of nodes: %w", err)
	}
	return parse(answer, port)
}

// parse reads epmd's own port in four bytes, then a line for each node: "name ejabberd at port 41234".
func parse(answer []byte, port int) ([]Node, error) {
	if len(answer) < 4 || binary.BigEndian.Uint32(answer) != uint32(port) {
		return nil, fmt.Errorf("what listens on port %d does not answer as epmd does", port)
	}
	var nodes []Node
	for line := range strings.Lines(string(answer[4:])) {
		var node Node
		if n, err := fmt.Sscanf(line, "name %s at port %d", &node.Name, &node.Port); err == nil && n == 2 && node.Port > 0 && node.Port < 1<<16 {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}
