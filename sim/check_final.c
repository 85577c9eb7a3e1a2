// SPDX-License-Identifier: Apache-2.0
/* C6: what the restarted system shows is what was committed. All that was answered or read is in the ground log, or the
 * other checkers have said so; so it is enough that the final state is the ground log's last one, node by node. */
#include "sim/check_internal.h"

#include <inttypes.h>

/* The state that was read: commits may have gone on behind it. */
static int64_t last_of(const struct check *check)
{
    return check->history->final_zxid != 0 ? check->history->final_zxid : INT64_MAX;
}

/* Nodes that are there from the first: whether they are read is the caller's affair. */
static bool is_own(struct fk_bytes path)
{
    return fk_bytes_equal_text(path, "/") || fk_bytes_equal_text(path, "/zookeeper") ||
           fk_bytes_equal(fk_bytes_head(path, 11), FK_BYTES_LITERAL("/zookeeper/"));
}

static void check_node(struct check *check, const struct sim_final_node *node)
{
    const struct sim_ref_path *path = sim_ref_find(&check->tree, node->path);
    const struct sim_ref_state *state = sim_ref_state_at(path, last_of(check));
    struct fk_reader reader = fk_reader_of(node->stat);
    struct fk_stat stat;
    const char *why = NULL;
    fk_read_stat(&reader, &stat);
    check->counts.nodes++;
    if (!state->exists) {
        check_fail(check, state->zxid == 0 ? "C7" : "C6",
                   "the final state holds what was committed: %.*s is there, but %s", (int)node->path.size,
                   (const char *)node->path.data, state->zxid == 0 ? "was never created" : "was deleted");
    } else if ((node->data.data == NULL) != (state->data.data == NULL) || !fk_bytes_equal(node->data, state->data)) {
        check_fail(check, "C6",
                   "the final state holds what was committed: the data of %.*s is not that of zxid %" PRId64,
                   (int)node->path.size, (const char *)node->path.data, state->mzxid);
    } else if (node->stat.data != NULL && !check_stat(check, &stat, state, &why)) {
        check_fail(check, "C6", "the final state holds what was committed: %.*s has another %s than at zxid %" PRId64,
                   (int)node->path.size, (const char *)node->path.data, why, state->zxid);
    } else if (node->acl.data != NULL && !fk_bytes_equal(node->acl, state->acl)) {
        check_fail(check, "C6", "the final state holds what was committed: %.*s has another ACL than at zxid %" PRId64,
                   (int)node->path.size, (const char *)node->path.data, state->zxid);
    }
}

static bool was_read(const struct sim_history *history, struct fk_bytes path)
{
    for (size_t i = 0; i < history->node_count; i++) {
        if (fk_bytes_equal(history->nodes[i].path, path)) {
            return true;
        }
    }
    return false;
}

/* Nodes of the model that are not in the final state. */
static void check_missing(struct check *check)
{
    size_t missing = 0;
    const struct sim_ref_path *example = NULL;
    for (size_t i = 0; i < SIM_REF_BUCKETS; i++) {
        for (const struct sim_ref_path *path = check->tree.buckets[i]; path != NULL; path = path->next_in_bucket) {
            if (sim_ref_state_at(path, last_of(check))->exists && !is_own(path->path) &&
                !was_read(check->history, path->path)) {
                missing++;
                example = path;
            }
        }
    }
    if (missing > 0) {
        check_fail(check, "C6",
                   "what was committed is in the final state: %zu nodes are missing, one is %.*s of zxid %" PRId64,
                   missing, (int)example->path.size, (const char *)example->path.data,
                   sim_ref_state_at(example, last_of(check))->czxid);
    }
}

static size_t existing(const struct check *check)
{
    size_t count = 0;
    for (size_t i = 0; i < SIM_REF_BUCKETS; i++) {
        for (const struct sim_ref_path *path = check->tree.buckets[i]; path != NULL; path = path->next_in_bucket) {
            count += sim_ref_state_at(path, last_of(check))->exists && !is_own(path->path) ? 1 : 0;
        }
    }
    return count;
}

size_t check_final_differences(const struct check *check)
{
    const struct sim_history *history = check->history;
    size_t differences = 0;
    size_t explained = 0;
    for (size_t i = 0; i < history->node_count; i++) {
        const struct sim_final_node *node = &history->nodes[i];
        const struct sim_ref_state *state = sim_ref_state_at(sim_ref_find(&check->tree, node->path), last_of(check));
        struct fk_reader reader = fk_reader_of(node->stat);
        struct fk_stat stat;
        fk_read_stat(&reader, &stat);
        bool same = state->exists && fk_bytes_equal(node->data, state->data) && stat.version == state->version &&
                    stat.czxid == state->czxid && stat.num_children == state->children &&
                    stat.cversion == sim_ref_cversion(state);
        differences += same ? 0 : 1;
        explained += state->exists && !is_own(node->path) ? 1 : 0;
    }
    return history->has_nodes ? differences + existing(check) - explained : 0;
}

/* The last zxid that was committed before the final state was read. */
static int64_t committed_before_end(const struct check *check)
{
    size_t count = check->ground_count;
    while (count > 0 && check->history->end_ns != 0 && check->ground[count - 1].time_ns > check->history->end_ns) {
        count--;
    }
    return check->first_zxid + (int64_t)count;
}

void check_final(struct check *check)
{
    const struct sim_history *history = check->history;
    size_t nodes = 0;
    int64_t last = committed_before_end(check);
    if (history->final_zxid != 0 && history->final_zxid < last) {
        check_fail(check, "C6",
                   "nothing is lost by a restart: zxid %" PRId64 " was committed, the final state is at %" PRId64, last,
                   history->final_zxid);
    }
    if (!history->has_nodes) {
        return;
    }
    for (size_t i = 0; i < history->node_count; i++) {
        check_node(check, &history->nodes[i]);
        nodes += is_own(history->nodes[i].path) ? 0 : 1;
    }
    if (nodes != existing(check)) {
        check_missing(check);
    }
}
