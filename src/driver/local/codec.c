// SPDX-License-Identifier: Apache-2.0
#include "driver/local/codec.h"

enum {
    CHANGE_HEADER_SIZE = 20,
    PUT_FIXED_SIZE = 64, /* more than the fixed part of any kind of put */
    PUT_SIZE_MIN = 5,    /* a delete of the empty path */
};

/* What write_put writes of a put, at most. */
static size_t put_size(const struct fk_put *put)
{
    const struct fk_node *node = &put->node;
    switch (put->kind) {
    case FK_PUT_CREATE:
        return PUT_FIXED_SIZE + node->path.size + node->data.size + node->acl.size;
    case FK_PUT_DATA:
    case FK_PUT_STATS:
        return PUT_FIXED_SIZE + node->path.size + node->data.size;
    case FK_PUT_ACL:
        return PUT_FIXED_SIZE + node->path.size + node->acl.size;
    case FK_PUT_CHILDREN:
    case FK_PUT_DELETE:
        return PUT_FIXED_SIZE + node->path.size;
    case FK_PUT_SESSION:
    case FK_PUT_SESSION_END:
        break;
    }
    return PUT_FIXED_SIZE;
}

size_t fk_change_size(const struct fk_change *change)
{
    size_t size = CHANGE_HEADER_SIZE;
    for (size_t i = 0; i < change->count; i++) {
        size += put_size(&change->puts[i]);
    }
    return size;
}

/* The open ACL, which nearly every node has, is one number in the log. */
static void write_acl(struct fk_buf *buf, struct fk_bytes acl)
{
    fk_write_vector(buf, fk_bytes_equal(acl, FK_ACL_OPEN) ? FK_BYTES_NULL : acl);
}

static struct fk_bytes read_acl(struct fk_reader *reader)
{
    struct fk_bytes acl = fk_read_acl(reader);
    return acl.data == NULL ? FK_ACL_OPEN : acl;
}

static void write_put(struct fk_buf *buf, const struct fk_put *put)
{
    const struct fk_node *node = &put->node;
    uint8_t kind = (uint8_t)put->kind;
    fk_buf_append(buf, fk_bytes_of(&kind, 1));
    switch (put->kind) {
    case FK_PUT_CREATE:
        fk_write_bytes(buf, node->path);
        fk_write_bytes(buf, node->data);
        write_acl(buf, node->acl);
        fk_write_i64(buf, node->ephemeral_owner);
        break;
    case FK_PUT_DATA:
        fk_write_bytes(buf, node->path);
        fk_write_bytes(buf, node->data);
        fk_write_i32(buf, node->version);
        break;
    case FK_PUT_ACL:
        fk_write_bytes(buf, node->path);
        write_acl(buf, node->acl);
        fk_write_i32(buf, node->aversion);
        break;
    case FK_PUT_CHILDREN:
        fk_write_bytes(buf, node->path);
        fk_write_i32(buf, node->created_children);
        fk_write_i32(buf, node->num_children);
        break;
    case FK_PUT_DELETE:
        fk_write_bytes(buf, node->path);
        break;
    case FK_PUT_STATS:
        fk_write_bytes(buf, node->path);
        fk_write_bytes(buf, node->data);
        break;
    case FK_PUT_SESSION:
        fk_write_i64(buf, put->session.id);
        fk_write_i32(buf, put->session.timeout_ms);
        fk_buf_append(buf, fk_bytes_of(put->session.password, FK_PASSWORD_SIZE));
        break;
    case FK_PUT_SESSION_END:
        fk_write_i64(buf, put->session.id);
        break;
    }
}

void fk_change_write(struct fk_buf *buf, const struct fk_change *change)
{
    fk_write_i64(buf, change->zxid);
    fk_write_i64(buf, change->time_ms);
    fk_write_i32(buf, (int32_t)change->count);
    for (size_t i = 0; i < change->count; i++) {
        write_put(buf, &change->puts[i]);
    }
}

static void read_create(struct fk_reader *reader, const struct fk_change *change, struct fk_node *node)
{
    node->path = fk_read_bytes(reader);
    node->data = fk_read_bytes(reader);
    node->acl = read_acl(reader);
    node->ephemeral_owner = fk_read_i64(reader);
    node->czxid = node->mzxid = node->pzxid = change->zxid;
    node->ctime_ms = node->mtime_ms = change->time_ms;
}

static void read_session(struct fk_reader *reader, struct fk_session *session)
{
    session->id = fk_read_i64(reader);
    session->timeout_ms = fk_read_i32(reader);
    const uint8_t *password = fk_read_raw(reader, FK_PASSWORD_SIZE);
    if (password != NULL) {
        memcpy(session->password, password, FK_PASSWORD_SIZE);
    }
}

static void read_put(struct fk_reader *reader, const struct fk_change *change, struct fk_put *put)
{
    const uint8_t *kind = fk_read_raw(reader, 1);
    struct fk_node *node = &put->node;
    *put = (struct fk_put){.kind = kind == NULL ? 0 : (enum fk_put_kind) * kind};
    switch (put->kind) {
    case FK_PUT_CREATE:
        read_create(reader, change, node);
        break;
    case FK_PUT_DATA:
        node->path = fk_read_bytes(reader);
        node->data = fk_read_bytes(reader);
        node->version = fk_read_i32(reader);
        node->mzxid = change->zxid;
        node->mtime_ms = change->time_ms;
        break;
    case FK_PUT_ACL:
        node->path = fk_read_bytes(reader);
        node->acl = read_acl(reader);
        node->aversion = fk_read_i32(reader);
        break;
    case FK_PUT_CHILDREN:
        node->path = fk_read_bytes(reader);
        node->created_children = fk_read_i32(reader);
        node->num_children = fk_read_i32(reader);
        node->pzxid = change->zxid;
        break;
    case FK_PUT_DELETE:
        node->path = fk_read_bytes(reader);
        break;
    case FK_PUT_STATS:
        node->path = fk_read_bytes(reader);
        node->data = fk_read_bytes(reader);
        break;
    case FK_PUT_SESSION:
        read_session(reader, &put->session);
        break;
    case FK_PUT_SESSION_END:
        put->session.id = fk_read_i64(reader);
        break;
    default:
        reader->failed = true;
        break;
    }
    if (fk_put_is_node(put->kind) && node->path.data == NULL) {
        reader->failed = true;
    }
}

enum fk_err fk_change_read(struct fk_reader *reader, struct fk_arena *arena, struct fk_change *change)
{
    *change = (struct fk_change){.zxid = fk_read_i64(reader)};
    change->time_ms = fk_read_i64(reader);
    int32_t count = fk_read_count(reader, PUT_SIZE_MIN);
    if (reader->failed || count < 0) {
        return FK_ERR_MALFORMED;
    }
    struct fk_put *puts = (struct fk_put *)fk_arena_alloc(arena, (size_t)count * sizeof *puts);
    if (puts == NULL) {
        return FK_ERR_NOMEM;
    }
    for (int32_t i = 0; i < count && !reader->failed; i++) {
        read_put(reader, change, &puts[i]);
    }
    change->puts = puts;
    change->count = (size_t)count;
    return reader->failed ? FK_ERR_MALFORMED : FK_OK;
}
