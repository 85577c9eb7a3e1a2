// SPDX-License-Identifier: Apache-2.0
/*
 * zkraw: a small raw ZooKeeper client codec for tools that judge a server (load generator, chaos tests).
 *
 * It shares no line with src/wire on purpose: it is the oracle, so an encoding error of ours cannot hide in both
 * ends. It has no watches, no reconnecting and no background thread; the caller sees every frame.
 * Out of memory ends the process: every user is a test tool.
 * Not thread-safe: one buffer or client belongs to one thread.
 * Source of the record layouts: zookeeper.jute of Apache ZooKeeper.
 */
#ifndef FAASKEEPER_TESTS_SUPPORT_ZKRAW_H
#define FAASKEEPER_TESTS_SUPPORT_ZKRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum zkraw_op {
    ZKRAW_OP_CREATE = 1,
    ZKRAW_OP_DELETE = 2,
    ZKRAW_OP_EXISTS = 3,
    ZKRAW_OP_GET_DATA = 4,
    ZKRAW_OP_SET_DATA = 5,
    ZKRAW_OP_GET_CHILDREN = 8,
    ZKRAW_OP_SYNC = 9,
    ZKRAW_OP_PING = 11,
    ZKRAW_OP_AUTH = 100,
    ZKRAW_OP_CLOSE_SESSION = -11,
};

enum {
    ZKRAW_XID_EVENT = -1,
    ZKRAW_XID_PING = -2,
    ZKRAW_XID_AUTH = -4,
    ZKRAW_CREATE_EPHEMERAL = 1,
    ZKRAW_CREATE_SEQUENTIAL = 2,
    ZKRAW_ERR_NONODE = -101,
    ZKRAW_ERR_NODEEXISTS = -110,
    ZKRAW_ERR_NOTEMPTY = -111,
    ZKRAW_PASSWD_SIZE = 16,
    ZKRAW_FRAME_PREFIX_SIZE = 4,
    ZKRAW_STAT_SIZE = 68,
    ZKRAW_FRAME_SIZE_MAX = 64 * 1024 * 1024, /* replies have no limit in ZooKeeper; this one bounds our memory */
    ZKRAW_ERROR_SIZE = 256,
};

/* A growable byte buffer; all zero is a valid empty one. */
struct zkraw_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* A view of received bytes. After the first read past the end every read yields zero and failed stays set. */
struct zkraw_reader {
    const uint8_t *cursor;
    const uint8_t *end;
    bool failed;
};

struct zkraw_stat {
    int64_t czxid, mzxid, ctime_ms, mtime_ms;
    int32_t version, cversion, aversion;
    int64_t ephemeral_owner;
    int32_t data_length, num_children;
    int64_t pzxid;
};

/* ConnectRequest. */
struct zkraw_connect {
    int64_t last_zxid_seen;
    int32_t timeout_ms;
    int64_t session_id; /* 0 asks for a new session */
    uint8_t passwd[ZKRAW_PASSWD_SIZE];
    bool read_only;
};

/* ConnectResponse. session_id 0 means that the session is expired or was refused. */
struct zkraw_connected {
    int32_t timeout_ms;
    int64_t session_id;
    uint8_t passwd[ZKRAW_PASSWD_SIZE];
};

/* ReplyHeader and what follows it; body borrows the frame. */
struct zkraw_reply {
    int32_t xid;
    int64_t zxid;
    int32_t err;
    struct zkraw_reader body;
};

/* Makes room for at least extra more bytes behind size. */
void zkraw_buf_reserve(struct zkraw_buf *buf, size_t extra);
void zkraw_buf_deinit(struct zkraw_buf *buf);
/* Drops the first count bytes; count <= size. */
void zkraw_buf_consume(struct zkraw_buf *buf, size_t count);

/*
 * Encoders: each appends one whole frame, length prefix included. path is NUL-terminated; data may be NULL for null
 * data. The ACL of created nodes is world:anyone with all permissions.
 */
void zkraw_put_connect(struct zkraw_buf *buf, const struct zkraw_connect *request);
void zkraw_put_create(struct zkraw_buf *buf, int32_t xid, const char *path, const void *data, size_t size,
                      int32_t flags);
/* version -1 matches every version. */
void zkraw_put_delete(struct zkraw_buf *buf, int32_t xid, const char *path, int32_t version);
void zkraw_put_set_data(struct zkraw_buf *buf, int32_t xid, const char *path, const void *data, size_t size,
                        int32_t version);
/* exists, getData or getChildren: the three requests made of a path and a watch flag. */
void zkraw_put_read(struct zkraw_buf *buf, enum zkraw_op op, int32_t xid, const char *path, bool watch);
void zkraw_put_sync(struct zkraw_buf *buf, int32_t xid, const char *path);
void zkraw_put_ping(struct zkraw_buf *buf);
void zkraw_put_auth(struct zkraw_buf *buf, const char *scheme, const char *credentials);
void zkraw_put_close_session(struct zkraw_buf *buf, int32_t xid);

static inline uint32_t zkraw_load_u32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return __builtin_bswap32(value); /* little-endian hosts only; zkraw.c asserts it */
}

static inline uint64_t zkraw_load_u64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return __builtin_bswap64(value);
}

/* Returns the view of the next count bytes, or NULL if there are fewer. */
static inline const uint8_t *zkraw_read_bytes(struct zkraw_reader *reader, size_t count)
{
    if (reader->failed || (size_t)(reader->end - reader->cursor) < count) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->cursor;
    reader->cursor += count;
    return bytes;
}

static inline int32_t zkraw_read_i32(struct zkraw_reader *reader)
{
    const uint8_t *bytes = zkraw_read_bytes(reader, 4);
    return bytes == NULL ? 0 : (int32_t)zkraw_load_u32(bytes);
}

static inline int64_t zkraw_read_i64(struct zkraw_reader *reader)
{
    const uint8_t *bytes = zkraw_read_bytes(reader, 8);
    return bytes == NULL ? 0 : (int64_t)zkraw_load_u64(bytes);
}

/* Reads a buffer or ustring as a view of *size bytes. NULL with size 0: null, or failed. */
const uint8_t *zkraw_read_buffer(struct zkraw_reader *reader, size_t *size);
/* Fills stat with zeros if the bytes do not suffice (and sets failed). */
void zkraw_read_stat(struct zkraw_reader *reader, struct zkraw_stat *stat);
/* Splits a frame (without its length) into header and body; false: shorter than a header. */
bool zkraw_read_reply(const uint8_t *frame, size_t size, struct zkraw_reply *reply);
/* Decodes a ConnectResponse of 36 or 37 bytes; false: anything else. */
bool zkraw_read_connected(const uint8_t *frame, size_t size, struct zkraw_connected *connected);
/* Looks for a whole frame at the start of data: 1 and its body in frame and frame_size, 0 if more bytes are needed,
 * -1 if the length is negative or above ZKRAW_FRAME_SIZE_MAX. */
int zkraw_frame_find(const uint8_t *data, size_t size, const uint8_t **frame, size_t *frame_size);

/*
 * Connects to HOST:PORT, [HOST]:PORT or unix:PATH. Blocking, TCP_NODELAY, reads and writes of the socket time out after
 * io_timeout_ms. Returns the descriptor, or -1 with a sentence in error (ZKRAW_ERROR_SIZE bytes).
 */
int zkraw_dial(const char *target, int io_timeout_ms, char *error);

/* A blocking client on one connection. The caller encodes into out, sends, and receives one frame at a time. */
struct zkraw_client {
    int fd;
    int32_t xid; /* last one used */
    int64_t last_zxid;
    struct zkraw_connected session;
    struct zkraw_buf out;
    struct zkraw_buf in;
    size_t in_consumed;
    char error[ZKRAW_ERROR_SIZE]; /* why the last call failed */
};

/* The functions below return 0, or -1 with client->error set; the connection is then useless. */
/* Initialises client, dials and shakes hands. A refused session is -1 with session.session_id 0. */
int zkraw_client_connect(struct zkraw_client *client, const char *target, const struct zkraw_connect *request,
                         int io_timeout_ms);
/* Writes everything that is in out. */
int zkraw_client_send(struct zkraw_client *client);
/* Waits for one reply or event. reply->body is valid until the next receive. */
int zkraw_client_receive(struct zkraw_client *client, struct zkraw_reply *reply);
/* Sends out and receives the reply of the request with xid client->xid; the reply's err is for the caller to judge. */
int zkraw_client_call(struct zkraw_client *client, struct zkraw_reply *reply);
/* Sends closeSession, waits for its reply, and releases everything. */
int zkraw_client_close(struct zkraw_client *client);
/* Closes the socket, if any, and releases the buffers, without a word to the server. */
void zkraw_client_deinit(struct zkraw_client *client);

#endif
