// SPDX-License-Identifier: Apache-2.0
/* What quotas refuse, and the statistics that changes leave behind. */
#include "model/plan_internal.h"

#include "model/path.h"
#include "model/quota.h"

/* Java's long. */
static int64_t add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* A node that quotas are kept in. */
static bool get(struct fk_plan *plan, struct fk_bytes path, struct fk_node *node)
{
    fk_lookup_fn usual = plan->lookup;
    plan->lookup = plan->quota_lookup == NULL ? usual : plan->quota_lookup;
    bool found = fk_plan_get(plan, path, node);
    plan->lookup = usual;
    return found;
}

static struct fk_bytes joined(struct fk_plan *plan, struct fk_bytes front, const char *name)
{
    size_t size = strlen(name);
    uint8_t *path = (uint8_t *)fk_arena_alloc(plan->arena, front.size + size);
    if (path == NULL) {
        plan->err = FK_ERR_NOMEM;
        return FK_BYTES_NULL;
    }
    memcpy(path, front.data, front.size);
    memcpy(path + front.size, name, size); /* NOLINT(bugprone-not-null-terminated-result): bytes, with their size */
    return fk_bytes_of(path, front.size + size);
}

/* The end of the component that starts behind `at`. */
static size_t component_end(struct fk_bytes path, size_t at)
{
    do {
        at++;
    } while (at < path.size && path.data[at] != '/');
    return at;
}

/* From the top: below a node that is not in the tree of quotas there are none, so that this ends early nearly always.
 */
void fk_plan_quota_find(struct fk_plan *plan, struct fk_bytes path, struct fk_plan_quota *quota)
{
    const size_t root = sizeof FK_QUOTA_ROOT - 1;
    *quota = (struct fk_plan_quota){.home = FK_BYTES_NULL};
    if (!plan->quotas || plan->measure == NULL || path.size < 2) {
        return;
    }
    uint8_t *mirror = (uint8_t *)fk_arena_alloc(plan->arena, root + path.size);
    if (mirror == NULL) {
        plan->err = FK_ERR_NOMEM;
        return;
    }
    memcpy(mirror, FK_QUOTA_ROOT, root);
    memcpy(mirror + root, path.data, path.size);
    size_t end = 0;
    for (int level = 0; level < FK_QUOTA_DEPTH_MAX && end < path.size; level++) {
        struct fk_node node;
        end = component_end(path, end);
        struct fk_bytes home = fk_bytes_of(mirror, root + end);
        if (!get(plan, home, &node) || node.num_children == 0) {
            return;
        }
        struct fk_bytes limits = joined(plan, home, FK_QUOTA_LIMITS);
        if (limits.data != NULL && get(plan, limits, &node)) {
            quota->home = home;
            quota->limits = node.data;
        }
    }
}

/* Whether `value` is above the limit that counts, the hard one where there is one; keeps the first excess for the log.
 */
static bool exceeds(struct fk_plan *plan, const struct fk_plan_quota *quota, const char *what, int64_t value,
                    int64_t soft, int64_t hard)
{
    int64_t limit = hard > -1 ? hard : soft;
    if (limit <= -1 || value <= limit) {
        return false;
    }
    if (plan->excess.what == NULL) {
        plan->excess = (struct fk_excess){.path = fk_bytes_tail(quota->home, sizeof FK_QUOTA_ROOT - 1),
                                          .what = what,
                                          .value = value,
                                          .limit = limit,
                                          .hard = hard > -1};
    }
    return hard > -1;
}

/* ZK: a text that does not parse throws, which is answered like a request that does not parse. */
static enum fk_code check(struct fk_plan *plan, const struct fk_plan_quota *quota, struct fk_extent more)
{
    struct fk_quota_text limits;
    struct fk_quota_text stats;
    struct fk_node node;
    if (!fk_quota_parse(quota->limits, &limits)) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    bool count = more.count != 0 && (limits.count > -1 || limits.count_hard > -1);
    bool bytes = more.bytes != 0 && (limits.bytes > -1 || limits.bytes_hard > -1);
    struct fk_bytes path = count || bytes ? joined(plan, quota->home, FK_QUOTA_STATS) : FK_BYTES_NULL;
    if (path.data == NULL || !get(plan, path, &node)) {
        return FK_CODE_OK;
    }
    if (!fk_quota_parse(node.data, &stats)) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    bool over = count && exceeds(plan, quota, "count", add(stats.count, more.count), limits.count, limits.count_hard);
    over =
        over || (bytes && exceeds(plan, quota, "bytes", add(stats.bytes, more.bytes), limits.bytes, limits.bytes_hard));
    return over ? FK_CODE_QUOTA_EXCEEDED : FK_CODE_OK;
}

enum fk_code fk_plan_quota_check(struct fk_plan *plan, const struct fk_plan_quota *quota, struct fk_extent more)
{
    enum fk_code code = quota->home.data == NULL ? FK_CODE_OK : check(plan, quota, more);
    return plan->rules->enforce_quota ? code : FK_CODE_OK;
}

static void put_stats(struct fk_plan *plan, struct fk_node *node, const struct fk_extent *extent)
{
    struct fk_buf text = FK_BUF_EMPTY;
    fk_quota_write_stats(&text, extent);
    node->data = text.failed ? FK_BYTES_NULL : fk_arena_copy(plan->arena, fk_buf_view(&text));
    fk_buf_deinit(&text);
    if (node->data.data == NULL) {
        plan->err = FK_ERR_NOMEM;
    }
}

void fk_plan_quota_count(struct fk_plan *plan, const struct fk_plan_quota *quota, struct fk_extent more)
{
    struct fk_quota_text stats;
    struct fk_node node;
    if (quota->home.data == NULL || (more.count == 0 && more.bytes == 0)) {
        return;
    }
    struct fk_bytes path = joined(plan, quota->home, FK_QUOTA_STATS);
    /* ZK: ends itself over a text that does not parse; here it stays as it is. */
    if (path.data == NULL || !get(plan, path, &node) || !fk_quota_parse(node.data, &stats)) {
        return;
    }
    node.path = path;
    put_stats(plan, &node,
              &(struct fk_extent){.count = add(stats.count, more.count), .bytes = add(stats.bytes, more.bytes)});
    fk_plan_put(plan, FK_PUT_STATS, &node);
}

/* What this plan has done under the path so far, on top of what the store has. */
static void measure_puts(struct fk_plan *plan, struct fk_bytes path, struct fk_extent *extent)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct fk_put *put = &plan->puts[i];
        struct fk_node node;
        if (!fk_put_is_node(put->kind) || !fk_path_within(put->node.path, path) || !fk_plan_is_latest(plan, i)) {
            continue;
        }
        if (put->kind != FK_PUT_DELETE) {
            extent->count++;
            extent->bytes += (int64_t)put->node.data.size;
        }
        enum fk_err err = plan->lookup(plan->lookup_context, put->node.path, &node);
        if (err == FK_OK) {
            extent->count--;
            extent->bytes -= (int64_t)node.data.size;
        } else if (err != FK_ERR_NOT_FOUND) {
            plan->err = err;
        }
    }
}

void fk_plan_quota_created(struct fk_plan *plan, struct fk_node *node)
{
    struct fk_bytes target;
    struct fk_extent extent = {0, 0};
    if (plan->measure == NULL) {
        return;
    }
    if (fk_quota_of_limits(node->path, &target)) {
        plan->quotas = true;
    }
    if (!fk_quota_of_stats(node->path, &target)) {
        return;
    }
    target = fk_path_alias(target); /* ZK: of the root all nodes are counted, though it can't have a quota */
    enum fk_err err = plan->measure(plan->lookup_context, target, &extent);
    if (err != FK_OK) {
        plan->err = err == FK_ERR_NOT_FOUND ? plan->err : err;
        return;
    }
    measure_puts(plan, target, &extent);
    put_stats(plan, node, &extent);
}

static void follow(struct fk_plan *plan, const struct fk_put *put)
{
    struct fk_node node = put->node;
    struct fk_node before = {.data = FK_BYTES_NULL};
    struct fk_extent more = {.count = 0, .bytes = 0};
    struct fk_plan_quota quota = {.home = FK_BYTES_NULL};
    if (put->kind == FK_PUT_CREATE) {
        more = (struct fk_extent){.count = 1, .bytes = (int64_t)node.data.size};
        fk_plan_quota_find(plan, node.path, &quota);
        fk_plan_quota_created(plan, &node);
    } else if (put->kind == FK_PUT_DATA && fk_plan_get(plan, node.path, &before)) {
        more.bytes = (int64_t)node.data.size - (int64_t)before.data.size;
        fk_plan_quota_find(plan, node.path, &quota);
    }
    fk_plan_put(plan, put->kind, &node);
    if (put->kind == FK_PUT_DELETE) {
        more = (struct fk_extent){.count = -1, .bytes = -(int64_t)node.data.size};
        fk_plan_quota_find(plan, node.path, &quota);
    }
    fk_plan_quota_count(plan, &quota, more);
}

void fk_plan_follow(struct fk_plan *plan, const struct fk_put *puts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        follow(plan, &puts[i]);
    }
}
