// SPDX-License-Identifier: Apache-2.0
#include "host/lambda_log.h"

#include "base/log.h"
#include "base/logline.h"
#include "host/log.h"

#include <strings.h>
#include <unistd.h>

enum {
    FIELDS_MAX = 16,
};

static _Thread_local const struct fk_invocation *current;

static enum fk_log_level parse_level(const char *text)
{
    static const struct {
        const char *name;
        enum fk_log_level level;
    } levels[] = {{"trace", FK_LOG_DEBUG}, {"debug", FK_LOG_DEBUG}, {"info", FK_LOG_INFO},
                  {"warn", FK_LOG_WARN},   {"error", FK_LOG_ERROR}, {"fatal", FK_LOG_ERROR}};
    for (size_t i = 0; text != NULL && i < sizeof levels / sizeof levels[0]; i++) {
        if (strcasecmp(text, levels[i].name) == 0) {
            return levels[i].level;
        }
    }
    return FK_LOG_INFO;
}

/* One write per line: lines of several threads do not mix. A line that standard error does not take is lost. */
static void sink(const struct fk_log_record *record)
{
    char line[FK_LOG_LINE_SIZE_MAX];
    char ts[FK_LOG_TIME_SIZE];
    struct fk_log_field fields[FIELDS_MAX + 2];
    struct fk_log_record whole = *record;
    size_t count = 0;
    if (current != NULL) {
        fields[count++] = fk_log_bytes("requestId", current->request_id);
    }
    if (current != NULL && current->trace_id.size > 0) {
        fields[count++] = fk_log_bytes("xrayTraceId", current->trace_id);
    }
    for (size_t i = 0; i < record->field_count && i < FIELDS_MAX; i++) {
        fields[count++] = record->fields[i];
    }
    whole.fields = fields;
    whole.field_count = count;
    fk_host_log_time(ts);
    size_t size = fk_logline_write(line, FK_LOGLINE_JSON, ts, &whole);
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written;
}

void fk_lambda_log_open(const char *level)
{
    fk_log_set(sink, parse_level(level));
}

void fk_lambda_log_begin(const struct fk_invocation *invocation)
{
    current = invocation;
}

void fk_lambda_log_end(void)
{
    current = NULL;
}
