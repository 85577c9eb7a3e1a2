// SPDX-License-Identifier: Apache-2.0
/* What record.c (connections, the file) and record_load.c (which request comes next, what its answer says) share. */
#ifndef FAASKEEPER_TESTS_CHAOS_RECORD_H
#define FAASKEEPER_TESTS_CHAOS_RECORD_H

#include "zkraw.h"

#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
    RECORD_WINDOW_MAX = 16, /* requests of a client without an answer */
    RECORD_VALUE_MIN = 32,
    RECORD_VALUE_MAX = 512 * 1024,
    RECORD_REGISTERS = 4, /* own nodes that are set */
    RECORD_SHARED = 4,    /* nodes that all clients set */
    RECORD_NAMES = 8,     /* own sequential nodes that are kept */
    RECORD_NAME_SIZE = 64,
};

enum record_state {
    RECORD_SHAKING,
    RECORD_READY,
    RECORD_CLOSING, /* closeSession was sent */
    RECORD_REFUSED, /* the old session is unknown to the server */
    RECORD_GONE,
};

/* What the answer is read as. */
enum record_kind {
    RECORD_SET,
    RECORD_CREATE,
    RECORD_DELETE,
    RECORD_GET,
    RECORD_MULTI,
    RECORD_CLOSE,
};

struct record_pending {
    int32_t number; /* also the xid */
    enum record_kind kind;
    int32_t *version;  /* where the version that a set or get reports is kept; may be NULL */
    bool own_sequence; /* a create whose name is kept, to be deleted later */
};

struct record_client {
    int index;
    int fd;
    uint32_t connection; /* its number in the history */
    enum record_state state;
    bool wants_write;
    int64_t session_id;
    uint8_t passwd[ZKRAW_PASSWD_SIZE];
    int64_t last_zxid;
    int32_t number; /* of the last request, over all sessions of this run */
    size_t window;
    struct record_pending pending[RECORD_WINDOW_MAX];
    size_t pending_count;
    struct zkraw_buf in;
    struct zkraw_buf out;
    int32_t registers[RECORD_REGISTERS]; /* versions as last heard */
    int32_t shared[RECORD_SHARED];
    char names[RECORD_NAMES][RECORD_NAME_SIZE];
    size_t name_count;
};

struct record {
    const char *target;
    FILE *log;
    FILE *history;        /* frames, as the simulator's checkers read them; NULL: not wanted */
    uint32_t connections; /* opened so far */
    int epoll;
    uint64_t random;
    long run; /* part of each value */
    long value_size;
    long read_percent;
    pid_t kill_pid; /* 0: none, or done */
    int kill_signal;
    long kill_after;
    long kill_delay_us;
    long replies;
    bool broken;
    int alive;
    int client_count;
    struct record_client *clients;
};

/* A number from 0 to bound - 1. */
uint64_t record_below(struct record *record, uint64_t bound);

/* Encodes, logs and remembers the next request. */
void record_send_next(struct record *record, struct record_client *client);

/* Logs an answer, and keeps what later requests need of it. */
void record_take_reply(struct record *record, struct record_client *client, const struct record_pending *pending,
                       struct zkraw_reply *reply);

#endif
