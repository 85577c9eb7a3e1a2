// SPDX-License-Identifier: Apache-2.0
/* The long words: connections, sessions, watches. Their output is cut at FK_WORD_OUTPUT_SIZE_MAX, and says so. */
#include "gateway/words_internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* True while there is room; tells once that there is none. */
static bool has_room(struct fk_buf *out, bool *cut)
{
    if (fk_buf_left(out) < FK_WORD_OUTPUT_SIZE_MAX && !out->failed) {
        return true;
    }
    if (!*cut) {
        fk_buf_print(out, "\n... cut: there is more than %d bytes of it; the admin port and the metrics have numbers\n",
                     FK_WORD_OUTPUT_SIZE_MAX);
        *cut = true;
    }
    return false;
}

struct listing {
    struct fk_buf *out;
    bool details;
    bool cut;
};

static bool write_connection(void *context, const struct fk_connection_facts *facts)
{
    struct listing *listing = (struct listing *)context;
    struct fk_buf *out = listing->out;
    if (!has_room(out, &listing->cut)) {
        return false;
    }
    fk_buf_print(out, " /%.*s:%u[%d](queued=%lld,recved=%lld,sent=%lld", (int)facts->address.size,
                 (const char *)facts->address.data, facts->port, facts->has_session ? 1 : 0,
                 (long long)facts->outstanding, (long long)facts->received, (long long)facts->sent);
    if (listing->details && facts->has_session) {
        fk_buf_print(out,
                     ",sid=0x%llx,lop=%s,est=%lld,to=%d,lcxid=0x%llx,lzxid=0x%llx,lresp=%lld,llat=%lld,minlat=%lld,"
                     "avglat=%lld,maxlat=%lld",
                     (unsigned long long)facts->session_id, facts->last_operation, (long long)facts->established_ms,
                     facts->timeout_ms, (unsigned long long)facts->last_cxid, (unsigned long long)facts->last_zxid,
                     (long long)facts->last_response_ms, (long long)facts->last_latency_ms,
                     (long long)facts->latency_min_ms, (long long)facts->latency_avg_ms,
                     (long long)facts->latency_max_ms);
    }
    fk_buf_print(out, ")\n");
    return true;
}

void fk_word_write_connections(struct fk_gateway *gateway, struct fk_buf *out, bool details)
{
    struct listing listing = {.out = out, .details = details};
    fk_inspect_connections(gateway, write_connection, &listing);
    fk_buf_print(out, "\n");
}

/* --- dump: what expires when --- */

struct due {
    int64_t at_ms; /* wall clock, a multiple of the tick */
    int64_t id;    /* of the session, 0: none */
    struct fk_bytes address;
    uint16_t port;
};

struct dues {
    struct due *items;
    size_t count;
    size_t capacity;
    int64_t now_ms; /* wall clock */
    int64_t tick_ms;
    bool failed;
};

static bool add_due(struct dues *dues, int64_t in_ms, const struct due *due)
{
    if (dues->count == dues->capacity) {
        size_t capacity = dues->capacity == 0 ? 64 : dues->capacity * 2;
        struct due *items = (struct due *)fk_realloc(dues->items, capacity * sizeof *items);
        if (items == NULL) {
            dues->failed = true;
            return false;
        }
        dues->items = items;
        dues->capacity = capacity;
    }
    dues->items[dues->count] = *due;
    dues->items[dues->count].at_ms = ((dues->now_ms + in_ms) / dues->tick_ms + 1) * dues->tick_ms;
    dues->count++;
    return true;
}

static bool add_session(void *context, int64_t id, int64_t expires_ms)
{
    return add_due((struct dues *)context, expires_ms, &(struct due){.id = id});
}

static bool add_connection(void *context, const struct fk_connection_facts *facts)
{
    struct due due = {.id = facts->session_id, .address = facts->address, .port = facts->port};
    return add_due((struct dues *)context, facts->timeout_ms, &due);
}

static int compare_dues(const void *left, const void *right)
{
    const struct due *one = (const struct due *)left;
    const struct due *two = (const struct due *)right;
    if (one->at_ms != two->at_ms) {
        return one->at_ms < two->at_ms ? -1 : 1;
    }
    return one->id < two->id ? -1 : one->id > two->id;
}

/* As Java's Date prints itself. */
static void write_date(struct fk_buf *out, int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    char text[64];
    (void)gmtime_r(&seconds, &parts);
    (void)strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &parts);
    fk_buf_print(out, "%s", text);
}

static size_t count_sets(const struct dues *dues)
{
    size_t sets = 0;
    for (size_t i = 0; i < dues->count; i++) {
        sets += i == 0 || dues->items[i].at_ms != dues->items[i - 1].at_ms ? 1 : 0;
    }
    return sets;
}

static void write_dues(struct fk_buf *out, struct dues *dues, const char *title, bool connections)
{
    bool cut = dues->failed;
    if (dues->count > 0) {
        qsort(dues->items, dues->count, sizeof dues->items[0], compare_dues);
    }
    fk_buf_print(out, "%s Sets (%zu)/(%zu):\n", title, count_sets(dues), dues->count);
    for (size_t i = 0; i < dues->count && has_room(out, &cut); i++) {
        const struct due *due = &dues->items[i];
        size_t end = i;
        while (end < dues->count && dues->items[end].at_ms == due->at_ms) {
            end++;
        }
        if (i == 0 || dues->items[i - 1].at_ms != due->at_ms) {
            fk_buf_print(out, "%zu expire at ", end - i);
            write_date(out, due->at_ms);
            fk_buf_print(out, ":\n");
        }
        if (connections) {
            fk_buf_print(out, "\tip: /%.*s:%u sessionId: 0x%llx\n", (int)due->address.size,
                         (const char *)due->address.data, due->port, (unsigned long long)due->id);
        } else {
            fk_buf_print(out, "\t0x%llx\n", (unsigned long long)due->id);
        }
    }
}

struct ephemerals {
    struct fk_buf *out;
    struct fk_buf lines;
    int64_t id;
    size_t sessions;
    bool named; /* the session's id stands there */
    bool cut;
};

static bool write_ephemeral(void *context, struct fk_bytes path)
{
    struct ephemerals *list = (struct ephemerals *)context;
    if (!has_room(&list->lines, &list->cut)) {
        return false;
    }
    if (!list->named) {
        fk_buf_print(&list->lines, "0x%llx:\n", (unsigned long long)list->id);
        list->named = true;
        list->sessions++;
    }
    fk_buf_print(&list->lines, "\t%.*s\n", (int)path.size, (const char *)path.data);
    return true;
}

static void write_ephemerals(struct fk_gateway *gateway, const struct dues *sessions, struct fk_buf *out)
{
    struct ephemerals list = {.out = out, .lines = FK_BUF_EMPTY};
    for (size_t i = 0; i < sessions->count && !list.cut; i++) {
        list.id = sessions->items[i].id;
        list.named = false;
        (void)fk_inspect_ephemerals(gateway, list.id, write_ephemeral, &list);
    }
    fk_buf_print(out, "ephemeral nodes dump:\nSessions with Ephemerals (%zu):\n", list.sessions);
    fk_buf_append(out, fk_buf_view(&list.lines));
    out->failed = out->failed || list.lines.failed;
    fk_buf_deinit(&list.lines);
}

void fk_word_write_dump(struct fk_gateway *gateway, struct fk_buf *out)
{
    struct dues sessions = {.now_ms = fk_clock_wall_ms(gateway->clock), .tick_ms = gateway->options.tick_ms};
    struct dues connections = sessions;
    fk_inspect_sessions(gateway, add_session, &sessions);
    fk_inspect_connections(gateway, add_connection, &connections);
    fk_buf_print(out, "SessionTracker dump:\n");
    write_dues(out, &sessions, "Session", false);
    write_ephemerals(gateway, &sessions, out);
    fk_buf_print(out, "Connections dump:\n");
    write_dues(out, &connections, "Connections", true);
    fk_free(sessions.items);
    fk_free(connections.items);
}

/* --- watches --- */

struct watches {
    struct fk_buf *out;
    bool by_path;
    bool any;
    bool cut;
    int64_t session_id; /* of the line before */
    const uint8_t *path;
};

static bool write_watch(void *context, int64_t session_id, struct fk_bytes path)
{
    struct watches *list = (struct watches *)context;
    if (!has_room(list->out, &list->cut)) {
        return false;
    }
    if (list->by_path) {
        if (!list->any || list->path != path.data) {
            fk_buf_print(list->out, "%.*s\n", (int)path.size, (const char *)path.data);
        }
        fk_buf_print(list->out, "\t0x%llx\n", (unsigned long long)session_id);
    } else {
        if (!list->any || list->session_id != session_id) {
            fk_buf_print(list->out, "0x%llx\n", (unsigned long long)session_id);
        }
        fk_buf_print(list->out, "\t%.*s\n", (int)path.size, (const char *)path.data);
    }
    list->any = true;
    list->session_id = session_id;
    list->path = path.data;
    return true;
}

void fk_word_write_watches(struct fk_gateway *gateway, struct fk_buf *out, bool by_path)
{
    struct watches list = {.out = out, .by_path = by_path};
    fk_inspect_watches(gateway, by_path, write_watch, &list);
    if (by_path) { /* ZK: one more line */
        fk_buf_print(out, "\n");
    }
}
