// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"context"
	"io"
	"strings"
)

// Node is a node of the cluster.
type Node struct {
	Host     string // the part of its name after the "@"
	Running  bool
	Sessions int // on this node; -1 where ejabberd does not say
	Uptime   int // seconds; -1 where ejabberd does not say
}

// Cluster returns the nodes of the cluster. Up to 24.02 ejabberd names only those that run, then complete is false; nor does it
// tell more where sessions are kept in SQL, because it would have to ask its database.
func (c *Client) Cluster(ctx context.Context) (nodes []Node, complete bool, err error) {
	version, _, err := c.Status(ctx)
	if err != nil {
		return nil, false, err
	}
	cmd, read := listCluster, readNodes
	if Since(version, "24.06") && !c.inSQL("") {
		cmd, read, complete = listClusterDetailed, readNodeDetails, true
	}
	release, err := c.take(ctx, cmd)
	if err != nil {
		return nil, false, err
	}
	defer release()
	err = c.call(ctx, cmd, "", func(r io.Reader) error {
		nodes, err = read(r)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return nodes, complete, nil
}

// readNodes reads the answer of list_cluster: ["ejabberd@host", …], the nodes that run.
func readNodes(r io.Reader) ([]Node, error) {
	var names []string
	if err := readJSON(r, &names); err != nil {
		return nil, err
	}
	nodes := make([]Node, len(names))
	for i, name := range names {
		nodes[i] = Node{Host: hostOf(name), Running: true, Sessions: -1, Uptime: -1}
	}
	return known(nodes)
}

// readNodeDetails reads the answer of list_cluster_detailed: [{"name":…, "running":"true", "online_users":…, …}, …]. Numbers
// of a node that does not run, or does not answer the others, are -1.
func readNodeDetails(r io.Reader) ([]Node, error) {
	var details []struct {
		Name     string `json:"name"`
		Running  string `json:"running"`
		Sessions *int   `json:"online_users"`
		Uptime   *int   `json:"uptime_seconds"`
	}
	if err := readJSON(r, &details); err != nil {
		return nil, err
	}
	nodes := make([]Node, len(details))
	for i, d := range details {
		if d.Sessions == nil || d.Uptime == nil || d.Running == "" {
			return nil, errShape
		}
		nodes[i] = Node{Host: hostOf(d.Name), Running: d.Running == "true", Sessions: *d.Sessions, Uptime: *d.Uptime}
	}
	return known(nodes)
}

// known makes sure that every node has a name: the one that answers is among them.
func known(nodes []Node) ([]Node, error) {
	for _, n := range nodes {
		if n.Host == "" {
			return nil, errShape
		}
	}
	if len(nodes) == 0 {
		return nil, errShape
	}
	return nodes, nil
}

func hostOf(node string) string {
	_, host, _ := strings.Cut(node, "@")
	return host
}
