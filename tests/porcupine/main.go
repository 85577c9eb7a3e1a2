// SPDX-License-Identifier: Apache-2.0

// Porcupine as a second opinion on recorded histories: is there, for each path by itself, an order of its writes that
// agrees with real time and with every answer? It shares nothing with the checkers in sim/ but the file: it reads the
// frames itself, looks at no zxid, and searches where they replay.
//
// Of a path it judges create, delete, setData, check, the parts of multis, the final state, and reads right behind a
// sync, which are promised to be linearizable here. What a path is: whether it exists and its version. Left out are
// paths that can vanish without a request of their own (ephemerals, containers, TTL) or appear under a name that only
// the answer tells (sequential).
//
//	porcupine FILE...    one line per file: ok, FAILED or SKIPPED, and what was judged
package main

import (
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	codeNoNode, codeBadVersion, codeExists, codeNotEmpty = -101, -103, -110, -111

	keyTimeout = 20 * time.Second
)

// node is the state of a path.
type node struct {
	exists  bool
	version int32
}

// step is one operation on one path.
type step struct {
	op      int32
	version int32 // wanted; or told, for reads
	free    bool  // an answer that says nothing of this path
	unknown bool  // no answer: applied, or not
	code    int32
	told    int32 // version in the answer of setData
	hasTold bool
}

func (n node) fits(version int32) bool {
	return n.exists && (version == -1 || version == n.version)
}

// apply gives the state behind an operation that succeeds; false where it can't.
func (n node) apply(s step) (node, bool) {
	switch s.op {
	case opCreate:
		return node{exists: true}, !n.exists
	case opDelete:
		return node{}, n.fits(s.version)
	case opSetData:
		next := node{exists: true, version: n.version + 1}
		return next, n.fits(s.version) && (!s.hasTold || s.told == next.version)
	case opCheck:
		return n, n.fits(s.version)
	default: // a read
		return n, n.exists && n.version == s.version
	}
}

// failed says whether an operation can have failed so in a state.
func (n node) failed(s step) bool {
	switch s.code {
	case codeNoNode:
		return s.op == opCreate || !n.exists // of create it is the parent that is missing
	case codeExists:
		return n.exists
	case codeBadVersion:
		return n.exists && !n.fits(s.version)
	case codeNotEmpty:
		return n.exists
	default:
		return true // permissions and arguments say nothing of the state
	}
}

func model(initial node) porcupine.Model {
	return porcupine.Model{
		Init: func() interface{} { return initial },
		Step: func(state, input, output interface{}) (bool, interface{}) {
			n, s := state.(node), input.(step)
			next, can := n.apply(s)
			switch {
			case s.free:
				return true, n
			case s.unknown && can:
				return true, next
			case s.unknown:
				return true, n
			case s.code != 0:
				return n.failed(s), n
			}
			return can, next
		},
	}
}

// keys collects the operations of each path.
type keys struct {
	operations map[string][]porcupine.Operation
	left       map[string]bool // paths left out
}

func (k *keys) add(path string, r *request, s step, called int64) {
	k.operations[path] = append(k.operations[path],
		porcupine.Operation{ClientId: r.client, Input: s, Call: called, Output: nil, Return: r.returned})
}

// part reads one write; the path that it is about.
func part(op int32, body *reader) (string, step, bool) {
	path := string(body.buffer())
	s := step{op: op}
	plain := true
	switch op {
	case opDelete, opCheck:
		s.version = body.int32()
	case opSetData:
		body.buffer()
		s.version = body.int32()
	default:
		body.buffer()
		body.acl()
		flags := body.int32()
		plain = op != opContainer && op != opTTL && (flags == 0 || flags == 4)
		if op == opTTL {
			body.int64()
		}
		s.op = opCreate
	}
	return path, s, plain
}

func (k *keys) write(r *request) {
	body, reply := reader{left: r.body}, reader{left: r.reply}
	path, s, plain := part(r.op, &body)
	s.unknown, s.code = r.returned == never, r.code
	if !plain {
		k.left[path] = true
		if !s.unknown && r.code == 0 {
			k.left[string(reply.buffer())] = true
		}
		return
	}
	if r.op == opSetData && r.code == 0 && !s.unknown {
		s.told, s.hasTold = reply.stat().version, true
	}
	k.add(path, r, s, r.called)
}

// multi adds each part under the interval of the whole. The parts of one that was not answered are not bound to each
// other here: each may have been applied or not.
func (k *keys) multi(r *request) {
	body, reply := reader{left: r.body}, reader{left: r.reply}
	seen := map[string]bool{}
	for !body.failed {
		op, done := body.int32(), body.take(1)
		body.int32()
		if body.failed || done[0] != 0 {
			return
		}
		path, s, plain := part(op, &body)
		s.unknown = r.returned == never
		s.free = r.code != 0
		if !s.unknown && r.code == 0 {
			readResult(&reply, &s)
			// what failed may have failed for what an earlier part of the same multi did, which has no effect
			s.free = s.free || (s.code != 0 && seen[path])
		}
		seen[path] = true
		if plain {
			k.add(path, r, s, r.called)
		} else {
			k.left[path] = true
		}
	}
}

// readResult reads the result of one part: of a failed multi only the part that failed tells something.
func readResult(reply *reader, s *step) {
	kind := reply.int32()
	reply.take(1)
	reply.int32()
	switch kind {
	case -1:
		s.code = reply.int32()
		s.free = s.code == 0 || s.code == -2
	case opCreate:
		reply.buffer()
	case opCreate2:
		reply.buffer()
		reply.stat()
	case opSetData:
		s.told, s.hasTold = reply.stat().version, true
	}
}

// read adds a read that came right behind a sync.
func (k *keys) read(r *request) {
	body, reply := reader{left: r.body}, reader{left: r.reply}
	if r.synced == 0 || r.returned == never || (r.code != 0 && r.code != codeNoNode) {
		return
	}
	path := string(body.buffer())
	s := step{op: opExists, code: r.code}
	if r.op == opGetData {
		reply.buffer()
	}
	s.version = reply.stat().version
	k.add(path, r, s, r.synced)
}

func collect(h *history) *keys {
	k := &keys{operations: map[string][]porcupine.Operation{}, left: map[string]bool{}}
	for _, r := range h.requests {
		switch r.op {
		case opCreate, opCreate2, opContainer, opTTL, opDelete, opSetData:
			k.write(r)
		case opMulti:
			k.multi(r)
		case opExists, opGetData:
			k.read(r)
		}
	}
	if h.hasFinal {
		for path := range k.operations {
			end, exists := h.final[path]
			s := step{op: opExists, version: end.version}
			if !exists {
				s.code = codeNoNode
			}
			k.add(path, &request{client: -1, returned: never + 1}, s, never-1)
		}
	}
	return k
}

// sequential tells names that end like those of sequential nodes: an unanswered create may have made one.
func sequential(path string) bool {
	digits := 0
	for digits < len(path) && path[len(path)-1-digits] >= '0' && path[len(path)-1-digits] <= '9' {
		digits++
	}
	return digits >= 10
}

// fresh is what every tree has from the first.
var fresh = map[string]bool{"/": true, "/zookeeper": true, "/zookeeper/quota": true, "/zookeeper/config": true}

// judge gives the paths that fail, and counts.
func judge(h *history) (failed, undecided []string, paths, operations int) {
	k := collect(h)
	names := make([]string, 0, len(k.operations))
	for path := range k.operations {
		names = append(names, path)
	}
	sort.Strings(names)
	for _, path := range names {
		if k.left[path] || sequential(path) {
			continue
		}
		begin, exists := h.first[path]
		exists = exists || fresh[path]
		paths++
		operations += len(k.operations[path])
		result := porcupine.CheckOperationsTimeout(model(node{exists, begin.version}), k.operations[path], keyTimeout)
		if result == porcupine.Illegal {
			failed = append(failed, path)
		} else if result == porcupine.Unknown {
			undecided = append(undecided, path)
		}
	}
	return failed, undecided, paths, operations
}

func main() {
	status := 0
	for _, name := range os.Args[1:] {
		h, err := readHistory(name)
		if err != nil {
			fmt.Printf("FAILED %s: %v\n", name, err)
			status = 1
			continue
		}
		failed, undecided, paths, operations := judge(h)
		switch {
		case len(failed) > 0:
			fmt.Printf("FAILED %s: no order of its operations explains the answers for %v\n", name, failed)
			status = 1
		case len(undecided) > 0:
			fmt.Printf("SKIPPED %s: no verdict in %v for %v\n", name, keyTimeout, undecided)
		case paths == 0:
			fmt.Printf("SKIPPED %s: nothing to judge\n", name)
		default:
			fmt.Printf("ok %s: %d operations on %d paths\n", name, operations, paths)
		}
	}
	os.Exit(status)
}
