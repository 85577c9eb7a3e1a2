// SPDX-License-Identifier: Apache-2.0
#include "host/audit.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "driver/local/fifo.h"
#include "host/log_stream.h"
#include "wire/records.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fk_host_audit {
    struct fk_log_stream *stream;
    struct fk_fifo waiting; /* lines of what is not durable yet */
    struct fk_buf line;
    char user[256]; /* the server's */
};

/* ZK: conf/logback.xml, "%d{ISO8601} %p %c{2}: %m%n", in local time. */
static void put_time(struct fk_buf *line)
{
    struct timespec now;
    struct tm parts;
    char text[32];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)localtime_r(&now.tv_sec, &parts);
    (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    fk_buf_print(line, "%s,%03d INFO o.a.z.a.Slf4jAuditLogger: ", text, (int)(now.tv_nsec / 1000000));
}

/* ZK: AuditEvent.sanitize drops tabs and ends of lines; other controls would command a terminal. */
static void put_clean(struct fk_buf *line, struct fk_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte != '\t' && byte != '\n' && byte != '\r') {
            fk_buf_append(line, byte < 0x20 || byte == 0x7f ? fk_bytes_text("?") : fk_bytes_of(&text.data[i], 1));
        }
    }
}

static void put_field(struct fk_buf *line, const char *key, struct fk_bytes value)
{
    fk_buf_print(line, "%s%s=", fk_buf_left(line) == 0 ? "" : "\t", key);
    put_clean(line, value);
}

/* ZK: AuthUtil.getUser, of digest the name only. */
static struct fk_bytes user_of(struct fk_bytes scheme, struct fk_bytes id)
{
    const uint8_t *colon = id.size == 0 ? NULL : (const uint8_t *)memchr(id.data, ':', id.size);
    bool digest = fk_bytes_equal_text(scheme, "digest") || fk_bytes_equal_text(scheme, "super");
    return digest && colon != NULL ? fk_bytes_head(id, (size_t)(colon - id.data)) : id;
}

static void put_caller(struct fk_buf *line, struct fk_bytes ids)
{
    struct fk_reader reader = fk_reader_of(ids);
    struct fk_bytes address = FK_BYTES_NULL;
    int32_t count = fk_read_count(&reader, 8);
    fk_buf_print(line, "\tuser=");
    for (int32_t i = 0; i < count && !reader.failed; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        struct fk_bytes id = fk_read_bytes(&reader);
        if (fk_bytes_equal_text(scheme, "ip")) {
            address = id;
        }
        put_clean(line, fk_bytes_text(i == 0 ? "" : ","));
        put_clean(line, user_of(scheme, id));
    }
    put_field(line, "ip", address);
}

/* ZK: ZKUtil.aclToString. It shows the hashes of digest ids, which are as good as passwords to whoever can guess; here
 * is an x, as in getACL. */
static void put_acl(struct fk_buf *line, struct fk_bytes acl)
{
    static const struct {
        int32_t perm;
        char letter;
    } perms[] = {
        {FK_PERM_CREATE, 'c'}, {FK_PERM_DELETE, 'd'}, {FK_PERM_READ, 'r'}, {FK_PERM_WRITE, 'w'}, {FK_PERM_ADMIN, 'a'}};
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count = fk_read_count(&reader, 12);
    fk_buf_print(line, "\tacl=");
    for (int32_t i = 0; i < count && !reader.failed; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        bool digest = fk_bytes_equal_text(entry.scheme, "digest");
        put_clean(line, entry.scheme);
        fk_buf_print(line, ":");
        put_clean(line, user_of(entry.scheme, entry.id));
        fk_buf_print(line, digest ? ":x:" : ":");
        for (size_t p = 0; p < sizeof perms / sizeof perms[0]; p++) {
            if ((entry.perms & perms[p].perm) != 0) {
                fk_buf_append(line, fk_bytes_of(&perms[p].letter, 1));
            }
        }
    }
}

/* Lines that there is no memory for are told of in the log. */
static void on_event(void *context, const struct fk_audit_event *event)
{
    struct fk_host_audit *audit = (struct fk_host_audit *)context;
    struct fk_buf *line = &audit->line;
    fk_buf_clear(line);
    fk_buf_print(line, "session=0x%llx", (unsigned long long)event->session_id);
    if (event->ids.data != NULL) {
        put_caller(line, event->ids);
    } else {
        put_field(line, "user", fk_bytes_text(audit->user));
    }
    put_field(line, "operation", fk_bytes_text(event->operation));
    if (event->path.data != NULL) {
        put_field(line, "znode", event->path);
    }
    if (event->mode != NULL) {
        put_field(line, "znode_type", fk_bytes_text(event->mode));
    }
    if (event->acl.data != NULL) {
        put_acl(line, event->acl);
    }
    put_field(line, "result", fk_bytes_text(event->success ? "success" : "failure"));
    if (line->failed || fk_fifo_put(&audit->waiting, event->after_zxid, fk_buf_view(line)) != FK_OK) {
        fk_log_security(FK_LOG_ERROR, "a line of the audit log is lost for want of memory",
                        fk_log_id("session", event->session_id), fk_log_id("zxid", event->after_zxid));
    }
}

static void write_line(struct fk_host_audit *audit, struct fk_bytes text)
{
    struct fk_buf line = FK_BUF_EMPTY;
    put_time(&line);
    fk_buf_append(&line, text);
    fk_buf_print(&line, "\n");
    if (!line.failed) {
        fk_log_stream_add(audit->stream, fk_buf_view(&line));
    }
    fk_buf_deinit(&line);
}

void fk_host_audit_durable(struct fk_host_audit *audit, int64_t zxid)
{
    int64_t number = 0;
    struct fk_bytes line;
    while (audit != NULL && fk_fifo_peek(&audit->waiting, &number, &line) && number <= zxid) {
        write_line(audit, line);
        fk_fifo_drop(&audit->waiting);
    }
}

void fk_host_audit_server(struct fk_host_audit *audit, const char *operation, const char *result)
{
    if (audit != NULL) {
        fk_buf_clear(&audit->line);
        put_field(&audit->line, "user", fk_bytes_text(audit->user));
        put_field(&audit->line, "operation", fk_bytes_text(operation));
        put_field(&audit->line, "result", fk_bytes_text(result));
        write_line(audit, fk_buf_view(&audit->line));
    }
}

static size_t lost_line(char *line, uint64_t lost, int error)
{
    int size = snprintf(line, FK_LOG_LINE_SIZE_MAX, "# %llu lines of this audit log are lost: %s\n",
                        (unsigned long long)lost, error == 0 ? "its writer was too slow" : strerror(error));
    fk_log_security(FK_LOG_ERROR, "lines of the audit log are lost", fk_log_number("lines", (int64_t)lost));
    return (size_t)size;
}

enum fk_err fk_host_audit_open(const char *path, struct fk_host_audit **out, struct fk_diag *diag)
{
    struct fk_host_audit *audit = (struct fk_host_audit *)fk_alloc_zero(sizeof *audit);
    if (audit == NULL) {
        return FK_ERR_NOMEM;
    }
    const struct fk_log_stream_options options = {
        .path = path, .waiting_size_max = FK_AUDIT_WAITING_SIZE_MAX, .lost_line = lost_line};
    const struct passwd *user = getpwuid(geteuid());
    (void)snprintf(audit->user, sizeof audit->user, "%s", user == NULL ? "<NA>" : user->pw_name);
    fk_fifo_init(&audit->waiting, SIZE_MAX);
    enum fk_err err = fk_log_stream_open(&options, &audit->stream, diag);
    if (err != FK_OK) {
        fk_host_audit_close(audit);
        return err;
    }
    *out = audit;
    return FK_OK;
}

struct fk_audit fk_host_audit_port(struct fk_host_audit *audit)
{
    return (struct fk_audit){.event = audit == NULL ? NULL : on_event, .context = audit};
}

void fk_host_audit_reopen(struct fk_host_audit *audit)
{
    if (audit != NULL) {
        fk_log_stream_reopen(audit->stream);
    }
}

void fk_host_audit_close(struct fk_host_audit *audit)
{
    if (audit != NULL) {
        fk_log_stream_close(audit->stream);
        fk_fifo_deinit(&audit->waiting);
        fk_buf_deinit(&audit->line);
        fk_free(audit);
    }
}
