// SPDX-License-Identifier: Apache-2.0

package service

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

type object map[string]any

// devtools speaks Chromium's DevTools protocol over a pair of pipes: JSON with a zero byte after each message.
type devtools struct {
	out  *os.File
	in   *os.File
	read *bufio.Reader
	last int

	happened   map[string]int // events, by session and method
	complaints map[string][]string
	requests   map[string][]string
}

// message is an answer or an event.
type message struct {
	ID      int             `json:"id"`
	Session string          `json:"sessionId"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error"`
}

func newDevtools(out, in *os.File) *devtools {
	return &devtools{
		out: out, in: in, read: bufio.NewReader(in),
		happened: map[string]int{}, complaints: map[string][]string{}, requests: map[string][]string{},
	}
}

func (d *devtools) close() { _, _ = d.out.Close(), d.in.Close() }

// call asks for something and waits for the answer.
func (d *devtools) call(session, method string, params object, into any) error {
	d.last++
	request := object{"id": d.last, "method": method}
	if params != nil {
		request["params"] = params
	}
	if session != "" {
		request["sessionId"] = session
	}
	text, err := json.Marshal(request)
	if err != nil {
		return err
	}
	if _, err := d.out.Write(append(text, 0)); err != nil {
		return err
	}
	for {
		m, err := d.next()
		switch {
		case err != nil:
			return err
		case m.ID != d.last:
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case into != nil:
			return json.Unmarshal(m.Result, into)
		default:
			return nil
		}
	}
}

// await waits for an event, unless it has happened already.
func (d *devtools) await(session, method string) error {
	for d.happened[session+" "+method] == 0 {
		if _, err := d.next(); err != nil {
			return err
		}
	}
	return nil
}

// next reads one message, and notes what it says if it is an event.
func (d *devtools) next() (*message, error) {
	text, err := d.read.ReadBytes(0)
	if err != nil {
		return nil, err
	}
	var m message
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		return nil, errors.New("not a message of DevTools")
	}
	if m.Method == "" {
		return &m, nil
	}
	d.happened[m.Session+" "+m.Method]++
	switch m.Method {
	case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Network.loadingFailed":
		d.complaints[m.Session] = append(d.complaints[m.Session], string(m.Params))
	case "Network.requestWillBeSent":
		var sent struct {
			Request struct {
				URL string `json:"url"`
			} `json:"request"`
		}
		if err := json.Unmarshal(m.Params, &sent); err != nil {
			return nil, err
		}
		d.requests[m.Session] = append(d.requests[m.Session], sent.Request.URL)
	}
	return &m, nil
}
