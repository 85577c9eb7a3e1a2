// SPDX-License-Identifier: Apache-2.0
/* The reference model against src/model, which was written apart from it: random requests are answered by the planner,
 * the checkers must find nothing; a few rules by hand besides, for what both might have wrong. */
#include "../model/world.h"
#include "sim/model_ref.h"
#include "story.h"

#include <stdlib.h>

enum {
    SESSION = 7,
    OPERATIONS = 600,
};

struct differential {
    struct story story;
    struct world world;
    struct fk_prng prng;
    uint32_t connection;
    int32_t xid;
    int64_t number;
};

static const char *pick(struct differential *d)
{
    static const char *const paths[] = {
        "/a", "/a/b",       "/a/b/c", "/e",  "/e/x",    "/",   "/zookeeper/quota/q", "/a/s", "/a/p-",
        "/p", "/missing/x", "bad",    "/a/", "/a/../b", "/e2", "/zookeeper"};
    return paths[fk_prng_below(&d->prng, sizeof paths / sizeof *paths)];
}

static int32_t version(struct differential *d)
{
    return fk_prng_chance(&d->prng, 60) ? -1 : (int32_t)fk_prng_below(&d->prng, 4) - 1;
}

static void put_acl(struct differential *d, struct fk_buf *buf)
{
    static const struct world_acl lists[][2] = {
        {{FK_PERM_ALL, "world", "anyone"}, {0}},
        {{FK_PERM_ALL, "world", "anyone"}, {FK_PERM_ALL, "world", "anyone"}},
        {{FK_PERM_READ | FK_PERM_ADMIN, "ip", "10.0.0.0/24"}, {FK_PERM_ALL, "digest", "u:h"}},
        {{FK_PERM_ALL, "digest", "u:h"}, {FK_PERM_READ, "world", "anyone"}},
        {{FK_PERM_ALL, "auth", ""}, {FK_PERM_READ, "ip", "10.0.0.1"}},
        {{FK_PERM_ALL, "digest", "nocolon"}, {0}},
        {{FK_PERM_ALL, "world", "nobody"}, {0}},
        {{FK_PERM_ALL, "ip", "10.0.0.300"}, {0}},
    };
    uint64_t choice = fk_prng_below(&d->prng, 40);
    if (choice == 39) {
        world_write_acl(buf, NULL, 0);
    } else if (choice < 8) {
        world_write_acl(buf, lists[choice], lists[choice][1].scheme == NULL ? 1 : 2);
    } else {
        world_write_acl(buf, lists[0], 1);
    }
}

static void put_create(struct differential *d, struct fk_buf *buf)
{
    static const int32_t flags[] = {0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 7, -1};
    char data[8];
    fk_write_bytes(buf, fk_bytes_text(pick(d)));
    if (fk_prng_chance(&d->prng, 10)) {
        fk_write_bytes(buf, FK_BYTES_NULL);
    } else {
        (void)snprintf(data, sizeof data, "%d", (int)d->xid);
        fk_write_bytes(buf, fk_bytes_text(data));
    }
    put_acl(d, buf);
    fk_write_i32(buf, flags[fk_prng_below(&d->prng, sizeof flags / sizeof *flags)]);
}

static void put_version(struct differential *d, struct fk_buf *buf)
{
    fk_write_bytes(buf, fk_bytes_text(pick(d)));
    fk_write_i32(buf, version(d));
}

static void put_set(struct differential *d, struct fk_buf *buf)
{
    fk_write_bytes(buf, fk_bytes_text(pick(d)));
    fk_write_bytes(buf, fk_bytes_text("data"));
    fk_write_i32(buf, version(d));
}

static void put_set_acl(struct differential *d, struct fk_buf *buf)
{
    fk_write_bytes(buf, fk_bytes_text(pick(d)));
    put_acl(d, buf);
    fk_write_i32(buf, version(d));
}

static void put_body(struct differential *d, struct fk_buf *buf, int32_t op)
{
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
        put_create(d, buf);
        break;
    case FK_OP_SET_DATA:
        put_set(d, buf);
        break;
    case FK_OP_SET_ACL:
        put_set_acl(d, buf);
        break;
    default:
        put_version(d, buf);
        break;
    }
}

static int32_t choose(struct differential *d, bool multi)
{
    static const int32_t ops[] = {FK_OP_CREATE,   FK_OP_CREATE, FK_OP_CREATE2, FK_OP_DELETE,
                                  FK_OP_SET_DATA, FK_OP_CHECK,  FK_OP_SET_ACL, FK_OP_MULTI};
    int32_t op = FK_OP_CHECK;
    do {
        op = ops[fk_prng_below(&d->prng, sizeof ops / sizeof *ops)];
    } while (multi ? op == FK_OP_MULTI || (op == FK_OP_SET_ACL && !fk_prng_chance(&d->prng, 3)) : op == FK_OP_CHECK);
    return op;
}

static void answer(struct differential *d, enum fk_code code)
{
    int64_t zxid = story_commit(&d->story, SESSION, 1, ++d->number, code);
    assert_int_equal(zxid, d->world.zxid);
    if (code == FK_CODE_OK) {
        story_told_bytes(&d->story, d->connection, d->xid, zxid, fk_buf_view(&d->world.reply));
    } else {
        story_told(&d->story, d->connection, d->xid, zxid, code);
    }
}

static void one_write(struct differential *d)
{
    struct fk_buf *body = &d->world.body;
    int32_t op = choose(d, false);
    fk_buf_clear(body);
    if (op == FK_OP_MULTI) {
        for (uint64_t i = fk_prng_below(&d->prng, 4); i > 0; i--) {
            int32_t sub = choose(d, true);
            fk_write_multi_header(body, &(struct fk_multi_header){.op = sub, .code = -1});
            put_body(d, body, sub);
        }
        fk_write_multi_header(body, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
    } else {
        put_body(d, body, op);
    }
    d->xid++;
    story_ask(&d->story, d->connection, d->xid, op, fk_buf_view(body));
    answer(d, world_do(&d->world, op));
}

static void run_differential(uint64_t seed)
{
    struct differential *d = calloc(1, sizeof *d);
    assert_non_null(d);
    story_begin(&d->story);
    d->story.options.address = "10.0.0.1";
    world_init(&d->world);
    d->prng = fk_test_prng();
    for (uint64_t i = 0; i < seed * 10007; i++) {
        (void)fk_prng_next(&d->prng);
    }
    d->connection = story_open(&d->story, SESSION);
    for (int i = 0; i < OPERATIONS; i++) {
        one_write(d);
    }
    for (size_t i = 0; i < d->world.count; i++) {
        struct fk_stat stat;
        struct fk_buf encoded = FK_BUF_EMPTY;
        fk_node_stat(&d->world.nodes[i], &stat);
        fk_write_stat(&encoded, &stat);
        sim_history_final_node(&d->story.history, &(struct sim_final_node){.path = d->world.nodes[i].path,
                                                                           .data = d->world.nodes[i].data,
                                                                           .acl = d->world.nodes[i].acl,
                                                                           .stat = fk_buf_view(&encoded)});
        fk_buf_deinit(&encoded);
    }
    story_good(&d->story);
    assert_int_equal(d->story.counts.writes, OPERATIONS);
    world_deinit(&d->world);
    story_end(&d->story);
    free(d);
}

static void agrees_with_the_planner(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        run_differential(seed);
    }
}

/* --- by hand --- */

struct model {
    struct sim_bump bump;
    struct sim_ref_tree tree;
    struct fk_buf body;
    int64_t zxid;
};

static void model_begin(struct model *model)
{
    *model = (struct model){.bump = SIM_BUMP_EMPTY, .body = FK_BUF_EMPTY};
    sim_ref_init(&model->tree, &model->bump);
    model->tree.extended_types = true;
}

static void model_end(struct model *model)
{
    sim_bump_deinit(&model->bump);
    fk_buf_deinit(&model->body);
}

/* The model keeps views of bodies. */
static struct fk_bytes body_of(struct model *model)
{
    return sim_bump_copy(&model->bump, fk_buf_view(&model->body));
}

static int32_t create(struct model *model, int32_t op, const char *path, int32_t flags, int64_t ttl_ms)
{
    struct sim_ref_caller caller = {.session_id = SESSION};
    struct fk_create_request request = {.path = fk_bytes_text(path), .acl = FK_ACL_OPEN, .flags = flags};
    fk_buf_clear(&model->body);
    fk_write_create_request(&model->body, &request);
    fk_write_i64(&model->body, ttl_ms);
    return sim_ref_apply(&model->tree, ++model->zxid, &caller, op, body_of(model)).code;
}

static int32_t delete (struct model *model, const char *path)
{
    struct sim_ref_caller caller = {.session_id = SESSION};
    fk_buf_clear(&model->body);
    fk_write_version_request(&model->body, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    return sim_ref_apply(&model->tree, ++model->zxid, &caller, FK_OP_DELETE, body_of(model)).code;
}

static const struct sim_ref_state *at(struct model *model, const char *path, int64_t zxid)
{
    return sim_ref_state_at(sim_ref_find(&model->tree, fk_bytes_text(path)), zxid);
}

static void states_are_kept(void **state)
{
    (void)state;
    struct model model;
    model_begin(&model);
    assert_int_equal(create(&model, FK_OP_CREATE, "/a", 0, 0), 0);
    assert_int_equal(create(&model, FK_OP_CREATE, "/a/b", 0, 0), 0);
    assert_int_equal(delete (&model, "/a/b"), 0);
    assert_int_equal(delete (&model, "/a"), 0);
    assert_false(at(&model, "/a", 0)->exists);
    assert_true(at(&model, "/a", 1)->exists);
    assert_int_equal(at(&model, "/a", 1)->children, 0);
    assert_int_equal(at(&model, "/a", 2)->children, 1);
    assert_int_equal(sim_ref_cversion(at(&model, "/a", 3)), 2);
    assert_int_equal(at(&model, "/a", 3)->pzxid, 3);
    assert_false(at(&model, "/a", 4)->exists);
    assert_int_equal(sim_ref_cversion(at(&model, "/", 0)), -1);
    assert_int_equal(model.tree.event_count, 8);
    model_end(&model);
}

static void containers_and_ttl(void **state)
{
    (void)state;
    struct model model;
    model_begin(&model);
    assert_int_equal(create(&model, FK_OP_CREATE_CONTAINER, "/c", 4, 0), 0);
    assert_int_equal(create(&model, FK_OP_CREATE_TTL, "/t", 5, 100), 0);
    assert_int_equal(create(&model, FK_OP_CREATE_TTL, "/u", 5, 0), FK_CODE_BAD_ARGUMENTS);
    assert_int_equal(create(&model, FK_OP_CREATE_TTL, "/u", 0, 5), FK_CODE_BAD_ARGUMENTS);
    assert_int_equal(create(&model, FK_OP_CREATE, "/plain", 4, 0), 0);
    assert_false(at(&model, "/plain", model.zxid)->container);
    assert_false(sim_ref_sweep(&model.tree, ++model.zxid, fk_bytes_text("/c"))); /* never had a child */
    assert_false(sim_ref_sweep(&model.tree, ++model.zxid, fk_bytes_text("/plain")));
    assert_int_equal(create(&model, FK_OP_CREATE, "/c/x", 0, 0), 0);
    assert_false(sim_ref_sweep(&model.tree, ++model.zxid, fk_bytes_text("/c")));
    assert_int_equal(delete (&model, "/c/x"), 0);
    assert_true(sim_ref_sweep(&model.tree, ++model.zxid, fk_bytes_text("/c")));
    assert_true(sim_ref_sweep(&model.tree, ++model.zxid, fk_bytes_text("/t")));
    assert_false(at(&model, "/c", model.zxid)->exists);
    model_end(&model);
}

static void ends_of_sessions(void **state)
{
    (void)state;
    struct model model;
    struct fk_bytes piece = fk_bytes_text("/e1");
    struct fk_bytes other = fk_bytes_text("/n");
    model_begin(&model);
    assert_int_equal(create(&model, FK_OP_CREATE, "/e1", FK_CREATE_EPHEMERAL, 0), 0);
    assert_int_equal(create(&model, FK_OP_CREATE, "/e2", FK_CREATE_EPHEMERAL, 0), 0);
    assert_int_equal(create(&model, FK_OP_CREATE, "/n", 0, 0), 0);
    assert_int_equal(create(&model, FK_OP_CREATE, "/e1/x", 0, 0), FK_CODE_NO_CHILDREN_FOR_EPHEMERALS);
    assert_int_equal(sim_ref_ephemerals(&model.tree, SESSION), 2);
    assert_false(sim_ref_close(&model.tree, ++model.zxid, SESSION, &other, 1));
    assert_true(sim_ref_close(&model.tree, ++model.zxid, SESSION, &piece, 1));
    assert_int_equal(sim_ref_ephemerals(&model.tree, SESSION), 1);
    assert_true(sim_ref_close(&model.tree, ++model.zxid, SESSION, NULL, 0));
    assert_int_equal(sim_ref_ephemerals(&model.tree, SESSION), 0);
    assert_true(at(&model, "/n", model.zxid)->exists);
    model_end(&model);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(agrees_with_the_planner),
    FK_TEST(states_are_kept),
    FK_TEST(containers_and_ttl),
    FK_TEST(ends_of_sessions),
};

FK_TEST_MAIN(tests)
