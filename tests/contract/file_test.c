// SPDX-License-Identifier: Apache-2.0
/* What port/file.h promises, over each of its drivers: a directory of the operating system, a disk in memory, and the
 * fault decorator without faults. */
#include "port/file.h"

#include "base/alloc.h"
#include "driver/local/posix_file.h"
#include "driver/memory/file.h"
#include "port/fault_file.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A driver on an empty directory. */
struct subject {
    struct fk_files *files;
    struct fk_memory_disk *disk;
    struct fk_fault_plan plan;
    char path[64];
};

enum driver {
    POSIX,
    MEMORY,
    FAULT,
    DRIVERS,
};

static void begin(struct subject *subject, enum driver driver)
{
    *subject = (struct subject){.files = NULL};
    if (driver == POSIX) {
        (void)snprintf(subject->path, sizeof subject->path, "/tmp/fk-contract-XXXXXX");
        assert_non_null(mkdtemp(subject->path));
        assert_int_equal(fk_posix_files_open(subject->path, false, &subject->files, NULL), FK_OK);
        return;
    }
    subject->disk = fk_memory_disk_new();
    subject->files = fk_memory_files_new(subject->disk);
    if (driver == FAULT) {
        subject->files = fk_fault_files_new(subject->files, &subject->plan);
    }
    assert_non_null(subject->files);
}

static void end(struct subject *subject)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    const char **names = NULL;
    size_t count = 0;
    assert_int_equal(subject->files->ops->list(subject->files, &arena, &names, &count, NULL), FK_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(subject->files->ops->remove(subject->files, names[i], NULL), FK_OK);
    }
    fk_arena_deinit(&arena);
    subject->files->ops->free(subject->files);
    if (subject->disk != NULL) {
        fk_memory_disk_free(subject->disk);
    } else {
        assert_int_equal(rmdir(subject->path), 0);
    }
}

static void for_each_driver(void (*check)(struct fk_files *files))
{
    for (enum driver driver = POSIX; driver < DRIVERS; driver++) {
        struct subject subject;
        begin(&subject, driver);
        check(subject.files);
        end(&subject);
    }
}

static struct fk_file *must_open(struct fk_files *files, const char *name, enum fk_open_mode mode)
{
    struct fk_file *file = NULL;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = files->ops->open(files, name, mode, &file, &diag);
    if (err != FK_OK) {
        print_error("%s\n", diag.text);
    }
    assert_int_equal(err, FK_OK);
    return file;
}

static void write_text(struct fk_file *file, int64_t offset, const char *text)
{
    assert_int_equal(file->ops->write(file, offset, fk_bytes_text(text), NULL), FK_OK);
}

static void expect_text(struct fk_file *file, int64_t offset, size_t size, const char *text, size_t text_size)
{
    uint8_t bytes[256];
    size_t got = 0;
    assert_true(size <= sizeof bytes);
    assert_int_equal(file->ops->read(file, offset, bytes, size, &got, NULL), FK_OK);
    assert_int_equal(got, text_size);
    assert_memory_equal(bytes, text, text_size);
}

static void open_modes(struct fk_files *files)
{
    struct fk_file *file = NULL;
    struct fk_diag diag = {.text = ""};
    assert_int_equal(files->ops->open(files, "a", FK_OPEN_READ, &file, &diag), FK_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "a"));
    assert_int_equal(files->ops->open(files, "a", FK_OPEN_WRITE, &file, NULL), FK_ERR_NOT_FOUND);
    file = must_open(files, "a", FK_OPEN_CREATE);
    write_text(file, 0, "one");
    file->ops->close(file);
    diag = (struct fk_diag){.text = ""};
    assert_int_equal(files->ops->open(files, "a", FK_OPEN_CREATE, &file, &diag), FK_ERR_EXISTS);
    assert_true(diag.text[0] != '\0');
    file = must_open(files, "a", FK_OPEN_WRITE);
    write_text(file, 3, "two");
    expect_text(file, 0, 6, "onetwo", 6);
    file->ops->close(file);
    file = must_open(files, "a", FK_OPEN_READ);
    expect_text(file, 0, 6, "onetwo", 6);
    diag = (struct fk_diag){.text = ""};
    assert_int_equal(file->ops->write(file, 0, fk_bytes_text("x"), &diag), FK_ERR_IO);
    assert_true(diag.text[0] != '\0');
    file->ops->close(file);
}

static void reads_and_writes(struct fk_files *files)
{
    struct fk_file *file = must_open(files, "a", FK_OPEN_CREATE);
    int64_t size = -1;
    assert_int_equal(file->ops->size(file, &size, NULL), FK_OK);
    assert_int_equal(size, 0);
    expect_text(file, 0, 10, "", 0);
    write_text(file, 5, "tail"); /* a hole reads as zeros */
    expect_text(file, 0, 20, "\0\0\0\0\0tail", 9);
    expect_text(file, 7, 20, "il", 2);
    expect_text(file, 9, 20, "", 0);
    expect_text(file, 1000, 20, "", 0);
    write_text(file, 4, "TA");
    expect_text(file, 3, 5, "\0TAai", 5);
    assert_int_equal(file->ops->write(file, 2, FK_BYTES_NULL, NULL), FK_OK);
    assert_int_equal(file->ops->sync(file, NULL), FK_OK);
    expect_text(file, 3, 5, "\0TAai", 5);
    file->ops->close(file);
}

static void sizes(struct fk_files *files)
{
    struct fk_file *file = must_open(files, "a", FK_OPEN_CREATE);
    int64_t size = 0;
    write_text(file, 0, "abcdef");
    assert_int_equal(file->ops->allocate(file, 10, NULL), FK_OK);
    assert_int_equal(file->ops->size(file, &size, NULL), FK_OK);
    assert_int_equal(size, 10);
    expect_text(file, 0, 20, "abcdef\0\0\0\0", 10);
    assert_int_equal(file->ops->allocate(file, 4, NULL), FK_OK); /* never shortens */
    assert_int_equal(file->ops->size(file, &size, NULL), FK_OK);
    assert_int_equal(size, 10);
    assert_int_equal(file->ops->truncate(file, 3, NULL), FK_OK);
    expect_text(file, 0, 20, "abc", 3);
    assert_int_equal(file->ops->allocate(file, 8, NULL), FK_OK); /* what was cut does not come back */
    expect_text(file, 0, 20, "abc\0\0\0\0\0", 8);
    assert_int_equal(file->ops->truncate(file, 9, NULL), FK_OK);
    expect_text(file, 0, 20, "abc\0\0\0\0\0\0", 9);
    file->ops->close(file);
}

static void handles_see_each_other(struct fk_files *files)
{
    struct fk_file *one = must_open(files, "a", FK_OPEN_CREATE);
    struct fk_file *two = must_open(files, "a", FK_OPEN_READ);
    write_text(one, 0, "now");
    expect_text(two, 0, 10, "now", 3);
    one->ops->close(one);
    expect_text(two, 0, 10, "now", 3);
    two->ops->close(two);
}

static void locks(struct fk_files *files)
{
    struct fk_file *one = must_open(files, "a", FK_OPEN_CREATE);
    struct fk_file *two = must_open(files, "a", FK_OPEN_WRITE);
    struct fk_file *three = must_open(files, "a", FK_OPEN_READ);
    struct fk_diag diag = {.text = ""};
    assert_int_equal(one->ops->lock(one, true, NULL), FK_OK);
    assert_int_equal(two->ops->lock(two, true, &diag), FK_ERR_LOCKED);
    assert_true(diag.text[0] != '\0');
    assert_int_equal(three->ops->lock(three, false, NULL), FK_ERR_LOCKED);
    one->ops->close(one); /* ends the lock */
    assert_int_equal(two->ops->lock(two, false, NULL), FK_OK);
    assert_int_equal(three->ops->lock(three, false, NULL), FK_OK);
    assert_int_equal(two->ops->lock(two, true, NULL), FK_ERR_LOCKED);
    three->ops->close(three);
    assert_int_equal(two->ops->lock(two, true, NULL), FK_OK);
    two->ops->close(two);
}

static void expect_names(struct fk_files *files, const char *expected)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf text = FK_BUF_EMPTY;
    const char **names = NULL;
    size_t count = 0;
    assert_int_equal(files->ops->list(files, &arena, &names, &count, NULL), FK_OK);
    for (size_t i = 0; i < count; i++) {
        fk_buf_print(&text, "%s ", names[i]);
    }
    assert_true(fk_bytes_equal_text(fk_buf_view(&text), expected));
    fk_buf_deinit(&text);
    fk_arena_deinit(&arena);
}

static void names(struct fk_files *files)
{
    expect_names(files, "");
    static const char *const made[] = {"c", "a", "b", "log.0000"};
    for (size_t i = 0; i < 4; i++) {
        struct fk_file *file = must_open(files, made[i], FK_OPEN_CREATE);
        write_text(file, 0, made[i]);
        file->ops->close(file);
    }
    expect_names(files, "a b c log.0000 ");
    struct fk_diag diag = {.text = ""};
    assert_int_equal(files->ops->rename(files, "a", "b", NULL), FK_OK); /* replaces */
    expect_names(files, "b c log.0000 ");
    struct fk_file *file = must_open(files, "b", FK_OPEN_READ);
    expect_text(file, 0, 10, "a", 1);
    assert_int_equal(files->ops->remove(files, "b", NULL), FK_OK);
    expect_text(file, 0, 10, "a", 1); /* an open file outlives its name */
    file->ops->close(file);
    assert_int_equal(files->ops->remove(files, "b", &diag), FK_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "b"));
    assert_int_equal(files->ops->rename(files, "nothing", "x", NULL), FK_ERR_NOT_FOUND);
    assert_int_equal(files->ops->sync_directory(files, NULL), FK_OK);
    expect_names(files, "c log.0000 ");
}

static void many_names(struct fk_files *files)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    const char **list = NULL;
    size_t count = 0;
    for (int i = 99; i >= 0; i--) {
        char name[16];
        (void)snprintf(name, sizeof name, "f%02d", i);
        struct fk_file *file = must_open(files, name, FK_OPEN_CREATE);
        file->ops->close(file);
    }
    assert_int_equal(files->ops->list(files, &arena, &list, &count, NULL), FK_OK);
    assert_int_equal(count, 100);
    for (size_t i = 1; i < count; i++) {
        assert_true(strcmp(list[i - 1], list[i]) < 0);
    }
    fk_arena_deinit(&arena);
}

static void test_open_modes(void **state)
{
    (void)state;
    for_each_driver(open_modes);
}

static void test_reads_and_writes(void **state)
{
    (void)state;
    for_each_driver(reads_and_writes);
}

static void test_sizes(void **state)
{
    (void)state;
    for_each_driver(sizes);
}

static void test_handles_see_each_other(void **state)
{
    (void)state;
    for_each_driver(handles_see_each_other);
}

static void test_locks(void **state)
{
    (void)state;
    for_each_driver(locks);
}

static void test_names(void **state)
{
    (void)state;
    for_each_driver(names);
}

static void test_many_names(void **state)
{
    (void)state;
    for_each_driver(many_names);
}

/* What only the decorator and the disk in memory can be asked for. */
static void test_faults(void **state)
{
    (void)state;
    struct subject subject;
    struct fk_diag diag = {.text = ""};
    begin(&subject, FAULT);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    fk_fault_plan_set(&subject.plan, FK_FAULT_WRITE, 2, false, FK_ERR_FULL);
    write_text(file, 0, "one");
    assert_int_equal(file->ops->write(file, 0, fk_bytes_text("TWOS"), &diag), FK_ERR_FULL);
    assert_non_null(strstr(diag.text, "injected"));
    expect_text(file, 0, 10, "TWe", 3); /* half of it is there */
    write_text(file, 0, "three");
    fk_fault_plan_set(&subject.plan, FK_FAULT_SYNC, 1, true, FK_ERR_IO);
    assert_int_equal(file->ops->sync(file, NULL), FK_ERR_IO);
    assert_int_equal(file->ops->sync(file, NULL), FK_ERR_IO);
    assert_int_equal(subject.plan.failed, 2);
    fk_fault_plan_set(&subject.plan, FK_FAULT_SYNC, 0, false, FK_ERR_IO);
    file->ops->close(file);
    end(&subject);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct subject subject;
    begin(&subject, MEMORY);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    fk_memory_disk_limit(subject.disk, 100);
    assert_int_equal(file->ops->allocate(file, 100, NULL), FK_OK);
    assert_int_equal(file->ops->allocate(file, 101, NULL), FK_ERR_FULL);
    write_text(file, 96, "last");
    assert_int_equal(file->ops->write(file, 98, fk_bytes_text("more"), NULL), FK_ERR_FULL);
    fk_memory_disk_limit(subject.disk, 200);
    write_text(file, 98, "more");
    file->ops->close(file);
    end(&subject);
}

static bool keep_none(void *context)
{
    (void)context;
    return false;
}

static void test_power_loss(void **state)
{
    (void)state;
    struct subject subject;
    begin(&subject, MEMORY);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    write_text(file, 0, "durable");
    assert_int_equal(file->ops->sync(file, NULL), FK_OK);
    assert_int_equal(subject.files->ops->sync_directory(subject.files, NULL), FK_OK);
    write_text(file, 0, "DURABLE and more");
    file->ops->close(file);
    file = must_open(subject.files, "b", FK_OPEN_CREATE);
    file->ops->close(file);
    assert_true(fk_memory_disk_is_dirty(subject.disk));
    fk_memory_disk_crash(subject.disk, keep_none, NULL);
    assert_false(fk_memory_disk_is_dirty(subject.disk));
    expect_names(subject.files, "a ");
    file = must_open(subject.files, "a", FK_OPEN_READ);
    expect_text(file, 0, 20, "durable", 7);
    file->ops->close(file);
    end(&subject);
}

/* Keeps every second thing. */
static bool keep_some(void *context)
{
    int *asked = (int *)context;
    return (*asked)++ % 2 == 0;
}

static void test_torn_write(void **state)
{
    (void)state;
    struct subject subject;
    int asked = 1; /* the first sector is lost */
    uint8_t bytes[1536];
    uint8_t found[1536];
    size_t got = 0;
    begin(&subject, MEMORY);
    fk_memory_disk_tear(subject.disk, 512);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    assert_int_equal(file->ops->allocate(file, 2000, NULL), FK_OK);
    assert_int_equal(file->ops->sync(file, NULL), FK_OK);
    assert_int_equal(subject.files->ops->sync_directory(subject.files, NULL), FK_OK);
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(file->ops->write(file, 100, fk_bytes_of(bytes, 1000), NULL), FK_OK);
    file->ops->close(file);
    fk_memory_disk_crash(subject.disk, keep_some, &asked);
    assert_int_equal(asked, 4); /* the write touches three sectors */
    file = must_open(subject.files, "a", FK_OPEN_READ);
    assert_int_equal(file->ops->read(file, 0, found, sizeof found, &got, NULL), FK_OK);
    assert_int_equal(found[100], 0);
    assert_int_equal(found[511], 0);
    assert_int_equal(found[512], 'x');
    assert_int_equal(found[1023], 'x');
    assert_int_equal(found[1024], 0);
    file->ops->close(file);
    end(&subject);
}

/* What a failed sync has not written can be read, and later syncs do not write it either. */
static void test_failed_sync(void **state)
{
    (void)state;
    struct subject subject;
    begin(&subject, MEMORY);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    write_text(file, 0, "one");
    assert_int_equal(file->ops->sync(file, NULL), FK_OK);
    assert_int_equal(subject.files->ops->sync_directory(subject.files, NULL), FK_OK);
    write_text(file, 0, "two");
    fk_memory_file_fail_sync(file, keep_none, NULL);
    expect_text(file, 0, 3, "two", 3);
    assert_int_equal(file->ops->sync(file, NULL), FK_OK);
    file->ops->close(file);
    fk_memory_disk_crash(subject.disk, keep_none, NULL);
    file = must_open(subject.files, "a", FK_OPEN_READ);
    expect_text(file, 0, 3, "one", 3);
    file->ops->close(file);
    end(&subject);
}

/* A journal keeps the first of the changes to names. */
static void test_names_after_power_loss(void **state)
{
    (void)state;
    struct subject subject;
    int asked = 0; /* keeps one change, loses all after it */
    begin(&subject, MEMORY);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    file->ops->close(file);
    assert_int_equal(subject.files->ops->sync_directory(subject.files, NULL), FK_OK);
    assert_int_equal(subject.files->ops->rename(subject.files, "a", "b", NULL), FK_OK);
    file = must_open(subject.files, "c", FK_OPEN_CREATE);
    file->ops->close(file);
    assert_int_equal(subject.files->ops->remove(subject.files, "b", NULL), FK_OK);
    fk_memory_disk_crash(subject.disk, keep_some, &asked);
    expect_names(subject.files, "b ");
    end(&subject);
}

static void test_damage(void **state)
{
    (void)state;
    struct subject subject;
    begin(&subject, MEMORY);
    struct fk_file *file = must_open(subject.files, "a", FK_OPEN_CREATE);
    write_text(file, 0, "right");
    assert_int_equal(file->ops->sync(file, NULL), FK_OK);
    fk_memory_disk_damage(subject.disk, "a", 3, fk_bytes_text("XYZ"));
    expect_text(file, 0, 10, "rigXY", 5);
    fk_assert_bytes(fk_memory_disk_look(subject.disk, "a"), fk_bytes_text("rigXY"));
    assert_null(fk_memory_disk_look(subject.disk, "b").data);
    file->ops->close(file);
    end(&subject);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_open_modes),
    FK_TEST(test_reads_and_writes),
    FK_TEST(test_sizes),
    FK_TEST(test_handles_see_each_other),
    FK_TEST(test_locks),
    FK_TEST(test_names),
    FK_TEST(test_many_names),
    FK_TEST(test_faults),
    FK_TEST(test_full_disk),
    FK_TEST(test_power_loss),
    FK_TEST(test_torn_write),
    FK_TEST(test_failed_sync),
    FK_TEST(test_names_after_power_loss),
    FK_TEST(test_damage),
};

FK_TEST_MAIN(tests)
