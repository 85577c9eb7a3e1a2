// SPDX-License-Identifier: Apache-2.0
/* Check, dump and backup: of a directory at rest, of what a dead server left, and of one that changes all the time. */
#include "driver/local/snapshot.h"

#include "driver/fixture.h"
#include "driver/local/engine.h"
#include "driver/local/path.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

/* An engine that a thread of ours keeps writing to. */
struct writer {
    struct fk_engine *engine;
    struct fk_tree *tree;
    pthread_t thread;
    size_t changes; /* to make */
    _Atomic int64_t durable_zxid;
    _Atomic bool done;
};

static enum fk_err ignore_node(void *context, const struct fk_node *node)
{
    (void)context;
    (void)node;
    return FK_OK;
}

static enum fk_err ignore_session(void *context, const struct fk_session *session)
{
    (void)context;
    (void)session;
    return FK_OK;
}

static enum fk_err ignore_change(void *context, const struct fk_change *change)
{
    (void)context;
    (void)change;
    return FK_OK;
}

static enum fk_err ignore_zxid(void *context, int64_t zxid)
{
    (void)context;
    (void)zxid;
    return FK_OK;
}

static struct fk_engine *open_engine(const char *directory, int64_t checkpoint_ms)
{
    const struct fk_engine_options options = {.directory = directory,
                                              .segment_size = 16384,
                                              .sync = true,
                                              .checkpoint_ms = checkpoint_ms,
                                              .checkpoint_size = 8192};
    const struct fk_engine_sink sink = {
        .node = ignore_node, .session = ignore_session, .change = ignore_change, .zxid = ignore_zxid};
    struct fk_engine *engine = NULL;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_engine_open(&options, &sink, &engine, &diag);
    if (err == FK_OK) {
        err = fk_engine_start(engine, &diag);
    }
    if (err != FK_OK) {
        print_error("%s\n", diag.text);
    }
    assert_int_equal(err, FK_OK);
    return engine;
}

static void write_one(struct writer *writer, struct fk_buf *payload)
{
    fk_tree_change(writer->tree, payload);
    while (fk_engine_admit(writer->engine, payload->size) != FK_OK) {
        (void)sched_yield();
    }
    int64_t position = fk_engine_append(writer->engine, payload, fk_engine_idle(writer->engine));
    while (fk_engine_durable(writer->engine) < position) {
        (void)sched_yield();
    }
    atomic_store(&writer->durable_zxid, writer->tree->zxid);
}

static void *write_all(void *context)
{
    struct writer *writer = (struct writer *)context;
    struct fk_buf payload = FK_BUF_EMPTY;
    for (size_t i = 0; i < writer->changes; i++) {
        write_one(writer, &payload);
    }
    fk_buf_deinit(&payload);
    atomic_store(&writer->done, true);
    return NULL;
}

/* A directory with some changes in checkpoint and log, and nobody on it. */
static struct fk_tree *fill(const char *directory, size_t changes)
{
    struct writer writer = {.tree = fk_tree_new(5), .changes = changes};
    writer.engine = open_engine(directory, 20);
    (void)write_all(&writer);
    fk_engine_free(writer.engine);
    return writer.tree;
}

static void test_reads_without_a_trace(void **state)
{
    (void)state;
    struct fk_test_directory directory;
    struct fk_buf before = FK_BUF_EMPTY;
    struct fk_buf after = FK_BUF_EMPTY;
    struct fk_diag diag = {.text = ""};
    int64_t zxid = 0;
    fk_test_directory_init(&directory);
    struct fk_tree *tree = fill(directory.path, 200);
    fk_test_describe(directory.path, &before);
    assert_int_equal(fk_test_recover(directory.path, tree, 200, &zxid, &diag), FK_OK);
    fk_test_describe(directory.path, &after);
    fk_assert_bytes(fk_buf_view(&after), fk_buf_view(&before));
    fk_buf_deinit(&before);
    fk_buf_deinit(&after);
    fk_tree_free(tree);
    fk_test_directory_deinit(&directory);
}

/* A killed server leaves SQLite's WAL behind; a copy of a running one's files is the same. */
static void test_reads_what_a_dead_server_left(void **state)
{
    (void)state;
    struct fk_test_directory directory;
    struct fk_test_directory copy;
    struct fk_buf before = FK_BUF_EMPTY;
    struct fk_buf after = FK_BUF_EMPTY;
    struct fk_diag diag = {.text = ""};
    struct writer writer = {.tree = fk_tree_new(6), .changes = 300};
    int64_t zxid = 0;
    struct stat status;
    fk_test_directory_init(&directory);
    fk_test_directory_init(&copy);
    writer.engine = open_engine(directory.path, 60000);
    (void)write_all(&writer);
    fk_test_directory_copy(directory.path, copy.path);
    assert_int_equal(stat(fk_test_path(copy.path, "checkpoint.sqlite-wal"), &status), 0);
    assert_true(status.st_size > 0);
    fk_test_describe(copy.path, &before);
    enum fk_err err = fk_test_recover(copy.path, writer.tree, 300, &zxid, &diag);
    if (err != FK_OK) {
        print_error("%s\n", diag.text);
    }
    assert_int_equal(err, FK_OK);
    fk_test_describe(copy.path, &after);
    fk_assert_bytes(fk_buf_view(&after), fk_buf_view(&before));
    fk_buf_deinit(&before);
    fk_buf_deinit(&after);
    fk_engine_free(writer.engine);
    fk_tree_free(writer.tree);
    fk_test_directory_deinit(&directory);
    fk_test_directory_deinit(&copy);
}

static enum fk_err backup(const char *from, const char *to, struct fk_diag *diag)
{
    struct fk_snapshot snapshot;
    enum fk_err err = fk_snapshot_open(from, &snapshot, diag);
    if (err == FK_OK) {
        err = fk_snapshot_backup(&snapshot, to, diag);
        fk_snapshot_close(&snapshot);
    }
    return err;
}

/* Backups and reads of a directory that a server writes to, checkpoints and cleans up all the time. */
static void test_backup_of_a_changing_directory(void **state)
{
    (void)state;
    struct fk_test_directory directory;
    struct writer writer = {.tree = fk_tree_new(7), .changes = FK_TREE_CHANGES_MAX};
    fk_test_directory_init(&directory);
    writer.engine = open_engine(directory.path, 5);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_all, &writer), 0);
    /* States of the tree are read only after the writer is done: what each copy holds is checked then. */
    enum {
        COPIES = 12
    };
    struct fk_test_directory copies[COPIES];
    int64_t least[COPIES];
    int copied = 0;
    for (; copied < COPIES && (copied < 3 || !atomic_load(&writer.done)); copied++) {
        struct fk_diag diag = {.text = ""};
        fk_test_directory_init(&copies[copied]);
        assert_int_equal(rmdir(copies[copied].path), 0);
        least[copied] = atomic_load(&writer.durable_zxid);
        enum fk_err err = backup(directory.path, copies[copied].path, &diag);
        if (err != FK_OK) {
            print_error("%s\n", diag.text);
        }
        assert_int_equal(err, FK_OK);
    }
    assert_int_equal(pthread_join(writer.thread, NULL), 0);
    for (int i = 0; i < copied; i++) {
        struct fk_diag diag = {.text = ""};
        int64_t zxid = 0;
        enum fk_err err = fk_test_recover(copies[i].path, writer.tree, least[i], &zxid, &diag);
        if (err != FK_OK) {
            print_error("copy %d: %s\n", i, diag.text);
        }
        assert_int_equal(err, FK_OK);
        fk_engine_free(open_engine(copies[i].path, 60000)); /* a server starts on it */
        assert_int_equal(fk_test_recover(copies[i].path, writer.tree, zxid, &zxid, &diag), FK_OK);
        fk_test_directory_deinit(&copies[i]);
    }
    struct fk_diag diag = {.text = ""};
    int64_t zxid = 0;
    assert_int_equal(fk_test_recover(directory.path, writer.tree, writer.tree->zxid, &zxid, &diag), FK_OK); /* live */
    fk_engine_free(writer.engine);
    fk_tree_free(writer.tree);
    fk_test_directory_deinit(&directory);
}

static void test_backup_target(void **state)
{
    (void)state;
    struct fk_test_directory directory;
    struct fk_test_directory target;
    struct fk_diag diag = {.text = ""};
    int64_t zxid = 0;
    struct stat status;
    fk_test_directory_init(&directory);
    fk_test_directory_init(&target);
    struct fk_tree *tree = fill(directory.path, 50);
    assert_int_equal(backup(directory.path, target.path, &diag), FK_OK); /* empty is good */
    assert_int_equal(fk_test_recover(target.path, tree, 50, &zxid, &diag), FK_OK);
    assert_int_equal(stat(fk_test_path(target.path, "checkpoint.sqlite"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(backup(directory.path, target.path, &diag), FK_ERR_EXISTS);
    assert_non_null(strstr(diag.text, "is not empty"));
    diag = (struct fk_diag){.text = ""};
    assert_int_equal(backup(target.path, "/nonexistent/parent/child", &diag), FK_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "/nonexistent/parent/child"));
    fk_tree_free(tree);
    fk_test_directory_deinit(&directory);
    fk_test_directory_deinit(&target);
}

static void test_not_ours(void **state)
{
    (void)state;
    struct fk_test_directory directory;
    struct fk_snapshot snapshot;
    struct fk_diag diag = {.text = ""};
    fk_test_directory_init(&directory);
    assert_int_equal(fk_snapshot_open(directory.path, &snapshot, &diag), FK_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "holds no data"));
    fk_test_directory_deinit(&directory);
}

/* Bytes of the log changed here and there: named, or the state is one that was. */
static void test_damage_is_named(void **state)
{
    (void)state;
    struct fk_test_directory directory;
    struct writer writer = {.tree = fk_tree_new(8), .changes = 60};
    fk_test_directory_init(&directory);
    writer.engine = open_engine(directory.path, 60000);
    (void)write_all(&writer);
    fk_engine_free(writer.engine);
    int fd = open(fk_test_path(directory.path, "log.0000000000000000"), O_RDWR | O_CLOEXEC);
    int refused = 0;
    assert_true(fd >= 0);
    for (off_t at = 0; at < 8000; at += 67) {
        struct fk_diag diag = {.text = ""};
        int64_t zxid = 0;
        uint8_t byte = 0;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x55;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        enum fk_err err = fk_test_recover(directory.path, writer.tree, 60, &zxid, &diag);
        if (err != FK_OK) {
            assert_int_equal(err, FK_ERR_DAMAGED);
            assert_non_null(strstr(diag.text, "log.0000000000000000"));
            assert_non_null(strstr(diag.text, "offset"));
            refused++;
        }
        byte ^= 0x55;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_true(refused > 50);
    (void)close(fd);
    fk_tree_free(writer.tree);
    fk_test_directory_deinit(&directory);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_reads_without_a_trace),
    FK_TEST(test_reads_what_a_dead_server_left),
    FK_TEST(test_backup_of_a_changing_directory),
    FK_TEST(test_backup_target),
    FK_TEST(test_not_ours),
    FK_TEST(test_damage_is_named),
};

FK_TEST_MAIN(tests)
