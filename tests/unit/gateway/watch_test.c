// SPDX-License-Identifier: Apache-2.0
/* The table of watches by itself: who hears what, once; its size; and against a model. */
#include "gateway/watch.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/limits.h"
#include "support/test.h"

#include <malloc.h>
#include <stdio.h>

enum {
    WATCHERS = 6,
    PATHS = 10,
};

struct listener {
    struct fk_watcher watcher;
    int fired;
};

static struct fk_watch_table table;
static struct listener listeners[WATCHERS];

static int setup(void **state)
{
    int result = fk_test_begin(state);
    fk_watch_table_init(&table);
    for (size_t i = 0; i < WATCHERS; i++) {
        fk_watcher_init(&listeners[i].watcher);
        listeners[i].fired = 0;
    }
    return result;
}

static int teardown(void **state)
{
    for (size_t i = 0; i < WATCHERS; i++) {
        fk_watch_remove_all(&table, &listeners[i].watcher);
    }
    fk_watch_table_deinit(&table);
    return fk_test_end(state);
}

#define TABLE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void fire(void *context, struct fk_watcher *watcher, const struct fk_event *event)
{
    (void)event;
    FK_CONTAINER_OF(watcher, struct listener, watcher)->fired++;
    ++*(int *)context;
}

static int fire_all(enum fk_event_type type, const char *path, unsigned kinds)
{
    struct fk_event event = {.type = type, .path = fk_bytes_text(path), .kinds = kinds};
    int count = 0;
    bool heard = fk_watch_heard(&table, &event);
    fk_watch_fire(&table, &event, 1, fire, &count);
    assert_int_equal(heard, count > 0);
    assert_false(fk_watch_heard(&table, &event));
    return count;
}

static void add(size_t listener, const char *path, unsigned kinds)
{
    assert_int_equal(fk_watch_add(&table, &listeners[listener].watcher, fk_bytes_text(path), kinds, 0), FK_OK);
}

static void a_watch_fires_once(void **state)
{
    (void)state;
    add(0, "/a", FK_WATCH_DATA);
    add(0, "/a", FK_WATCH_DATA); /* a second one is none */
    add(1, "/a", FK_WATCH_DATA);
    assert_int_equal(table.count, 2);
    assert_int_equal(fk_watch_paths(&table), 1);
    assert_int_equal(fire_all(FK_EVENT_DATA_CHANGED, "/b", FK_WATCH_DATA), 0);
    assert_int_equal(fire_all(FK_EVENT_DATA_CHANGED, "/a", FK_WATCH_CHILD), 0);
    assert_int_equal(fire_all(FK_EVENT_DATA_CHANGED, "/a", FK_WATCH_DATA), 2);
    assert_int_equal(listeners[0].fired, 1);
    assert_int_equal(table.count, 0);
    assert_int_equal(fk_watch_paths(&table), 0);
}

static void both_kinds_of_one_connection_are_one_event(void **state)
{
    (void)state;
    add(0, "/a", FK_WATCH_DATA);
    add(0, "/a", FK_WATCH_CHILD);
    assert_int_equal(table.count, 2);
    assert_int_equal(fire_all(FK_EVENT_DELETED, "/a", FK_WATCH_DATA | FK_WATCH_CHILD), 1);
    assert_int_equal(table.count, 0);
    add(0, "/a", FK_WATCH_DATA | FK_WATCH_CHILD);
    assert_int_equal(fire_all(FK_EVENT_CHILDREN_CHANGED, "/a", FK_WATCH_CHILD), 1);
    assert_int_equal(table.count, 1); /* the other kind stays */
    assert_int_equal(fire_all(FK_EVENT_DATA_CHANGED, "/a", FK_WATCH_DATA), 1);
}

static void kinds_stand_beside_each_other_and_go_alone(void **state)
{
    (void)state;
    static const unsigned all = FK_WATCH_DATA | FK_WATCH_CHILD | FK_WATCH_PERSISTENT | FK_WATCH_RECURSIVE;
    struct fk_watcher *watcher = &listeners[0].watcher;
    struct fk_bytes path = fk_bytes_text("/a");
    add(0, "/a", all);
    add(1, "/a", all);
    add(0, "/a/b", FK_WATCH_DATA);
    assert_int_equal(fk_watch_of(&table, watcher, path), all);
    assert_int_equal(fk_watch_of(&table, watcher, fk_bytes_text("/")), 0);
    assert_int_equal(watcher->count, 5);
    assert_int_equal(fk_watch_remove(&table, watcher, path, FK_WATCH_RECURSIVE), FK_WATCH_RECURSIVE);
    assert_int_equal(fk_watch_remove(&table, watcher, path, FK_WATCH_RECURSIVE), 0);
    assert_int_equal(table.recursive, 1);
    assert_int_equal(fk_watch_of(&table, watcher, path), all & ~(unsigned)FK_WATCH_RECURSIVE);
    assert_int_equal(fk_watch_remove(&table, watcher, path, all), all & ~(unsigned)FK_WATCH_RECURSIVE);
    assert_int_equal(fk_watch_of(&table, watcher, path), 0);
    assert_int_equal(fk_watch_of(&table, &listeners[1].watcher, path), all);
    assert_int_equal(fk_watch_remove(&table, watcher, fk_bytes_text("/none"), all), 0);
    assert_int_equal(watcher->count, 1);
    assert_int_equal(watcher->paths_size, 4);
    assert_int_equal(table.count, 5);
    assert_int_equal(table.paths_size, 6);
}

static enum fk_err try_add(size_t listener, const char *path, unsigned kinds)
{
    size_t count = table.count;
    size_t paths_size = table.paths_size;
    enum fk_err err = fk_watch_add(&table, &listeners[listener].watcher, fk_bytes_text(path), kinds, 0);
    if (err != FK_OK) { /* nothing was set */
        assert_int_equal(table.count, count);
        assert_int_equal(table.paths_size, paths_size);
    }
    return err;
}

static void each_bound_holds(void **state)
{
    (void)state;
    assert_int_equal(table.limits.watches, FK_WATCHES_MAX);
    assert_int_equal(table.limits.watches_of_one, FK_WATCHER_WATCHES_MAX);
    table.limits = (struct fk_watch_limits){.watches = 5, .watches_of_one = 3, .paths_size = 9, .paths_size_of_one = 6};
    add(0, "/a", FK_WATCH_DATA | FK_WATCH_CHILD);
    assert_int_equal(try_add(0, "/b", FK_WATCH_DATA | FK_WATCH_CHILD), FK_ERR_FULL); /* four of one */
    assert_int_equal(try_add(0, "/four", FK_WATCH_DATA), FK_ERR_FULL);               /* seven bytes of one */
    add(0, "/b", FK_WATCH_DATA);
    add(0, "/b", FK_WATCH_DATA); /* is there */
    assert_int_equal(try_add(0, "/a", FK_WATCH_PERSISTENT), FK_ERR_FULL);
    add(1, "/a", FK_WATCH_DATA);
    assert_int_equal(try_add(1, "/sixsix", FK_WATCH_DATA), FK_ERR_FULL);
    assert_int_equal(try_add(2, "/large", FK_WATCH_DATA), FK_ERR_FULL); /* ten bytes in all */
    add(2, "/five", FK_WATCH_CHILD);
    assert_int_equal(try_add(3, "/a", FK_WATCH_DATA), FK_ERR_FULL); /* six in all */
    assert_int_equal(fire_all(FK_EVENT_DATA_CHANGED, "/a", FK_WATCH_DATA), 2);
    add(3, "/a", FK_WATCH_DATA);
}

static void a_watcher_that_goes_takes_its_watches(void **state)
{
    (void)state;
    add(0, "/a", FK_WATCH_DATA);
    add(0, "/b", FK_WATCH_CHILD);
    add(1, "/a", FK_WATCH_DATA);
    fk_watch_remove_all(&table, &listeners[0].watcher);
    fk_watch_remove_all(&table, &listeners[0].watcher);
    assert_int_equal(table.count, 1);
    assert_int_equal(fk_watch_paths(&table), 1);
    assert_int_equal(fire_all(FK_EVENT_DELETED, "/a", FK_WATCH_DATA), 1);
    assert_int_equal(listeners[0].fired, 0);
}

static void random_use_matches_a_model(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    unsigned model[WATCHERS][PATHS] = {{0}};
    for (int step = 0; step < 20000; step++) {
        size_t listener = fk_prng_below(&prng, WATCHERS);
        size_t path = fk_prng_below(&prng, PATHS);
        unsigned kinds = 1 + (unsigned)fk_prng_below(&prng, 3);
        char text[8];
        (void)snprintf(text, sizeof text, "/%zu", path);
        switch (fk_prng_below(&prng, 8)) {
        case 0:
            fk_watch_remove_all(&table, &listeners[listener].watcher);
            memset(model[listener], 0, sizeof model[listener]);
            break;
        case 3:
            assert_int_equal(fk_watch_remove(&table, &listeners[listener].watcher, fk_bytes_text(text), kinds),
                             model[listener][path] & kinds);
            model[listener][path] &= ~kinds;
            break;
        case 1:
        case 2: {
            int expected = 0;
            for (size_t i = 0; i < WATCHERS; i++) {
                expected += (model[i][path] & kinds) != 0 ? 1 : 0;
                model[i][path] &= ~kinds;
            }
            assert_int_equal(fire_all(FK_EVENT_DATA_CHANGED, text, kinds), expected);
            break;
        }
        default:
            add(listener, text, kinds);
            model[listener][path] |= kinds;
            break;
        }
        size_t count = 0;
        size_t paths = 0;
        for (size_t p = 0; p < PATHS; p++) {
            unsigned any = 0;
            for (size_t i = 0; i < WATCHERS; i++) {
                count += (size_t)__builtin_popcount(model[i][p]);
                any |= model[i][p];
            }
            paths += any != 0 ? 1 : 0;
        }
        assert_int_equal(table.count, count);
        assert_int_equal(fk_watch_paths(&table), paths);
    }
}

static void without_memory(void **state)
{
    (void)state;
    enum fk_err err = FK_ERR_NOMEM;
    for (uint64_t nth = 1; err != FK_OK; nth++) {
        fk_test_fail_alloc(nth);
        err = fk_watch_add(&table, &listeners[0].watcher, FK_BYTES_LITERAL("/a"), FK_WATCH_DATA, 0);
        fk_test_fail_alloc(0);
        assert_int_equal(table.count, err == FK_OK ? 1 : 0);
        assert_int_equal(fk_watch_paths(&table), err == FK_OK ? 1 : 0);
    }
}

/* 10^5 watches on paths of their own, of 20 bytes: at most 300 bytes each. The allocator of the tests adds a header of
 * 32 bytes to each block, which is taken off. */
static void a_watch_is_small(void **state)
{
    (void)state;
    enum {
        MANY = 100000,
        SIZE_MAX_EACH = 300,
        HEADER_SIZE = 32,
    };
    size_t blocks = fk_test_blocks();
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < MANY; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "/services/node-%06d", i);
        add(0, path, FK_WATCH_DATA);
    }
    size_t used = mallinfo2().uordblks - before;
    if (used == 0) {
        fk_watch_remove_all(&table, &listeners[0].watcher);
        FK_TEST_SKIP("a sanitizer's allocator does not tell sizes");
    }
    used -= (fk_test_blocks() - blocks) * HEADER_SIZE;
    print_message("# %zu bytes for each of %d watches\n", used / MANY, MANY);
    assert_true(used / MANY <= SIZE_MAX_EACH);
    assert_int_equal(table.count, MANY);
    fk_watch_remove_all(&table, &listeners[0].watcher);
}

static const struct CMUnitTest tests[] = {
    TABLE_TEST(a_watch_fires_once),
    TABLE_TEST(both_kinds_of_one_connection_are_one_event),
    TABLE_TEST(kinds_stand_beside_each_other_and_go_alone),
    TABLE_TEST(each_bound_holds),
    TABLE_TEST(a_watcher_that_goes_takes_its_watches),
    TABLE_TEST(random_use_matches_a_model),
    TABLE_TEST(without_memory),
    TABLE_TEST(a_watch_is_small),
};

FK_TEST_MAIN(tests)
