// SPDX-License-Identifier: Apache-2.0
/*
 * fk-load: the load generator of `make bench`. One thread, one epoll set, a fixed number of requests outstanding per
 * connection, every reply verified. This header is what its files share:
 *
 *   load_main.c    options, the order of things, the report
 *   load_tree.c    the nodes of a run: made before it, verified and removed after it; fill and fill-check
 *   load_ops.c     one request of each operation, and what its reply must look like
 *   load_engine.c  connections, batching, phases of a run
 *   load_idle.c    sessions that only ping
 *
 * Anything unexpected ends the program through load_fail: a figure of a server that answers wrongly is worth nothing.
 */
#ifndef FAASKEEPER_BENCH_LOAD_H
#define FAASKEEPER_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "histogram.h"
#include "process.h"
#include "zkraw.h"

enum load_op {
    LOAD_GET,
    LOAD_EXISTS,
    LOAD_CHILDREN,
    LOAD_SET,
    LOAD_CREATE_DELETE,
    LOAD_SEQ,
    LOAD_MIX,
    LOAD_IDLE_SESSIONS,
    LOAD_FILL,
    LOAD_FILL_CHECK,
};

enum {
    LOAD_PATH_SIZE = 96,
    LOAD_ROOT_SIZE_MAX = 48,
    LOAD_CHILDREN_COUNT = 100,
    LOAD_SEQ_SIZE = 16,           /* bytes of data of a sequential node */
    LOAD_SEQ_PER_SESSION = 10000, /* then the session is closed (which deletes them) and a new one opened */
    LOAD_FILL_DIRECTORY = 1000,   /* nodes per directory of fill */
    LOAD_IO_TIMEOUT_MS = 30000,   /* a server silent for so long is a failure */
    LOAD_PATTERN_OFFSETS = 4096,  /* different contents of a node; a power of two */
    LOAD_PAYLOAD_SIZE_MIN = 8,    /* node number and stamp */
    LOAD_PAYLOAD_SIZE_MAX = 1000000,
    LOAD_SEEN_BITS = 1 << 27, /* sequence numbers that are checked for being unique */
};

struct load_options {
    const char *target;
    enum load_op op;
    const char *op_name;
    unsigned connections;
    unsigned depth;
    double seconds;
    double warmup_seconds;
    uint32_t size; /* bytes of data per node */
    uint32_t nodes;
    pid_t pid; /* of the server; 0: its CPU and memory are not reported */
    int32_t session_timeout_ms;
    char root[LOAD_ROOT_SIZE_MAX + 1];
    bool json;
};

/* One outstanding request. */
struct load_slot {
    int64_t sent_ns;
    int32_t xid;
    enum zkraw_op op;
    uint32_t node;  /* index of the node; the number in the name for create and delete */
    uint32_t stamp; /* contents that a set wrote */
};

enum load_conn_state {
    LOAD_CONN_HANDSHAKE,
    LOAD_CONN_RUNNING,
    LOAD_CONN_CLOSING, /* closeSession is the last request sent */
    LOAD_CONN_DONE,
};

struct load_conn {
    int fd;
    unsigned index;
    enum load_conn_state state;
    bool wants_write; /* EPOLLOUT is armed */
    struct zkraw_buf in;
    struct zkraw_buf out;
    struct load_slot *slots; /* ring of depth + 1: one more for closeSession */
    unsigned slot_first;
    unsigned slot_count;
    int32_t xid;
    int64_t zxid;          /* of the last reply: may never go back */
    int32_t *versions;     /* per node, the last one this session saw: may never go back */
    uint32_t created;      /* create-delete: number of the last name; seq: nodes of this session */
    bool delete_is_next;   /* create-delete: the last request was a create */
    int64_t last_sequence; /* seq: the last number this connection was given */
};

/* What is known of a node's contents, from replies of any connection. */
struct load_node {
    char path[LOAD_PATH_SIZE];
    int64_t czxid; /* 0: no Stat seen yet */
    int64_t ctime_ms;
    int32_t version; /* the latest one seen; the fields below belong to it */
    int64_t mzxid;   /* 0: not seen yet */
    int64_t mtime_ms;
    uint32_t stamp;
    bool has_stamp;
};

struct load_run {
    struct load_options options;
    struct load_node *nodes;
    uint8_t *payload; /* scratch of options.size bytes */
    uint8_t *pattern; /* options.size + LOAD_PATTERN_OFFSETS random bytes: the contents after the header */
    struct zkraw_buf children_verified; /* the body of a getChildren reply that passed all checks */
    uint64_t *sequences_seen;
    char sequence_prefix[LOAD_PATH_SIZE];
    size_t sequence_prefix_size;
    char children_path[LOAD_PATH_SIZE];
    uint64_t random_state;
    uint32_t stamp_next;

    struct histogram latency;
    struct process_sample from;
    struct process_sample to;
    uint64_t operations; /* replies within the measured time */
    uint64_t verified;   /* replies of the whole run */
    int64_t rss_bytes;
};

/* Prints "fk-load: ..." and exits with 1. */
void load_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* calloc that ends the program when it fails. */
void *load_alloc(size_t count, size_t size);

/* load_tree.c */
void load_tree_prepare(struct load_run *run);
void load_tree_remove(struct load_run *run);
void load_tree_fill(struct load_run *run);
void load_tree_fill_check(struct load_run *run);
/* Opens a session for requests outside of the measurement. */
void load_client_open(const struct load_run *run, struct zkraw_client *client);

/* load_ops.c */
uint32_t load_random_below(struct load_run *run, uint32_t bound);
/* Writes the contents of a node into run->payload. */
void load_payload_make(struct load_run *run, uint32_t node, uint32_t stamp);
/* Checks size, node number and every byte; returns the stamp. */
uint32_t load_payload_check(const struct load_run *run, uint32_t node, const uint8_t *data, size_t size);
/* Appends the next request of the run's operation to conn->out and describes it in slot (all but sent_ns). */
void load_request_put(struct load_run *run, struct load_conn *conn, struct load_slot *slot);
/* Checks a reply against its request. */
void load_reply_check(struct load_run *run, struct load_conn *conn, const struct load_slot *slot,
                      struct zkraw_reply *reply);

/* load_engine.c: warm-up, measurement, drain; fills latency, from, to, operations, rss_bytes. */
void load_engine_run(struct load_run *run);

/* load_idle.c: the same for sessions that only ping. */
void load_idle_run(struct load_run *run);

#endif
