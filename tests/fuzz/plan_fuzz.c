// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: what a write operation does, multi above all. Input: a byte that chooses operation and caller, the body.
 * The tree is a small one that never changes. Every path that is looked up must be one that fk_plan_paths names, but
 * for the final paths of sequential creates, which lie under one that it names; a refused operation leaves no puts. */
#include "model/path.h"
#include "model/plan.h"
#include "model/tree.h"

#include "base/assert.h"

enum {
    PATHS_MAX = 4096,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int32_t operations[] = {FK_OP_CREATE,   FK_OP_CREATE2,          FK_OP_DELETE,
                                     FK_OP_SET_DATA, FK_OP_SET_ACL,          FK_OP_MULTI,
                                     FK_OP_MULTI,    FK_OP_CREATE_CONTAINER, FK_OP_CREATE_TTL};

struct named {
    struct fk_bytes paths[PATHS_MAX];
    size_t count;
};

static void note(void *context, struct fk_bytes path)
{
    struct named *named = (struct named *)context;
    if (named->count < PATHS_MAX) {
        named->paths[named->count++] = path;
    }
}

static bool names(const struct named *named, struct fk_bytes path)
{
    struct fk_bytes parent;
    struct fk_bytes name;
    bool split = fk_path_split(path, &parent, &name);
    for (size_t i = 0; i < named->count; i++) {
        if (fk_bytes_equal(named->paths[i], path) || (split && fk_bytes_equal(named->paths[i], parent))) {
            return true;
        }
    }
    return named->count == PATHS_MAX;
}

/* Quota records are looked up for any path below a limit, without being named. */
static bool is_system(struct fk_bytes path)
{
    return fk_path_within(path, fk_bytes_text("/zookeeper"));
}

static enum fk_err lookup(void *context, struct fk_bytes path, struct fk_node *node)
{
    const struct named *named = (const struct named *)context;
    FK_ASSERT(fk_path_valid(path));
    FK_ASSERT(is_system(path) || names(named, path));
    bool there = fk_bytes_equal_text(path, "/") || fk_bytes_equal_text(path, "/a") || fk_bytes_equal_text(path, "/a/b");
    if (!there) {
        return FK_ERR_NOT_FOUND;
    }
    *node = (struct fk_node){.path = path,
                             .acl = fk_bytes_equal_text(path, "/a/b") ? FK_ACL_READ : FK_ACL_OPEN,
                             .num_children = path.size == 4 ? 0 : 1,
                             .created_children = 3,
                             .version = 1};
    return FK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t ids[] = "\0\0\0\1\0\0\0\6digest\0\0\0\3u:p";
    static struct named named;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf reply = FK_BUF_EMPTY;
    struct fk_plan plan;
    if (size == 0) {
        return 0;
    }
    int32_t op = operations[data[0] % (sizeof operations / sizeof operations[0])];
    struct fk_bytes body = fk_bytes_of(data + 1, size - 1);
    struct fk_caller caller = {.session_id = 7,
                               .ids = data[0] >= 128 ? fk_bytes_of(ids, sizeof ids - 1) : fk_bytes_of("\0\0\0\0", 4)};
    named.count = 0;
    fk_plan_paths(op, body, note, &named);
    fk_plan_init(&plan, &arena, lookup, &named);
    fk_plan_begin(&plan, 100, 1700000000000);
    enum fk_code code = fk_plan_operation(&plan, &caller, op, body, &reply);
    FK_ASSERT(plan.err == FK_OK);
    if (code != FK_CODE_OK) {
        FK_ASSERT(fk_plan_change(&plan).count == 0);
        FK_ASSERT(fk_buf_left(&reply) == 0);
    }
    fk_plan_deinit(&plan);
    fk_buf_deinit(&reply);
    fk_arena_deinit(&arena);
    return 0;
}
