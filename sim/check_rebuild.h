// SPDX-License-Identifier: Apache-2.0
/* What check_rebuild.c (what is known of each zxid) and check_search.c (which write took it) share. */
#ifndef SIM_CHECK_REBUILD_H
#define SIM_CHECK_REBUILD_H

#include "sim/check_internal.h"

/* What somebody saw of one zxid. */
struct check_evidence {
    struct fk_bytes path; /* of a node that was created or set there */
    struct fk_bytes data; /* what it held then; null: not seen */
    struct fk_bytes parent;
};

struct check_rebuild {
    struct check *check;
    struct sim_ground *entries;
    struct check_evidence *evidence; /* per entry */
    bool *taken;
    size_t count;
};

/* Whether a write can have left what was seen. */
bool check_rebuild_fits(const struct check_request *request, const struct check_evidence *seen);
/* The entry becomes this write. */
void check_rebuild_take(struct check_rebuild *rebuild, size_t index, const struct check_request *request, int32_t code);
/* Index of a connection's first write from `from` on that has no answer. */
size_t check_rebuild_open(const struct check_connection *connection, size_t from);

/* Tries orders of the writes without an answer until one explains all answers and the final state; takes it. False
 * where there is none, or none was found in time (`exhausted`: every one was tried). */
bool check_search(struct check_rebuild *rebuild, bool *exhausted);

#endif
