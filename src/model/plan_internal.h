// SPDX-License-Identifier: Apache-2.0
/* What plan.c (the overlay of puts), plan_operation.c (the operations) and plan_multi.c share. */
#ifndef FK_MODEL_PLAN_INTERNAL_H
#define FK_MODEL_PLAN_INTERNAL_H

#include "model/plan.h"

/* The record as this plan has it so far; false where there is none (or after a sticky error). */
bool fk_plan_get(struct fk_plan *plan, struct fk_bytes path, struct fk_node *node);

/* Adds a put; the record's path must outlive the plan. */
void fk_plan_put(struct fk_plan *plan, enum fk_put_kind kind, const struct fk_node *node);

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

/* createContainer and createTTL in a plan that may not have them. */
static inline bool fk_plan_refuses(const struct fk_plan *plan, int32_t op)
{
    return plan->unswept && (op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL);
}

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

static inline bool fk_flags_ttl(int32_t flags)
{
    return flags == FK_FLAGS_TTL || flags == FK_FLAGS_TTL_SEQUENTIAL;
}

#endif
