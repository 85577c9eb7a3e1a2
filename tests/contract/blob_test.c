// SPDX-License-Identifier: Apache-2.0
/* What port/blob.h promises, over each of its drivers, and what the blobs in memory have besides. */
#include "port/blob.h"

#include "aws_fixture.h"
#include "base/limits.h"
#include "driver/aws/s3.h"
#include "driver/memory/blob.h"
#include "support/test.h"

struct driver {
    enum fk_emulator emulator;      /* first: see FK_CLOUD_TEST_MAIN */
    struct fk_blobs *(*open)(void); /* no objects in it */
    bool in_process;                /* its memory is this process's: it can be denied */
};

static const struct driver *driver;
static struct fk_blobs *blobs;
static struct fk_arena arena;

static struct fk_blobs *s3_open(void)
{
    struct fk_aws *aws = fk_cloud_open(driver->emulator);
    return aws != NULL && fk_cloud_create_bucket() ? fk_s3_blobs_new(aws, fk_cloud_name(), "data/") : NULL;
}

static struct driver memory_driver = {.open = fk_memory_blobs_new, .in_process = true};
static struct driver ministack_driver = {.open = s3_open, .emulator = FK_EMULATOR_MINISTACK};
static struct driver moto_driver = {.open = s3_open, .emulator = FK_EMULATOR_MOTO};

static int setup(void **state)
{
    driver = (const struct driver *)*state;
    (void)fk_test_begin(state);
    arena = FK_ARENA_EMPTY;
    blobs = driver->open();
    return blobs == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    fk_blobs_free(blobs);
    fk_cloud_close();
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

static void put(const char *name, const char *bytes)
{
    assert_int_equal(fk_blob_put(blobs, fk_bytes_text(name), fk_bytes_text(bytes)), FK_OK);
}

static void expect(const char *name, const char *expected)
{
    struct fk_bytes bytes;
    assert_int_equal(fk_blob_get(blobs, fk_bytes_text(name), &arena, &bytes), FK_OK);
    fk_assert_text(bytes, expected);
}

static void expect_none(const char *name)
{
    struct fk_bytes bytes;
    assert_int_equal(fk_blob_get(blobs, fk_bytes_text(name), &arena, &bytes), FK_ERR_NOT_FOUND);
}

static struct fk_blob_page list(struct fk_bytes after, size_t limit)
{
    struct fk_blob_page page;
    assert_int_equal(fk_blob_list(blobs, after, limit, &arena, &page), FK_OK);
    assert_true(page.count <= limit && page.count <= FK_BLOB_PAGE_MAX);
    for (size_t i = 0; i < page.count; i++) {
        assert_true(fk_bytes_compare(i == 0 ? after : page.names[i - 1], page.names[i]) < 0);
    }
    return page;
}

static size_t count_by(size_t limit)
{
    struct fk_bytes after = FK_BYTES_NULL;
    size_t count = 0;
    struct fk_blob_page page;
    do {
        page = list(after, limit);
        count += page.count;
        after = page.count == 0 ? after : page.names[page.count - 1];
        assert_true(!page.more || page.count > 0);
    } while (page.more);
    return count;
}

static void objects_are_there_from_put_to_remove(void **state)
{
    (void)state;
    assert_non_null(blobs->ops->name);
    expect_none("a");
    put("a", "one");
    put("b", "two");
    put("empty", "");
    expect("a", "one");
    expect("b", "two");
    expect("empty", ""); /* and not null */
    expect_none("ab");
    assert_int_equal(fk_blob_remove(blobs, fk_bytes_text("a")), FK_OK);
    expect_none("a");
    expect("b", "two");
    assert_int_equal(fk_blob_remove(blobs, fk_bytes_text("a")), FK_OK); /* it need not be there */
    assert_int_equal(count_by(10), 2);
}

static void the_same_put_again_is_harmless(void **state)
{
    (void)state;
    put("a", "one");
    put("a", "one");
    expect("a", "one");
    assert_int_equal(count_by(10), 1);
    assert_int_equal(fk_blob_remove(blobs, fk_bytes_text("a")), FK_OK);
    expect_none("a");
}

static void objects_may_be_large_and_are_copied(void **state)
{
    (void)state;
    static uint8_t bytes[5 * 1024 * 1024];
    static char name[FK_BLOB_NAME_SIZE_MAX + 1];
    struct fk_bytes got;
    struct fk_bytes kept;
    memset(name, 'n', sizeof name - 1);
    memset(bytes, 'a', sizeof bytes);
    bytes[sizeof bytes - 1] = 0;
    assert_int_equal(fk_blob_put(blobs, fk_bytes_text(name), fk_bytes_of(bytes, sizeof bytes)), FK_OK);
    assert_int_equal(fk_blob_get(blobs, fk_bytes_text(name), &arena, &kept), FK_OK);
    assert_int_equal(kept.size, sizeof bytes);
    assert_memory_equal(kept.data, bytes, sizeof bytes);
    memset(bytes, 'x', sizeof bytes); /* it was borrowed for the call only */
    assert_int_equal(fk_blob_get(blobs, fk_bytes_text(name), &arena, &got), FK_OK);
    assert_memory_equal(got.data, kept.data, kept.size);
    fk_assert_text(list(FK_BYTES_NULL, 1).names[0], name);
    assert_int_equal(fk_blob_remove(blobs, fk_bytes_text(name)), FK_OK);
    assert_memory_equal(got.data, kept.data, kept.size); /* and what was read is the arena's */
}

static void names_come_in_the_order_of_their_bytes(void **state)
{
    (void)state;
    static const char *const sorted[] = {"/", "A", "a", "a/b", "aa", "b", "\xc3\xa4"};
    static const size_t order[] = {4, 0, 6, 2, 1, 5, 3};
    for (size_t i = 0; i < 7; i++) {
        put(sorted[order[i]], "");
    }
    struct fk_blob_page page = list(FK_BYTES_NULL, 1000);
    assert_int_equal(page.count, 7);
    for (size_t i = 0; i < 7; i++) {
        fk_assert_text(page.names[i], sorted[i]);
    }
    fk_assert_text(list(fk_bytes_text("a"), 2).names[0], "a/b");
    fk_assert_text(list(fk_bytes_text("a0"), 2).names[0], "aa"); /* it need not be there */
    page = list(fk_bytes_text("\xc3\xa4"), 2);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
}

static void names_are_any_bytes(void **state)
{
    (void)state;
    char name[2] = {0, 'x'};
    struct fk_bytes after = FK_BYTES_NULL;
    for (int byte = 0; byte < 256; byte += 3) {
        name[0] = (char)byte;
        assert_int_equal(fk_blob_put(blobs, fk_bytes_of(name, 2), fk_bytes_of(name, 1)), FK_OK);
    }
    for (int byte = 0; byte < 256; byte += 3) {
        struct fk_blob_page page = list(after, 1);
        struct fk_bytes bytes;
        name[0] = (char)byte;
        assert_int_equal(page.count, 1);
        fk_assert_bytes(page.names[0], fk_bytes_of(name, 2));
        assert_int_equal(fk_blob_get(blobs, page.names[0], &arena, &bytes), FK_OK);
        fk_assert_bytes(bytes, fk_bytes_of(name, 1));
        assert_int_equal(fk_blob_remove(blobs, page.names[0]), FK_OK);
        after = page.names[0];
    }
    assert_int_equal(count_by(10), 0);
}

static void pages_have_a_limit_and_go_on_where_the_last_one_ended(void **state)
{
    (void)state;
    char name[32];
    assert_int_equal(count_by(3), 0);
    for (int i = 0; i < FK_BLOB_PAGE_MAX + 10; i++) {
        (void)snprintf(name, sizeof name, "n%04d", (i * 7) % (FK_BLOB_PAGE_MAX + 10));
        put(name, "x");
    }
    static const size_t limits[] = {7, 100, 101, FK_BLOB_PAGE_MAX, FK_BLOB_PAGE_MAX + 10, 5000};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(count_by(limits[i]), FK_BLOB_PAGE_MAX + 10);
        struct fk_blob_page page = list(FK_BYTES_NULL, limits[i]);
        assert_int_equal(page.count, limits[i] < FK_BLOB_PAGE_MAX ? limits[i] : FK_BLOB_PAGE_MAX);
        assert_true(page.more);
    }
}

static void without_memory_nothing_is_put_and_nothing_lost(void **state)
{
    (void)state;
    if (!driver->in_process) {
        FK_TEST_SKIP("its memory is elsewhere");
    }
    enum fk_err err = FK_ERR_NOMEM;
    for (uint64_t nth = 1; err != FK_OK; nth++) {
        fk_test_fail_alloc(nth);
        err = fk_blob_put(blobs, fk_bytes_text("a"), fk_bytes_text("one"));
        fk_test_fail_alloc(0);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_true(nth > 1 || err == FK_ERR_NOMEM);
        assert_int_equal(count_by(10), err == FK_OK ? 1 : 0);
    }
    struct fk_bytes bytes;
    struct fk_blob_page page;
    fk_arena_deinit(&arena);
    fk_test_fail_all(true);
    assert_int_equal(fk_blob_get(blobs, fk_bytes_text("a"), &arena, &bytes), FK_ERR_NOMEM);
    assert_int_equal(fk_blob_list(blobs, FK_BYTES_NULL, 10, &arena, &page), FK_ERR_NOMEM);
    assert_int_equal(fk_blob_remove(blobs, fk_bytes_text("a")), FK_OK);
    fk_test_fail_all(false);
    expect_none("a");
}

static void objects_and_overwrites_are_counted(void **state)
{
    (void)state;
    put("a", "one");
    put("b", "three");
    put("a", "one");
    assert_int_equal(fk_memory_blobs_count(blobs), 2);
    assert_int_equal(fk_memory_blobs_size(blobs), 8);
    assert_int_equal(fk_memory_blobs_overwritten(blobs), 0);
    put("a", "another");
    expect("a", "another");
    assert_int_equal(fk_memory_blobs_overwritten(blobs), 1);
    assert_int_equal(fk_memory_blobs_count(blobs), 2);
    assert_int_equal(fk_memory_blobs_size(blobs), 12);
    assert_int_equal(fk_blob_remove(blobs, fk_bytes_text("b")), FK_OK);
    assert_int_equal(fk_memory_blobs_count(blobs), 1);
    assert_int_equal(fk_memory_blobs_size(blobs), 7);
}

#define ON_MEMORY(function)                                                                                            \
    {                                                                                                                  \
#        function " [memory]", function, setup, teardown, &memory_driver                                               \
    }
#define ON(function, driver)                                                                                           \
    {                                                                                                                  \
#        function " [" #        driver "]", function, setup, teardown, &driver##_driver                                \
    }
#define ON_EACH(function) ON_MEMORY(function), ON(function, ministack), ON(function, moto)

static const struct CMUnitTest tests[] = {
    ON_EACH(objects_are_there_from_put_to_remove),
    ON_EACH(the_same_put_again_is_harmless),
    ON_EACH(objects_may_be_large_and_are_copied),
    ON_EACH(names_come_in_the_order_of_their_bytes),
    ON_EACH(names_are_any_bytes),
    ON_EACH(pages_have_a_limit_and_go_on_where_the_last_one_ended),
    ON_EACH(without_memory_nothing_is_put_and_nothing_lost),
    ON_MEMORY(objects_and_overwrites_are_counted),
};

FK_CLOUD_TEST_MAIN(tests)
