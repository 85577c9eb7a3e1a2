// SPDX-License-Identifier: Apache-2.0
/* SQLite over the file port, on a disk in memory that loses power. */
#include "driver/local/vfs.h"

#include "driver/local/refresh.h"
#include "driver/memory/clock.h"
#include "driver/memory/file.h"
#include "port/fault_file.h"
#include "support/test.h"

#include <sqlite3.h>
#include <stdio.h>

struct bench {
    struct fk_memory_disk *disk;
    struct fk_fault_plan plan;
    struct fk_files *files;
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct fk_vfs *vfs;
    sqlite3 *db;
};

static int execute(struct bench *bench, const char *sql)
{
    return sqlite3_exec(bench->db, sql, NULL, NULL, NULL);
}

static void begin_life(struct bench *bench)
{
    bench->files = fk_fault_files_new(fk_memory_files_new(bench->disk), &bench->plan);
    fk_memory_clock_init(&bench->clock, 1000);
    fk_memory_random_init(&bench->random, 5);
    bench->vfs = fk_vfs_new(bench->files, &bench->clock.base, &bench->random.base);
    assert_non_null(bench->vfs);
    assert_int_equal(
        sqlite3_open_v2("db", &bench->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, fk_vfs_name(bench->vfs)),
        SQLITE_OK);
    assert_int_equal(execute(bench, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                                    "PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t(x)"),
                     SQLITE_OK);
}

static void end_life(struct bench *bench)
{
    (void)sqlite3_db_config(bench->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_close(bench->db), SQLITE_OK);
    fk_vfs_free(bench->vfs);
    bench->files->ops->free(bench->files);
}

static void begin(struct bench *bench)
{
    *bench = (struct bench){.disk = fk_memory_disk_new()};
    begin_life(bench);
}

static void end(struct bench *bench)
{
    end_life(bench);
    fk_memory_disk_free(bench->disk);
}

static int64_t count_rows(struct bench *bench)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(bench->db, "SELECT count(*) FROM t", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return count;
}

static bool keep_none(void *context)
{
    (void)context;
    return false;
}

static void test_commits_survive(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    for (int i = 1; i <= 20; i++) {
        assert_int_equal(execute(&bench, "INSERT INTO t VALUES(randomblob(500))"), SQLITE_OK);
        if (i % 5 == 0) {
            assert_int_equal(sqlite3_wal_checkpoint_v2(bench.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
                             SQLITE_OK);
        }
        end_life(&bench);
        fk_memory_disk_crash(bench.disk, keep_none, NULL);
        begin_life(&bench);
        assert_int_equal(count_rows(&bench), i);
    }
    end(&bench);
}

/* Each call that SQLite makes fails once: what was committed is there, what was not is not. */
static void test_errors(void **state)
{
    (void)state;
    static const enum fk_err errors[2] = {FK_ERR_FULL, FK_ERR_IO};
    for (size_t i = 0; i < 2; i++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            struct bench bench;
            begin(&bench);
            assert_int_equal(execute(&bench, "INSERT INTO t VALUES(1)"), SQLITE_OK);
            fk_fault_plan_set(&bench.plan, FK_FAULT_CALLS, nth, false, errors[i]);
            int result = execute(&bench, "INSERT INTO t VALUES(2)");
            failed = bench.plan.failed > 0;
            fk_fault_plan_set(&bench.plan, FK_FAULT_CALLS, 0, false, FK_ERR_IO);
            if (failed) {
                assert_int_equal(result & 0xff, errors[i] == FK_ERR_FULL ? SQLITE_FULL : SQLITE_IOERR);
            }
            assert_int_equal(count_rows(&bench), failed ? 1 : 2);
            end(&bench);
        }
    }
}

static void test_same_dice_same_bytes(void **state)
{
    (void)state;
    struct fk_bytes wal[2];
    struct bench benches[2];
    for (size_t i = 0; i < 2; i++) {
        begin(&benches[i]);
        assert_int_equal(execute(&benches[i], "INSERT INTO t VALUES(randomblob(50)), (datetime('now'))"), SQLITE_OK);
        wal[i] = fk_memory_disk_look(benches[i].disk, "db-wal");
    }
    assert_true(wal[0].size > 0);
    fk_assert_bytes(wal[0], wal[1]);
    end(&benches[1]);
    end(&benches[0]);
}

static void test_exists(void **state)
{
    (void)state;
    struct bench bench;
    begin(&bench);
    assert_int_equal(fk_vfs_exists(bench.vfs, "db", NULL), FK_OK);
    assert_int_equal(fk_vfs_exists(bench.vfs, "other", NULL), FK_ERR_NOT_FOUND);
    end(&bench);
}

/* What a failed sync has left in the page cache only is on the disk after a refresh. */
static void test_refresh(void **state)
{
    (void)state;
    struct bench bench;
    struct fk_file *file = NULL;
    begin(&bench);
    struct fk_files *files = fk_memory_files_new(bench.disk);
    assert_int_equal(files->ops->open(files, "a", FK_OPEN_CREATE, &file, NULL), FK_OK);
    assert_int_equal(files->ops->sync_directory(files, NULL), FK_OK);
    assert_int_equal(file->ops->write(file, 0, fk_bytes_text("contents"), NULL), FK_OK);
    fk_memory_file_fail_sync(file, keep_none, NULL);
    file->ops->close(file);
    assert_int_equal(fk_file_refresh(files, "none", NULL), FK_OK);
    assert_int_equal(fk_file_refresh(files, "a", NULL), FK_OK);
    files->ops->free(files);
    end_life(&bench);
    fk_memory_disk_crash(bench.disk, keep_none, NULL);
    fk_assert_bytes(fk_memory_disk_look(bench.disk, "a"), fk_bytes_text("contents"));
    begin_life(&bench);
    end(&bench);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_commits_survive), FK_TEST(test_errors),  FK_TEST(test_same_dice_same_bytes),
    FK_TEST(test_exists),          FK_TEST(test_refresh),
};

FK_TEST_MAIN(tests)
