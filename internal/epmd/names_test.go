// SPDX-License-Identifier: Apache-2.0

package epmd

import (
	"encoding/binary"
	"errors"
	"net"
	"reflect"
	"strconv"
	"testing"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// TestRealEpmd asks the epmd with which a real ejabberd has registered.
func TestRealEpmd(t *testing.T) {
	service.Require(t)
	s := service.ForTest(t, service.Options{NoSQL: true})
	nodes, err := Names(t.Context(), s.Ejabberd.EpmdPort())
	if err != nil || len(nodes) != 1 || nodes[0].Name != "ejabberd" {
		t.Fatalf("got %v, %v, want the node ejabberd", nodes, err)
	}
	conn, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(nodes[0].Port)))
	if err != nil {
		t.Fatalf("nobody listens on the port of the node: %v", err)
	}
	_ = conn.Close()
}

func TestNoEpmd(t *testing.T) {
	ports, err := service.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Names(t.Context(), ports[0]); !errors.Is(err, ErrNone) {
		t.Errorf("got %v, want %v", err, ErrNone)
	}
}

func answer(port uint32, text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, port), text...)
}

func TestParse(t *testing.T) {
	nodes, err := parse(answer(4369, "name ejabberd at port 41234\nname ctl-1 at port 5\nand something else\n"), 4369)
	if want := []Node{{"ejabberd", 41234}, {"ctl-1", 5}}; err != nil || !reflect.DeepEqual(nodes, want) {
		t.Errorf("got %v, %v, want %v", nodes, err, want)
	}
	for name, wrong := range map[string][]byte{"nothing": nil, "HTTP": []byte("HTTP/1.1 400 Bad Request\r\n"), "another port": answer(4370, "")} {
		if nodes, err := parse(wrong, 4369); err == nil {
			t.Errorf("%s: taken for epmd's answer: %v", name, nodes)
		}
	}
}

// FuzzParse: whatever answers on the port, reading it ends with nodes or an error.
func FuzzParse(f *testing.F) {
	f.Add(answer(4369, "name ejabberd at port 41234\n"))
	f.Add(answer(4369, "name  at port 99999999999999999999\nname x at port -1"))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		nodes, err := parse(text, 4369)
		for _, node := range nodes {
			if err != nil || node.Name == "" || node.Port < 1 || node.Port > 65535 {
				t.Errorf("%q: node %+v, %v", text, node, err)
			}
		}
	})
}
