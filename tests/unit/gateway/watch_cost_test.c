// SPDX-License-Identifier: Apache-2.0
/* What an event costs under a recursive watch, counted in bytes that are looked at: it grows with the length of the
 * path, whatever the number of its components. The linker puts the functions below before those of the library. */
#include "gateway/watch.h"

#include "base/alloc.h"
#include "model/path.h"
#include "support/test.h"

enum {
    COMPONENTS = 100 * 1000,
    PATH_SIZE = 2 * COMPONENTS, /* "/a/a/a..." */
    COST_MAX = 8,               /* times the length of the path; 100 000 times, if each ancestor were hashed anew */
};

static size_t looked_at;
static size_t calls;

uint64_t __real_fk_bytes_hash(struct fk_bytes bytes);
uint64_t __wrap_fk_bytes_hash(struct fk_bytes bytes);
uint64_t __wrap_fk_bytes_hash(struct fk_bytes bytes)
{
    looked_at += bytes.size;
    calls++;
    return __real_fk_bytes_hash(bytes);
}

bool __real_fk_path_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name);
bool __wrap_fk_path_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name);
bool __wrap_fk_path_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name)
{
    looked_at += path.size;
    calls++;
    return __real_fk_path_split(path, parent, name);
}

bool __real_fk_path_within(struct fk_bytes path, struct fk_bytes ancestor);
bool __wrap_fk_path_within(struct fk_bytes path, struct fk_bytes ancestor);
bool __wrap_fk_path_within(struct fk_bytes path, struct fk_bytes ancestor)
{
    looked_at += ancestor.size;
    calls++;
    return __real_fk_path_within(path, ancestor);
}

static void count(void *context, struct fk_watcher *watcher, const struct fk_event *event)
{
    (void)watcher;
    (void)event;
    ++*(int *)context;
}

static void an_event_costs_the_length_of_its_path(void **state)
{
    (void)state;
    static uint8_t path[PATH_SIZE];
    struct fk_watch_table table;
    struct fk_watcher watcher;
    struct fk_event event = {FK_EVENT_DATA_CHANGED, fk_bytes_of(path, sizeof path), FK_WATCH_DATA};
    fk_watch_table_init(&table);
    fk_watcher_init(&watcher);
    for (size_t i = 0; i < COMPONENTS; i++) {
        path[2 * i] = '/';
        path[2 * i + 1] = 'a';
    }
    static const size_t watched[] = {1, 2, PATH_SIZE / 2, PATH_SIZE - 2, PATH_SIZE};
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
        int fired = 0;
        unsigned kind = FK_WATCH_RECURSIVE;
        struct fk_bytes at = fk_bytes_of(path, watched[i]);
        assert_int_equal(fk_watch_add(&table, &watcher, at, kind, 0), FK_OK);
        looked_at = calls = 0;
        assert_true(fk_watch_heard(&table, &event));
        fk_watch_fire(&table, &event, 1, count, &fired);
        assert_int_equal(fired, 1);
        print_message("# watch on %zu of %d bytes: %zu bytes in %zu calls\n", at.size, PATH_SIZE, looked_at, calls);
        assert_in_range(looked_at, 1, (uintmax_t)COST_MAX * PATH_SIZE);
        assert_in_range(calls, 1, (uintmax_t)COST_MAX * COMPONENTS);
        assert_int_equal(fk_watch_remove(&table, &watcher, at, kind), kind);
    }
    looked_at = 0; /* and without recursive watches nobody looks at the ancestors */
    int fired = 0;
    assert_int_equal(fk_watch_add(&table, &watcher, fk_bytes_text("/b"), FK_WATCH_DATA, 0), FK_OK);
    fk_watch_fire(&table, &event, 1, count, &fired);
    assert_int_equal(fired, 0);
    assert_in_range(looked_at, 1, PATH_SIZE);
    fk_watch_remove_all(&table, &watcher);
    fk_watch_table_deinit(&table);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_event_costs_the_length_of_its_path, fk_test_begin, fk_test_end),
};

FK_TEST_MAIN(tests)
