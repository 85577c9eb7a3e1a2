// SPDX-License-Identifier: Apache-2.0
/* Log lines for people: a level, a sentence. Where lines go and what stands before them (time, thread) is the sink's
 * affair, which the host sets; without a sink lines are dropped. Thread-safe as far as the sink is. */
#ifndef FK_BASE_LOG_H
#define FK_BASE_LOG_H

#include <stdbool.h>

enum fk_log_level {
    FK_LOG_ERROR,
    FK_LOG_WARN,
    FK_LOG_INFO,
    FK_LOG_DEBUG,
};

typedef void (*fk_log_sink_fn)(enum fk_log_level level, const char *line);

/* Set once, before any other thread runs. */
void fk_log_set(fk_log_sink_fn sink, enum fk_log_level level);
/* Reads error, warn, info or debug; false for anything else. */
bool fk_log_level_parse(const char *text, enum fk_log_level *level);
const char *fk_log_level_text(enum fk_log_level level);

/* Control characters in the arguments come out as '?', so that a path can't forge a line. */
void fk_log(enum fk_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
