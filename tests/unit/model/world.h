// SPDX-License-Identifier: Apache-2.0
/* A tree in a table, and one caller, for tests of the planner: each operation is planned and, where it gave OK, applied
 * to the table put by put. What it planned stays readable until the next one. */
#ifndef FK_TESTS_UNIT_MODEL_WORLD_H
#define FK_TESTS_UNIT_MODEL_WORLD_H

#include "model/plan.h"
#include "support/test.h"

enum {
    WORLD_NODES = 256,
};

struct world {
    struct fk_arena memory;     /* of the table's records */
    struct fk_arena plan_arena; /* of the plan */
    struct fk_node nodes[WORLD_NODES];
    size_t count;
    struct fk_plan plan;
    struct fk_rules rules; /* of the plans and the caller; the defaults after init */
    struct fk_caller caller;
    struct fk_buf ids;
    struct fk_buf body;  /* of the request being built */
    struct fk_buf reply; /* of the operation done last */
    int64_t zxid;
    int64_t time_ms;
    enum fk_err lookup_err; /* OK, or what the lookup answers */
    size_t lookups;
};

/* The fresh tree at zxid 0; the caller is session 7 with the one identity ip:10.0.0.1. */
void world_init(struct world *world);
void world_deinit(struct world *world);

/* The caller gets one more identity. */
void world_add_id(struct world *world, const char *scheme, const char *id);
/* The caller becomes another session with no identity but its address. */
void world_be(struct world *world, int64_t session_id);

/* Plans and applies `op` with the body built so far, which is cleared. */
enum fk_code world_do(struct world *world, int32_t op);

/* Common requests, with the open ACL and any version. */
enum fk_code world_create(struct world *world, const char *path, int32_t flags);
enum fk_code world_create_acl(struct world *world, const char *path, const char *scheme, const char *id, int32_t perms);
enum fk_code world_delete(struct world *world, const char *path, int32_t version);
enum fk_code world_set(struct world *world, const char *path, const char *data, int32_t version);
enum fk_code world_set_acl(struct world *world, const char *path, const char *scheme, const char *id, int32_t perms,
                           int32_t version);
/* Ends the session with these ephemerals, or does a piece of it that is not the last. */
void world_close(struct world *world, int64_t session_id, const char *const *paths, size_t count, bool last);

/* The record of a path, which must be there; NULL from world_find where it is not. */
struct fk_node *world_find(struct world *world, const char *path);
struct fk_node *world_node(struct world *world, const char *path);
/* A record beside all rules, as it would be read from a store. */
struct fk_node *world_plant(struct world *world, const char *path);
struct fk_stat world_stat(struct world *world, const char *path);

/* Appends an encoded ACL of `count` entries of (perms, scheme, id); NULL texts are null strings. */
struct world_acl {
    int32_t perms;
    const char *scheme;
    const char *id;
};
void world_write_acl(struct fk_buf *buf, const struct world_acl *entries, size_t count);

/* Pieces of a multi, appended to world->body. */
void multi_header(struct world *world, int32_t op);
void multi_create(struct world *world, int32_t op, const char *path, int32_t flags);
void multi_delete(struct world *world, const char *path, int32_t version);
void multi_set(struct world *world, const char *path, const char *data, int32_t version);
void multi_check(struct world *world, const char *path, int32_t version);
void multi_end(struct world *world);

#endif
