// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static fk_log_sink_fn log_sink;
static enum fk_log_level log_level = FK_LOG_INFO;
static const char *const level_texts[] = {"error", "warn", "info", "debug"};

void fk_log_set(fk_log_sink_fn sink, enum fk_log_level level)
{
    log_sink = sink;
    log_level = level;
}

bool fk_log_level_parse(const char *text, enum fk_log_level *level)
{
    for (size_t i = 0; i < sizeof level_texts / sizeof level_texts[0]; i++) {
        if (strcmp(text, level_texts[i]) == 0) {
            *level = (enum fk_log_level)i;
            return true;
        }
    }
    return false;
}

const char *fk_log_level_text(enum fk_log_level level)
{
    return level_texts[level];
}

void fk_log(enum fk_log_level level, const char *format, ...)
{
    if (log_sink == NULL || level > log_level) {
        return;
    }
    char line[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            *at = '?';
        }
    }
    log_sink(level, line);
}
