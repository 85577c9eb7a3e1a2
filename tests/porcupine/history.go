// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

// line is one line of a history, see sim/history_file.c.
type line struct {
	Format string `json:"format"`
	Kind   string `json:"k"`
	Time   int64  `json:"t"`
	Number int64  `json:"n"`
	Frame  string `json:"f"`
	Path   string `json:"path"`
	Stat   string `json:"stat"`
}

const never = int64(1) << 62

// request is one request of a connection; returned is never where no answer came.
type request struct {
	client           int
	xid, op          int32
	body             []byte
	called, returned int64
	code             int32
	reply            []byte
	synced           int64 // when the sync right before it on the connection was called; 0: there was none
}

type history struct {
	requests []*request
	first    map[string]stat
	final    map[string]stat
	hasFinal bool
}

const (
	opCreate, opDelete, opExists, opGetData, opSetData, opSync = 1, 2, 3, 4, 5, 9
	opPing, opCheck, opMulti, opCreate2, opContainer, opTTL    = 11, 13, 14, 15, 19, 21
)

type connection struct {
	id      int
	waiting []*request
	last    *request
}

func (c *connection) sent(h *history, time int64, frame []byte) {
	r := reader{left: frame}
	sent := &request{client: c.id, called: time, returned: never}
	sent.xid, sent.op = r.int32(), r.int32()
	sent.body = r.left
	if c.last != nil && c.last.op == opSync {
		sent.synced = c.last.called
	}
	c.last = sent
	c.waiting = append(c.waiting, sent)
	h.requests = append(h.requests, sent)
}

func (c *connection) received(time int64, frame []byte) {
	r := reader{left: frame}
	xid := r.int32()
	r.int64()
	code := r.int32()
	for i, asked := range c.waiting {
		same := asked.xid == xid || (xid == -2 && asked.op == opPing)
		if xid != -1 && same {
			asked.returned, asked.code, asked.reply = time, code, r.left
			c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
			return
		}
	}
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return bytes
}

func readHistory(name string) (*history, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := &history{first: map[string]stat{}, final: map[string]stat{}}
	connections := map[int64]*connection{}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 64<<20)
	for number, opened := 1, 0; scanner.Scan(); number++ {
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, number, err)
		}
		if number == 1 && l.Format != "faaskeeper-history" {
			return nil, fmt.Errorf("%s is no history", name)
		}
		c := connections[l.Number]
		switch {
		case l.Kind == "connect":
			opened++
			connections[l.Number] = &connection{id: opened}
		case l.Kind == "sent" && c != nil:
			c.sent(h, l.Time, unhex(l.Frame))
		case l.Kind == "received" && c != nil:
			c.received(l.Time, unhex(l.Frame))
		case l.Kind == "first" || l.Kind == "node":
			r := reader{left: unhex(l.Stat)}
			nodes := h.first
			if l.Kind == "node" {
				nodes, h.hasFinal = h.final, true
			}
			nodes[string(unhex(l.Path))] = r.stat()
		}
	}
	return h, scanner.Err()
}
