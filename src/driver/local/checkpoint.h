// SPDX-License-Identifier: Apache-2.0
/* The checkpoint: one SQLite file with the state after a position of the log, and that position, in one transaction. It
 * opens with the sqlite3 shell. Each row carries a CRC-32C, checked when it is read.
 *
 * nodes(path, crc, czxid, mzxid, pzxid, ctime, mtime, owner, version, aversion, created_children, num_children, acl,
 * data); acl: encoded vector<ACL>, NULL for the open one
 *
 * sessions(id, crc, timeout_ms, password)
 *
 * meta(id, crc, position, chain, zxid); row 1: chain is the CRC of the frame before position; row 2: position is the
 * sum of the CRCs of all nodes and sessions, the rest 0
 *
 * user_version is the format. Used by one thread at a time. */
#ifndef FK_DRIVER_LOCAL_CHECKPOINT_H
#define FK_DRIVER_LOCAL_CHECKPOINT_H

#include "driver/local/log_reader.h"
#include "driver/local/sink.h"

struct fk_checkpoint;
struct fk_vfs;

enum {
    FK_CHECKPOINT_VERSION = 1,
};

enum fk_checkpoint_mode {
    FK_CHECKPOINT_WRITE,  /* read and write; FK_ERR_NOT_FOUND where there is none */
    FK_CHECKPOINT_CREATE, /* must not exist, or not be finished: gets the first nodes, zxid 0, position 0 */
    FK_CHECKPOINT_SHARED, /* read, beside a process that has it open */
    FK_CHECKPOINT_STILL,  /* read a file that nobody uses and that has no WAL; changes nothing on disk */
    FK_CHECKPOINT_COPY,   /* a copy in memory, of a checkpoint that is open: fk_checkpoint_copy */
};

/* `vfs`: the file system that the path is in; NULL: the system's. Errors: DAMAGED, VERSION, FULL, IO, BUSY, NOT_FOUND,
 * with the file's path in diag. */
enum fk_err fk_checkpoint_open(struct fk_vfs *vfs, const char *path, enum fk_checkpoint_mode mode,
                               struct fk_checkpoint **checkpoint, struct fk_diag *diag);
void fk_checkpoint_close(struct fk_checkpoint *checkpoint);

/* A copy in memory. */
enum fk_err fk_checkpoint_copy(struct fk_checkpoint *from, struct fk_checkpoint **copy, struct fk_diag *diag);
/* A copy at a path, which must not exist or be empty; consistent, however busy the original is. *position is the
 * copy's. */
enum fk_err fk_checkpoint_backup(struct fk_checkpoint *from, const char *path, int64_t *position, uint32_t *chain,
                                 struct fk_diag *diag);

/* Where the log goes on. */
int64_t fk_checkpoint_position(const struct fk_checkpoint *checkpoint);
uint32_t fk_checkpoint_chain(const struct fk_checkpoint *checkpoint);
int64_t fk_checkpoint_zxid(const struct fk_checkpoint *checkpoint);

/* Reads all of it, sessions first, parents before children, then the zxid. Checks each row's CRC and that the rows make
 * a tree: every parent is there, with as many children as it says. DAMAGED names the file and the row. */
enum fk_err fk_checkpoint_load(struct fk_checkpoint *checkpoint, const struct fk_engine_sink *sink,
                               struct fk_diag *diag);

/* SQLite's own check of the file: slow. */
enum fk_err fk_checkpoint_verify(struct fk_checkpoint *checkpoint, struct fk_diag *diag);

/* One step: applies the log from where the checkpoint ends to `upto`, or to the log's end where that comes first, or
 * until about `records_max` records have changed. One transaction; after an error nothing was applied. The reader
 * stands where the checkpoint ends, and does so after a success. */
enum fk_err fk_checkpoint_step(struct fk_checkpoint *checkpoint, struct fk_log_reader *reader, int64_t upto,
                               size_t records_max, struct fk_diag *diag);

/* From any thread: a step or settle that is running ends soon with BUSY, and so does every later one. */
void fk_checkpoint_interrupt(struct fk_checkpoint *checkpoint);

/* Moves what was committed from SQLite's WAL into the file. OK also where a backup that is reading was in the way of a
 * part of it. */
enum fk_err fk_checkpoint_settle(struct fk_checkpoint *checkpoint, struct fk_diag *diag);
/* The position that the file itself, without the WAL, has come to since it was opened; 0: not known. A WAL that is
 * damaged, or was never written because its sync failed in an earlier life, is cut by SQLite without a word: so the log
 * is needed from here on. */
int64_t fk_checkpoint_settled(const struct fk_checkpoint *checkpoint);

/* What was found fits the log. Before it, closing leaves the files as they are: a refusal destroys nothing. */
void fk_checkpoint_trust(struct fk_checkpoint *checkpoint);

#endif
