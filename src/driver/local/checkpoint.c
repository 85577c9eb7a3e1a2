// SPDX-License-Identifier: Apache-2.0
#include "driver/local/checkpoint.h"

#include "base/buf.h"
#include "base/mutant.h"
#include "driver/local/checkpoint_row.h"
#include "driver/local/path.h"
#include "driver/local/posix_file.h"
#include "driver/local/vfs.h"
#include "model/tree.h"

#include <inttypes.h>
#include <string.h>

enum {
    APPLICATION_ID = 0x464b5a4b, /* "FKZK" */
};

/* 8 KiB pages: a node of 1 kB fits without an overflow page (SQLite allows a quarter of a page to an entry here).
 * The WAL is moved into the file by fk_checkpoint_settle, after the commit. */
static const char connection_sql[] = "PRAGMA page_size=8192;"
                                     "PRAGMA journal_mode=WAL;"
                                     "PRAGMA synchronous=FULL;"
                                     "PRAGMA wal_autocheckpoint=0;"
                                     "PRAGMA journal_size_limit=16777216;"
                                     "PRAGMA cache_size=-2048;";

static const char schema_sql[] =
    "CREATE TABLE nodes(path TEXT PRIMARY KEY, crc INTEGER, czxid INTEGER, mzxid INTEGER,"
    " pzxid INTEGER, ctime INTEGER, mtime INTEGER, owner INTEGER, version INTEGER,"
    " aversion INTEGER, created_children INTEGER, num_children INTEGER, acl BLOB, data BLOB)"
    " WITHOUT ROWID;"
    "CREATE TABLE sessions(id INTEGER PRIMARY KEY, crc INTEGER, timeout_ms INTEGER,"
    " password BLOB);"
    "CREATE TABLE meta(id INTEGER PRIMARY KEY, crc INTEGER, position INTEGER, chain INTEGER,"
    " zxid INTEGER);"
    "PRAGMA application_id=1179343435;" /* APPLICATION_ID */
    "PRAGMA user_version=1;";           /* FK_CHECKPOINT_VERSION */

enum fk_err fk_checkpoint_fail(const struct fk_checkpoint *checkpoint, const char *what, struct fk_diag *diag)
{
    int code = checkpoint->db == NULL ? SQLITE_NOMEM : sqlite3_errcode(checkpoint->db);
    const char *reason = checkpoint->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(checkpoint->db);
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* a table or a column is not there */
    case SQLITE_SCHEMA:
        fk_diag_set(diag, "%s is damaged: cannot %s it: %s", checkpoint->path, what, reason);
        return FK_ERR_DAMAGED;
    default:
        fk_diag_set(diag, "cannot %s %s: %s", what, checkpoint->path, reason);
        break;
    }
    switch (code & 0xff) {
    case SQLITE_FULL:
        return FK_ERR_FULL;
    case SQLITE_NOMEM:
        return FK_ERR_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT:
        return FK_ERR_BUSY;
    default:
        return FK_ERR_IO;
    }
}

enum fk_err fk_checkpoint_execute(struct fk_checkpoint *checkpoint, const char *sql, const char *what,
                                  struct fk_diag *diag)
{
    int result = sqlite3_exec(checkpoint->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? FK_OK : fk_checkpoint_fail(checkpoint, what, diag);
}

enum fk_err fk_checkpoint_prepare(struct fk_checkpoint *checkpoint, const char *sql, sqlite3_stmt **statement,
                                  struct fk_diag *diag)
{
    int result = sqlite3_prepare_v2(checkpoint->db, sql, -1, statement, NULL);
    return result == SQLITE_OK ? FK_OK : fk_checkpoint_fail(checkpoint, "read", diag);
}

/* The value of a pragma or any query with one number; -1 on errors. */
static int64_t query_number(struct fk_checkpoint *checkpoint, const char *sql, enum fk_err *err, struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = -1;
    if (*err == FK_OK) {
        *err = fk_checkpoint_prepare(checkpoint, sql, &statement, diag);
    }
    if (*err == FK_OK) {
        if (sqlite3_step(statement) == SQLITE_ROW) {
            value = sqlite3_column_int64(statement, 0);
        } else {
            *err = fk_checkpoint_fail(checkpoint, "read", diag);
        }
    }
    (void)sqlite3_finalize(statement);
    return value;
}

/* "file:<path>?immutable=1", with what means something in a URI escaped. */
static char *immutable_uri(const char *path)
{
    struct fk_buf uri = FK_BUF_EMPTY;
    fk_buf_print(&uri, "file:");
    for (const char *at = path; *at != '\0'; at++) {
        fk_buf_print(&uri, strchr("%?#", *at) != NULL ? "%%%02X" : "%c", (unsigned)(unsigned char)*at);
    }
    fk_buf_print(&uri, "?immutable=1%c", 0);
    if (uri.failed) {
        fk_buf_deinit(&uri);
    }
    return (char *)uri.data;
}

static enum fk_err connect_to(struct fk_checkpoint *checkpoint, struct fk_vfs *vfs, enum fk_checkpoint_mode mode,
                              struct fk_diag *diag)
{
    bool writes = mode == FK_CHECKPOINT_WRITE || mode == FK_CHECKPOINT_CREATE;
    int flags = SQLITE_OPEN_NOMUTEX | (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    char *uri = NULL;
    const char *name = checkpoint->path;
    if (mode == FK_CHECKPOINT_STILL) {
        uri = immutable_uri(checkpoint->path);
        name = uri;
        flags |= SQLITE_OPEN_URI;
    } else if (mode == FK_CHECKPOINT_COPY) {
        name = ":memory:";
        flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY;
    }
    if (name == NULL) {
        return FK_ERR_NOMEM;
    }
    flags |= vfs != NULL && mode == FK_CHECKPOINT_CREATE ? SQLITE_OPEN_CREATE : 0;
    int result = sqlite3_open_v2(name, &checkpoint->db, flags, vfs == NULL ? NULL : fk_vfs_name(vfs));
    fk_free(uri);
    if (result != SQLITE_OK) {
        return fk_checkpoint_fail(checkpoint, "open", diag);
    }
    (void)sqlite3_busy_timeout(checkpoint->db, mode == FK_CHECKPOINT_SHARED ? 5000 : 1000);
    if (vfs != NULL) { /* before the WAL is looked at */
        enum fk_err err = fk_checkpoint_execute(checkpoint, "PRAGMA locking_mode=EXCLUSIVE", "open", diag);
        if (err != FK_OK) {
            return err;
        }
    }
    enum fk_err err = writes ? fk_checkpoint_execute(checkpoint, connection_sql, "open", diag) : FK_OK;
    if (err == FK_OK && FK_MUTANT(CHECKPOINT_NOT_SYNCED)) {
        err = fk_checkpoint_execute(checkpoint, "PRAGMA synchronous=OFF", "open", diag);
    }
    return err;
}

static enum fk_err check_format(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    int64_t application = query_number(checkpoint, "PRAGMA application_id", &err, diag);
    int64_t version = query_number(checkpoint, "PRAGMA user_version", &err, diag);
    if (err != FK_OK) {
        return err;
    }
    if (application == 0 && version == 0) {
        int64_t tables = query_number(checkpoint, "SELECT count(*) FROM sqlite_master", &err, diag);
        if (err == FK_OK && tables == 0) {
            return FK_ERR_NOT_FOUND; /* the process that was to fill it has not come that far */
        }
    }
    if (err == FK_OK && application != APPLICATION_ID) {
        fk_diag_set(diag, "%s is damaged or not ours: its application_id is %#" PRIx64 ", not %#x", checkpoint->path,
                    (uint64_t)application, (unsigned)APPLICATION_ID);
        return FK_ERR_DAMAGED;
    }
    if (err == FK_OK && version > FK_CHECKPOINT_VERSION) {
        fk_diag_set(diag, "%s has format version %" PRId64 "; this faaskeeper reads version %d", checkpoint->path,
                    version, FK_CHECKPOINT_VERSION);
        return FK_ERR_VERSION;
    }
    if (err == FK_OK && version != FK_CHECKPOINT_VERSION) {
        fk_diag_set(diag, "%s is damaged: its format version is %" PRId64, checkpoint->path, version);
        return FK_ERR_DAMAGED;
    }
    return err;
}

static enum fk_err insert_first_nodes(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    enum fk_err err = fk_checkpoint_prepare(
        checkpoint, "INSERT INTO nodes(" FK_ROW_COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
        &statement, diag);
    for (size_t i = 0; i < FK_TREE_FIRST_NODES && err == FK_OK; i++) {
        struct fk_node node = fk_tree_first_node(i);
        checkpoint->digest += fk_row_bind_node(statement, &node);
        if (sqlite3_step(statement) != SQLITE_DONE) {
            err = fk_checkpoint_fail(checkpoint, "write", diag);
        }
        (void)sqlite3_reset(statement);
    }
    (void)sqlite3_finalize(statement);
    return err;
}

/* All in one transaction: after a crash there is an empty file or a whole checkpoint. */
static enum fk_err fill(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    enum fk_err err = fk_checkpoint_execute(checkpoint, "BEGIN IMMEDIATE", "write", diag);
    if (err != FK_OK) {
        return err;
    }
    err = fk_checkpoint_execute(checkpoint, schema_sql, "write", diag);
    if (err == FK_OK) {
        err = insert_first_nodes(checkpoint, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_write_meta(checkpoint, diag);
    }
    if (err == FK_OK) {
        err = fk_checkpoint_execute(checkpoint, "COMMIT", "write", diag);
    }
    if (err != FK_OK) {
        (void)sqlite3_exec(checkpoint->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return err;
}

static enum fk_err open_content(struct fk_checkpoint *checkpoint, enum fk_checkpoint_mode mode, struct fk_diag *diag)
{
    if (mode == FK_CHECKPOINT_COPY) {
        return FK_OK;
    }
    enum fk_err err = check_format(checkpoint, diag);
    if (err == FK_ERR_NOT_FOUND && mode == FK_CHECKPOINT_CREATE) {
        return fill(checkpoint, diag);
    }
    return err == FK_OK ? fk_checkpoint_read_meta(checkpoint, diag) : err;
}

/* What there must be of the file before SQLite gets it. */
static enum fk_err prepare_file(struct fk_vfs *vfs, const char *path, enum fk_checkpoint_mode mode,
                                struct fk_diag *diag)
{
    if (mode == FK_CHECKPOINT_COPY) {
        return FK_OK;
    }
    if (mode == FK_CHECKPOINT_CREATE) { /* SQLite's unix driver would give it and its WAL another mode than 0600 */
        return vfs != NULL ? FK_OK : fk_posix_touch(path, diag);
    }
    return vfs != NULL ? fk_vfs_exists(vfs, path, diag) : fk_posix_exists(path);
}

enum fk_err fk_checkpoint_open(struct fk_vfs *vfs, const char *path, enum fk_checkpoint_mode mode,
                               struct fk_checkpoint **out, struct fk_diag *diag)
{
    enum fk_err err = prepare_file(vfs, path, mode, diag);
    if (err != FK_OK) {
        return err;
    }
    struct fk_checkpoint *checkpoint = (struct fk_checkpoint *)fk_alloc_zero(sizeof *checkpoint);
    char *copy = fk_path_join(path, "");
    if (checkpoint == NULL || copy == NULL) {
        fk_free(checkpoint);
        fk_free(copy);
        return FK_ERR_NOMEM;
    }
    checkpoint->path = copy;
    checkpoint->unsettled = !FK_MUTANT(REFUSAL_CHANGES);
    err = connect_to(checkpoint, vfs, mode, diag);
    if (err == FK_OK) {
        err = open_content(checkpoint, mode, diag);
    }
    if (err != FK_OK) {
        fk_checkpoint_close(checkpoint);
        return err;
    }
    *out = checkpoint;
    return FK_OK;
}

void fk_checkpoint_close(struct fk_checkpoint *checkpoint)
{
    if (checkpoint != NULL) {
        if (checkpoint->unsettled) { /* SQLite would do it now, and we are in a hurry: the next opening reads the WAL */
            (void)sqlite3_db_config(checkpoint->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        }
        /* An interrupt stays in force until the next statement starts, and closing has things to do. */
        (void)sqlite3_exec(checkpoint->db, "SELECT 1", NULL, NULL, NULL);
        (void)sqlite3_close(checkpoint->db);
        fk_free(checkpoint->path);
        fk_free(checkpoint);
    }
}

int64_t fk_checkpoint_position(const struct fk_checkpoint *checkpoint)
{
    return checkpoint->position;
}

uint32_t fk_checkpoint_chain(const struct fk_checkpoint *checkpoint)
{
    return checkpoint->chain;
}

int64_t fk_checkpoint_zxid(const struct fk_checkpoint *checkpoint)
{
    return checkpoint->zxid;
}

/* Copies all pages. The read transaction around it makes it one state, the one that meta was read from. */
static enum fk_err copy_pages(struct fk_checkpoint *from, struct fk_checkpoint *to, struct fk_diag *diag)
{
    enum fk_err err = fk_checkpoint_execute(from, "BEGIN", "read", diag);
    if (err != FK_OK) {
        return err;
    }
    err = fk_checkpoint_read_meta(from, diag);
    if (err == FK_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(to->db, "main", from->db, "main");
        bool done = backup != NULL && sqlite3_backup_step(backup, -1) == SQLITE_DONE;
        bool finished = backup != NULL && sqlite3_backup_finish(backup) == SQLITE_OK;
        err = done && finished ? FK_OK : fk_checkpoint_fail(to, "copy the checkpoint to", diag);
    }
    (void)sqlite3_exec(from->db, "COMMIT", NULL, NULL, NULL);
    to->position = from->position;
    to->chain = from->chain;
    to->zxid = from->zxid;
    to->digest = from->digest;
    return err;
}

enum fk_err fk_checkpoint_copy(struct fk_checkpoint *from, struct fk_checkpoint **copy, struct fk_diag *diag)
{
    enum fk_err err = fk_checkpoint_open(NULL, from->path, FK_CHECKPOINT_COPY, copy, diag);
    if (err != FK_OK) {
        return err;
    }
    err = copy_pages(from, *copy, diag);
    if (err != FK_OK) {
        fk_checkpoint_close(*copy);
    }
    return err;
}

enum fk_err fk_checkpoint_backup(struct fk_checkpoint *from, const char *path, int64_t *position, uint32_t *chain,
                                 struct fk_diag *diag)
{
    struct fk_checkpoint to = {.path = fk_path_join(path, "")};
    enum fk_err err = to.path == NULL ? FK_ERR_NOMEM : fk_posix_touch(path, diag);
    if (err == FK_OK && sqlite3_open_v2(path, &to.db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        err = fk_checkpoint_fail(&to, "open", diag);
    }
    if (err == FK_OK) {
        err = copy_pages(from, &to, diag);
    }
    *position = to.position;
    *chain = to.chain;
    (void)sqlite3_close(to.db);
    fk_free(to.path);
    return err;
}

enum fk_err fk_checkpoint_verify(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    enum fk_err err = fk_checkpoint_prepare(checkpoint, "PRAGMA integrity_check(1)", &statement, diag);
    if (err == FK_OK && sqlite3_step(statement) != SQLITE_ROW) {
        err = fk_checkpoint_fail(checkpoint, "read", diag);
    } else if (err == FK_OK && strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0) {
        fk_diag_set(diag, "%s is damaged: %s", checkpoint->path, (const char *)sqlite3_column_text(statement, 0));
        err = FK_ERR_DAMAGED;
    }
    (void)sqlite3_finalize(statement);
    return err;
}

void fk_checkpoint_interrupt(struct fk_checkpoint *checkpoint)
{
    atomic_store(&checkpoint->interrupted, true);
    sqlite3_interrupt(checkpoint->db);
}

enum fk_err fk_checkpoint_settle(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    if (atomic_load(&checkpoint->interrupted)) {
        return FK_ERR_BUSY;
    }
    int frames = 0;
    int moved = 0;
    int result = sqlite3_wal_checkpoint_v2(checkpoint->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
    (void)sqlite3_db_release_memory(checkpoint->db);
    checkpoint->unsettled = checkpoint->unsettled && result != SQLITE_OK;
    if (result == SQLITE_OK && frames == moved) {
        checkpoint->settled = checkpoint->position;
    }
    /* Busy: a backup is reading; the next step moves it. */
    return result == SQLITE_OK || result == SQLITE_BUSY ? FK_OK : fk_checkpoint_fail(checkpoint, "write", diag);
}

int64_t fk_checkpoint_settled(const struct fk_checkpoint *checkpoint)
{
    return checkpoint->settled;
}

void fk_checkpoint_trust(struct fk_checkpoint *checkpoint)
{
    checkpoint->unsettled = false;
}
