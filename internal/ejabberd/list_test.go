// SPDX-License-Identifier: Apache-2.0

package ejabberd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// As 23.01 writes it; the resource and the status text belong to their owner, and so does how long and odd they are.
const threeSessions = `[{"jid":"juliet@chapril.org/a/b@c\"}]","connection":"c2s_tls","ip":"::ffff:192.0.2.1","port":57180,"priority":-1,` +
	`"node":"ejabberd@xmpp1","uptime":61,"status":"xa","resource":"a/b@c\"}]","statustext":"\\\"[{\u00e9"},
	{"uptime":0,"statustext":"","status":"available","connection":"websocket","new":{"a":[1,{"b":null},"]}"],"c":{}},"ip":"2001:db8::1","jid":"rom\u00e9o@müller.example/x"} ,
	{"jid":"juliet@chapril.org/2","connection":"http_bind","ip":"192.0.2.1","uptime":3600,"status":"dnd","yes":true,"list":[]}]` + "\n"

func TestSessionsInfo(t *testing.T) {
	want := []Session{
		{Vhost: "chapril.org", Account: AccountOf("juliet", "chapril.org"), Connection: "c2s_tls", Family: "ip4", Uptime: 61, Show: "xa"},
		{
			Vhost: "xn--mller-kva.example", Account: AccountOf("roméo", "xn--mller-kva.example"),
			Connection: "websocket", Family: "ip6", Show: "available",
		},
		{Vhost: "chapril.org", Account: AccountOf("juliet", "chapril.org"), Connection: "http_bind", Family: "ip4", Uptime: 3600, Show: "dnd"},
	}
	for name, r := range map[string]io.Reader{
		"at once": strings.NewReader(threeSessions), "byte by byte": iotest.OneByteReader(strings.NewReader(threeSessions)),
	} {
		var got []Session
		if err := readSessions(r, func(s Session) { got = append(got, s) }); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func TestConnectedUsers(t *testing.T) {
	c := client(t, answers(t, map[string]string{
		"connected_users {}": `["juliet@chapril.org/phone","juliet@chapril.org/a@b/c","romeo@libre.test/\"x"]`,
	}).URL)
	vhosts, accounts := map[string]int{}, map[Account]int{}
	err := c.ConnectedUsers(t.Context(), func(vhost string, account Account) { vhosts[vhost]++; accounts[account]++ })
	if err != nil || !reflect.DeepEqual(vhosts, map[string]int{"chapril.org": 2, "libre.test": 1}) {
		t.Errorf("%v, %v", vhosts, err)
	}
	if want := map[Account]int{AccountOf("juliet", "chapril.org"): 2, AccountOf("romeo", "libre.test"): 1}; !reflect.DeepEqual(accounts, want) {
		t.Errorf("accounts %v, want %v", accounts, want)
	}
	if n, err := c.SessionCount(t.Context()); n != 3 || err != nil { // which ejabberd is not asked for
		t.Errorf("%d sessions, %v", n, err)
	}
}

func TestEmptyLists(t *testing.T) {
	c := client(t, answers(t, map[string]string{"connected_users {}": "[]", "connected_users_info {}": " [ ] "}).URL)
	if err := c.ConnectedUsers(t.Context(), func(string, Account) { t.Error("a user") }); err != nil {
		t.Error(err)
	}
	if err := c.ConnectedUsersInfo(t.Context(), func(Session) { t.Error("a session") }); err != nil {
		t.Error(err)
	}
}

func TestBrokenLists(t *testing.T) {
	ok := `{"jid":"a@b/c","connection":"c2s","ip":"","uptime":1,"status":""}`
	for _, text := range []string{
		"", "{}", "[", "[{", "[{]", "[" + ok, "[" + ok + ",]", "[" + ok + ok + "]", "[" + ok + "] x", "[" + ok + "]]", `[{}]`, `[[]]`, `[1]`,
		`[{"jid":"a@b/c"}]`,
		strings.Replace("["+ok+"]", `"uptime"`, `"other"`, 1), strings.Replace("["+ok+"]", `"ip"`, `"other"`, 1),
		strings.Replace("["+ok+"]", "a@b/c", "b/c", 1), strings.Replace("["+ok+"]", "a@b/c", "@b/c", 1),
		strings.Replace("["+ok+"]", "a@b/c", "a@/c", 1), strings.Replace("["+ok+"]", ":1", `:"1"`, 1),
		strings.Replace("["+ok+"]", ":1", `:1.5`, 1), strings.Replace("["+ok+"]", ":1", `:1111111111111111111`, 1),
		strings.Replace("["+ok+"]", ":1", `:-`, 1), strings.Replace("["+ok+"]", ":1", `:`, 1),
		strings.Replace("["+ok+"]", `"c2s"`, `null`, 1), strings.Replace("["+ok+"]", `"c2s"`, `"\x"`, 1),
		strings.Replace("["+ok+"]", `"ip"`, `"x":]`, 1), strings.Replace("["+ok+"]", `"ip"`, `"x":,"ip"`, 1),
		`[{"jid":"` + strings.Repeat("a", 1<<20) + `"}]`,
	} {
		if err := readSessions(strings.NewReader(text), func(Session) {}); err == nil {
			t.Errorf("accepted %.80s", text)
		}
	}
	if err := readSessions(strings.NewReader("["+ok+"]"), func(Session) {}); err != nil {
		t.Errorf("the list that the others are made from: %v", err)
	}
}

// A user can set a status text as long as a stanza may be, and must not break the count with it.
func TestLongStatusTexts(t *testing.T) {
	const rest = `"jid":"a@b/c","connection":"c2s","ip":"","uptime":1,"status":""`
	for _, text := range []string{strings.Repeat("x", 1<<20), strings.Repeat(`\"`, 1<<19), strings.Repeat(`\\`, 99_999) + `\"`} {
		n := 0
		list := `[{"statustext":"` + text + `",` + rest + `},{` + rest + `}]`
		if err := readSessions(strings.NewReader(list), func(Session) { n++ }); err != nil || n != 2 {
			t.Errorf("%.10s…: %d sessions, %v", text, n, err)
		}
	}
}

func writeSessions(w io.Writer, n int) {
	_, _ = io.WriteString(w, "[")
	for i := range n {
		if i > 0 {
			_, _ = io.WriteString(w, ",")
		}
		_, _ = fmt.Fprintf(w, `{"jid":"user%d@chapril.org/phone.%d","connection":"c2s_tls","ip":"::ffff:192.0.2.%d","port":57180,"priority":5,`+
			`"node":"ejabberd@xmpp1","uptime":%d,"status":"available","resource":"phone.%d","statustext":"at the \"balcony\""}`, i, i, i%256, i, i)
	}
	_, _ = io.WriteString(w, "]")
}

// 200,000 sessions, 40 MB, pass through a few hundred kilobytes.
func TestManySessionsInConstantMemory(t *testing.T) {
	const sessions = 200_000
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { writeSessions(w, sessions) })
	c := client(t, s.URL)
	n, last, most := 0, Account(0), uint64(0)
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	before := memory.HeapAlloc
	err := c.ConnectedUsersInfo(t.Context(), func(s Session) {
		n++
		last = s.Account
		if n%20_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&memory)
			most = max(most, memory.HeapAlloc)
		}
	})
	if err != nil || n != sessions || last != AccountOf(fmt.Sprintf("user%d", sessions-1), "chapril.org") {
		t.Errorf("%d sessions, %v", n, err)
	}
	if most > before+1<<20 {
		t.Errorf("%d bytes in use while reading, %d before", most, before)
	}
}

func TestNoAllocationPerSession(t *testing.T) {
	allocations := func(sessions int) float64 {
		var list strings.Builder
		writeSessions(&list, sessions)
		return testing.AllocsPerRun(5, func() {
			if err := readSessions(strings.NewReader(list.String()), func(Session) {}); err != nil {
				t.Error(err)
			}
		})
	}
	if few, many := allocations(10), allocations(10_000); many > few+1 {
		t.Errorf("%.0f allocations for 10 sessions, %.0f for 10,000", few, many)
	}
}

func BenchmarkConnectedUsersInfo(b *testing.B) {
	var list strings.Builder
	writeSessions(&list, 10_000)
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(int64(list.Len()))
		b.ReportAllocs()
		for b.Loop() {
			if err := readSessions(strings.NewReader(list.String()), func(Session) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(list.Len()))
		b.ReportAllocs()
		for b.Loop() {
			var all []jsonSession
			if err := json.NewDecoder(strings.NewReader(list.String())).Decode(&all); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// jsonSession is a session as encoding/json reads it.
type jsonSession struct {
	JID        string `json:"jid"`
	Connection string `json:"connection"`
	IP         string `json:"ip"`
	Uptime     int    `json:"uptime"`
	Status     string `json:"status"`
}
