// SPDX-License-Identifier: Apache-2.0
/* Quotas of the reference model (ZooKeeper: Quotas, DataTree.updateQuotaStat, ZooKeeperServer.checkQuota): a node
 * counts for the deepest quota above it. Texts are those that the workload writes, and those of statistics. */
#include "sim/model_ref_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT   "/zookeeper/quota"
#define LIMITS "/zookeeper_limits"
#define STATS  "/zookeeper_stats"

enum {
    TEXT_MAX = 128,
};

/* /zookeeper/quota<path><name>, if it was ever named. */
static struct sim_ref_path *quota_node(const struct sim_ref_tree *tree, struct fk_bytes path, const char *name)
{
    char text[2 * TEXT_MAX];
    int size = snprintf(text, sizeof text, "%s%.*s%s", ROOT, (int)path.size, (const char *)path.data, name);
    return size < 0 || (size_t)size >= sizeof text
               ? NULL
               : sim_ref_find(tree, fk_bytes_of((const uint8_t *)text, (size_t)size));
}

/* The deepest path at or above this one that has limits; null: none. */
static struct fk_bytes limited(const struct sim_ref_tree *tree, struct fk_bytes path)
{
    while (path.size > 1) {
        if (sim_ref_now(quota_node(tree, path, LIMITS))->exists) {
            return path;
        }
        do {
            path.size--;
        } while (path.size > 1 && path.data[path.size] != '/');
    }
    return FK_BYTES_NULL;
}

/* The number behind a key; -1: it is not there. */
static int64_t number_of(struct fk_bytes data, const char *key)
{
    char text[TEXT_MAX];
    size_t size = data.size < sizeof text - 1 ? data.size : sizeof text - 1;
    memcpy(text, data.data, size);
    text[size] = '\0';
    const char *at = strstr(text, key);
    return at == NULL ? -1 : strtoll(at + strlen(key), NULL, 10);
}

static struct fk_bytes stats_text(struct sim_ref_tree *tree, int64_t count, int64_t bytes)
{
    char text[TEXT_MAX];
    int size = snprintf(text, sizeof text, "count=%" PRId64 ",bytes=%" PRId64, count, bytes);
    return sim_bump_copy(tree->bump, fk_bytes_of((const uint8_t *)text, (size_t)size));
}

bool sim_ref_quota_allows(const struct sim_ref_tree *tree, struct fk_bytes path, int64_t count, int64_t bytes)
{
    struct fk_bytes home = limited(tree, path);
    const struct sim_ref_state *stats = home.data == NULL ? NULL : sim_ref_now(quota_node(tree, home, STATS));
    if (!tree->enforce_quota || stats == NULL || !stats->exists) {
        return true;
    }
    struct fk_bytes limits = sim_ref_now(quota_node(tree, home, LIMITS))->data;
    int64_t most = number_of(limits, "countHardLimit=");
    int64_t most_bytes = number_of(limits, "byteHardLimit=");
    return (count == 0 || most == -1 || number_of(stats->data, "count=") + count <= most) &&
           (bytes == 0 || most_bytes == -1 || number_of(stats->data, "bytes=") + bytes <= most_bytes);
}

void sim_ref_quota_count(struct sim_ref_tree *tree, struct fk_bytes path, int64_t count, int64_t bytes)
{
    struct fk_bytes home = limited(tree, path);
    struct sim_ref_path *stats = home.data == NULL ? NULL : quota_node(tree, home, STATS);
    if (stats == NULL || !sim_ref_now(stats)->exists || (count == 0 && bytes == 0)) {
        return;
    }
    struct sim_ref_state *state = sim_ref_touch(tree, stats);
    state->data = stats_text(tree, number_of(state->data, "count=") + count, number_of(state->data, "bytes=") + bytes);
}

static bool is_within(struct fk_bytes path, struct fk_bytes top)
{
    return path.size >= top.size && memcmp(path.data, top.data, top.size) == 0 &&
           (path.size == top.size || path.data[top.size] == '/');
}

void sim_ref_quota_created(struct sim_ref_tree *tree, struct sim_ref_path *path)
{
    const size_t root = sizeof ROOT - 1;
    const size_t tail = sizeof STATS - 1;
    struct fk_bytes text = path->path;
    int64_t count = 0;
    int64_t bytes = 0;
    if (text.size <= root + tail || memcmp(text.data, ROOT, root) != 0 ||
        memcmp(text.data + text.size - tail, STATS, tail) != 0) {
        return;
    }
    struct fk_bytes top = fk_bytes_of(text.data + root, text.size - root - tail);
    for (size_t i = 0; i < SIM_REF_BUCKETS; i++) {
        for (const struct sim_ref_path *at = tree->buckets[i]; at != NULL; at = at->next_in_bucket) {
            const struct sim_ref_state *state = sim_ref_now(at);
            if (state->exists && is_within(at->path, top)) {
                count++;
                bytes += (int64_t)state->data.size;
            }
        }
    }
    sim_ref_touch(tree, path)->data = stats_text(tree, count, bytes);
}
