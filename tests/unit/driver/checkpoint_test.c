// SPDX-License-Identifier: Apache-2.0
/* The checkpoint: whatever the steps, the checkpoint and the log behind it give the state that the log alone gives. */
#include "driver/local/checkpoint.h"

#include "driver/fixture.h"
#include "driver/local/log.h"
#include "driver/local/path.h"
#include "driver/local/posix_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <unistd.h>

enum {
    SEGMENT_SIZE = 16384,
};

static const char name[] = "checkpoint.sqlite";

/* A directory with a checkpoint and a log that the test writes. */
struct bench {
    struct fk_test_directory directory;
    char *path;
    struct fk_files *files;
    struct fk_log log;
    struct fk_checkpoint *checkpoint;
    struct fk_log_reader reader;
    struct fk_tree *tree;
    struct fk_buf payload;
};

static void begin(struct bench *bench, uint64_t seed)
{
    struct fk_diag diag = {.text = ""};
    *bench = (struct bench){.payload = FK_BUF_EMPTY};
    fk_test_directory_init(&bench->directory);
    bench->path = fk_path_join(bench->directory.path, name);
    bench->tree = fk_tree_new(seed);
    assert_int_equal(fk_posix_files_open(bench->directory.path, false, &bench->files, &diag), FK_OK);
    assert_int_equal(fk_checkpoint_open(NULL, bench->path, FK_CHECKPOINT_WRITE, &bench->checkpoint, &diag),
                     FK_ERR_NOT_FOUND);
    assert_int_equal(fk_checkpoint_open(NULL, bench->path, FK_CHECKPOINT_CREATE, &bench->checkpoint, &diag), FK_OK);
    assert_int_equal(fk_log_begin(&bench->log, bench->files, 0, SEGMENT_SIZE, 5, &diag), FK_OK);
    assert_int_equal(fk_log_reader_open(&bench->reader, bench->files, FK_OPEN_READ, 0, 0, &diag), FK_OK);
}

static void end(struct bench *bench)
{
    fk_log_reader_close(&bench->reader);
    fk_checkpoint_close(bench->checkpoint);
    fk_log_deinit(&bench->log);
    bench->files->ops->free(bench->files);
    fk_tree_free(bench->tree);
    fk_free(bench->path);
    fk_buf_deinit(&bench->payload);
    fk_test_directory_deinit(&bench->directory);
}

/* Logs changes, some to a frame. */
static void write_changes(struct bench *bench, size_t count)
{
    struct fk_diag diag = {.text = ""};
    for (size_t i = 0; i < count; i++) {
        fk_tree_change(bench->tree, &bench->payload);
        if (i + 1 < count && fk_prng_chance(&bench->tree->prng, 40)) {
            continue;
        }
        int64_t first = 0;
        struct fk_segment segment;
        if (!fk_log_room(&bench->log, bench->payload.size) && fk_log_prepare_first(&bench->log, true, &first)) {
            assert_int_equal(fk_segment_create(bench->files, first, SEGMENT_SIZE, 6, true, &segment, &diag), FK_OK);
            fk_log_offer(&bench->log, segment);
        }
        (void)fk_log_push(&bench->log, fk_buf_view(&bench->payload));
        fk_buf_clear(&bench->payload);
        assert_true(fk_log_take(&bench->log));
        assert_int_equal(fk_log_write(&bench->log, &diag), FK_OK);
    }
    assert_int_equal(fk_log_sync(&bench->log, &diag), FK_OK);
}

static enum fk_err step(struct bench *bench, size_t records_max, struct fk_diag *diag)
{
    return fk_checkpoint_step(bench->checkpoint, &bench->reader, atomic_load(&bench->log.synced), records_max, diag);
}

static void check_state(struct fk_checkpoint *checkpoint, const struct fk_tree *tree, int64_t zxid)
{
    struct fk_text text;
    struct fk_engine_sink sink = fk_text_sink(&text);
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_checkpoint_load(checkpoint, &sink, &diag);
    if (err != FK_OK) {
        print_error("%s\n", diag.text);
    }
    assert_int_equal(err, FK_OK);
    fk_assert_bytes(fk_buf_view(&text.buf), fk_tree_state(tree, zxid));
    fk_buf_deinit(&text.buf);
}

static void test_fresh(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench, 1);
    check_state(bench.checkpoint, bench.tree, 0);
    assert_int_equal(fk_checkpoint_position(bench.checkpoint), 0);
    end(&bench);
}

/* Steps of any size, at any moment, reopened in between: always the state of the log up to there. */
static void test_same_state_as_log(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct bench bench;
        struct fk_diag diag = {.text = ""};
        begin(&bench, seed);
        for (int round = 0; round < 25; round++) {
            write_changes(&bench, 1 + (size_t)fk_prng_below(&bench.tree->prng, 40));
            size_t records_max = 1 + (size_t)fk_prng_below(&bench.tree->prng, 30);
            do {
                enum fk_err err = step(&bench, records_max, &diag);
                if (err != FK_OK) {
                    print_error("%s\n", diag.text);
                }
                assert_int_equal(err, FK_OK);
                check_state(bench.checkpoint, bench.tree, fk_checkpoint_zxid(bench.checkpoint));
            } while (fk_checkpoint_position(bench.checkpoint) < atomic_load(&bench.log.synced));
            assert_int_equal(fk_checkpoint_zxid(bench.checkpoint), bench.tree->zxid);
            assert_int_equal(fk_log_remove_before(bench.files, fk_checkpoint_position(bench.checkpoint), &diag), FK_OK);
            if (round % 5 == 0) {
                fk_log_reader_close(&bench.reader);
                fk_checkpoint_close(bench.checkpoint);
                assert_int_equal(fk_checkpoint_open(NULL, bench.path, FK_CHECKPOINT_WRITE, &bench.checkpoint, &diag),
                                 FK_OK);
                assert_int_equal(fk_log_reader_open(&bench.reader, bench.files, FK_OPEN_READ,
                                                    fk_checkpoint_position(bench.checkpoint),
                                                    fk_checkpoint_chain(bench.checkpoint), &diag),
                                 FK_OK);
            }
            assert_int_equal(fk_checkpoint_settle(bench.checkpoint, &diag), FK_OK);
        }
        assert_int_equal(fk_checkpoint_verify(bench.checkpoint, &diag), FK_OK);
        end(&bench);
    }
}

static void test_interrupt(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_diag diag = {.text = ""};
    begin(&bench, 3);
    write_changes(&bench, 50);
    fk_checkpoint_interrupt(bench.checkpoint);
    assert_int_equal(step(&bench, SIZE_MAX, &diag), FK_ERR_BUSY);
    assert_int_equal(fk_checkpoint_position(bench.checkpoint), 0);
    end(&bench);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The error of opening and loading, after somebody has changed the file with SQL. */
static enum fk_err load_changed(struct bench *bench, const char *sql, struct fk_diag *diag)
{
    struct fk_text text;
    struct fk_engine_sink sink = fk_text_sink(&text);
    fk_checkpoint_close(bench->checkpoint);
    bench->checkpoint = NULL;
    execute(bench->path, sql);
    enum fk_err err = fk_checkpoint_open(NULL, bench->path, FK_CHECKPOINT_WRITE, &bench->checkpoint, diag);
    if (err == FK_OK) {
        err = fk_checkpoint_load(bench->checkpoint, &sink, diag);
    }
    fk_buf_deinit(&text.buf);
    return err;
}

static void test_refuses_changed_rows(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        enum fk_err err;
        const char *says;
    } cases[] = {
        {"UPDATE nodes SET data = x'00' WHERE path = '/zookeeper'", FK_ERR_DAMAGED, "row /zookeeper: wrong checksum"},
        {"UPDATE nodes SET version = 7 WHERE path = '/'", FK_ERR_DAMAGED, "row /: wrong checksum"},
        {"DELETE FROM nodes WHERE path = '/zookeeper/quota'", FK_ERR_DAMAGED, "2 children, but 1"},
        {"DELETE FROM nodes WHERE path = '/zookeeper'", FK_ERR_DAMAGED, "/zookeeper/config: its parent is missing"},
        {"DELETE FROM nodes", FK_ERR_DAMAGED, "row /: it is missing"},
        {"UPDATE meta SET position = 77", FK_ERR_DAMAGED, "table meta"},
        {"DELETE FROM meta", FK_ERR_DAMAGED, "table meta"},
        {"DROP TABLE sessions", FK_ERR_DAMAGED, "sessions"},
        {"INSERT INTO sessions VALUES(1, 2, 3, 'x')", FK_ERR_DAMAGED, "table sessions, row 1"},
        {"PRAGMA user_version=2", FK_ERR_VERSION, "format version 2; this faaskeeper reads version 1"},
        {"PRAGMA user_version=0", FK_ERR_DAMAGED, "format version is 0"},
        {"PRAGMA application_id=5", FK_ERR_DAMAGED, "application_id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bench bench;
        struct fk_diag diag = {.text = ""};
        begin(&bench, 1);
        enum fk_err err = load_changed(&bench, cases[i].sql, &diag);
        if (err != cases[i].err || strstr(diag.text, cases[i].says) == NULL) {
            print_error("%s: %s: %s\n", cases[i].sql, fk_err_text(err), diag.text);
        }
        assert_int_equal(err, cases[i].err);
        assert_non_null(strstr(diag.text, cases[i].says));
        assert_non_null(strstr(diag.text, name));
        end(&bench);
    }
}

/* Bytes of the file changed: the load fails, or gives what it gave before. */
static void test_flipped_bytes(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_diag diag = {.text = ""};
    struct fk_prng prng = fk_test_prng();
    begin(&bench, 9);
    write_changes(&bench, 200);
    assert_int_equal(step(&bench, SIZE_MAX, &diag), FK_OK);
    assert_int_equal(fk_checkpoint_settle(bench.checkpoint, &diag), FK_OK);
    fk_checkpoint_close(bench.checkpoint);
    int fd = open(bench.path, O_RDWR | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    uint32_t refused = 0;
    uint32_t same = 0;
    assert_true(size > 10000);
    for (off_t at = 0; at < size; at += 1 + (off_t)fk_prng_below(&prng, 40)) {
        struct fk_text text;
        struct fk_engine_sink sink = fk_text_sink(&text);
        uint8_t byte = 0;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        uint8_t changed = byte ^ (uint8_t)(1 + fk_prng_below(&prng, 255));
        assert_int_equal(pwrite(fd, &changed, 1, at), 1);
        diag = (struct fk_diag){.text = ""};
        bench.checkpoint = NULL;
        enum fk_err err = fk_checkpoint_open(NULL, bench.path, FK_CHECKPOINT_STILL, &bench.checkpoint, &diag);
        if (err == FK_OK) {
            err = fk_checkpoint_load(bench.checkpoint, &sink, &diag);
        }
        if (err == FK_OK) {
            fk_assert_bytes(fk_buf_view(&text.buf), fk_tree_state(bench.tree, bench.tree->zxid));
            same++;
        } else if (err == FK_ERR_NOT_FOUND) {
            refused++; /* opened as if it were empty: the engine refuses it, the log is there */
        } else {
            assert_non_null(strstr(diag.text, name));
            refused++;
        }
        fk_checkpoint_close(bench.checkpoint);
        fk_buf_deinit(&text.buf);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_true(refused > 50 && same > 50);
    (void)close(fd);
    bench.checkpoint = NULL;
    end(&bench);
}

/* Power lost (as seen by another process that takes the files as they are) at each moment between the calls. */
static void test_crash_points(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_test_directory copy;
    struct fk_diag diag = {.text = ""};
    begin(&bench, 11);
    fk_test_directory_init(&copy);
    for (int round = 0; round < 12; round++) {
        int64_t zxid = 0;
        write_changes(&bench, 30);
        for (int moment = 0; moment < 4; moment++) {
            if (moment == 1) {
                assert_int_equal(step(&bench, 12, &diag), FK_OK);
            } else if (moment == 2) {
                assert_int_equal(fk_log_remove_before(bench.files, fk_checkpoint_position(bench.checkpoint), &diag),
                                 FK_OK);
            } else if (moment == 3) {
                assert_int_equal(fk_checkpoint_settle(bench.checkpoint, &diag), FK_OK);
            }
            fk_test_directory_copy(bench.directory.path, copy.path);
            (void)unlink(fk_test_path(copy.path, "checkpoint.sqlite-shm"));
            enum fk_err err = fk_test_recover(copy.path, bench.tree, bench.tree->zxid, &zxid, &diag);
            if (err != FK_OK) {
                print_error("round %d moment %d: %s\n", round, moment, diag.text);
            }
            assert_int_equal(err, FK_OK);
            assert_int_equal(zxid, bench.tree->zxid);
        }
    }
    fk_test_directory_deinit(&copy);
    end(&bench);
}

static void test_copy_and_backup(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_diag diag = {.text = ""};
    struct fk_checkpoint *other = NULL;
    int64_t position = 0;
    uint32_t chain = 0;
    begin(&bench, 12);
    write_changes(&bench, 100);
    assert_int_equal(step(&bench, SIZE_MAX, &diag), FK_OK); /* in the WAL only */
    assert_int_equal(fk_checkpoint_copy(bench.checkpoint, &other, &diag), FK_OK);
    check_state(other, bench.tree, 100);
    fk_checkpoint_close(other);
    char *path = fk_path_join(bench.directory.path, "backup.sqlite");
    assert_int_equal(fk_checkpoint_backup(bench.checkpoint, path, &position, &chain, &diag), FK_OK);
    assert_int_equal(position, fk_checkpoint_position(bench.checkpoint));
    assert_int_equal(chain, fk_checkpoint_chain(bench.checkpoint));
    assert_int_equal(fk_checkpoint_open(NULL, path, FK_CHECKPOINT_STILL, &other, &diag), FK_OK);
    check_state(other, bench.tree, 100);
    fk_checkpoint_close(other);
    fk_free(path);
    end(&bench);
}

static enum fk_err load_again(struct bench *bench, struct fk_diag *diag)
{
    struct fk_text text;
    struct fk_engine_sink sink = fk_text_sink(&text);
    *diag = (struct fk_diag){.text = ""};
    enum fk_err err = fk_checkpoint_open(NULL, bench->path, FK_CHECKPOINT_WRITE, &bench->checkpoint, diag);
    if (err == FK_OK) {
        err = fk_checkpoint_load(bench->checkpoint, &sink, diag);
        fk_checkpoint_trust(bench->checkpoint);
        fk_checkpoint_close(bench->checkpoint);
    }
    fk_buf_deinit(&text.buf);
    bench->checkpoint = NULL;
    return err;
}

/* A row that is missing, and an old one with a right checksum of its own, are noticed; a checkpoint without a digest,
 * as an earlier version wrote it, is taken, and gets one. */
static void test_digest(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_diag diag = {.text = ""};
    begin(&bench, 13);
    write_changes(&bench, 60);
    assert_int_equal(step(&bench, SIZE_MAX, &diag), FK_OK);
    assert_int_equal(fk_checkpoint_settle(bench.checkpoint, &diag), FK_OK);
    fk_checkpoint_close(bench.checkpoint);
    assert_int_equal(load_again(&bench, &diag), FK_OK);
    execute(bench.path, "DELETE FROM sessions");
    execute(bench.path, "INSERT INTO sessions VALUES(7, 3435973836, 1000, x'00000000000000000000000000000000')");
    assert_int_equal(load_again(&bench, &diag), FK_ERR_DAMAGED);
    execute(bench.path, "DELETE FROM sessions WHERE id = 7");
    enum fk_err without_session = load_again(&bench, &diag);
    assert_int_equal(without_session, bench.tree->session ? FK_ERR_DAMAGED : FK_OK);
    execute(bench.path, "DELETE FROM meta WHERE id = 2");
    assert_int_equal(load_again(&bench, &diag), FK_OK);
    end(&bench);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_digest),
    FK_TEST(test_fresh),
    FK_TEST(test_same_state_as_log),
    FK_TEST(test_interrupt),
    FK_TEST(test_refuses_changed_rows),
    FK_TEST(test_flipped_bytes),
    FK_TEST(test_crash_points),
    FK_TEST(test_copy_and_backup),
};

FK_TEST_MAIN(tests)
