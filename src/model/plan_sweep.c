// SPDX-License-Identifier: Apache-2.0
/* The end of containers and TTL nodes (ContainerManager, OpCode.deleteContainer). Nobody asked for it, so that it needs
 * no permission, and whatever happened to the node since the sweep saw it is a reason to leave it alone. */
#include "model/plan_internal.h"

#include "model/path.h"

static bool is_due(const struct fk_node *node, int64_t now_ms)
{
    if (node->ephemeral_owner == FK_OWNER_CONTAINER) {
        return node->created_children != 0; /* one that was never used may have been made a moment ago */
    }
    int64_t ttl_ms = fk_owner_ttl_ms(node->ephemeral_owner);
    return ttl_ms > 0 && now_ms - node->mtime_ms >= ttl_ms;
}

enum fk_code fk_plan_sweep_node(struct fk_plan *plan, struct fk_bytes path, int32_t version, int32_t cversion)
{
    struct fk_node node;
    struct fk_node parent;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    struct fk_stat stat;
    if (!fk_plan_get(plan, path, &node)) {
        return FK_CODE_NO_NODE;
    }
    fk_node_stat(&node, &stat);
    if (stat.version != version || stat.cversion != cversion) {
        return FK_CODE_BAD_VERSION;
    }
    if (node.num_children > 0) {
        return FK_CODE_NOT_EMPTY;
    }
    if (!is_due(&node, plan->time_ms)) {
        return FK_CODE_BAD_VERSION;
    }
    if (!fk_path_split(path, &parent_path, &name) || !fk_plan_get(plan, parent_path, &parent)) {
        return FK_CODE_NO_NODE; /* the lookup failed, which is sticky: a node without a parent does not exist */
    }
    fk_plan_remove(plan, &node, &parent);
    return FK_CODE_OK;
}
