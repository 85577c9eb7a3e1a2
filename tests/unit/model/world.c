// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "model/path.h"
#include "model/tree.h"

static struct fk_node *find(struct world *world, struct fk_bytes path)
{
    for (size_t i = 0; i < world->count; i++) {
        if (fk_bytes_equal(world->nodes[i].path, path)) {
            return &world->nodes[i];
        }
    }
    return NULL;
}

static enum fk_err lookup(void *context, struct fk_bytes path, struct fk_node *node)
{
    struct world *world = (struct world *)context;
    world->lookups++;
    if (world->lookup_err != FK_OK) {
        return world->lookup_err;
    }
    const struct fk_node *found = find(world, path);
    if (found == NULL) {
        return FK_ERR_NOT_FOUND;
    }
    *node = *found;
    return FK_OK;
}

static enum fk_err measure(void *context, struct fk_bytes path, struct fk_extent *extent)
{
    const struct world *world = (const struct world *)context;
    if (world->lookup_err != FK_OK) {
        return world->lookup_err;
    }
    for (size_t i = 0; i < world->count; i++) {
        if (fk_path_within(world->nodes[i].path, path)) {
            extent->count++;
            extent->bytes += (int64_t)world->nodes[i].data.size;
        }
    }
    return FK_OK;
}

static bool has_quotas(const struct world *world)
{
    struct fk_bytes target;
    for (size_t i = 0; i < world->count; i++) {
        if (fk_quota_of_limits(world->nodes[i].path, &target)) {
            return true;
        }
    }
    return false;
}

static void copy_record(struct world *world, const struct fk_node *record, struct fk_node *copy)
{
    *copy = *record;
    copy->path = fk_arena_copy(&world->memory, record->path);
    copy->data = fk_arena_copy(&world->memory, record->data);
    copy->acl = fk_arena_copy(&world->memory, record->acl);
}

static struct fk_node *add(struct world *world, const struct fk_node *record)
{
    assert_true(world->count < WORLD_NODES);
    copy_record(world, record, &world->nodes[world->count]);
    return &world->nodes[world->count++];
}

void world_init(struct world *world)
{
    *world = (struct world){.zxid = 0, .time_ms = 1000};
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        struct fk_node node = fk_tree_first_node(i);
        (void)add(world, &node);
    }
    fk_plan_init(&world->plan, &world->plan_arena, lookup, world);
    world->plan.rules = &world->rules;
    world->caller.rules = &world->rules;
    world_be(world, 7);
}

void world_deinit(struct world *world)
{
    fk_plan_deinit(&world->plan);
    fk_arena_deinit(&world->plan_arena);
    fk_arena_deinit(&world->memory);
    fk_buf_deinit(&world->ids);
    fk_buf_deinit(&world->body);
    fk_buf_deinit(&world->reply);
}

void world_be(struct world *world, int64_t session_id)
{
    fk_buf_clear(&world->ids);
    fk_write_i32(&world->ids, 0);
    world->caller.session_id = session_id;
    world_add_id(world, "ip", "10.0.0.1");
}

void world_add_id(struct world *world, const char *scheme, const char *id)
{
    fk_write_bytes(&world->ids, fk_bytes_text(scheme));
    fk_write_bytes(&world->ids, fk_bytes_text(id));
    fk_patch_i32(&world->ids, 0, (int32_t)fk_load_u32(world->ids.data) + 1);
    assert_false(world->ids.failed);
    world->caller.ids = fk_buf_view(&world->ids);
}

static void apply_put(struct world *world, const struct fk_put *put)
{
    if (put->kind == FK_PUT_SESSION || put->kind == FK_PUT_SESSION_END) {
        return;
    }
    struct fk_node *node = find(world, put->node.path);
    if (put->kind == FK_PUT_CREATE) {
        assert_null(node);
        (void)add(world, &put->node);
        return;
    }
    assert_non_null(node);
    if (put->kind == FK_PUT_DELETE) {
        *node = world->nodes[--world->count];
        return;
    }
    copy_record(world, &put->node, node);
}

static void apply(struct world *world)
{
    struct fk_change change = fk_plan_change(&world->plan);
    assert_int_equal(change.zxid, world->zxid);
    assert_int_equal(change.time_ms, world->time_ms);
    for (size_t i = 0; i < change.count; i++) {
        apply_put(world, &change.puts[i]);
    }
}

/* Each operation has its own plan, zxid and second. */
static void begin(struct world *world)
{
    fk_plan_deinit(&world->plan);
    fk_arena_reset(&world->plan_arena);
    fk_plan_init(&world->plan, &world->plan_arena, lookup, world);
    world->plan.rules = &world->rules;
    world->plan.measure = measure;
    world->plan.quotas = has_quotas(world);
    world->zxid++;
    world->time_ms += 1000;
    world->lookups = 0;
    fk_plan_begin(&world->plan, world->zxid, world->time_ms);
}

enum fk_code world_do(struct world *world, int32_t op)
{
    assert_false(world->body.failed);
    begin(world);
    fk_buf_clear(&world->reply);
    enum fk_code code = fk_plan_operation(&world->plan, &world->caller, op, fk_buf_view(&world->body), &world->reply);
    if (world->plan.err == FK_OK) {
        apply(world);
    }
    if (code != FK_CODE_OK) {
        assert_int_equal(fk_plan_change(&world->plan).count, 0);
        assert_int_equal(fk_buf_left(&world->reply), 0);
    }
    /* The body stays in memory: what was planned points into it. */
    world->body.size = world->body.start;
    return code;
}

static void write_create(struct world *world, const char *path, int32_t flags, struct fk_bytes acl)
{
    fk_write_create_request(
        &world->body, &(struct fk_create_request){
                          .path = fk_bytes_text(path), .data = fk_bytes_text("data"), .acl = acl, .flags = flags});
}

enum fk_code world_create(struct world *world, const char *path, int32_t flags)
{
    write_create(world, path, flags, FK_ACL_OPEN);
    return world_do(world, FK_OP_CREATE);
}

enum fk_code world_create_acl(struct world *world, const char *path, const char *scheme, const char *id, int32_t perms)
{
    struct fk_buf acl = FK_BUF_EMPTY;
    world_write_acl(&acl, &(struct world_acl){perms, scheme, id}, 1);
    write_create(world, path, 0, fk_buf_view(&acl));
    fk_buf_deinit(&acl);
    return world_do(world, FK_OP_CREATE);
}

enum fk_code world_delete(struct world *world, const char *path, int32_t version)
{
    fk_write_version_request(&world->body,
                             &(struct fk_version_request){.path = fk_bytes_text(path), .version = version});
    return world_do(world, FK_OP_DELETE);
}

static void write_set(struct world *world, const char *path, const char *data, int32_t version)
{
    struct fk_bytes bytes = data == NULL ? FK_BYTES_NULL : fk_bytes_text(data);
    fk_write_set_data_request(
        &world->body, &(struct fk_set_data_request){.path = fk_bytes_text(path), .data = bytes, .version = version});
}

enum fk_code world_set(struct world *world, const char *path, const char *data, int32_t version)
{
    write_set(world, path, data, version);
    return world_do(world, FK_OP_SET_DATA);
}

enum fk_code world_set_acl(struct world *world, const char *path, const char *scheme, const char *id, int32_t perms,
                           int32_t version)
{
    struct fk_buf acl = FK_BUF_EMPTY;
    world_write_acl(&acl, &(struct world_acl){perms, scheme, id}, 1);
    fk_write_set_acl_request(
        &world->body,
        &(struct fk_set_acl_request){.path = fk_bytes_text(path), .acl = fk_buf_view(&acl), .version = version});
    fk_buf_deinit(&acl);
    return world_do(world, FK_OP_SET_ACL);
}

void world_close(struct world *world, int64_t session_id, const char *const *paths, size_t count, bool last)
{
    struct fk_bytes views[WORLD_NODES];
    assert_true(count <= WORLD_NODES);
    for (size_t i = 0; i < count; i++) {
        views[i] = fk_bytes_text(paths[i]);
    }
    begin(world);
    fk_plan_close_session(&world->plan, session_id, views, count, last);
    assert_int_equal(world->plan.err, FK_OK);
    apply(world);
}

struct fk_node *world_find(struct world *world, const char *path)
{
    return find(world, fk_bytes_text(path));
}

struct fk_node *world_node(struct world *world, const char *path)
{
    struct fk_node *node = world_find(world, path);
    if (node == NULL) {
        fail_msg("no node %s", path);
    }
    return node;
}

struct fk_node *world_plant(struct world *world, const char *path)
{
    struct fk_node node = {.path = fk_bytes_text(path), .data = fk_bytes_text(""), .acl = FK_ACL_OPEN};
    return add(world, &node);
}

struct fk_stat world_stat(struct world *world, const char *path)
{
    struct fk_stat stat;
    fk_node_stat(world_node(world, path), &stat);
    return stat;
}

static struct fk_bytes text_or_null(const char *text)
{
    return text == NULL ? FK_BYTES_NULL : fk_bytes_text(text);
}

void world_write_acl(struct fk_buf *buf, const struct world_acl *entries, size_t count)
{
    fk_write_i32(buf, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        struct fk_acl_entry entry = {
            .perms = entries[i].perms, .scheme = text_or_null(entries[i].scheme), .id = text_or_null(entries[i].id)};
        fk_write_acl_entry(buf, &entry);
    }
    assert_false(buf->failed);
}

void multi_header(struct world *world, int32_t op)
{
    fk_write_multi_header(&world->body, &(struct fk_multi_header){.op = op, .done = false, .code = -1});
}

void multi_create(struct world *world, int32_t op, const char *path, int32_t flags)
{
    multi_header(world, op);
    write_create(world, path, flags, FK_ACL_OPEN);
}

static void write_version(struct world *world, int32_t op, const char *path, int32_t version)
{
    multi_header(world, op);
    fk_write_version_request(&world->body,
                             &(struct fk_version_request){.path = fk_bytes_text(path), .version = version});
}

void multi_delete(struct world *world, const char *path, int32_t version)
{
    write_version(world, FK_OP_DELETE, path, version);
}

void multi_check(struct world *world, const char *path, int32_t version)
{
    write_version(world, FK_OP_CHECK, path, version);
}

void multi_set(struct world *world, const char *path, const char *data, int32_t version)
{
    multi_header(world, FK_OP_SET_DATA);
    write_set(world, path, data, version);
}

void multi_end(struct world *world)
{
    fk_write_multi_header(&world->body, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
}
