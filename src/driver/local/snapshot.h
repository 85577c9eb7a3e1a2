// SPDX-License-Identifier: Apache-2.0
/* A data directory as it is, for check, dump and backup: read without changing anything in it, beside a running server
 * too. While a snapshot is open the server removes no segment; where no server runs, none can start. */
#ifndef FK_DRIVER_LOCAL_SNAPSHOT_H
#define FK_DRIVER_LOCAL_SNAPSHOT_H

#include "driver/local/checkpoint.h"

struct fk_snapshot {
    char *directory;
    char *temporary; /* directory with a copy of a checkpoint whose WAL a dead server left; or NULL */
    struct fk_files *files;
    struct fk_file *lock;
    struct fk_file *hold;
    bool live;                        /* a server is running */
    struct fk_checkpoint *checkpoint; /* as on disk */
    struct fk_checkpoint *state;      /* in memory: the checkpoint, then the log after it; NULL before recover */
    int64_t checkpoint_position;      /* where state's log started */
    struct fk_log_reader reader;      /* after recover: behind the last good frame */
    struct fk_log_tail tail;
};

/* Opens a directory. NOT_FOUND: it holds no data of ours. */
enum fk_err fk_snapshot_open(const char *directory, struct fk_snapshot *snapshot, struct fk_diag *diag);
void fk_snapshot_close(struct fk_snapshot *snapshot);

/* Recovers the state in memory, as a server would on its start. DAMAGED with file and offset or row. */
enum fk_err fk_snapshot_recover(struct fk_snapshot *snapshot, struct fk_diag *diag);

/* Copies the data to a directory, which is made, or must be empty. A server can start on the copy: it holds everything
 * that was durable when this was called. What a failed or interrupted backup leaves does not pass for data. */
enum fk_err fk_snapshot_backup(struct fk_snapshot *snapshot, const char *directory, struct fk_diag *diag);

/* Where the reader has come to the end of the log: judges it. With a running server the end moves, and what looks like
 * damage may be a frame that was being written: *again says that reading on makes sense. */
enum fk_err fk_snapshot_judge(struct fk_snapshot *snapshot, struct fk_log_reader *reader, struct fk_log_tail *tail,
                              bool *again, struct fk_diag *diag);

#endif
