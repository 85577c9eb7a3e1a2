// SPDX-License-Identifier: Apache-2.0
/* What plan.c (the overlay of puts), plan_operation.c (the operations) and plan_multi.c share. */
#ifndef FK_MODEL_PLAN_INTERNAL_H
#define FK_MODEL_PLAN_INTERNAL_H

#include "model/plan.h"

/* The record as this plan has it so far; false where there is none (or after a sticky error). */
bool fk_plan_get(struct fk_plan *plan, struct fk_bytes path, struct fk_node *node);

/* Adds a put; the record's path must outlive the plan. */
void fk_plan_put(struct fk_plan *plan, enum fk_put_kind kind, const struct fk_node *node);

/* Whether put `index` is the newest of its path. */
bool fk_plan_is_latest(struct fk_plan *plan, size_t index);

/* The quota that a path is under. */
struct fk_plan_quota {
    struct fk_bytes home;   /* /zookeeper/quota<path>; null: none */
    struct fk_bytes limits; /* text of its limits */
};

void fk_plan_quota_find(struct fk_plan *plan, struct fk_bytes path, struct fk_plan_quota *quota);
/* QUOTA_EXCEEDED where so much more is too much. */
enum fk_code fk_plan_quota_check(struct fk_plan *plan, const struct fk_plan_quota *quota, struct fk_extent more);
/* Puts its statistics. */
void fk_plan_quota_count(struct fk_plan *plan, const struct fk_plan_quota *quota, struct fk_extent more);
/* A node is about to be put: statistics get their data, limits are noted. */
void fk_plan_quota_created(struct fk_plan *plan, struct fk_node *node);

/* `op` says what kind of node: create, create2, createContainer or createTTL. */
enum fk_code fk_plan_create(struct fk_plan *plan, const struct fk_caller *caller, int32_t op,
                            const struct fk_create_request *request, struct fk_node *created);
/* Removes a node without children and counts it off its parent. */
void fk_plan_remove(struct fk_plan *plan, const struct fk_node *node, struct fk_node *parent);
enum fk_code fk_plan_delete(struct fk_plan *plan, const struct fk_caller *caller,
                            const struct fk_version_request *request);
enum fk_code fk_plan_set_data(struct fk_plan *plan, const struct fk_caller *caller,
                              const struct fk_set_data_request *request, struct fk_node *node);
enum fk_code fk_plan_check(struct fk_plan *plan, const struct fk_caller *caller,
                           const struct fk_version_request *request);
enum fk_code fk_plan_multi(struct fk_plan *plan, const struct fk_caller *caller, struct fk_reader *reader,
                           struct fk_buf *reply);

/* Appends path (create) or path and stat (create2) of a node just planned. */
void fk_plan_write_created(struct fk_buf *reply, int32_t op, const struct fk_node *created);

/* Bits of the flags of a create, whichever operation it comes with. */
enum {
    FK_FLAGS_CONTAINER = 4,
    FK_FLAGS_TTL = 5,
    FK_FLAGS_TTL_SEQUENTIAL = 6,
    FK_FLAGS_MAX = 6,
};

static inline bool fk_flags_sequential(int32_t flags)
{
    return flags != FK_FLAGS_CONTAINER && (flags & FK_CREATE_SEQUENTIAL) != 0;
}

static inline bool fk_flags_ephemeral(int32_t flags)
{
    return flags >= 0 && flags < FK_FLAGS_CONTAINER && (flags & FK_CREATE_EPHEMERAL) != 0;
}

static inline bool fk_flags_ttl(int32_t flags)
{
    return flags == FK_FLAGS_TTL || flags == FK_FLAGS_TTL_SEQUENTIAL;
}

#endif
