// SPDX-License-Identifier: Apache-2.0
/* Lines on their way to a file or to standard error. A thread of its own writes them, because a full pipe, a slow or a
 * full disk must not hold the server: what it can't write in time is dropped and counted, and the count is told when
 * writing works again. */
#ifndef FK_HOST_LOG_STREAM_H
#define FK_HOST_LOG_STREAM_H

#include "base/bytes.h"
#include "base/err.h"

struct fk_log_stream;

struct fk_log_stream_options {
    const char *path; /* NULL: standard error; borrowed */
    size_t waiting_size_max;
    /* Makes the line that tells of lost ones, at most FK_LOG_LINE_SIZE_MAX bytes with its newline; gives its size. */
    size_t (*lost_line)(char *line, uint64_t lost, int error);
};

/* Opens for appending; the file is made with mode 0640. IO with diag naming it. */
enum fk_err fk_log_stream_open(const struct fk_log_stream_options *options, struct fk_log_stream **stream,
                               struct fk_diag *diag);
/* Takes a whole line with its newline; never waits for the disk. Any thread. */
void fk_log_stream_add(struct fk_log_stream *stream, struct fk_bytes line);
/* The file may have been renamed: opens it again by its name. Where that fails the old one is kept. */
void fk_log_stream_reopen(struct fk_log_stream *stream);
/* Waits until what was added is written, a second at most. */
void fk_log_stream_flush(struct fk_log_stream *stream);
/* Flushes and ends; harmless for NULL. What a hanging disk did not take in that second is lost. */
void fk_log_stream_close(struct fk_log_stream *stream);

#endif
