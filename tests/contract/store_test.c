// SPDX-License-Identifier: Apache-2.0
/* What port/store.h promises, of each driver: the reference store, the store of one machine in memory, and the same
 * with a directory. */
#include "driver/local/store.h"
#include "driver/memory/store.h"
#include "model/plan.h"
#include "model/tree.h"
#include "support/test.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    DEADLINE_S = 20,
    PATHS = 31,
    SESSIONS = 3,
};

/* How the suite handles a driver. */
struct driver {
    enum fk_err (*open)(void);
    /* Makes everything accepted visible. */
    void (*settle)(void);
    bool durable; /* keeps its state over free and open */
};

static struct fk_store *store;
static struct fk_store *model; /* a reference store that takes the same changes */
static const struct driver *driver;
static struct fk_arena arena;
static struct fk_arena plan_arena;
static char directory[64];
static char paths[PATHS][24];

/* --- drivers --- */

static enum fk_err memory_open(void)
{
    store = fk_memory_store_new();
    return store == NULL ? FK_ERR_NOMEM : FK_OK;
}

static void memory_settle(void)
{
    while (fk_memory_store_next(store) != NULL) {
    }
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static uint64_t progress_count;

static void on_progress(void *context)
{
    (void)context;
    (void)pthread_mutex_lock(&lock);
    progress_count++;
    (void)pthread_cond_signal(&moved);
    (void)pthread_mutex_unlock(&lock);
}

static void on_fatal(void *context, const char *what)
{
    (void)context;
    (void)fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static uint64_t progress_now(void)
{
    (void)pthread_mutex_lock(&lock);
    uint64_t count = progress_count;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

/* Waits until there was progress since `seen`. */
static void wait_progress(uint64_t seen)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_S;
    (void)pthread_mutex_lock(&lock);
    int status = 0;
    while (progress_count == seen && status == 0) {
        status = pthread_cond_timedwait(&moved, &lock, &deadline);
    }
    (void)pthread_mutex_unlock(&lock);
    assert_int_equal(status, 0);
}

static enum fk_err local_open(const char *path)
{
    struct fk_diag diag = {.text = ""};
    struct fk_local_store_options options = {
        .directory = path, .segment_size = 1024 * 1024, .sync = true, .progress = on_progress, .fatal = on_fatal};
    enum fk_err err = fk_local_store_open(&options, &store, &diag);
    if (err != FK_OK) {
        print_error("open: %s\n", diag.text);
    }
    return err;
}

static enum fk_err local_memory_open(void)
{
    return local_open(NULL);
}

static enum fk_err local_directory_open(void)
{
    return local_open(directory);
}

static void local_settle(void)
{
    fk_local_store_flush(store, false);
    for (;;) {
        uint64_t seen = progress_now();
        while (fk_local_store_next(store) != NULL) {
        }
        if (fk_store_zxid(store, FK_VIEW_VISIBLE) == fk_store_zxid(store, FK_VIEW_ACCEPTED)) {
            return;
        }
        wait_progress(seen);
    }
}

static struct driver memory_driver = {.open = memory_open, .settle = memory_settle};
static struct driver local_memory_driver = {.open = local_memory_open, .settle = local_settle};
static struct driver local_directory_driver = {.open = local_directory_open, .settle = local_settle, .durable = true};

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int setup(void **state)
{
    int result = fk_test_begin(state);
    driver = (const struct driver *)*state;
    arena = FK_ARENA_EMPTY;
    plan_arena = FK_ARENA_EMPTY;
    (void)snprintf(directory, sizeof directory, "store-contract-XXXXXX");
    assert_non_null(mkdtemp(directory));
    model = fk_memory_store_new();
    assert_int_equal(driver->open(), FK_OK);
    for (size_t i = 0; i < PATHS; i++) { /* "/", five, and five below each */
        (void)snprintf(paths[i], sizeof paths[i],
                       i == 0   ? "/"
                       : i <= 5 ? "/%zu"
                                : "/%zu/%zu",
                       i <= 5 ? i : (i - 1) / 5, i % 5);
    }
    return result;
}

static int teardown(void **state)
{
    fk_store_free(store);
    fk_store_free(model);
    fk_arena_deinit(&arena);
    fk_arena_deinit(&plan_arena);
    (void)nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return fk_test_end(state);
}

/* --- changes --- */

static int64_t accepted_zxid(void)
{
    return fk_store_zxid(store, FK_VIEW_ACCEPTED);
}

/* One time for all of a change, in its records too: a log may keep it once. */
static int64_t time_ms(void)
{
    return 1000 + accepted_zxid();
}

/* Commits to the store alone; waits while it is busy. */
static enum fk_err commit(const struct fk_put *puts, size_t count)
{
    struct fk_change change = {.zxid = accepted_zxid() + 1, .time_ms = time_ms(), .puts = puts, .count = count};
    for (;;) {
        uint64_t seen = progress_now();
        enum fk_err err = fk_store_commit(store, &change, 1, change.zxid - 1);
        if (err != FK_ERR_BUSY) {
            return err;
        }
        wait_progress(seen);
    }
}

static struct fk_node read_node(enum fk_view view, const char *path)
{
    struct fk_node node;
    assert_int_equal(fk_store_get(store, view, fk_bytes_text(path), &arena, &node), FK_OK);
    return node;
}

static enum fk_err lookup(void *context, struct fk_bytes path, struct fk_node *node)
{
    (void)context;
    enum fk_err err = fk_store_get(store, FK_VIEW_ACCEPTED, path, &plan_arena, node);
    return err == FK_OK && node->path.data == NULL ? FK_ERR_NOT_FOUND : err;
}

static struct fk_plan plan;

static void begin(void)
{
    fk_plan_init(&plan, &plan_arena, lookup, NULL);
    fk_plan_begin(&plan, accepted_zxid() + 1, time_ms());
}

static void finish(void)
{
    struct fk_change change = fk_plan_change(&plan);
    assert_int_equal(plan.err, FK_OK);
    assert_int_equal(fk_store_commit(model, &change, 1, change.zxid - 1), FK_OK);
    assert_int_equal(commit(change.puts, change.count), FK_OK);
    while (fk_memory_store_next(model) != NULL) {
    }
    fk_plan_deinit(&plan);
    fk_arena_reset(&plan_arena);
}

static enum fk_code operate(int64_t session_id, int32_t op, struct fk_buf *body)
{
    struct fk_buf reply = FK_BUF_EMPTY;
    struct fk_caller caller = {.session_id = session_id, .ids = FK_BYTES_LITERAL("\0\0\0\0")};
    struct fk_bytes copy = fk_arena_copy(&plan_arena, fk_buf_view(body));
    enum fk_code code = fk_plan_operation(&plan, &caller, op, copy, &reply);
    fk_buf_deinit(body);
    fk_buf_deinit(&reply);
    return code;
}

static enum fk_code create(int64_t session_id, const char *path, struct fk_bytes data)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_create_request request = {.path = fk_bytes_text(path),
                                        .data = data,
                                        .acl = FK_ACL_OPEN,
                                        .flags = session_id == 0 ? 0 : FK_CREATE_EPHEMERAL};
    fk_write_create_request(&body, &request);
    return operate(session_id, FK_OP_CREATE, &body);
}

static enum fk_code set_data(const char *path, struct fk_bytes data)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_set_data_request request = {.path = fk_bytes_text(path), .data = data, .version = -1};
    fk_write_set_data_request(&body, &request);
    return operate(0, FK_OP_SET_DATA, &body);
}

static enum fk_code set_acl(const char *path, struct fk_bytes acl)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_set_acl_request request = {.path = fk_bytes_text(path), .acl = acl, .version = -1};
    fk_write_set_acl_request(&body, &request);
    return operate(0, FK_OP_SET_ACL, &body);
}

static enum fk_code remove_node(const char *path)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_version_request request = {.path = fk_bytes_text(path), .version = -1};
    fk_write_version_request(&body, &request);
    return operate(0, FK_OP_DELETE, &body);
}

static void create_now(int64_t session_id, const char *path, struct fk_bytes data)
{
    begin();
    assert_int_equal(create(session_id, path, data), FK_CODE_OK);
    finish();
}

static void open_session(int64_t id)
{
    begin();
    fk_plan_create_session(&plan, &(struct fk_session){.id = id, .timeout_ms = 4000, .password = "secret"});
    finish();
}

static int compare_names(const void *a, const void *b)
{
    const struct fk_bytes *left = (const struct fk_bytes *)a;
    const struct fk_bytes *right = (const struct fk_bytes *)b;
    size_t size = left->size < right->size ? left->size : right->size;
    int order = size == 0 ? 0 : memcmp(left->data, right->data, size);
    return order != 0 ? order : (left->size > right->size) - (left->size < right->size);
}

/* All names of a list, over its pages, sorted. */
static size_t list_all(struct fk_store *from, enum fk_view view, const struct fk_list_key *key, struct fk_bytes *names,
                       size_t room)
{
    struct fk_page page = {.names = NULL};
    size_t count = 0;
    do {
        assert_int_equal(fk_store_list(from, view, key, &arena, &page), FK_OK);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(count < room);
            names[count++] = page.names[i];
        }
    } while (page.more);
    if (count > 0) {
        qsort(names, count, sizeof *names, compare_names);
    }
    return count;
}

static size_t count_children(enum fk_view view, const char *path)
{
    struct fk_bytes names[300];
    return list_all(store, view, &(struct fk_list_key){.kind = FK_LIST_CHILDREN, .path = fk_bytes_text(path)}, names,
                    300);
}

static void reopen(void)
{
    fk_store_free(store);
    store = NULL;
    assert_int_equal(driver->open(), FK_OK);
}

/* --- tests --- */

static void a_fresh_store_has_the_first_tree(void **state)
{
    (void)state;
    struct fk_store_counts counts;
    static const enum fk_view views[] = {FK_VIEW_ACCEPTED, FK_VIEW_VISIBLE};
    for (size_t v = 0; v < 2; v++) {
        assert_int_equal(fk_store_zxid(store, views[v]), 0);
        for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
            struct fk_node expected = fk_tree_first_node(i);
            struct fk_node node;
            assert_int_equal(fk_store_get(store, views[v], expected.path, &arena, &node), FK_OK);
            fk_assert_bytes(node.path, expected.path);
            fk_assert_bytes(node.acl, expected.acl);
            assert_int_equal(node.num_children, expected.num_children);
            assert_int_equal(node.aversion, expected.aversion);
        }
    }
    fk_store_counts(store, &counts);
    assert_int_equal(counts.nodes, FK_TREE_FIRST_NODES);
    assert_int_equal(counts.sessions, 0);
    assert_int_equal(counts.ephemerals, 0);
    assert_non_null(store->ops->name);
}

static void a_commit_is_accepted_at_once_and_visible_later(void **state)
{
    (void)state;
    create_now(0, "/1", fk_bytes_text("data"));
    assert_int_equal(accepted_zxid(), 1);
    assert_int_equal(read_node(FK_VIEW_ACCEPTED, "/1").czxid, 1);
    int64_t visible = fk_store_zxid(store, FK_VIEW_VISIBLE);
    assert_int_equal(read_node(FK_VIEW_VISIBLE, "/1").path.data != NULL, visible == 1);
    driver->settle();
    assert_int_equal(fk_store_zxid(store, FK_VIEW_VISIBLE), 1);
    struct fk_node node = read_node(FK_VIEW_VISIBLE, "/1");
    fk_assert_text(node.data, "data");
    fk_assert_bytes(node.acl, FK_ACL_OPEN);
    assert_int_equal(node.ctime_ms, 1000);
    assert_int_equal(read_node(FK_VIEW_VISIBLE, "/").num_children, 2);
}

static void a_condition_that_fails_applies_nothing(void **state)
{
    (void)state;
    create_now(0, "/1", FK_BYTES_NULL);
    struct fk_node node = {.path = fk_bytes_text("/2"), .acl = FK_ACL_OPEN, .czxid = 1};
    struct fk_put put = {.kind = FK_PUT_CREATE, .node = node};
    static const int64_t expected[] = {0, 2, -1, INT64_MAX - 1};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct fk_change change = {.zxid = expected[i] + 1, .puts = &put, .count = 1};
        assert_int_equal(fk_store_commit(store, &change, 1, expected[i]), FK_ERR_REFUSED);
    }
    assert_int_equal(accepted_zxid(), 1);
    driver->settle();
    assert_null(read_node(FK_VIEW_ACCEPTED, "/2").path.data);
    assert_null(read_node(FK_VIEW_VISIBLE, "/2").path.data);
}

static void a_change_without_puts_takes_its_zxid(void **state)
{
    (void)state;
    assert_int_equal(commit(NULL, 0), FK_OK);
    assert_int_equal(commit(NULL, 0), FK_OK);
    assert_int_equal(accepted_zxid(), 2);
    driver->settle();
    assert_int_equal(fk_store_zxid(store, FK_VIEW_VISIBLE), 2);
}

static void records_that_are_not_there(void **state)
{
    (void)state;
    struct fk_session session;
    struct fk_node nodes[4];
    create_now(0, "/1", FK_BYTES_NULL);
    driver->settle();
    const struct fk_bytes wanted[] = {fk_bytes_text("/missing"), fk_bytes_text("/1"), fk_bytes_text(""),
                                      fk_bytes_text("/1/")};
    assert_int_equal(fk_store_get_many(store, FK_VIEW_VISIBLE, wanted, 4, &arena, nodes), FK_OK);
    assert_null(nodes[0].path.data);
    fk_assert_text(nodes[1].path, "/1");
    assert_null(nodes[2].path.data);
    assert_null(nodes[3].path.data);
    assert_int_equal(fk_store_get_many(store, FK_VIEW_VISIBLE, wanted, 0, &arena, nodes), FK_OK);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 9, &session), FK_ERR_NOT_FOUND);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_VISIBLE, 9, &session), FK_ERR_NOT_FOUND);
    assert_int_equal(count_children(FK_VIEW_VISIBLE, "/missing"), 0);
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = 9};
    struct fk_bytes names[1];
    assert_int_equal(list_all(store, FK_VIEW_ACCEPTED, &key, names, 1), 0);
}

static void null_and_empty_data_are_kept_apart(void **state)
{
    (void)state;
    static uint8_t large[700 * 1000];
    memset(large, 0xa5, sizeof large);
    create_now(0, "/1", FK_BYTES_NULL);
    create_now(0, "/2", fk_bytes_text(""));
    create_now(0, "/3", fk_bytes_of(large, sizeof large));
    for (int round = 0; round < (driver->durable ? 2 : 1); round++) {
        driver->settle();
        assert_null(read_node(FK_VIEW_VISIBLE, "/1").data.data);
        assert_non_null(read_node(FK_VIEW_VISIBLE, "/2").data.data);
        assert_int_equal(read_node(FK_VIEW_VISIBLE, "/2").data.size, 0);
        fk_assert_bytes(read_node(FK_VIEW_VISIBLE, "/3").data, fk_bytes_of(large, sizeof large));
        if (driver->durable) {
            reopen();
        }
    }
}

static void what_a_commit_was_given_is_copied(void **state)
{
    (void)state;
    char path[] = "/1";
    char data[] = "data";
    struct fk_node parent = fk_tree_first_node(0);
    parent.num_children++;
    struct fk_put puts[] = {
        {.kind = FK_PUT_CREATE, .node = {.path = fk_bytes_text(path), .data = fk_bytes_text(data), .acl = FK_ACL_READ}},
        {.kind = FK_PUT_CHILDREN, .node = parent},
    };
    assert_int_equal(commit(puts, 2), FK_OK);
    memset(path, 'x', sizeof path - 1);
    memset(data, 'x', sizeof data - 1);
    memset(puts, 0, sizeof puts);
    driver->settle();
    struct fk_node node = read_node(FK_VIEW_VISIBLE, "/1");
    fk_assert_text(node.path, "/1");
    fk_assert_text(node.data, "data");
    fk_assert_bytes(node.acl, FK_ACL_READ);
}

static void lists_are_complete(void **state)
{
    (void)state;
    enum {
        MANY = 200,
    };
    struct fk_bytes names[300];
    char path[24];
    open_session(1);
    open_session(2);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(path, sizeof path, "/n%03d", i);
        create_now(i % 2 == 0 ? 1 : 0, path, FK_BYTES_NULL);
    }
    create_now(2, "/other", FK_BYTES_NULL);
    assert_int_equal(count_children(FK_VIEW_ACCEPTED, "/"), MANY + 2);
    driver->settle();
    assert_int_equal(count_children(FK_VIEW_VISIBLE, "/"), MANY + 2);
    assert_int_equal(count_children(FK_VIEW_VISIBLE, "/zookeeper"), 2);
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = 1};
    size_t count = list_all(store, FK_VIEW_VISIBLE, &key, names, 300);
    assert_int_equal(count, MANY / 2);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "/n%03zu", 2 * i);
        fk_assert_text(names[i], path); /* whole paths, and of children the names alone */
    }
    key.session_id = 2;
    assert_int_equal(list_all(store, FK_VIEW_VISIBLE, &key, names, 300), 1);
    key = (struct fk_list_key){.kind = FK_LIST_CHILDREN, .path = fk_bytes_text("/zookeeper")};
    (void)list_all(store, FK_VIEW_VISIBLE, &key, names, 300);
    fk_assert_text(names[0], "config");
    fk_assert_text(names[1], "quota");
}

static void sessions_come_and_go(void **state)
{
    (void)state;
    struct fk_session session;
    struct fk_store_counts counts;
    open_session(-5);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, -5, &session), FK_OK);
    assert_int_equal(session.id, -5);
    assert_int_equal(session.timeout_ms, 4000);
    assert_memory_equal(session.password, "secret\0\0\0\0\0\0\0\0\0\0", FK_PASSWORD_SIZE);
    create_now(-5, "/1", FK_BYTES_NULL);
    driver->settle();
    fk_store_counts(store, &counts);
    assert_int_equal(counts.sessions, 1);
    assert_int_equal(counts.ephemerals, 1);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_VISIBLE, -5, &session), FK_OK);
    struct fk_bytes path = fk_bytes_text("/1");
    begin();
    fk_plan_close_session(&plan, -5, &path, 1, true);
    finish();
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, -5, &session), FK_ERR_NOT_FOUND);
    driver->settle();
    assert_int_equal(fk_store_get_session(store, FK_VIEW_VISIBLE, -5, &session), FK_ERR_NOT_FOUND);
    fk_store_counts(store, &counts);
    assert_int_equal(counts.sessions, 0);
    assert_int_equal(counts.ephemerals, 0);
    assert_int_equal(counts.nodes, FK_TREE_FIRST_NODES);
}

/* --- random changes, compared with the reference --- */

static void assert_same_list(enum fk_view view, const struct fk_list_key *key)
{
    struct fk_bytes expected[PATHS];
    struct fk_bytes actual[PATHS];
    size_t count = list_all(model, view, key, expected, PATHS);
    assert_int_equal(list_all(store, view, key, actual, PATHS), count);
    for (size_t i = 0; i < count; i++) {
        fk_assert_bytes(actual[i], expected[i]);
    }
}

static void assert_same_node(enum fk_view view, const char *path)
{
    struct fk_node expected;
    struct fk_node actual = read_node(view, path);
    assert_int_equal(fk_store_get(model, view, fk_bytes_text(path), &arena, &expected), FK_OK);
    assert_int_equal(actual.path.data != NULL, expected.path.data != NULL);
    if (expected.path.data == NULL) {
        return;
    }
    fk_assert_bytes(actual.data, expected.data);
    fk_assert_bytes(actual.acl, expected.acl);
    assert_int_equal(actual.czxid, expected.czxid);
    assert_int_equal(actual.mzxid, expected.mzxid);
    assert_int_equal(actual.pzxid, expected.pzxid);
    assert_int_equal(actual.ctime_ms, expected.ctime_ms);
    assert_int_equal(actual.mtime_ms, expected.mtime_ms);
    assert_int_equal(actual.ephemeral_owner, expected.ephemeral_owner);
    assert_int_equal(actual.version, expected.version);
    assert_int_equal(actual.aversion, expected.aversion);
    assert_int_equal(actual.created_children, expected.created_children);
    assert_int_equal(actual.num_children, expected.num_children);
}

static void assert_same_descendants(const char *path)
{
    int64_t expected = -1;
    int64_t actual = -1;
    assert_int_equal(fk_store_descendants(model, fk_bytes_text(path), &expected), FK_OK);
    assert_int_equal(fk_store_descendants(store, fk_bytes_text(path), &actual), FK_OK);
    assert_int_equal(actual, expected);
}

static void assert_same(enum fk_view view)
{
    assert_int_equal(fk_store_zxid(store, view), fk_store_zxid(model, view));
    for (size_t i = 0; i < PATHS; i++) {
        assert_same_node(view, paths[i]);
        if (view == FK_VIEW_VISIBLE) {
            assert_same_descendants(paths[i]);
        }
        assert_same_list(view, &(struct fk_list_key){.kind = FK_LIST_CHILDREN, .path = fk_bytes_text(paths[i])});
    }
    for (int64_t id = 1; id <= SESSIONS; id++) {
        struct fk_session expected;
        struct fk_session actual;
        enum fk_err err = fk_store_get_session(model, view, id, &expected);
        assert_int_equal(fk_store_get_session(store, view, id, &actual), err);
        assert_same_list(view, &(struct fk_list_key){.kind = FK_LIST_EPHEMERALS, .session_id = id});
    }
    fk_arena_reset(&arena);
}

static void assert_same_counts(void)
{
    struct fk_store_counts expected;
    struct fk_store_counts actual;
    fk_store_counts(model, &expected);
    fk_store_counts(store, &actual);
    assert_int_equal(actual.nodes, expected.nodes);
    assert_int_equal(actual.ephemerals, expected.ephemerals);
    assert_int_equal(actual.sessions, expected.sessions);
    assert_int_equal(actual.data_size, expected.data_size);
}

static void random_operation(struct fk_prng *prng)
{
    static const char text[] = "data of some length that is not always the same";
    const char *path = paths[1 + fk_prng_below(prng, PATHS - 1)];
    struct fk_session session;
    int64_t owner = (int64_t)fk_prng_below(prng, SESSIONS + 1);
    if (owner > 0 && fk_store_get_session(store, FK_VIEW_ACCEPTED, owner, &session) != FK_OK) {
        owner = 0;
    }
    struct fk_bytes data = fk_bytes_of(text, (size_t)fk_prng_below(prng, sizeof text));
    uint64_t choice = fk_prng_below(prng, 10);
    if (choice < 5) {
        (void)create(owner, path, choice == 0 ? FK_BYTES_NULL : data);
    } else if (choice < 8) {
        (void)remove_node(path);
    } else if (choice < 9) {
        (void)set_data(path, data);
    } else {
        (void)set_acl(path, fk_prng_chance(prng, 50)
                                ? FK_ACL_OPEN
                                : FK_BYTES_LITERAL("\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone"));
    }
}

/* Ends a session that is there, or makes one. */
static void random_session(struct fk_prng *prng)
{
    int64_t id = 1 + (int64_t)fk_prng_below(prng, SESSIONS);
    struct fk_session session;
    struct fk_bytes names[PATHS];
    driver->settle(); /* an id is not used again while its end is not visible: they are random */
    begin();
    if (fk_store_get_session(store, FK_VIEW_ACCEPTED, id, &session) == FK_OK) {
        struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = id};
        size_t count = list_all(store, FK_VIEW_ACCEPTED, &key, names, PATHS);
        fk_plan_close_session(&plan, id, names, count, true);
    } else {
        fk_plan_create_session(&plan, &(struct fk_session){.id = id, .timeout_ms = 1000});
    }
    finish();
}

static void random_changes_match_the_reference(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    int steps = driver->durable ? 400 : 1500;
    for (int step = 0; step < steps; step++) {
        if (fk_prng_chance(&prng, 5)) {
            random_session(&prng);
        } else {
            begin();
            random_operation(&prng);
            finish();
        }
        if (fk_prng_chance(&prng, 10)) {
            assert_same(FK_VIEW_ACCEPTED);
        }
        if (fk_prng_chance(&prng, 10)) {
            driver->settle();
            assert_same(FK_VIEW_VISIBLE);
            assert_same_counts();
        }
        if (driver->durable && fk_prng_chance(&prng, 1)) {
            reopen();
            assert_same(FK_VIEW_VISIBLE);
            assert_same(FK_VIEW_ACCEPTED);
        }
    }
    driver->settle();
    assert_same(FK_VIEW_VISIBLE);
    if (driver->durable) {
        reopen();
        assert_same(FK_VIEW_VISIBLE);
        assert_same_counts();
    }
}

/* A commit without memory has no effect; the store goes on. */
static void without_memory_nothing_is_applied(void **state)
{
    (void)state;
    enum fk_err err = FK_ERR_NOMEM;
    if (driver->durable) {
        FK_TEST_SKIP("the engine's threads take memory at their own time");
    }
    for (uint64_t nth = 1; err != FK_OK; nth++) {
        begin();
        assert_int_equal(create(0, "/1", fk_bytes_text("data")), FK_CODE_OK);
        struct fk_change change = fk_plan_change(&plan);
        fk_test_fail_alloc(nth);
        err = fk_store_commit(store, &change, 1, 0);
        fk_test_fail_alloc(0);
        fk_plan_deinit(&plan);
        fk_arena_reset(&plan_arena);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_int_equal(accepted_zxid(), err == FK_OK ? 1 : 0);
        assert_int_equal(read_node(FK_VIEW_ACCEPTED, "/1").path.data != NULL, err == FK_OK);
    }
}

#define ON_EACH(function)                                                                                              \
    {#function " [memory]", function, setup, teardown, &memory_driver},                                                \
        {#function " [local, no directory]", function, setup, teardown, &local_memory_driver},                         \
    {                                                                                                                  \
#        function " [local]", function, setup, teardown, &local_directory_driver                                       \
    }

static const struct CMUnitTest tests[] = {
    ON_EACH(a_fresh_store_has_the_first_tree),
    ON_EACH(a_commit_is_accepted_at_once_and_visible_later),
    ON_EACH(a_condition_that_fails_applies_nothing),
    ON_EACH(a_change_without_puts_takes_its_zxid),
    ON_EACH(records_that_are_not_there),
    ON_EACH(null_and_empty_data_are_kept_apart),
    ON_EACH(what_a_commit_was_given_is_copied),
    ON_EACH(lists_are_complete),
    ON_EACH(sessions_come_and_go),
    ON_EACH(random_changes_match_the_reference),
    ON_EACH(without_memory_nothing_is_applied),
};

FK_TEST_MAIN(tests)
