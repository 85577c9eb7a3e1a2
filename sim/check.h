// SPDX-License-Identifier: Apache-2.0
/* Decides from a recorded history whether the contract held: promises C1-C13, C15, and what of C14 a history shows. The
 * procedures are those of the table "The contract, and how a recorded history decides it" (docs/verification.md).
 *
 * With a ground log nothing is guessed. Without one (a real server) it is rebuilt: zxids are dense, so each one that no
 * answer named was taken by a session's begin or end, or by a request without an answer; check_rebuild.c says what is
 * decided then and what is not. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "sim/history.h"

struct sim_check_options {
    const char *address;      /* of the clients, as ACLs of scheme "ip" see it; NULL: 127.0.0.1 */
    const char *super_digest; /* user:hash that may do everything; NULL: none */
    bool extended_types;      /* TTL nodes are allowed */
    bool enforce_quota;       /* hard limits refuse */
    bool steady_clock;        /* wall clocks agree and never step back: ctime <= mtime */
    size_t items;             /* of a transaction: a multi that surely fits is not refused for its size; 0: unknown */
    int64_t early_ns;         /* a session may end so much before its timeout (clock tolerance) */
    int64_t late_ns;          /* ... and so much behind it, faults apart; 0: not checked */
    int64_t answer_ns;        /* in the liveness phase each request is answered within this; 0: not checked */
};

/* What was judged: a check that never looks at anything never fails. */
struct sim_check_counts {
    size_t requests;
    size_t writes;   /* decided: their results were compared with the model */
    size_t unknown;  /* writes without an answer */
    size_t applied;  /* ... that had taken a zxid */
    size_t reads;    /* compared with the states of their paths */
    size_t watches;  /* registered */
    size_t events;   /* delivered and expected */
    size_t sessions; /* seen by a client */
    size_t ended;    /* of them, ended by expiry */
    size_t nodes;    /* of the final state */
    bool undecided;  /* no ground log, and too many orders to try: only the order of answers was judged */
    size_t gaps;     /* rebuilt ground log: zxids of which nothing is known */
};

/* One violation: the promise ("C1" ... "C15", "harness" for a history that makes no sense), and a sentence that names
 * what was promised, the requests and the zxids. */
typedef void (*sim_check_fn)(void *context, const char *promise, const char *text);

/* Gives the number of violations; `counts` may be NULL. After some violations of a kind later ones are its echoes: the
 * first is the one to read, and no more than 16 are reported. */
size_t sim_check(const struct sim_history *history, const struct sim_check_options *options,
                 struct sim_check_counts *counts, sim_check_fn violation, void *context);

#endif
