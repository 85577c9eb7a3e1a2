// SPDX-License-Identifier: Apache-2.0
/* The log of a server's process: gives records their time, limits them by the place they come from, and hands their
 * lines to a stream. One for the process. */
#ifndef FK_HOST_LOG_H
#define FK_HOST_LOG_H

#include "base/err.h"
#include "base/log.h"

struct fk_host_log_options {
    const char *path; /* NULL: standard error, with systemd's priorities where that is the journal; borrowed */
    enum fk_log_level level;
    bool json;
};

/* From here on fk_log writes. IO with diag naming the file. */
enum fk_err fk_host_log_open(const struct fk_host_log_options *options, struct fk_diag *diag);
/* SIGHUP: opens the file again. */
void fk_host_log_reopen(void);
/* Before an _exit: what was logged is written, if the disk takes it within a second. */
void fk_host_log_flush(void);
/* Tells what was suppressed, flushes and ends; harmless if it is not open. */
void fk_host_log_close(void);

enum {
    FK_LOG_TIME_SIZE = 40,
};

/* Now, RFC 3339 in UTC with milliseconds. */
void fk_host_log_time(char text[FK_LOG_TIME_SIZE]);

#endif
