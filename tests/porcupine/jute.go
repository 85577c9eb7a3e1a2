// SPDX-License-Identifier: Apache-2.0
package main

import "encoding/binary"

// reader takes a frame apart. After the first failure everything is zero.
type reader struct {
	left   []byte
	failed bool
}

func (r *reader) take(size int) []byte {
	if r.failed || size < 0 || size > len(r.left) {
		r.failed = true
		return nil
	}
	bytes := r.left[:size]
	r.left = r.left[size:]
	return bytes
}

func (r *reader) int32() int32 {
	if bytes := r.take(4); bytes != nil {
		return int32(binary.BigEndian.Uint32(bytes))
	}
	return 0
}

func (r *reader) int64() int64 {
	if bytes := r.take(8); bytes != nil {
		return int64(binary.BigEndian.Uint64(bytes))
	}
	return 0
}

func (r *reader) buffer() []byte {
	size := r.int32()
	if size < 0 {
		return nil
	}
	return r.take(int(size))
}

// acl steps over a list of permissions.
func (r *reader) acl() {
	for count := r.int32(); count > 0 && !r.failed; count-- {
		r.int32()
		r.buffer()
		r.buffer()
	}
}

type stat struct {
	czxid   int64
	version int32
}

func (r *reader) stat() stat {
	var s stat
	s.czxid = r.int64()
	r.int64() // mzxid
	r.int64() // ctime
	r.int64() // mtime
	s.version = r.int32()
	r.take(4 + 4 + 8 + 4 + 4 + 8)
	return s
}
