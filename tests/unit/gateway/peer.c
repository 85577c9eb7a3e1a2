// SPDX-License-Identifier: Apache-2.0
#include "peer.h"

int64_t replied_zxid;

void peer_send(struct peer *peer, struct fk_bytes bytes)
{
    if (peer->conn != NULL) {
        fk_gateway_input(peer->gateway, peer->conn, bytes);
    }
}

void peer_hang_up(struct peer *peer)
{
    if (peer->conn != NULL) {
        fk_gateway_gone(peer->gateway, peer->conn);
        peer->conn = NULL;
    }
}

bool peer_closed(const struct peer *peer)
{
    return peer->conn == NULL;
}

static struct fk_buf frame;

void peer_hello(struct peer *peer, const struct hello *hello)
{
    struct fk_connect_request request = {.protocol_version = hello->version,
                                         .last_zxid_seen = hello->last_zxid,
                                         .timeout_ms = hello->timeout_ms,
                                         .session_id = hello->session_id,
                                         .password = hello->password,
                                         .has_read_only = !hello->old};
    frame = FK_BUF_EMPTY;
    fk_write_i32(&frame, 0);
    fk_write_connect_request(&frame, &request);
    request_end(peer);
}

struct fk_connect_response peer_welcome(struct peer *peer)
{
    struct fk_connect_response response;
    struct fk_bytes bytes = peer_frame(peer);
    assert_non_null(bytes.data);
    struct fk_reader reader = fk_reader_of(bytes);
    fk_read_connect_response(&reader, &response);
    assert_false(reader.failed);
    assert_int_equal(response.password.size, FK_PASSWORD_SIZE);
    return response; /* the frame lives as long as the world */
}

struct fk_buf *request_begin(int32_t xid, int32_t op)
{
    frame = FK_BUF_EMPTY;
    fk_write_i32(&frame, 0);
    fk_write_request_header(&frame, &(struct fk_request_header){.xid = xid, .op = op});
    return &frame;
}

void request_end(struct peer *peer)
{
    fk_patch_i32(&frame, 0, (int32_t)frame.size - 4);
    assert_false(frame.failed);
    peer_send(peer, fk_buf_view(&frame));
    fk_buf_deinit(&frame);
}

void send_plain(struct peer *peer, int32_t xid, int32_t op)
{
    (void)request_begin(xid, op);
    request_end(peer);
}

void send_create(struct peer *peer, int32_t xid, const char *path, const char *data, int32_t flags)
{
    struct fk_create_request request = {
        .path = fk_bytes_text(path), .data = fk_bytes_text(data), .acl = FK_ACL_OPEN, .flags = flags};
    fk_write_create_request(request_begin(xid, FK_OP_CREATE), &request);
    request_end(peer);
}

void send_set(struct peer *peer, int32_t xid, const char *path, struct fk_bytes data)
{
    struct fk_set_data_request request = {.path = fk_bytes_text(path), .data = data, .version = -1};
    fk_write_set_data_request(request_begin(xid, FK_OP_SET_DATA), &request);
    request_end(peer);
}

void send_delete(struct peer *peer, int32_t xid, const char *path)
{
    struct fk_version_request request = {.path = fk_bytes_text(path), .version = -1};
    fk_write_version_request(request_begin(xid, FK_OP_DELETE), &request);
    request_end(peer);
}

void send_watch(struct peer *peer, int32_t xid, int32_t op, const char *path, bool watch)
{
    struct fk_watch_request request = {.path = fk_bytes_text(path), .watch = watch};
    fk_write_watch_request(request_begin(xid, op), &request);
    request_end(peer);
}

void send_sync(struct peer *peer, int32_t xid, const char *path)
{
    fk_write_bytes(request_begin(xid, FK_OP_SYNC), fk_bytes_text(path));
    request_end(peer);
}

void send_auth(struct peer *peer, const char *scheme, const char *auth)
{
    struct fk_auth_request request = {.scheme = fk_bytes_text(scheme), .auth = fk_bytes_text(auth)};
    fk_write_auth_request(request_begin(FK_XID_AUTH, FK_OP_AUTH), &request);
    request_end(peer);
}

struct fk_bytes peer_frame(struct peer *peer)
{
    struct fk_bytes view = fk_buf_view(&peer->in);
    if (view.size < 4) {
        assert_int_equal(view.size, 0);
        return FK_BYTES_NULL;
    }
    size_t size = fk_load_u32(view.data);
    assert_true(view.size - 4 >= size); /* whole frames only: outputs are drained whole */
    struct fk_bytes bytes = fk_arena_copy(peer->arena, fk_bytes_of(view.data + 4, size));
    fk_buf_consume(&peer->in, 4 + size);
    return bytes;
}

bool peer_quiet(struct peer *peer)
{
    return fk_buf_left(&peer->in) == 0;
}

struct fk_reader expect_reply(struct peer *peer, int32_t xid, int32_t code)
{
    struct fk_reply_header header;
    struct fk_bytes bytes = peer_frame(peer);
    if (bytes.data == NULL) {
        fail_msg("no reply to %d", xid);
    }
    struct fk_reader reader = fk_reader_of(bytes);
    fk_read_reply_header(&reader, &header);
    assert_false(reader.failed);
    if (header.xid != xid || header.code != code) {
        fail_msg("reply to %d with %d, expected to %d with %d", header.xid, header.code, xid, code);
    }
    replied_zxid = header.zxid;
    if (code != FK_CODE_OK) {
        assert_int_equal(reader.left, 0); /* errors have no body */
    }
    return reader;
}

void expect_event(struct peer *peer, int32_t type, const char *path)
{
    struct fk_watcher_event event;
    struct fk_reader reader = expect_reply(peer, FK_XID_NOTIFICATION, 0);
    fk_read_watcher_event(&reader, &event);
    assert_false(reader.failed);
    assert_int_equal(reader.left, 0);
    assert_int_equal(event.type, type);
    assert_int_equal(event.state, FK_STATE_SYNC_CONNECTED);
    fk_assert_text(event.path, path);
}
