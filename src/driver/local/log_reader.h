// SPDX-License-Identifier: Apache-2.0
/* Walks the frames of the log, from segment to segment, and decides what the first bad frame means.
 *
 * Writes that were not synced may reach the disk in any order, so a bad frame before a good one is legal: it is a torn
 * tail, to be cut. It is damage only where a later valid frame says that the bad place had been synced (H27). Damage in
 * the last synced frames can't be told from a torn tail; the log closes that window with an empty frame when it is
 * idle. */
#ifndef FK_DRIVER_LOCAL_LOG_READER_H
#define FK_DRIVER_LOCAL_LOG_READER_H

#include "base/buf.h"
#include "driver/local/frame.h"
#include "driver/local/segment.h"

struct fk_log_reader {
    struct fk_files *files;
    enum fk_open_mode mode;      /* of the segments' files */
    struct fk_segment *segments; /* open ones, ascending; the last is the current one */
    size_t segment_count;
    int64_t position; /* of the next frame */
    uint32_t chain;   /* CRC of the frame before it */
    int64_t durable;  /* the log was synced up to here, says the checkpoint or a frame passed */
    int64_t left;     /* end of the segment before the current one; 0: none was left */
    int64_t limit;    /* nothing at or behind this position is read ahead */
    struct fk_buf window;
    int64_t window_position;
};

/* What the place behind the last good frame looks like. */
struct fk_log_tail {
    bool torn;           /* it is not all zeros */
    int64_t later_first; /* first of the segments behind the current one, or -1 */
};

/* Starts at a position known from the checkpoint, with the CRC of the frame before it (0, 0 for a fresh log). NOT_FOUND
 * where the directory has no segment at all; DAMAGED where the one that holds the position is missing. */
enum fk_err fk_log_reader_open(struct fk_log_reader *reader, struct fk_files *files, enum fk_open_mode mode,
                               int64_t position, uint32_t chain, struct fk_diag *diag);
void fk_log_reader_close(struct fk_log_reader *reader);

/* Reads the next data frame; the payload is valid until the next call. NOT_FOUND: there is no good frame at
 * reader->position. DAMAGED: a segment is missing or its header is bad. */
enum fk_err fk_log_reader_next(struct fk_log_reader *reader, struct fk_frame *frame, struct fk_bytes *payload,
                               struct fk_diag *diag);

/* After NOT_FOUND: OK where the log ends here, DAMAGED (file and offset in diag) where it does not. */
enum fk_err fk_log_reader_judge(struct fk_log_reader *reader, struct fk_log_tail *tail, struct fk_diag *diag);

/* Forgets what was read ahead, so that the next call sees what a server has written since. */
void fk_log_reader_forget(struct fk_log_reader *reader);

/* Reads bytes of a frame passed before: at any position in a segment that was current since the last
 * fk_log_reader_fold. Appends to out. */
enum fk_err fk_log_reader_fetch(struct fk_log_reader *reader, int64_t position, size_t size, struct fk_buf *out,
                                struct fk_diag *diag);

/* What no frame says was synced may be in the page cache only, and if a sync has failed, the system takes it for clean:
 * it would never reach the disk, whatever later syncs say (fsyncgate). Writes those frames again, as they were read,
 * and syncs all segments but the current one. For a reader opened for writing, before its first fold. */
enum fk_err fk_log_reader_write_again(struct fk_log_reader *reader, struct fk_diag *diag);

/* Closes all segments but the current one, gives memory back. */
void fk_log_reader_fold(struct fk_log_reader *reader);

static inline struct fk_segment *fk_log_reader_segment(struct fk_log_reader *reader)
{
    return &reader->segments[reader->segment_count - 1];
}

#endif
