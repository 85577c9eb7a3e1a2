// SPDX-License-Identifier: Apache-2.0
/* Inside of the checkpoint: its SQLite connection, and rows as records. */
#ifndef FK_DRIVER_LOCAL_CHECKPOINT_ROW_H
#define FK_DRIVER_LOCAL_CHECKPOINT_ROW_H

#include "driver/local/checkpoint.h"

#include <sqlite3.h>
#include <stdatomic.h>

struct fk_checkpoint {
    sqlite3 *db;
    char *path; /* for messages */
    int64_t position;
    int64_t zxid;
    int64_t settled; /* position of what is in the file, not only in the WAL */
    uint64_t
        digest; /* sum of the CRCs of all rows: a row that is missing, or is an old one, has a right CRC of its own */
    uint32_t chain;
    bool unsettled; /* the WAL has commits that are not in the file, or that nobody has looked at */
    _Atomic bool interrupted;
};

/* The columns of nodes, in the order of FK_ROW_COLUMNS. */
#define FK_ROW_COLUMNS                                                                                                 \
    "path, crc, czxid, mzxid, pzxid, ctime, mtime, owner, version, aversion, created_children, num_children, acl, "    \
    "data"

/* Maps SQLite's last error and puts "cannot <what> <file>: <reason>" into diag. */
enum fk_err fk_checkpoint_fail(const struct fk_checkpoint *checkpoint, const char *what, struct fk_diag *diag);

enum fk_err fk_checkpoint_execute(struct fk_checkpoint *checkpoint, const char *sql, const char *what,
                                  struct fk_diag *diag);
enum fk_err fk_checkpoint_prepare(struct fk_checkpoint *checkpoint, const char *sql, sqlite3_stmt **statement,
                                  struct fk_diag *diag);

/* Parameters 1.. = the columns; views must live until the statement is reset. Gives the row's CRC. */
uint32_t fk_row_bind_node(sqlite3_stmt *statement, const struct fk_node *node);
/* Views live until the statement moves. False where the CRC is wrong. */
bool fk_row_read_node(sqlite3_stmt *statement, struct fk_node *node);

uint32_t fk_row_bind_session(sqlite3_stmt *statement, const struct fk_session *session);
bool fk_row_read_session(sqlite3_stmt *statement, struct fk_session *session);

/* A row of meta. */
struct fk_checkpoint_meta {
    int64_t position;
    int64_t zxid;
    uint32_t chain;
};

/* Writes position, chain, zxid and digest. */
enum fk_err fk_checkpoint_write_meta(struct fk_checkpoint *checkpoint, struct fk_diag *diag);
enum fk_err fk_checkpoint_read_meta(struct fk_checkpoint *checkpoint, struct fk_diag *diag);

#endif
