// SPDX-License-Identifier: Apache-2.0
/* The engine with its threads, over a real directory. Waits have a condition and a deadline. */
#include "driver/local/engine.h"

#include "base/container.h"
#include "driver/fixture.h"
#include "driver/local/posix_file.h"
#include "driver/local/segment.h"
#include "driver/local/state.h"
#include "port/fault_file.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DEADLINE_S = 20,
};

/* An engine on a directory, the tree that is written to it, and the state that it recovered. */
struct bench {
    struct fk_test_directory directory;
    struct fk_engine_options options;
    struct fk_fault_plan plan;
    struct fk_engine *engine;
    struct fk_state state;
    bool has_state;
    struct fk_tree *tree;
    struct fk_buf payload;
    pthread_mutex_t mutex;
    pthread_cond_t progress;
    char fatal[512]; /* what the fatal callback was given */
    int fatal_calls;
};

static void on_progress(void *context)
{
    struct bench *bench = (struct bench *)context;
    (void)pthread_mutex_lock(&bench->mutex);
    (void)pthread_cond_broadcast(&bench->progress);
    (void)pthread_mutex_unlock(&bench->mutex);
}

static void on_fatal(void *context, const char *what)
{
    struct bench *bench = (struct bench *)context;
    (void)pthread_mutex_lock(&bench->mutex);
    (void)snprintf(bench->fatal, sizeof bench->fatal, "%s", what);
    bench->fatal_calls++;
    (void)pthread_cond_broadcast(&bench->progress);
    (void)pthread_mutex_unlock(&bench->mutex);
}

static enum fk_err sink_node(void *context, const struct fk_node *node)
{
    return fk_state_load_node((struct fk_state *)context, node);
}

static enum fk_err sink_session(void *context, const struct fk_session *session)
{
    return fk_state_load_session((struct fk_state *)context, session);
}

static enum fk_err sink_change(void *context, const struct fk_change *change)
{
    return fk_state_replay((struct fk_state *)context, change);
}

static enum fk_err sink_zxid(void *context, int64_t zxid)
{
    fk_state_load_zxid((struct fk_state *)context, zxid);
    return FK_OK;
}

static enum fk_err open_engine(struct bench *bench, struct fk_diag *diag)
{
    const struct fk_engine_sink sink = {
        .context = &bench->state, .node = sink_node, .session = sink_session, .change = sink_change, .zxid = sink_zxid};
    struct fk_files *files = NULL;
    assert_int_equal(fk_posix_files_open(bench->directory.path, true, &files, diag), FK_OK);
    bench->options.files = fk_fault_files_new(files, &bench->plan);
    fk_state_init(&bench->state);
    bench->has_state = true;
    enum fk_err err = fk_engine_open(&bench->options, &sink, &bench->engine, diag);
    if (err == FK_OK) {
        err = fk_engine_start(bench->engine, diag);
    }
    return err;
}

static void must_open(struct bench *bench)
{
    struct fk_diag diag = {.text = ""};
    enum fk_err err = open_engine(bench, &diag);
    if (err != FK_OK) {
        print_error("%s\n", diag.text);
    }
    assert_int_equal(err, FK_OK);
}

static void close_engine(struct bench *bench)
{
    fk_engine_free(bench->engine);
    bench->engine = NULL;
    if (bench->has_state) {
        fk_state_deinit(&bench->state);
        bench->has_state = false;
    }
}

/* The engine is not open yet. */
static void begin(struct bench *bench, uint64_t seed)
{
    *bench = (struct bench){.payload = FK_BUF_EMPTY};
    fk_test_directory_init(&bench->directory);
    bench->tree = fk_tree_new(seed);
    (void)pthread_mutex_init(&bench->mutex, NULL);
    (void)pthread_cond_init(&bench->progress, NULL);
    bench->options = (struct fk_engine_options){.directory = bench->directory.path,
                                                .segment_size = 16384,
                                                .sync = true,
                                                .progress = on_progress,
                                                .fatal = on_fatal,
                                                .context = bench,
                                                .checkpoint_ms = 60000,
                                                .retry_ms = 20};
}

static void end(struct bench *bench)
{
    close_engine(bench);
    fk_tree_free(bench->tree);
    fk_buf_deinit(&bench->payload);
    (void)pthread_cond_destroy(&bench->progress);
    (void)pthread_mutex_destroy(&bench->mutex);
    fk_test_directory_deinit(&bench->directory);
}

/* Waits until a condition holds; the engine's callbacks and a short tick look at it again. */
static void wait_for(struct bench *bench, bool (*holds)(struct bench *bench, int64_t value), int64_t value)
{
    struct timespec start;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    (void)pthread_mutex_lock(&bench->mutex);
    while (!holds(bench, value)) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        assert_true(now.tv_sec - start.tv_sec < DEADLINE_S);
        struct timespec tick;
        (void)clock_gettime(CLOCK_REALTIME, &tick);
        tick.tv_nsec += 5000000;
        tick.tv_sec += tick.tv_nsec / 1000000000;
        tick.tv_nsec %= 1000000000;
        (void)pthread_cond_timedwait(&bench->progress, &bench->mutex, &tick);
    }
    (void)pthread_mutex_unlock(&bench->mutex);
}

static bool is_durable(struct bench *bench, int64_t position)
{
    return fk_engine_durable(bench->engine) >= position;
}

static bool is_admitted(struct bench *bench, int64_t size)
{
    return fk_engine_admit(bench->engine, (size_t)size) == FK_OK;
}

static bool admits_full(struct bench *bench, int64_t size)
{
    return fk_engine_admit(bench->engine, (size_t)size) == FK_ERR_FULL;
}

static bool was_fatal(struct bench *bench, int64_t value)
{
    (void)value;
    return bench->fatal_calls > 0;
}

static bool is_settled(struct bench *bench, int64_t position)
{
    return is_durable(bench, position) || was_fatal(bench, 0);
}

static bool is_checkpointed(struct bench *bench, int64_t zxid)
{
    struct fk_engine_status status;
    fk_engine_status(bench->engine, &status);
    return status.zxid >= zxid;
}

/* Appends a frame with changes; gives its end. */
static int64_t append(struct bench *bench, size_t changes, bool inline_sync)
{
    for (size_t i = 0; i < changes; i++) {
        fk_tree_change(bench->tree, &bench->payload);
    }
    wait_for(bench, is_admitted, (int64_t)bench->payload.size);
    int64_t position = fk_engine_append(bench->engine, &bench->payload, inline_sync && fk_engine_idle(bench->engine));
    assert_int_equal(bench->payload.size, 0);
    return position;
}

static void append_durably(struct bench *bench, size_t frames)
{
    int64_t position = 0;
    for (size_t i = 0; i < frames; i++) {
        position = append(bench, 1 + (size_t)fk_prng_below(&bench->tree->prng, 4), i % 3 == 0);
        if (i % 4 == 0) {
            wait_for(bench, is_durable, position);
        }
    }
    wait_for(bench, is_durable, position);
}

/* The recovered state against the tree: every node, and the zxid. */
static void check_state(struct bench *bench)
{
    assert_int_equal(bench->state.visible_zxid, bench->tree->zxid);
    int64_t nodes = 4;
    for (size_t i = 0; i < FK_TREE_NODES; i++) {
        const struct fk_tree_node *item = &bench->tree->nodes[i];
        struct fk_node node;
        bool found = fk_state_get(&bench->state, FK_VIEW_VISIBLE, fk_bytes_text(item->path), &node);
        assert_int_equal(found, item->exists);
        if (!found) {
            continue;
        }
        nodes++;
        fk_assert_bytes(node.data, item->node.data);
        fk_assert_bytes(node.acl, item->node.acl);
        assert_int_equal(node.version, item->node.version);
        assert_int_equal(node.aversion, item->node.aversion);
        assert_int_equal(node.czxid, item->node.czxid);
        assert_int_equal(node.mzxid, item->node.mzxid);
        assert_int_equal(node.pzxid, item->node.pzxid);
        assert_int_equal(node.mtime_ms, item->node.mtime_ms);
        assert_int_equal(node.num_children, item->node.num_children);
        assert_int_equal(node.created_children, item->node.created_children);
        assert_int_equal(node.ephemeral_owner, item->node.ephemeral_owner);
    }
    assert_int_equal(bench->state.counts.nodes, nodes);
    assert_int_equal(bench->state.counts.sessions, bench->tree->session ? 1 : 0);
}

static void test_fresh_directory(void **state)
{
    (void)state;
    struct bench bench;
    struct stat status;
    begin(&bench, 1);
    assert_int_equal(rmdir(bench.directory.path), 0);
    must_open(&bench);
    check_state(&bench);
    assert_int_equal(stat(bench.directory.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    static const char *const names[] = {"lock", "hold", "checkpoint.sqlite", "log.0000000000000000"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(stat(fk_test_path(bench.directory.path, names[i]), &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
    }
    end(&bench);
}

static void test_restart(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 2);
    must_open(&bench);
    for (int round = 0; round < 5; round++) {
        append_durably(&bench, 40);
        (void)append(&bench, 2, false); /* not waited for: stop writes it */
        close_engine(&bench);
        must_open(&bench);
        check_state(&bench);
    }
    end(&bench);
}

static void test_restart_with_checkpoints(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 3);
    bench.options.checkpoint_size = 4096;
    bench.options.checkpoint_ms = 30;
    must_open(&bench);
    for (int round = 0; round < 5; round++) {
        append_durably(&bench, 60);
        if (round % 2 == 0) {
            wait_for(&bench, is_checkpointed, bench.tree->zxid);
        }
        close_engine(&bench);
        must_open(&bench);
        check_state(&bench);
    }
    end(&bench);
}

static bool segment_is_gone(struct bench *bench, int64_t first)
{
    char name[FK_SEGMENT_NAME_SIZE];
    fk_segment_name(first, name);
    return access(fk_test_path(bench->directory.path, name), F_OK) != 0;
}

static void test_hold_keeps_segments(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 4);
    bench.options.checkpoint_size = 4096;
    bench.options.checkpoint_ms = 30;
    must_open(&bench);
    int hold = open(fk_test_path(bench.directory.path, "hold"), O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(hold, LOCK_SH | LOCK_NB), 0);
    append_durably(&bench, 150);
    wait_for(&bench, is_checkpointed, bench.tree->zxid);
    assert_false(segment_is_gone(&bench, 0));
    (void)close(hold);
    append_durably(&bench, 10);
    wait_for(&bench, segment_is_gone, 0);
    close_engine(&bench);
    must_open(&bench);
    check_state(&bench);
    end(&bench);
}

static void test_second_server(void **state)
{
    (void)state;
    struct bench bench;
    struct bench other;
    struct fk_diag diag = {.text = ""};
    begin(&bench, 5);
    begin(&other, 5);
    struct fk_test_directory own = other.directory;
    must_open(&bench);
    other.directory = bench.directory;
    other.options.directory = other.directory.path;
    assert_int_equal(open_engine(&other, &diag), FK_ERR_LOCKED);
    assert_non_null(strstr(diag.text, "in use by another server"));
    assert_non_null(strstr(diag.text, bench.directory.path));
    other.directory = own;
    end(&other);
    end(&bench);
}

static void test_disk_full_and_back(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 6);
    must_open(&bench);
    fk_fault_plan_set(&bench.plan, FK_FAULT_ALLOCATE, 1, true, FK_ERR_FULL);
    int64_t position = 0;
    while (fk_engine_admit(bench.engine, 3000) == FK_OK) {
        position = append(&bench, 3, false);
    }
    wait_for(&bench, admits_full, 3000);
    wait_for(&bench, is_durable, position);
    assert_true(bench.plan.failed > 0);
    atomic_store(&bench.plan.nth, 0);
    wait_for(&bench, is_admitted, 3000);
    append_durably(&bench, 30);
    close_engine(&bench);
    must_open(&bench);
    check_state(&bench);
    assert_int_equal(bench.fatal_calls, 0);
    end(&bench);
}

/* The nth write or sync fails, queued or inline: fatal once, nothing more is durable, and what was is there on the
 * restart. */
static void run_fatal(enum fk_fault_call call, uint64_t nth, bool inline_sync, enum fk_err err)
{
    struct bench bench;
    int64_t durable_zxid = 0;
    begin(&bench, 7 + nth);
    bench.options.segment_size = 1024 * 1024;
    must_open(&bench);
    fk_fault_plan_set(&bench.plan, call, nth, true, err);
    for (uint64_t i = 0; i < nth + 3 && fk_engine_admit(bench.engine, 100) == FK_OK; i++) {
        fk_tree_change(bench.tree, &bench.payload);
        int64_t zxid = bench.tree->zxid;
        int64_t position = fk_engine_append(bench.engine, &bench.payload, inline_sync && fk_engine_idle(bench.engine));
        wait_for(&bench, is_settled, position);
        durable_zxid = is_durable(&bench, position) ? zxid : durable_zxid;
    }
    wait_for(&bench, was_fatal, 0);
    assert_non_null(strstr(bench.fatal, "injected fault"));
    assert_int_equal(fk_engine_admit(bench.engine, 10), FK_ERR_IO);
    close_engine(&bench);
    assert_int_equal(bench.fatal_calls, 1);
    fk_fault_plan_set(&bench.plan, call, 0, false, FK_ERR_IO);
    must_open(&bench);
    assert_true(bench.state.visible_zxid >= durable_zxid);
    assert_true(bench.state.visible_zxid <= bench.tree->zxid);
    end(&bench);
}

static void test_failed_sync_is_fatal(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 5; nth += 2) {
        run_fatal(FK_FAULT_SYNC, nth, false, FK_ERR_IO);
        run_fatal(FK_FAULT_SYNC, nth, true, FK_ERR_IO);
    }
}

static void test_failed_write_is_fatal(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 5; nth += 2) {
        run_fatal(FK_FAULT_WRITE, nth, false, FK_ERR_IO);
        run_fatal(FK_FAULT_WRITE, nth, true, FK_ERR_FULL);
    }
}

static void test_log_size_makes_wait(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 8);
    bench.options.log_size_max = 20000;
    must_open(&bench);
    int64_t position = 0;
    struct fk_engine_status status = {.position = 0};
    while (status.position <= 20000) {
        position = append(&bench, 3, false);
        fk_engine_status(bench.engine, &status);
    }
    wait_for(&bench, is_durable, position);
    assert_int_equal(fk_engine_admit(bench.engine, 10), FK_ERR_BUSY);
    close_engine(&bench);
    bench.options.checkpoint_ms = 20;
    must_open(&bench);
    wait_for(&bench, is_admitted, 1000);
    check_state(&bench);
    end(&bench);
}

static void test_too_large(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 9);
    must_open(&bench);
    assert_int_equal(fk_engine_admit(bench.engine, 16384), FK_ERR_TOO_LARGE);
    assert_int_equal(fk_engine_admit(bench.engine, 16000), FK_OK);
    end(&bench);
}

/* A frame that fits only into a fresh segment gets one, however little of this one is used. */
static void test_large_frame_in_small_rest(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 10);
    must_open(&bench);
    append_durably(&bench, 3);
    wait_for(&bench, is_admitted, 16000);
    end(&bench);
}

static void test_without_sync(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 11);
    bench.options.sync = false;
    bench.options.checkpoint_ms = 10;
    must_open(&bench);
    fk_fault_plan_set(&bench.plan, FK_FAULT_SYNC, 0, false, FK_ERR_IO);
    append_durably(&bench, 120);
    wait_for(&bench, is_checkpointed, bench.tree->zxid); /* follows the background sync */
    append_durably(&bench, 20);
    close_engine(&bench);
    must_open(&bench);
    check_state(&bench);
    end(&bench);
}

/* Bytes in the log's segment that holds a position: how far frames go. */
static bool is_closed(struct bench *bench, int64_t position)
{
    struct fk_engine_status status;
    fk_engine_status(bench->engine, &status);
    return status.position > position && status.durable == status.position;
}

/* H27: after a pause an empty frame proves that all was synced; then a flipped byte anywhere before it is found. */
static void test_idle_log_closes(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 12);
    must_open(&bench);
    int64_t position = append(&bench, 3, true);
    wait_for(&bench, is_closed, position);
    struct fk_engine_status status;
    fk_engine_status(bench.engine, &status);
    assert_int_equal(status.position, position + 32);
    close_engine(&bench);
    int fd = open(fk_test_path(bench.directory.path, "log.0000000000000000"), O_RDWR | O_CLOEXEC);
    uint8_t byte = 0;
    assert_int_equal(pread(fd, &byte, 1, position - 1), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, position - 1), 1);
    struct fk_diag diag = {.text = ""};
    assert_int_equal(open_engine(&bench, &diag), FK_ERR_DAMAGED);
    assert_non_null(strstr(diag.text, "log.0000000000000000"));
    assert_non_null(strstr(diag.text, "offset 36"));
    assert_non_null(strstr(diag.text, bench.directory.path));
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, position - 1), 1);
    (void)close(fd);
    fk_state_deinit(&bench.state);
    must_open(&bench);
    check_state(&bench);
    end(&bench);
}

static void test_lost_files(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_diag diag = {.text = ""};
    begin(&bench, 13);
    bench.options.checkpoint_ms = 10;
    must_open(&bench);
    append_durably(&bench, 30);
    wait_for(&bench, is_checkpointed, bench.tree->zxid);
    close_engine(&bench);
    assert_int_equal(unlink(fk_test_path(bench.directory.path, "checkpoint.sqlite")), 0);
    assert_int_equal(open_engine(&bench, &diag), FK_ERR_DAMAGED);
    assert_non_null(strstr(diag.text, "checkpoint.sqlite is missing"));
    end(&bench);

    begin(&bench, 14);
    bench.options.checkpoint_ms = 10;
    must_open(&bench);
    append_durably(&bench, 5);
    wait_for(&bench, is_checkpointed, bench.tree->zxid);
    close_engine(&bench);
    diag = (struct fk_diag){.text = ""};
    assert_int_equal(unlink(fk_test_path(bench.directory.path, "log.0000000000000000")), 0);
    assert_int_equal(open_engine(&bench, &diag), FK_ERR_DAMAGED);
    assert_non_null(strstr(diag.text, "log is missing"));
    end(&bench);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_fresh_directory),
    FK_TEST(test_restart),
    FK_TEST(test_restart_with_checkpoints),
    FK_TEST(test_hold_keeps_segments),
    FK_TEST(test_second_server),
    FK_TEST(test_disk_full_and_back),
    FK_TEST(test_failed_sync_is_fatal),
    FK_TEST(test_failed_write_is_fatal),
    FK_TEST(test_log_size_makes_wait),
    FK_TEST(test_too_large),
    FK_TEST(test_large_frame_in_small_rest),
    FK_TEST(test_without_sync),
    FK_TEST(test_idle_log_closes),
    FK_TEST(test_lost_files),
};

FK_TEST_MAIN(tests)
