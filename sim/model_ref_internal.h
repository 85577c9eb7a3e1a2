// SPDX-License-Identifier: Apache-2.0
/* What model_ref.c (states and events) and model_ref_ops.c (the operations) share. */
#ifndef SIM_MODEL_REF_INTERNAL_H
#define SIM_MODEL_REF_INTERNAL_H

#include "sim/model_ref.h"

/* The path, known or new. */
struct sim_ref_path *sim_ref_path_of(struct sim_ref_tree *tree, struct fk_bytes path);
bool sim_ref_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name);
/* The newest state; path may be NULL. */
const struct sim_ref_state *sim_ref_now(const struct sim_ref_path *path);
struct sim_ref_state *sim_ref_touch(struct sim_ref_tree *tree, struct sim_ref_path *path);
void sim_ref_fire(struct sim_ref_tree *tree, int32_t type, unsigned watches, struct sim_ref_path *path,
                  struct fk_bytes acl);
/* Starts an operation under its zxid; takes back all that it did. */
void sim_ref_begin(struct sim_ref_tree *tree, int64_t zxid);
void sim_ref_rollback(struct sim_ref_tree *tree);
struct sim_ref_session *sim_ref_session_of(struct sim_ref_tree *tree, int64_t id);
/* Deletes a node that exists, with its parent's share and the events. */
void sim_ref_remove(struct sim_ref_tree *tree, struct sim_ref_path *path);

/* model_ref_quota.c: hard limits on so much more at a path; what is counted of it afterwards; statistics that were just
 * created get their numbers. */
bool sim_ref_quota_allows(const struct sim_ref_tree *tree, struct fk_bytes path, int64_t count, int64_t bytes);
void sim_ref_quota_count(struct sim_ref_tree *tree, struct fk_bytes path, int64_t count, int64_t bytes);
void sim_ref_quota_created(struct sim_ref_tree *tree, struct sim_ref_path *path);

#endif
