// SPDX-License-Identifier: Apache-2.0
/* The log's writing side as steps, without threads or waits: who drives it (engine.c, a simulator, a test) supplies
 * them. Two sides that share nothing but what fk_log_take hands over, so that one thread may push while another writes:
 *   accept  fk_log_room, fk_log_push, fk_log_take, fk_log_offer, fk_log_prepare_first: callers exclude each other
 *   write   fk_log_write, fk_log_sync: one caller at a time; may run while the accept side is used
 * A frame has its place as soon as it is pushed. When a segment is full, the log goes on in the one that was prepared.
 * After an error of the write side the log is dead: nothing may be assumed about the disk. */
#ifndef FK_DRIVER_LOCAL_LOG_H
#define FK_DRIVER_LOCAL_LOG_H

#include "driver/local/log_reader.h"

#include <stdatomic.h>

enum {
    FK_LOG_SWITCHES_MAX = 4, /* segments entered between two takes */
};

struct fk_log {
    struct fk_files *files;
    /* accept side */
    struct fk_buf filling;
    int64_t accepted;     /* position of the next frame */
    int64_t filling_end;  /* of the space of the segment that is being filled */
    int64_t filling_size; /* of its range */
    int64_t next_first;   /* of the segment behind it: filling_end, unless the disk was full on start */
    size_t promised;      /* bytes of memory that the next push must find */
    struct fk_segment prepared;
    struct fk_segment entered[FK_LOG_SWITCHES_MAX];
    size_t entered_count;
    /* write side */
    struct fk_buf writing;
    struct fk_segment current;
    struct fk_segment next[FK_LOG_SWITCHES_MAX];
    size_t next_count;
    uint32_t chain;
    /* readable by anyone */
    _Atomic int64_t written; /* everything before is in the files */
    _Atomic int64_t synced;  /* everything before is on the disk */
    _Atomic int64_t current_first;
};

/* Starts behind the last good frame, which `reader` (opened for writing) has just found and judged: takes over its
 * segment, zeroes what stands behind, removes later segments, syncs. Where the disk is too full for the rest of the
 * segment the log starts without room. The reader is closed in every case. */
enum fk_err fk_log_resume(struct fk_log *log, struct fk_log_reader *reader, const struct fk_log_tail *tail,
                          struct fk_diag *diag);

/* Starts a log without segments, at a position. */
enum fk_err fk_log_begin(struct fk_log *log, struct fk_files *files, int64_t first, int64_t segment_size, uint32_t seed,
                         struct fk_diag *diag);

/* Closes the files; what was not written is lost. A log never started (all zero) is allowed. */
void fk_log_deinit(struct fk_log *log);

/* Whether a payload of this size can be pushed now. */
bool fk_log_room(const struct fk_log *log, size_t payload_size);
/* Whether it could be, if the next segment were prepared and empty. */
bool fk_log_fits(int64_t segment_size, size_t payload_size);

/* Gets the memory that a push of this size needs; false where there is none. For one push; a later promise takes the
 * place of an earlier one. */
bool fk_log_promise(struct fk_log *log, size_t payload_size);

/* Queues a frame and returns the position of its end. There must be room, and a promise of as much memory. */
int64_t fk_log_push(struct fk_log *log, struct fk_bytes payload);

/* An empty frame, which says that what stands before it was synced. Does not leave the segment; may use the last room
 * that fk_log_room has promised, once. Gives the position of its end, or -1 without memory. */
bool fk_log_can_close(const struct fk_log *log);
int64_t fk_log_close(struct fk_log *log);

/* Hands what was pushed to the write side, whose last work must be written. False where there is nothing, or no memory
 * for the push that was promised, which then has to come first. */
bool fk_log_take(struct fk_log *log);

/* True where it is time (or `wanted`: a large frame needs it now) to make the next segment, and none waits; `first` is
 * its position (fk_segment_create, fk_log_offer). */
bool fk_log_prepare_first(const struct fk_log *log, bool wanted, int64_t *first);
void fk_log_offer(struct fk_log *log, struct fk_segment segment);

/* True where the current segment has less space than it should, because the disk was full on start: try again with
 * fk_log_allocate (not on the accept side, nothing else may write meanwhile), then fk_log_extend. */
bool fk_log_is_short(const struct fk_log *log);
enum fk_err fk_log_allocate(struct fk_log *log, struct fk_diag *diag);
void fk_log_extend(struct fk_log *log);

/* Writes what was taken; syncs a segment when it leaves it. */
enum fk_err fk_log_write(struct fk_log *log, struct fk_diag *diag);
/* Makes everything written durable. */
enum fk_err fk_log_sync(struct fk_log *log, struct fk_diag *diag);

/* Says that everything before a position is on the disk: from who synced the current segment's file by another handle.
 */
void fk_log_raise_synced(struct fk_log *log, int64_t position);

/* Removes the segments that end at or before a position. */
enum fk_err fk_log_remove_before(struct fk_files *files, int64_t position, struct fk_diag *diag);

#endif
