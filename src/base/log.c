// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>

static fk_log_sink_fn log_sink;
static enum fk_log_level log_level = FK_LOG_INFO;
static const char *const level_texts[] = {"error", "warn", "info", "debug"};

void fk_log_set(fk_log_sink_fn sink, enum fk_log_level level)
{
    log_sink = sink;
    log_level = level;
}

bool fk_log_wants(enum fk_log_level level)
{
    return log_sink != NULL && level <= log_level;
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

struct fk_log_field fk_log_text(const char *key, const char *text)
{
    return fk_log_bytes(key, text == NULL ? FK_BYTES_NULL : fk_bytes_text(text));
}

void fk_log_put(struct fk_log_site *site, enum fk_log_level level, const char *message,
                const struct fk_log_field *fields, size_t field_count)
{
    if (fk_log_wants(level)) {
        log_sink(&(struct fk_log_record){
            .site = site, .level = level, .message = message, .fields = fields, .field_count = field_count});
    }
}

void fk_log_print(struct fk_log_site *site, enum fk_log_level level, const char *format, ...)
{
    if (!fk_log_wants(level)) {
        return;
    }
    char message[FK_LOG_TEXT_SIZE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    fk_log_put(site, level, message, NULL, 0);
}
