// SPDX-License-Identifier: Apache-2.0
#include "story.h"

#define MS INT64_C(1000000)

static void note(void *context, const char *promise, const char *text)
{
    struct story *story = context;
    if (story->violations < STORY_KEPT) {
        (void)snprintf(story->promises[story->violations], sizeof story->promises[0], "%s", promise);
        (void)snprintf(story->texts[story->violations], sizeof story->texts[0], "%s", text);
    }
    story->violations++;
}

void story_begin(struct story *story)
{
    *story = (struct story){.frame = FK_BUF_EMPTY, .now_ns = MS, .timeout_ms = STORY_TIMEOUT_MS};
    sim_history_init(&story->history);
}

void story_end(struct story *story)
{
    sim_history_deinit(&story->history);
    fk_buf_deinit(&story->frame);
}

void story_wait(struct story *story, int64_t ms)
{
    story->now_ns += ms * MS;
}

static int64_t tick(struct story *story)
{
    return story->now_ns += MS;
}

static uint32_t open_as(struct story *story, int64_t asked, int64_t session_id, int64_t epoch, int64_t last_seen)
{
    struct fk_connect_request request = {.last_zxid_seen = last_seen,
                                         .timeout_ms = story->timeout_ms,
                                         .session_id = asked,
                                         .password = FK_BYTES_LITERAL("0123456789abcdef")};
    struct fk_connect_response response = {
        .timeout_ms = story->timeout_ms, .session_id = session_id, .password = request.password};
    fk_buf_clear(&story->frame);
    fk_write_connect_request(&story->frame, &request);
    uint32_t connection = sim_history_connect(&story->history, tick(story), 1, 1, fk_buf_view(&story->frame));
    if (epoch > 1) {
        story_ground(story, (struct sim_ground){
                                .kind = SIM_GROUND_ATTACH, .session_id = session_id, .epoch = epoch, .gateway = 1});
    }
    if (story->unanswered) {
        return connection;
    }
    fk_buf_clear(&story->frame);
    fk_write_connect_response(&story->frame, &response);
    sim_history_accepted(&story->history, tick(story), connection, fk_buf_view(&story->frame));
    return connection;
}

uint32_t story_open(struct story *story, int64_t session_id)
{
    return open_as(story, 0, session_id, 1, 0);
}

uint32_t story_reopen(struct story *story, int64_t session_id, int64_t epoch, int64_t last_seen)
{
    return open_as(story, session_id, session_id, epoch, last_seen);
}

void story_lose(struct story *story, uint32_t connection)
{
    sim_history_lost(&story->history, tick(story), connection);
}

/* The frame so far is a request's body: puts the header before it and sends it. */
static void begin_request(struct story *story, int32_t xid, int32_t op)
{
    fk_buf_clear(&story->frame);
    fk_write_request_header(&story->frame, &(struct fk_request_header){.xid = xid, .op = op});
}

static void send_request(struct story *story, uint32_t connection)
{
    sim_history_sent(&story->history, tick(story), connection, fk_buf_view(&story->frame));
}

void story_create(struct story *story, uint32_t connection, int32_t xid, const char *path, const char *data,
                  int32_t flags)
{
    struct fk_create_request request = {
        .path = fk_bytes_text(path), .data = fk_bytes_text(data), .acl = FK_ACL_OPEN, .flags = flags};
    begin_request(story, xid, FK_OP_CREATE);
    fk_write_create_request(&story->frame, &request);
    send_request(story, connection);
}

void story_set(struct story *story, uint32_t connection, int32_t xid, const char *path, const char *data,
               int32_t version)
{
    struct fk_set_data_request request = {.path = fk_bytes_text(path), .data = fk_bytes_text(data), .version = version};
    begin_request(story, xid, FK_OP_SET_DATA);
    fk_write_set_data_request(&story->frame, &request);
    send_request(story, connection);
}

void story_delete(struct story *story, uint32_t connection, int32_t xid, const char *path)
{
    begin_request(story, xid, FK_OP_DELETE);
    fk_write_version_request(&story->frame, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    send_request(story, connection);
}

void story_read(struct story *story, uint32_t connection, int32_t xid, int32_t op, const char *path, bool watch)
{
    begin_request(story, xid, op);
    fk_write_bytes(&story->frame, fk_bytes_text(path));
    if (op != FK_OP_SYNC && op != FK_OP_GET_ACL) {
        fk_write_bool(&story->frame, watch);
    }
    send_request(story, connection);
}

void story_ask(struct story *story, uint32_t connection, int32_t xid, int32_t op, struct fk_bytes body)
{
    begin_request(story, xid, op);
    fk_buf_append(&story->frame, body);
    send_request(story, connection);
}

void story_set_watches(struct story *story, uint32_t connection, int64_t relative_zxid, int list, const char *path)
{
    begin_request(story, FK_XID_SET_WATCHES, FK_OP_SET_WATCHES2);
    fk_write_i64(&story->frame, relative_zxid);
    for (int i = 0; i < 5; i++) {
        fk_write_i32(&story->frame, i == list ? 1 : 0);
        if (i == list) {
            fk_write_bytes(&story->frame, fk_bytes_text(path));
        }
    }
    send_request(story, connection);
}

int64_t story_ground(struct story *story, struct sim_ground entry)
{
    entry.zxid = ++story->zxid;
    entry.time_ns = tick(story);
    sim_history_ground(&story->history, &entry);
    return entry.zxid;
}

int64_t story_commit(struct story *story, int64_t session_id, int64_t epoch, int64_t number, int32_t code)
{
    return story_ground(
        story,
        (struct sim_ground){
            .kind = SIM_GROUND_REQUEST, .session_id = session_id, .epoch = epoch, .number = number, .code = code});
}

static void begin_reply(struct story *story, int32_t xid, int64_t zxid, int32_t code)
{
    fk_buf_clear(&story->frame);
    fk_write_reply_header(&story->frame, &(struct fk_reply_header){.xid = xid, .zxid = zxid, .code = code});
}

static void send_reply(struct story *story, uint32_t connection)
{
    sim_history_received(&story->history, tick(story), connection, fk_buf_view(&story->frame));
}

void story_told(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, int32_t code)
{
    begin_reply(story, xid, zxid, code);
    send_reply(story, connection);
}

void story_told_path(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, const char *path)
{
    begin_reply(story, xid, zxid, FK_CODE_OK);
    fk_write_bytes(&story->frame, fk_bytes_text(path));
    send_reply(story, connection);
}

void story_told_stat(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, struct fk_stat stat)
{
    begin_reply(story, xid, zxid, FK_CODE_OK);
    fk_write_stat(&story->frame, &stat);
    send_reply(story, connection);
}

void story_told_data(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, const char *data,
                     struct fk_stat stat)
{
    begin_reply(story, xid, zxid, FK_CODE_OK);
    fk_write_bytes(&story->frame, fk_bytes_text(data));
    fk_write_stat(&story->frame, &stat);
    send_reply(story, connection);
}

void story_told_names(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, const char *const *names,
                      size_t count)
{
    begin_reply(story, xid, zxid, FK_CODE_OK);
    fk_write_i32(&story->frame, (int32_t)count);
    for (size_t i = 0; i < count; i++) {
        fk_write_bytes(&story->frame, fk_bytes_text(names[i]));
    }
    send_reply(story, connection);
}

void story_told_bytes(struct story *story, uint32_t connection, int32_t xid, int64_t zxid, struct fk_bytes body)
{
    begin_reply(story, xid, zxid, FK_CODE_OK);
    fk_buf_append(&story->frame, body);
    send_reply(story, connection);
}

void story_event(struct story *story, uint32_t connection, int64_t zxid, int32_t type, const char *path)
{
    begin_reply(story, FK_XID_NOTIFICATION, zxid, FK_CODE_OK);
    fk_write_watcher_event(
        &story->frame,
        &(struct fk_watcher_event){.type = type, .state = FK_STATE_SYNC_CONNECTED, .path = fk_bytes_text(path)});
    send_reply(story, connection);
}

void story_final(struct story *story, const char *path, const char *data, struct fk_stat stat)
{
    fk_buf_clear(&story->frame);
    fk_write_stat(&story->frame, &stat);
    struct sim_final_node node = {
        .path = fk_bytes_text(path), .data = fk_bytes_text(data), .stat = fk_buf_view(&story->frame)};
    sim_history_final_node(&story->history, &node);
}

void story_quiet(struct story *story)
{
    story->history.end_ns = tick(story);
}

void story_settle(struct story *story)
{
    const int64_t settled_ns = INT64_C(20) * 1000000000;
    story->history.end_ns = tick(story) + settled_ns;
}

void story_check(struct story *story)
{
    story->violations = 0;
    size_t count = sim_check(&story->history, &story->options, &story->counts, note, story);
    assert_int_equal(count, story->violations);
}

void story_good(struct story *story)
{
    story_check(story);
    for (size_t i = 0; i < story->violations && i < STORY_KEPT; i++) {
        print_error("%s: %s\n", story->promises[i], story->texts[i]);
    }
    assert_int_equal(story->violations, 0);
}

void story_bad(struct story *story, const char *promise)
{
    story_check(story);
    assert_true(story->violations > 0);
    if (strcmp(story->promises[0], promise) != 0) {
        print_error("%s: %s\n", story->promises[0], story->texts[0]);
    }
    assert_string_equal(story->promises[0], promise);
}

struct fk_stat story_stat(int64_t czxid, int64_t mzxid, int32_t version, int32_t length)
{
    return (struct fk_stat){.czxid = czxid,
                            .mzxid = mzxid,
                            .ctime_ms = 1000 + czxid,
                            .mtime_ms = 1000 + mzxid,
                            .version = version,
                            .data_length = length,
                            .pzxid = czxid};
}
