// SPDX-License-Identifier: Apache-2.0
/* Histories made by hand, a line per thing that happens: who asks what, what is committed, what is told. One virtual
 * millisecond passes with each line. The stats that are told are those of the caller: nothing here knows the rules. */
#ifndef FK_TESTS_UNIT_SIM_STORY_H
#define FK_TESTS_UNIT_SIM_STORY_H

#include "sim/check.h"
#include "support/test.h"
#include "wire/records.h"

enum {
    STORY_TIMEOUT_MS = 4000,
    STORY_KEPT = 8,
};

struct story {
    struct sim_history history;
    struct sim_check_options options;
    struct sim_check_counts counts;
    struct fk_buf frame;
    int64_t now_ns;
    int64_t zxid;       /* of the last commit */
    int32_t timeout_ms; /* of connections from here on */
    bool unanswered;    /* their handshakes are not answered */
    size_t violations;
    char promises[STORY_KEPT][8];
    char texts[STORY_KEPT][512];
};

void story_begin(struct story *story);
/* Frees it. */
void story_end(struct story *story);
/* Time passes. */
void story_wait(struct story *story, int64_t ms);

/* A connection of gateway 1 that is accepted: a new session (first), or the same one again. */
uint32_t story_open(struct story *story, int64_t session_id);
uint32_t story_reopen(struct story *story, int64_t session_id, int64_t epoch, int64_t last_seen);
void story_lose(struct story *story, uint32_t connection);

/* Requests; xid is also what they are answered under. */
void story_create(struct story *story, uint32_t connection, int32_t xid, const char *path, const char *data,
                  int32_t flags);
void story_set(struct story *story, uint32_t connection, int32_t xid, const char *path, const char *data,
               int32_t version);
void story_delete(struct story *story, uint32_t connection, int32_t xid, const char *path);
/* exists, getData, getChildren, getChildren2, and getACL and sync without the flag. */
void story_read(struct story *story, uint32_t connection, int32_t xid, int32_t op, const char *path, bool watch);
/* Any other request. */
void story_ask(struct story *story, uint32_t connection, int32_t xid, int32_t op, struct fk_bytes body);
/* list 0..4 of setWatches2: data, exist, child, persistent, recursive; one path. */
void story_set_watches(struct story *story, uint32_t connection, int64_t relative_zxid, int list, const char *path);

/* Commits: the next zxid. */
int64_t story_commit(struct story *story, int64_t session_id, int64_t epoch, int64_t number, int32_t code);
int64_t story_ground(struct story *story, struct sim_ground entry);

/* Answers: without a body, with a path, a stat, data and a stat, a list of names (and a stat). */
void story_told(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, int32_t code);
void story_told_path(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, const char *path);
void story_told_stat(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, struct fk_stat stat);
void story_told_data(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, const char *data,
                     struct fk_stat stat);
void story_told_names(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, const char *const *names,
                      size_t count);
void story_told_bytes(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, struct fk_bytes body);
void story_event(struct story *story, uint32_t connection, int64_t zxid, int32_t type, const char *path);

void story_final(struct story *story, const char *path, const char *data, struct fk_stat stat);
/* The run is over and everything was answered. */
void story_quiet(struct story *story);
/* The same, long after: nothing is on its way any more. */
void story_settle(struct story *story);

/* Runs the checkers. */
void story_check(struct story *story);
/* Runs them: no violation; or at least one, the first of this promise. */
void story_good(struct story *story);
void story_bad(struct story *story, const char *promise);

/* A node that was created at `czxid` and set `version` times since, last at `mzxid`; no children. */
struct fk_stat story_stat(int64_t czxid, int64_t mzxid, int32_t version, int32_t length);

#endif
