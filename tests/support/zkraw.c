// SPDX-License-Identifier: Apache-2.0
#include "zkraw.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "zkraw swaps bytes unconditionally");

enum {
    REPLY_HEADER_SIZE = 16,
    CONNECTED_SIZE = 36, /* without the readOnly byte */
    RECEIVE_CHUNK_SIZE = 64 * 1024,
    ACL_ALL_PERMISSIONS = 31,
};

/* ---- buffers ---- */

void zkraw_buf_reserve(struct zkraw_buf *buf, size_t extra)
{
    if (buf->capacity - buf->size >= extra) {
        return;
    }
    size_t capacity = buf->capacity == 0 ? 4096 : buf->capacity * 2;
    while (capacity - buf->size < extra) {
        capacity *= 2;
    }
    uint8_t *data = realloc(buf->data, capacity);
    if (data == NULL) {
        fprintf(stderr, "zkraw: out of memory for a buffer of %zu bytes\n", capacity);
        abort();
    }
    buf->data = data;
    buf->capacity = capacity;
}

void zkraw_buf_deinit(struct zkraw_buf *buf)
{
    free(buf->data);
    *buf = (struct zkraw_buf){0};
}

void zkraw_buf_consume(struct zkraw_buf *buf, size_t count)
{
    if (buf->data != NULL && count > 0 && count < buf->size) {
        memmove(buf->data, buf->data + count, buf->size - count);
    }
    buf->size -= count;
}

/* ---- encoding ---- */

static void put_u8(struct zkraw_buf *buf, bool value)
{
    zkraw_buf_reserve(buf, 1);
    buf->data[buf->size++] = value ? 1 : 0;
}

static void put_i32(struct zkraw_buf *buf, int32_t value)
{
    uint32_t swapped = __builtin_bswap32((uint32_t)value);
    zkraw_buf_reserve(buf, sizeof swapped);
    memcpy(buf->data + buf->size, &swapped, sizeof swapped);
    buf->size += sizeof swapped;
}

static void put_i64(struct zkraw_buf *buf, int64_t value)
{
    uint64_t swapped = __builtin_bswap64((uint64_t)value);
    zkraw_buf_reserve(buf, sizeof swapped);
    memcpy(buf->data + buf->size, &swapped, sizeof swapped);
    buf->size += sizeof swapped;
}

static void put_buffer(struct zkraw_buf *buf, const void *data, size_t size)
{
    if (data == NULL) {
        put_i32(buf, -1);
        return;
    }
    put_i32(buf, (int32_t)size);
    zkraw_buf_reserve(buf, size);
    if (size > 0) {
        memcpy(buf->data + buf->size, data, size);
    }
    buf->size += size;
}

static void put_string(struct zkraw_buf *buf, const char *text)
{
    put_buffer(buf, text, text == NULL ? 0 : strlen(text));
}

/* Returns the place of the frame, which frame_end completes. */
static size_t frame_begin(struct zkraw_buf *buf)
{
    size_t start = buf->size;
    put_i32(buf, 0);
    return start;
}

static void frame_end(struct zkraw_buf *buf, size_t start)
{
    uint32_t swapped = __builtin_bswap32((uint32_t)(buf->size - start - ZKRAW_FRAME_PREFIX_SIZE));
    memcpy(buf->data + start, &swapped, sizeof swapped);
}

static size_t request_begin(struct zkraw_buf *buf, int32_t xid, enum zkraw_op op)
{
    size_t start = frame_begin(buf);
    put_i32(buf, xid);
    put_i32(buf, (int32_t)op);
    return start;
}

void zkraw_put_connect(struct zkraw_buf *buf, const struct zkraw_connect *request)
{
    size_t start = frame_begin(buf);
    put_i32(buf, 0); /* protocolVersion */
    put_i64(buf, request->last_zxid_seen);
    put_i32(buf, request->timeout_ms);
    put_i64(buf, request->session_id);
    put_buffer(buf, request->passwd, sizeof request->passwd);
    put_u8(buf, request->read_only);
    frame_end(buf, start);
}

void zkraw_put_create(struct zkraw_buf *buf, int32_t xid, const char *path, const void *data, size_t size,
                      int32_t flags)
{
    size_t start = request_begin(buf, xid, ZKRAW_OP_CREATE);
    put_string(buf, path);
    put_buffer(buf, data, size);
    put_i32(buf, 1); /* one ACL */
    put_i32(buf, ACL_ALL_PERMISSIONS);
    put_string(buf, "world");
    put_string(buf, "anyone");
    put_i32(buf, flags);
    frame_end(buf, start);
}

void zkraw_put_delete(struct zkraw_buf *buf, int32_t xid, const char *path, int32_t version)
{
    size_t start = request_begin(buf, xid, ZKRAW_OP_DELETE);
    put_string(buf, path);
    put_i32(buf, version);
    frame_end(buf, start);
}

void zkraw_put_set_data(struct zkraw_buf *buf, int32_t xid, const char *path, const void *data, size_t size,
                        int32_t version)
{
    size_t start = request_begin(buf, xid, ZKRAW_OP_SET_DATA);
    put_string(buf, path);
    put_buffer(buf, data, size);
    put_i32(buf, version);
    frame_end(buf, start);
}

void zkraw_put_read(struct zkraw_buf *buf, enum zkraw_op op, int32_t xid, const char *path, bool watch)
{
    size_t start = request_begin(buf, xid, op);
    put_string(buf, path);
    put_u8(buf, watch);
    frame_end(buf, start);
}

void zkraw_put_sync(struct zkraw_buf *buf, int32_t xid, const char *path)
{
    size_t start = request_begin(buf, xid, ZKRAW_OP_SYNC);
    put_string(buf, path);
    frame_end(buf, start);
}

void zkraw_put_ping(struct zkraw_buf *buf)
{
    frame_end(buf, request_begin(buf, ZKRAW_XID_PING, ZKRAW_OP_PING));
}

void zkraw_put_auth(struct zkraw_buf *buf, const char *scheme, const char *credentials)
{
    size_t start = request_begin(buf, ZKRAW_XID_AUTH, ZKRAW_OP_AUTH);
    put_i32(buf, 0); /* type */
    put_string(buf, scheme);
    put_string(buf, credentials);
    frame_end(buf, start);
}

void zkraw_put_close_session(struct zkraw_buf *buf, int32_t xid)
{
    frame_end(buf, request_begin(buf, xid, ZKRAW_OP_CLOSE_SESSION));
}

/* ---- decoding ---- */

const uint8_t *zkraw_read_buffer(struct zkraw_reader *reader, size_t *size)
{
    int32_t length = zkraw_read_i32(reader);
    *size = 0;
    if (length < 0) {
        reader->failed = reader->failed || length != -1;
        return NULL;
    }
    const uint8_t *bytes = zkraw_read_bytes(reader, (size_t)length);
    if (bytes != NULL) {
        *size = (size_t)length;
    }
    return bytes;
}

void zkraw_read_stat(struct zkraw_reader *reader, struct zkraw_stat *stat)
{
    const uint8_t *bytes = zkraw_read_bytes(reader, ZKRAW_STAT_SIZE);
    if (bytes == NULL) {
        *stat = (struct zkraw_stat){0};
        return;
    }
    stat->czxid = (int64_t)zkraw_load_u64(bytes);
    stat->mzxid = (int64_t)zkraw_load_u64(bytes + 8);
    stat->ctime_ms = (int64_t)zkraw_load_u64(bytes + 16);
    stat->mtime_ms = (int64_t)zkraw_load_u64(bytes + 24);
    stat->version = (int32_t)zkraw_load_u32(bytes + 32);
    stat->cversion = (int32_t)zkraw_load_u32(bytes + 36);
    stat->aversion = (int32_t)zkraw_load_u32(bytes + 40);
    stat->ephemeral_owner = (int64_t)zkraw_load_u64(bytes + 44);
    stat->data_length = (int32_t)zkraw_load_u32(bytes + 52);
    stat->num_children = (int32_t)zkraw_load_u32(bytes + 56);
    stat->pzxid = (int64_t)zkraw_load_u64(bytes + 60);
}

bool zkraw_read_reply(const uint8_t *frame, size_t size, struct zkraw_reply *reply)
{
    if (size < REPLY_HEADER_SIZE) {
        return false;
    }
    reply->xid = (int32_t)zkraw_load_u32(frame);
    reply->zxid = (int64_t)zkraw_load_u64(frame + 4);
    reply->err = (int32_t)zkraw_load_u32(frame + 12);
    reply->body = (struct zkraw_reader){.cursor = frame + REPLY_HEADER_SIZE, .end = frame + size};
    return true;
}

bool zkraw_read_connected(const uint8_t *frame, size_t size, struct zkraw_connected *connected)
{
    if (size != CONNECTED_SIZE && size != CONNECTED_SIZE + 1) {
        return false;
    }
    if (zkraw_load_u32(frame) != 0 || zkraw_load_u32(frame + 16) != ZKRAW_PASSWD_SIZE) {
        return false;
    }
    connected->timeout_ms = (int32_t)zkraw_load_u32(frame + 4);
    connected->session_id = (int64_t)zkraw_load_u64(frame + 8);
    memcpy(connected->passwd, frame + 20, ZKRAW_PASSWD_SIZE);
    return true;
}

int zkraw_frame_find(const uint8_t *data, size_t size, const uint8_t **frame, size_t *frame_size)
{
    if (data == NULL || size < ZKRAW_FRAME_PREFIX_SIZE) {
        return 0;
    }
    uint32_t length = zkraw_load_u32(data);
    if (length > ZKRAW_FRAME_SIZE_MAX) {
        return -1;
    }
    if (size - ZKRAW_FRAME_PREFIX_SIZE < length) {
        return 0;
    }
    *frame = data + ZKRAW_FRAME_PREFIX_SIZE;
    *frame_size = length;
    return 1;
}

/* ---- connecting ---- */

static int connect_socket(int family, const struct sockaddr *address, socklen_t address_size, int io_timeout_ms)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    struct timeval timeout = {.tv_sec = io_timeout_ms / 1000, .tv_usec = (io_timeout_ms % 1000) * 1000L};
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (connect(fd, address, address_size) != 0) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int dial_unix(const char *path, int io_timeout_ms, char *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t path_size = strlen(path);
    if (path_size >= sizeof address.sun_path) {
        snprintf(error, ZKRAW_ERROR_SIZE, "unix:%s: path longer than %zu bytes", path, sizeof address.sun_path - 1);
        return -1;
    }
    memcpy(address.sun_path, path, path_size + 1);
    int fd = connect_socket(AF_UNIX, (const struct sockaddr *)&address, sizeof address, io_timeout_ms);
    if (fd < 0) {
        snprintf(error, ZKRAW_ERROR_SIZE, "unix:%s: %s", path, strerror(errno));
    }
    return fd;
}

/* Splits HOST:PORT or [HOST]:PORT into host (256 bytes) and the port's text. */
static bool target_split(const char *target, char *host, const char **port)
{
    const char *colon = strrchr(target, ':');
    if (colon == NULL || colon == target || colon[1] == '\0') {
        return false;
    }
    const char *start = target;
    const char *end = colon;
    if (*start == '[' && end[-1] == ']') {
        start++;
        end--;
    }
    size_t host_size = (size_t)(end - start);
    if (host_size == 0 || host_size > 255) {
        return false;
    }
    memcpy(host, start, host_size);
    host[host_size] = '\0';
    *port = colon + 1;
    return true;
}

int zkraw_dial(const char *target, int io_timeout_ms, char *error)
{
    char host[256];
    const char *port = NULL;
    if (strncmp(target, "unix:", 5) == 0) {
        return dial_unix(target + 5, io_timeout_ms, error);
    }
    if (!target_split(target, host, &port)) {
        snprintf(error, ZKRAW_ERROR_SIZE, "'%s' is not HOST:PORT, [HOST]:PORT or unix:PATH", target);
        return -1;
    }
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(host, port, &hints, &found);
    if (status != 0) {
        snprintf(error, ZKRAW_ERROR_SIZE, "%s: %s", target, gai_strerror(status));
        return -1;
    }
    int fd = -1;
    for (const struct addrinfo *one = found; one != NULL && fd < 0; one = one->ai_next) {
        fd = connect_socket(one->ai_family, one->ai_addr, one->ai_addrlen, io_timeout_ms);
    }
    if (fd < 0) {
        snprintf(error, ZKRAW_ERROR_SIZE, "%s: %s", target, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

/* ---- the blocking client ---- */

int zkraw_client_send(struct zkraw_client *client)
{
    size_t sent = 0;
    while (sent < client->out.size) {
        ssize_t count = send(client->fd, client->out.data + sent, client->out.size - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            snprintf(client->error, sizeof client->error, "send: %s", errno == EAGAIN ? "timed out" : strerror(errno));
            return -1;
        }
        sent += (size_t)count;
    }
    client->out.size = 0;
    return 0;
}

/* Reads until a whole frame is there; the view lives until the next call. */
static int receive_frame(struct zkraw_client *client, const uint8_t **frame, size_t *frame_size)
{
    for (;;) {
        const uint8_t *start = client->in.data == NULL ? NULL : client->in.data + client->in_consumed;
        int found = zkraw_frame_find(start, client->in.size - client->in_consumed, frame, frame_size);
        if (found > 0) {
            client->in_consumed += ZKRAW_FRAME_PREFIX_SIZE + *frame_size;
            return 0;
        }
        if (found < 0) {
            snprintf(client->error, sizeof client->error, "a frame length is negative or above %d",
                     ZKRAW_FRAME_SIZE_MAX);
            return -1;
        }
        zkraw_buf_consume(&client->in, client->in_consumed);
        client->in_consumed = 0;
        zkraw_buf_reserve(&client->in, RECEIVE_CHUNK_SIZE);
        ssize_t count = recv(client->fd, client->in.data + client->in.size, client->in.capacity - client->in.size, 0);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            const char *reason = count == 0 ? "connection closed by the server"
                                            : (errno == EAGAIN ? "timed out waiting for a reply" : strerror(errno));
            snprintf(client->error, sizeof client->error, "receive: %s", reason);
            return -1;
        }
        client->in.size += (size_t)count;
    }
}

int zkraw_client_connect(struct zkraw_client *client, const char *target, const struct zkraw_connect *request,
                         int io_timeout_ms)
{
    *client = (struct zkraw_client){.fd = -1};
    client->fd = zkraw_dial(target, io_timeout_ms, client->error);
    if (client->fd < 0) {
        return -1;
    }
    const uint8_t *frame = NULL;
    size_t frame_size = 0;
    zkraw_put_connect(&client->out, request);
    if (zkraw_client_send(client) != 0 || receive_frame(client, &frame, &frame_size) != 0) {
        return -1;
    }
    if (!zkraw_read_connected(frame, frame_size, &client->session)) {
        snprintf(client->error, sizeof client->error, "handshake: %zu bytes that are no ConnectResponse", frame_size);
        return -1;
    }
    if (client->session.session_id == 0) {
        snprintf(client->error, sizeof client->error, "handshake: session expired or refused");
        return -1;
    }
    return 0;
}

int zkraw_client_receive(struct zkraw_client *client, struct zkraw_reply *reply)
{
    const uint8_t *frame = NULL;
    size_t frame_size = 0;
    if (receive_frame(client, &frame, &frame_size) != 0) {
        return -1;
    }
    if (!zkraw_read_reply(frame, frame_size, reply)) {
        snprintf(client->error, sizeof client->error, "a reply of %zu bytes is shorter than its header", frame_size);
        return -1;
    }
    if (reply->xid >= 0 && reply->zxid > client->last_zxid) {
        client->last_zxid = reply->zxid;
    }
    return 0;
}

int zkraw_client_call(struct zkraw_client *client, struct zkraw_reply *reply)
{
    if (zkraw_client_send(client) != 0) {
        return -1;
    }
    do {
        if (zkraw_client_receive(client, reply) != 0) {
            return -1;
        }
    } while (reply->xid == ZKRAW_XID_EVENT || reply->xid == ZKRAW_XID_PING);
    if (reply->xid != client->xid) {
        snprintf(client->error, sizeof client->error, "expected the reply of xid %d, got xid %d", client->xid,
                 reply->xid);
        return -1;
    }
    return 0;
}

int zkraw_client_close(struct zkraw_client *client)
{
    struct zkraw_reply reply;
    zkraw_put_close_session(&client->out, ++client->xid);
    int status = zkraw_client_call(client, &reply);
    if (status == 0 && reply.err != 0) {
        snprintf(client->error, sizeof client->error, "closeSession: error %d", reply.err);
        status = -1;
    }
    zkraw_client_deinit(client);
    return status;
}

void zkraw_client_deinit(struct zkraw_client *client)
{
    if (client->fd >= 0) {
        close(client->fd);
    }
    client->fd = -1;
    zkraw_buf_deinit(&client->out);
    zkraw_buf_deinit(&client->in);
    client->in_consumed = 0;
}
