// SPDX-License-Identifier: Apache-2.0
/* The state of one machine in both views, against two reference stores: one takes each change when it is accepted, the
 * other when it becomes visible. */
#include "driver/local/state.h"

#include "driver/memory/store.h"
#include "model/plan.h"
#include "model/tree.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PATHS = 46,
    QUOTA_PATHS = 6,
    SESSIONS = 4,
    PENDING_MAX = 8,
};

static struct fk_state tree;
static struct fk_store *accepted; /* what the accepted view must be */
static struct fk_store *visible;
static struct fk_arena arena;
static struct fk_arena plan_arena;
static char paths[PATHS][48];

/* "/", two levels of six, two quotas. */
static void name_paths(void)
{
    size_t count = 0;
    (void)snprintf(paths[count++], sizeof paths[0], "/");
    for (int i = 0; count < PATHS - QUOTA_PATHS; i++) {
        (void)snprintf(paths[count++], sizeof paths[0], "/%c", 'a' + i);
        for (int j = 0; j < 5 && count < PATHS - QUOTA_PATHS; j++) {
            (void)snprintf(paths[count++], sizeof paths[0], "/%c/%d", 'a' + i, j);
        }
    }
    for (char name = 'a'; count < PATHS; name++) {
        (void)snprintf(paths[count++], sizeof paths[0], "/zookeeper/quota/%c", name);
        (void)snprintf(paths[count++], sizeof paths[0], "/zookeeper/quota/%c/zookeeper_limits", name);
        (void)snprintf(paths[count++], sizeof paths[0], "/zookeeper/quota/%c/zookeeper_stats", name);
    }
}

static int setup(void **state)
{
    int result = fk_test_begin(state);
    arena = FK_ARENA_EMPTY;
    plan_arena = FK_ARENA_EMPTY;
    fk_state_init(&tree);
    accepted = fk_memory_store_new();
    visible = fk_memory_store_new();
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        struct fk_node node = fk_tree_first_node(i);
        assert_int_equal(fk_state_load_node(&tree, &node), FK_OK);
    }
    name_paths();
    return result;
}

static int teardown(void **state)
{
    fk_state_deinit(&tree);
    fk_store_free(accepted);
    fk_store_free(visible);
    fk_arena_deinit(&arena);
    fk_arena_deinit(&plan_arena);
    return fk_test_end(state);
}

#define STATE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* --- comparing --- */

static void assert_same_record(const struct fk_node *a, const struct fk_node *b)
{
    fk_assert_bytes(a->path, b->path);
    fk_assert_bytes(a->data, b->data);
    fk_assert_bytes(a->acl, b->acl);
    assert_int_equal(a->czxid, b->czxid);
    assert_int_equal(a->mzxid, b->mzxid);
    assert_int_equal(a->pzxid, b->pzxid);
    assert_int_equal(a->ctime_ms, b->ctime_ms);
    assert_int_equal(a->mtime_ms, b->mtime_ms);
    assert_int_equal(a->ephemeral_owner, b->ephemeral_owner);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->aversion, b->aversion);
    assert_int_equal(a->created_children, b->created_children);
    assert_int_equal(a->num_children, b->num_children);
}

static int compare_names(const void *a, const void *b)
{
    const struct fk_bytes *left = (const struct fk_bytes *)a;
    const struct fk_bytes *right = (const struct fk_bytes *)b;
    size_t size = left->size < right->size ? left->size : right->size;
    int order = size == 0 ? 0 : memcmp(left->data, right->data, size);
    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

static void assert_same_list(enum fk_view view, struct fk_store *model, const struct fk_list_key *key)
{
    struct fk_bytes expected[PATHS];
    size_t count = 0;
    struct fk_page page = {.more = true};
    while (page.more) {
        assert_int_equal(fk_store_list(model, view, key, &arena, &page), FK_OK);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(count < PATHS);
            expected[count++] = page.names[i];
        }
    }
    struct fk_page actual = {.names = NULL};
    assert_int_equal(fk_state_list(&tree, view, key, &arena, &actual), FK_OK);
    assert_false(actual.more);
    assert_int_equal(actual.count, count);
    if (count > 0) {
        qsort(expected, count, sizeof expected[0], compare_names);
        qsort(actual.names, count, sizeof actual.names[0], compare_names);
    }
    for (size_t i = 0; i < count; i++) {
        fk_assert_bytes(actual.names[i], expected[i]);
    }
}

static void assert_same_path(enum fk_view view, struct fk_store *model, struct fk_bytes path)
{
    struct fk_node expected;
    struct fk_node actual;
    assert_int_equal(fk_store_get(model, view, path, &arena, &expected), FK_OK);
    bool there = fk_state_get(&tree, view, path, &actual);
    if (there != (expected.path.data != NULL)) {
        fail_msg("%.*s: %d, expected %d", (int)path.size, (const char *)path.data, there, !there);
    }
    if (there) {
        assert_same_record(&actual, &expected);
    }
    assert_same_list(view, model, &(struct fk_list_key){.kind = FK_LIST_CHILDREN, .path = path});
    if (view == FK_VIEW_ACCEPTED) {
        struct fk_extent all;
        struct fk_extent measured;
        assert_int_equal(fk_store_measure(model, path, &all), FK_OK);
        fk_state_measure(&tree, path, &measured);
        assert_int_equal(measured.count, all.count);
        assert_int_equal(measured.bytes, all.bytes);
    }
}

static void assert_same_view(enum fk_view view, struct fk_store *model)
{
    for (size_t i = 0; i < PATHS; i++) {
        assert_same_path(view, model, fk_bytes_text(paths[i]));
    }
    assert_same_path(view, model, fk_bytes_text("/zookeeper"));
    for (int64_t id = 1; id <= SESSIONS; id++) {
        struct fk_session expected;
        struct fk_session actual;
        bool there = fk_store_get_session(model, view, id, &expected) == FK_OK;
        assert_int_equal(fk_state_get_session(&tree, view, id, &actual), there);
        if (there) {
            assert_int_equal(actual.id, expected.id);
            assert_int_equal(actual.timeout_ms, expected.timeout_ms);
        }
        assert_same_list(view, model, &(struct fk_list_key){.kind = FK_LIST_EPHEMERALS, .session_id = id});
    }
    fk_arena_reset(&arena);
}

static void assert_same(void)
{
    struct fk_store_counts counts;
    assert_int_equal(tree.accepted_zxid, fk_store_zxid(accepted, FK_VIEW_ACCEPTED));
    assert_int_equal(tree.visible_zxid, fk_store_zxid(visible, FK_VIEW_VISIBLE));
    assert_same_view(FK_VIEW_ACCEPTED, accepted);
    assert_same_view(FK_VIEW_VISIBLE, visible);
    assert_int_equal(tree.limits > 0, fk_store_has_quotas(accepted));
    fk_store_counts(visible, &counts);
    assert_int_equal(tree.counts.nodes, counts.nodes);
    assert_int_equal(tree.counts.ephemerals, counts.ephemerals);
    assert_int_equal(tree.counts.sessions, counts.sessions);
    assert_int_equal(tree.counts.data_size, counts.data_size);
}

/* --- changing --- */

static enum fk_err lookup(void *context, struct fk_bytes path, struct fk_node *node)
{
    (void)context;
    return fk_state_get(&tree, FK_VIEW_ACCEPTED, path, node) ? FK_OK : FK_ERR_NOT_FOUND;
}

static enum fk_err measure(void *context, struct fk_bytes path, struct fk_extent *extent)
{
    (void)context;
    fk_state_measure(&tree, path, extent);
    return FK_OK;
}

/* One change being put together. */
static struct fk_plan plan;

static void begin(void)
{
    fk_arena_reset(&plan_arena);
    fk_plan_init(&plan, &plan_arena, lookup, NULL);
    plan.measure = measure;
    plan.quotas = tree.limits > 0;
    fk_plan_begin(&plan, tree.accepted_zxid + 1, 1000 * (tree.accepted_zxid + 1));
}

static enum fk_code operate(int64_t session_id, int32_t op, struct fk_buf *body)
{
    struct fk_buf reply = FK_BUF_EMPTY;
    struct fk_caller caller = {.session_id = session_id, .ids = FK_BYTES_LITERAL("\0\0\0\0")};
    struct fk_bytes copy = fk_arena_copy(&plan_arena, fk_buf_view(body));
    enum fk_code code = fk_plan_operation(&plan, &caller, op, copy, &reply);
    fk_buf_deinit(body);
    fk_buf_deinit(&reply);
    assert_int_equal(plan.err, FK_OK);
    return code;
}

static enum fk_code create(int64_t session_id, const char *path, struct fk_bytes data)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_create_request(&body, &(struct fk_create_request){.path = fk_bytes_text(path),
                                                               .data = data,
                                                               .acl = FK_ACL_OPEN,
                                                               .flags = session_id == 0 ? 0 : FK_CREATE_EPHEMERAL});
    return operate(session_id, FK_OP_CREATE, &body);
}

static enum fk_code remove_node(const char *path)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_version_request(&body, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    return operate(0, FK_OP_DELETE, &body);
}

static enum fk_code set(const char *path, struct fk_bytes data)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_set_data_request(&body,
                              &(struct fk_set_data_request){.path = fk_bytes_text(path), .data = data, .version = -1});
    return operate(0, FK_OP_SET_DATA, &body);
}

/* One of three lists that all let the caller go on. */
static enum fk_code set_acl(const char *path, uint64_t choice)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_buf acl = FK_BUF_EMPTY;
    fk_write_i32(&acl, choice == 0 ? 1 : 2);
    fk_write_acl_entry(&acl, &(struct fk_acl_entry){31, fk_bytes_text("world"), fk_bytes_text("anyone")});
    if (choice > 0) {
        fk_write_acl_entry(&acl,
                           &(struct fk_acl_entry){(int32_t)choice, fk_bytes_text("ip"), fk_bytes_text("1.2.3.4")});
    }
    fk_write_set_acl_request(
        &body, &(struct fk_set_acl_request){.path = fk_bytes_text(path), .acl = fk_buf_view(&acl), .version = -1});
    fk_buf_deinit(&acl);
    return operate(0, FK_OP_SET_ACL, &body);
}

static void end_session(int64_t id)
{
    struct fk_page page = {.names = NULL};
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = id};
    assert_int_equal(fk_state_list(&tree, FK_VIEW_ACCEPTED, &key, &plan_arena, &page), FK_OK);
    fk_plan_close_session(&plan, id, page.names, page.count, true);
}

/* Gives the change to the state and to the reference for the accepted view. */
static void accept(void)
{
    struct fk_pending_change *pending = NULL;
    struct fk_change change = fk_plan_change(&plan);
    assert_int_equal(fk_store_commit(accepted, &change, 1, change.zxid - 1), FK_OK);
    assert_int_equal(fk_state_accept(&tree, &change, &pending), FK_OK);
    assert_non_null(pending);
    fk_plan_deinit(&plan);
    fk_arena_reset(&plan_arena);
}

static volatile uint64_t seen; /* reads that a sanitizer shall check */

/* Makes the oldest accepted change visible; false where nothing is pending. */
static bool show(void)
{
    struct fk_pending_change *pending = fk_state_oldest(&tree);
    if (pending == NULL) {
        return false;
    }
    assert_int_equal(fk_store_commit(visible, &pending->change, 1, pending->change.zxid - 1), FK_OK);
    fk_state_apply(&tree, pending);
    /* Events are made of it now: paths stay readable until it is retired, and lists that it does not replace. */
    bool replaces = false;
    for (size_t i = 0; i < pending->change.count; i++) {
        replaces = replaces || pending->change.puts[i].kind == FK_PUT_ACL;
    }
    for (size_t i = 0; i < pending->change.count; i++) {
        const struct fk_put *put = &pending->change.puts[i];
        if (fk_put_is_node(put->kind)) {
            seen += fk_bytes_hash(put->node.path) + (replaces ? 0 : fk_bytes_hash(put->node.acl));
        }
    }
    fk_state_retire(&tree, pending);
    return true;
}

static void show_all(void)
{
    while (show()) {
        assert_same();
    }
}

/* --- tests --- */

static void an_accepted_change_is_not_visible(void **state)
{
    (void)state;
    struct fk_node node;
    begin();
    assert_int_equal(create(0, "/a", fk_bytes_text("x")), FK_CODE_OK);
    accept();
    assert_true(fk_state_get(&tree, FK_VIEW_ACCEPTED, fk_bytes_text("/a"), &node));
    assert_false(fk_state_get(&tree, FK_VIEW_VISIBLE, fk_bytes_text("/a"), &node));
    assert_int_equal(tree.accepted_zxid, 1);
    assert_int_equal(tree.visible_zxid, 0);
    assert_same();
    show_all();
    assert_true(fk_state_get(&tree, FK_VIEW_VISIBLE, fk_bytes_text("/a"), &node));
    fk_assert_text(node.data, "x");
    assert_null(fk_state_oldest(&tree));
}

static void create_delete_create_of_one_path_while_all_are_pending(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        begin();
        assert_int_equal(create(0, "/a", fk_bytes_text("first")), FK_CODE_OK);
        accept();
        assert_same();
        begin();
        assert_int_equal(set("/a", fk_bytes_text("second")), FK_CODE_OK);
        accept();
        assert_same();
        begin();
        assert_int_equal(remove_node("/a"), FK_CODE_OK);
        accept();
        assert_same();
    }
    begin();
    assert_int_equal(create(0, "/a", FK_BYTES_NULL), FK_CODE_OK);
    accept();
    begin();
    assert_int_equal(create(0, "/a/0", fk_bytes_text("")), FK_CODE_OK);
    accept();
    assert_same();
    show_all();
    assert_int_equal(tree.counts.nodes, FK_TREE_FIRST_NODES + 2);
}

static void a_visible_node_that_is_deleted_and_made_anew(void **state)
{
    (void)state;
    begin();
    assert_int_equal(create(0, "/a", fk_bytes_text("old")), FK_CODE_OK);
    assert_int_equal(create(0, "/a/1", fk_bytes_text("old child")), FK_CODE_OK);
    accept();
    show_all();
    begin();
    assert_int_equal(remove_node("/a/1"), FK_CODE_OK);
    assert_int_equal(remove_node("/a"), FK_CODE_OK);
    assert_int_equal(create(0, "/a", fk_bytes_text("new")), FK_CODE_OK);
    assert_int_equal(create(0, "/a/1", fk_bytes_text("new child")), FK_CODE_OK);
    assert_int_equal(remove_node("/a/1"), FK_CODE_OK);
    accept();
    assert_same();
    begin();
    assert_int_equal(create(0, "/a/2", fk_bytes_text("")), FK_CODE_OK);
    accept();
    assert_same();
    show_all();
}

static void data_and_lists_that_change_while_pending(void **state)
{
    (void)state;
    begin();
    assert_int_equal(create(0, "/a", fk_bytes_text("0")), FK_CODE_OK);
    accept();
    for (uint64_t i = 0; i < 4; i++) {
        begin();
        assert_int_equal(set_acl("/a", i % 3), FK_CODE_OK);
        accept();
        begin();
        assert_int_equal(set("/a", i == 2 ? FK_BYTES_NULL : fk_bytes_text("longer than before")), FK_CODE_OK);
        accept();
        begin();
        assert_int_equal(create(0, paths[2 + i], FK_BYTES_NULL), FK_CODE_OK); /* a put that borrows data and list */
        accept();
        assert_same();
        if (i % 2 == 1) {
            assert_true(show());
            assert_same();
        }
    }
    show_all();
    assert_int_equal(tree.acls.count, 1); /* of /zookeeper/config: the open list is not kept */
}

static void sessions_and_their_ephemerals(void **state)
{
    (void)state;
    struct fk_session session = {.id = 1, .timeout_ms = 4000};
    begin();
    fk_plan_create_session(&plan, &session);
    accept();
    assert_same();
    begin();
    assert_int_equal(create(1, "/a", fk_bytes_text("x")), FK_CODE_OK);
    assert_int_equal(create(1, "/b", fk_bytes_text("y")), FK_CODE_OK);
    accept();
    assert_same();
    begin();
    end_session(1);
    accept();
    assert_same();
    assert_true(show());
    assert_same();
    assert_int_equal(tree.counts.sessions, 1);
    assert_true(show());
    assert_same();
    assert_int_equal(tree.counts.ephemerals, 2);
    show_all();
    assert_int_equal(tree.counts.sessions, 0);
    assert_int_equal(tree.counts.ephemerals, 0);
}

static void limits_and_statistics_while_pending(void **state)
{
    (void)state;
    begin();
    assert_int_equal(create(0, "/zookeeper/quota/a", fk_bytes_text("")), FK_CODE_OK);
    assert_int_equal(create(0, "/zookeeper/quota/a/zookeeper_limits", fk_bytes_text("count=9")), FK_CODE_OK);
    assert_int_equal(create(0, "/zookeeper/quota/a/zookeeper_stats", fk_bytes_text("")), FK_CODE_OK);
    assert_int_equal(create(0, "/a", fk_bytes_text("123")), FK_CODE_OK);
    accept();
    assert_int_equal(tree.limits, 1);
    assert_same();
    begin();
    assert_int_equal(create(0, "/a/0", fk_bytes_text("45")), FK_CODE_OK);
    assert_int_equal(set("/a", fk_bytes_text("6")), FK_CODE_OK);
    accept();
    assert_same();
    struct fk_node node;
    assert_true(fk_state_get(&tree, FK_VIEW_ACCEPTED, fk_bytes_text("/zookeeper/quota/a/zookeeper_stats"), &node));
    fk_assert_text(node.data, "count=2,bytes=3");
    assert_int_equal(node.mzxid, 1);
    begin();
    assert_int_equal(remove_node("/zookeeper/quota/a/zookeeper_limits"), FK_CODE_OK);
    accept();
    assert_int_equal(tree.limits, 0);
    show_all();
    assert_int_equal(tree.limits, 0);
}

static void load_owned(const char *path, int64_t owner)
{
    struct fk_node node = {.path = fk_bytes_text(path), .acl = FK_ACL_OPEN, .ephemeral_owner = owner};
    assert_int_equal(fk_state_load_node(&tree, &node), FK_OK);
}

static void containers_and_ttl_nodes_come_round(void **state)
{
    (void)state;
    struct fk_node node;
    assert_false(fk_state_next_swept(&tree, &node));
    load_owned("/a", FK_OWNER_CONTAINER);
    load_owned("/b", 0);
    load_owned("/c", fk_owner_of_ttl(5));
    assert_int_equal(tree.swept_count, 2);
    static const char *const order[] = {"/a", "/c", "/a", "/c"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(fk_state_next_swept(&tree, &node));
        fk_assert_text(node.path, order[i]);
    }
    tree.accepted_zxid = 0;
    begin();
    struct fk_node parent;
    assert_true(fk_state_get(&tree, FK_VIEW_ACCEPTED, fk_bytes_text("/"), &parent));
    struct fk_put puts[] = {{.kind = FK_PUT_DELETE, .node = {.path = fk_bytes_text("/a")}},
                            {.kind = FK_PUT_CHILDREN, .node = parent}};
    struct fk_change change = {.zxid = 1, .time_ms = 1, .puts = puts, .count = 2};
    struct fk_pending_change *pending = NULL;
    assert_int_equal(fk_state_accept(&tree, &change, &pending), FK_OK);
    fk_plan_deinit(&plan);
    assert_true(fk_state_next_swept(&tree, &node)); /* still there, but not in the accepted view */
    assert_null(node.path.data);
    fk_state_apply(&tree, pending);
    fk_state_retire(&tree, pending);
    assert_int_equal(tree.swept_count, 1);
    assert_true(fk_state_next_swept(&tree, &node));
    fk_assert_text(node.path, "/c");
}

static void a_change_without_puts_takes_a_zxid(void **state)
{
    (void)state;
    begin();
    assert_int_equal(remove_node("/missing"), FK_CODE_NO_NODE);
    accept();
    assert_int_equal(tree.accepted_zxid, 1);
    show_all();
    assert_int_equal(tree.visible_zxid, 1);
}

/* --- random changes --- */

struct world {
    struct fk_prng prng;
    bool live[SESSIONS + 1];
};

static struct fk_bytes random_data(struct world *world)
{
    static const char text[] = "some data that differs in its length only, which is enough";
    return fk_prng_chance(&world->prng, 10) ? FK_BYTES_NULL
                                            : fk_bytes_of(text, (size_t)fk_prng_below(&world->prng, sizeof text));
}

/* Adds one operation, which may be refused. */
static void random_operation(struct world *world)
{
    const char *path = paths[1 + fk_prng_below(&world->prng, PATHS - 1)];
    int64_t owner = fk_prng_chance(&world->prng, 40) ? 1 + (int64_t)fk_prng_below(&world->prng, SESSIONS) : 0;
    switch (fk_prng_below(&world->prng, 10)) {
    case 0:
    case 1:
    case 2:
    case 3:
        (void)create(world->live[owner] ? owner : 0, path, random_data(world));
        break;
    case 4:
    case 5:
    case 6:
        (void)remove_node(path);
        break;
    case 7:
    case 8:
        (void)set(path, random_data(world));
        break;
    default:
        (void)set_acl(path, fk_prng_below(&world->prng, 3));
        break;
    }
}

/* Session ids that ended and are still visible are not used again: ids are random. */
static bool session_free(int64_t id)
{
    struct fk_session session;
    return !fk_state_get_session(&tree, FK_VIEW_VISIBLE, id, &session);
}

static void random_session(struct world *world)
{
    int64_t id = 1 + (int64_t)fk_prng_below(&world->prng, SESSIONS);
    if (world->live[id]) {
        end_session(id);
        world->live[id] = false;
    } else if (session_free(id) && fk_state_oldest(&tree) == NULL) {
        fk_plan_create_session(&plan, &(struct fk_session){.id = id, .timeout_ms = (int32_t)id});
        world->live[id] = true;
    }
}

static void random_change(struct world *world)
{
    begin();
    if (fk_prng_chance(&world->prng, 10)) {
        random_session(world);
        return;
    }
    uint64_t operations = fk_prng_chance(&world->prng, 20) ? fk_prng_below(&world->prng, 30) : 1;
    for (uint64_t i = 0; i < operations; i++) {
        plan.first = plan.count; /* a refused operation takes back what is its own */
        random_operation(world);
    }
    plan.first = 0; /* as in a multi: all puts are of one change */
}

static size_t pending_count(void)
{
    size_t count = 0;
    for (struct fk_list *link = tree.pending.next; link != &tree.pending; link = link->next) {
        count++;
    }
    return count;
}

static void random_changes_match_the_reference_in_both_views(void **state)
{
    (void)state;
    struct world world = {.prng = fk_test_prng()};
    for (int step = 0; step < 3000; step++) {
        if (pending_count() < PENDING_MAX && fk_prng_chance(&world.prng, 55)) {
            random_change(&world);
            accept();
        } else {
            (void)show();
        }
        if (step % 5 == 0) {
            assert_same();
        }
    }
    show_all();
}

/* A change for which there is no memory is not taken, whatever part of it had been. */
static void without_memory_nothing_is_taken(void **state)
{
    (void)state;
    struct world world = {.prng = fk_test_prng()};
    for (int step = 0; step < 150; step++) {
        random_change(&world);
        struct fk_change change = fk_plan_change(&plan);
        struct fk_pending_change *pending = NULL;
        uint64_t nth = 1;
        enum fk_err err = FK_ERR_NOMEM;
        while (err == FK_ERR_NOMEM) {
            fk_test_fail_alloc(nth++);
            err = fk_state_accept(&tree, &change, &pending);
            fk_test_fail_alloc(0);
            if (err == FK_ERR_NOMEM) {
                assert_same();
            }
        }
        assert_int_equal(err, FK_OK);
        assert_int_equal(fk_store_commit(accepted, &change, 1, change.zxid - 1), FK_OK);
        fk_plan_deinit(&plan);
        while (pending_count() > 3 || fk_prng_chance(&world.prng, 30)) {
            if (!show()) {
                break;
            }
        }
    }
    show_all();
}

/* --- loading and replaying --- */

static void loading_what_does_not_fit(void **state)
{
    (void)state;
    struct fk_node node = {.path = fk_bytes_text("/a/b"), .acl = FK_ACL_OPEN};
    struct fk_session session = {.id = 5, .timeout_ms = 1};
    assert_int_equal(fk_state_load_node(&tree, &node), FK_ERR_DAMAGED); /* no parent */
    node.path = fk_bytes_text("/zookeeper");
    assert_int_equal(fk_state_load_node(&tree, &node), FK_ERR_DAMAGED); /* there already */
    node.path = fk_bytes_text("/e");
    node.ephemeral_owner = 5;
    assert_int_equal(fk_state_load_node(&tree, &node), FK_ERR_DAMAGED); /* no owner */
    node.path = FK_BYTES_NULL;
    assert_int_equal(fk_state_load_node(&tree, &node), FK_ERR_DAMAGED);
    assert_int_equal(fk_state_load_session(&tree, &session), FK_OK);
    assert_int_equal(fk_state_load_session(&tree, &session), FK_ERR_EXISTS);
    node.path = fk_bytes_text("/e");
    assert_int_equal(fk_state_load_node(&tree, &node), FK_OK);
    assert_int_equal(tree.counts.ephemerals, 1);
    node.path = fk_bytes_text("/c"); /* these have no session to look for */
    node.ephemeral_owner = FK_OWNER_CONTAINER;
    assert_int_equal(fk_state_load_node(&tree, &node), FK_OK);
    node.path = fk_bytes_text("/t");
    node.ephemeral_owner = fk_owner_of_ttl(1);
    assert_int_equal(fk_state_load_node(&tree, &node), FK_OK);
    assert_int_equal(tree.counts.ephemerals, 1);
    fk_state_load_zxid(&tree, 77);
    assert_int_equal(tree.accepted_zxid, 77);
    assert_int_equal(tree.visible_zxid, 77);
}

/* Only what the log keeps: the rest is filled in. */
static void replaying_what_the_log_keeps(void **state)
{
    (void)state;
    struct fk_node full = {.path = fk_bytes_text("/a"),
                           .data = fk_bytes_text("data"),
                           .acl = FK_ACL_READ,
                           .czxid = 1,
                           .mzxid = 1,
                           .pzxid = 1};
    struct fk_put first = {.kind = FK_PUT_CREATE, .node = full};
    struct fk_put second[2] = {
        {.kind = FK_PUT_DATA,
         .node = {.path = full.path, .data = fk_bytes_text("new"), .version = 1, .mzxid = 2, .mtime_ms = 5}},
        {.kind = FK_PUT_CHILDREN, .node = {.path = full.path, .created_children = 4, .num_children = 0, .pzxid = 2}},
    };
    struct fk_node node;
    assert_int_equal(fk_state_replay(&tree, &(struct fk_change){.zxid = 2, .puts = &first, .count = 1}),
                     FK_ERR_DAMAGED);
    assert_int_equal(fk_state_replay(&tree, &(struct fk_change){.zxid = 1, .puts = &first, .count = 1}), FK_OK);
    assert_int_equal(fk_state_replay(&tree, &(struct fk_change){.zxid = 2, .puts = second, .count = 2}), FK_OK);
    assert_true(fk_state_get(&tree, FK_VIEW_VISIBLE, full.path, &node));
    fk_assert_text(node.data, "new");
    fk_assert_bytes(node.acl, FK_ACL_READ);
    assert_int_equal(node.czxid, 1);
    assert_int_equal(node.mzxid, 2);
    assert_int_equal(node.pzxid, 2);
    assert_int_equal(node.version, 1);
    assert_int_equal(node.created_children, 4);
    assert_int_equal(node.mtime_ms, 5);
    assert_int_equal(fk_state_replay(&tree, &(struct fk_change){.zxid = 3, .puts = &first, .count = 1}),
                     FK_ERR_DAMAGED);
    assert_int_equal(tree.visible_zxid, 2);
}

static const struct CMUnitTest tests[] = {
    STATE_TEST(an_accepted_change_is_not_visible),
    STATE_TEST(create_delete_create_of_one_path_while_all_are_pending),
    STATE_TEST(a_visible_node_that_is_deleted_and_made_anew),
    STATE_TEST(data_and_lists_that_change_while_pending),
    STATE_TEST(sessions_and_their_ephemerals),
    STATE_TEST(limits_and_statistics_while_pending),
    STATE_TEST(containers_and_ttl_nodes_come_round),
    STATE_TEST(a_change_without_puts_takes_a_zxid),
    STATE_TEST(random_changes_match_the_reference_in_both_views),
    STATE_TEST(without_memory_nothing_is_taken),
    STATE_TEST(loading_what_does_not_fit),
    STATE_TEST(replaying_what_the_log_keeps),
};

FK_TEST_MAIN(tests)
