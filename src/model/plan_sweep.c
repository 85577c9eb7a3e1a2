// SPDX-License-Identifier: Apache-2.0
/* The end of containers and TTL nodes (ContainerManager, OpCode.deleteContainer). Nobody asked for it, so that it needs
 * no permission, and whatever happened to the node since the sweep saw it is a reason to leave it alone. */
#include "model/plan_internal.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "model/path.h"

/* OK, or why a node is left alone that a sweep saw with these versions. */
static enum fk_code check_due(const struct fk_plan *plan, const struct fk_node *node, int32_t version, int32_t cversion)
{
    struct fk_stat stat;
    fk_node_stat(node, &stat);
    bool seen = stat.version == version && stat.cversion == cversion;
    if (seen && node->num_children > 0) {
        return FK_CODE_NOT_EMPTY;
    }
    bool due = fk_node_due(node, plan->time_ms, plan->rules->never_used_ms);
    return seen && due ? FK_CODE_OK : FK_CODE_BAD_VERSION;
}

enum fk_code fk_plan_sweep_node(struct fk_plan *plan, struct fk_bytes path, int32_t version, int32_t cversion)
{
    struct fk_node node;
    struct fk_node parent;
    struct fk_bytes parent_path;
    struct fk_bytes name;
    if (!fk_plan_get(plan, path, &node)) {
        return FK_CODE_NO_NODE;
    }
    enum fk_code code = check_due(plan, &node, version, cversion);
    if (code != FK_CODE_OK && !(FK_MUTANT(SWEEP_BLIND) && node.num_children == 0)) {
        FK_MARK(DUE_NODE_CHANGED);
        return code;
    }
    if (!fk_path_split(path, &parent_path, &name) || !fk_plan_get(plan, parent_path, &parent)) {
        return FK_CODE_NO_NODE; /* the lookup failed, which is sticky: a node without a parent does not exist */
    }
    fk_plan_remove(plan, &node, &parent);
    return FK_CODE_OK;
}
