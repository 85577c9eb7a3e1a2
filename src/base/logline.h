// SPDX-License-Identifier: Apache-2.0
/* Log records as lines. Whatever a record holds, it makes exactly one line of printable UTF-8: what a client sent can
 * neither begin a line nor command a terminal. */
#ifndef FK_BASE_LOGLINE_H
#define FK_BASE_LOGLINE_H

#include "base/limits.h"
#include "base/log.h"

enum fk_logline_format {
    FK_LOGLINE_TEXT, /* ts level module: message key=value key="a value" */
    FK_LOGLINE_JSON, /* {"ts":...,"level":...,"module":...,"msg":...,"key":value} */
};

/* Writes the line with its newline, at most FK_LOG_LINE_SIZE_MAX bytes, and gives its size. What is too long is cut (in
 * JSON with "cut":true, and it stays JSON). `ts` may be NULL: no timestamp. */
size_t fk_logline_write(char line[FK_LOG_LINE_SIZE_MAX], enum fk_logline_format format, const char *ts,
                        const struct fk_log_record *record);

/* The name of the module that logs: the site's own, or the directory of its file below src; a view. */
struct fk_bytes fk_logline_module(const struct fk_log_site *site);

#endif
