// SPDX-License-Identifier: Apache-2.0
#include "host/log.h"

#include "base/logline.h"
#include "host/log_stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The process has one log: fk_log carries no context. */
static struct {
    struct fk_log_stream *stream;
    pthread_mutex_t lock; /* of the sites */
    struct fk_log_site *suppressed;
    bool json;
    bool journal;
} host_log = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Standard error is the journal where its device and inode are those that systemd tells. */
static bool stderr_is_journal(void)
{
    const char *told = getenv("JOURNAL_STREAM");
    struct stat info;
    char own[64];
    if (told == NULL || fstat(STDERR_FILENO, &info) != 0) {
        return false;
    }
    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
    return strcmp(told, own) == 0;
}

/* A line of at most FK_LOG_LINE_SIZE_MAX bytes. The journal has its own clock, and takes the level from the front. */
static size_t make_line(char *line, const struct fk_log_record *record)
{
    static const char *const priorities[] = {"<3>", "<4>", "<6>", "<7>"};
    enum fk_logline_format format = host_log.json ? FK_LOGLINE_JSON : FK_LOGLINE_TEXT;
    char ts[FK_LOG_TIME_SIZE];
    fk_host_log_time(ts);
    if (!host_log.journal) {
        return fk_logline_write(line, format, ts, record);
    }
    char whole[FK_LOG_LINE_SIZE_MAX];
    size_t size = fk_logline_write(whole, format, host_log.json ? ts : NULL, record);
    size_t prefix = strlen(priorities[record->level]);
    memcpy(line, priorities[record->level], prefix);
    if (prefix + size > FK_LOG_LINE_SIZE_MAX) {
        prefix = 0; /* a line cut at its longest goes without */
    }
    memcpy(line + prefix, whole, size);
    return prefix + size;
}

static size_t lost_line(char *line, uint64_t lost, int error)
{
    static struct fk_log_site site = {.file = __FILE__, .line = __LINE__};
    const struct fk_log_field fields[] = {
        fk_log_number("lines", (int64_t)lost),
        fk_log_text("error", error == 0 ? "its writer was too slow" : strerror(error))};
    return make_line(line, &(struct fk_log_record){.site = &site,
                                                   .level = FK_LOG_ERROR,
                                                   .message = "lines of this log are lost",
                                                   .fields = fields,
                                                   .field_count = sizeof fields / sizeof fields[0]});
}

static void add(const struct fk_log_record *record)
{
    char line[FK_LOG_LINE_SIZE_MAX];
    size_t size = make_line(line, record);
    fk_log_stream_add(host_log.stream, fk_bytes_of(line, size));
}

/* With the lock. Sites whose window is over tell what they suppressed, each once. */
static void tell_suppressed(int64_t now_ms, bool all)
{
    struct fk_log_site **link = &host_log.suppressed;
    while (*link != NULL) {
        struct fk_log_site *site = *link;
        if (!all && now_ms - site->window_ms < FK_LOG_WINDOW_MS) {
            link = &site->next;
            continue;
        }
        *link = site->next;
        const char *name = strrchr(site->file, '/');
        char place[128];
        (void)snprintf(place, sizeof place, "%s:%d", name == NULL ? site->file : name + 1, site->line);
        const struct fk_log_field fields[] = {fk_log_number("lines", site->suppressed), fk_log_text("source", place)};
        add(&(struct fk_log_record){.site = site,
                                    .level = FK_LOG_WARN,
                                    .message = "lines like one before were suppressed",
                                    .fields = fields,
                                    .field_count = sizeof fields / sizeof fields[0]});
        site->suppressed = 0;
    }
}

/* With the lock. */
static bool passes(struct fk_log_site *site, int64_t now_ms)
{
    if (site->passed == 0 || now_ms - site->window_ms >= FK_LOG_WINDOW_MS) {
        site->window_ms = now_ms;
        site->passed = 0;
    }
    if (site->passed < FK_LOG_SITE_MAX) {
        site->passed++;
        return true;
    }
    if (site->suppressed++ == 0) {
        site->next = host_log.suppressed;
        host_log.suppressed = site;
    }
    return false;
}

static int64_t monotonic_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sink(const struct fk_log_record *record)
{
    int64_t now_ms = monotonic_ms();
    (void)pthread_mutex_lock(&host_log.lock);
    tell_suppressed(now_ms, false);
    if (passes(record->site, now_ms)) {
        add(record);
    }
    (void)pthread_mutex_unlock(&host_log.lock);
}

enum fk_err fk_host_log_open(const struct fk_host_log_options *options, struct fk_diag *diag)
{
    const struct fk_log_stream_options stream = {
        .path = options->path, .waiting_size_max = FK_LOG_WAITING_SIZE_MAX, .lost_line = lost_line};
    host_log.json = options->json;
    host_log.journal = options->path == NULL && stderr_is_journal();
    enum fk_err err = fk_log_stream_open(&stream, &host_log.stream, diag);
    if (err == FK_OK) {
        fk_log_set(sink, options->level);
    }
    return err;
}

void fk_host_log_reopen(void)
{
    if (host_log.stream != NULL) {
        fk_log_stream_reopen(host_log.stream);
    }
}

void fk_host_log_flush(void)
{
    if (host_log.stream != NULL) {
        fk_log_stream_flush(host_log.stream);
    }
}

void fk_host_log_close(void)
{
    if (host_log.stream == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&host_log.lock);
    tell_suppressed(0, true);
    (void)pthread_mutex_unlock(&host_log.lock);
    fk_log_set(NULL, FK_LOG_INFO);
    fk_log_stream_close(host_log.stream);
    host_log.stream = NULL;
}
