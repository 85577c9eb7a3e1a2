// SPDX-License-Identifier: Apache-2.0
/* Requests about the connection itself, answered from memory in all topologies: whoAmI, and what asks for its watches
 * or takes them away. */
#include "gateway/gateway_internal.h"

/* ZK: DataTree.containsWatcher. 0: no such type. */
static unsigned kinds_of(int32_t type)
{
    switch (type) {
    case FK_WATCHER_CHILDREN:
        return FK_WATCH_CHILD;
    case FK_WATCHER_DATA:
        return FK_WATCH_DATA;
    case FK_WATCHER_ANY:
        return FK_WATCH_CHILD | FK_WATCH_DATA | FK_WATCH_PERSISTENT | FK_WATCH_RECURSIVE;
    case FK_WATCHER_PERSISTENT:
        return FK_WATCH_PERSISTENT;
    case FK_WATCHER_RECURSIVE:
        return FK_WATCH_RECURSIVE;
    default:
        return 0;
    }
}

/* ZK: only the kind that is asked for (ZOOKEEPER-4472); no event tells of it. */
static enum fk_code run_watches(struct fk_gateway *gateway, struct fk_conn *conn, int32_t op, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_watcher_request request;
    fk_read_watcher_request(&reader, &request);
    unsigned kinds = kinds_of(request.kind);
    if (reader.failed || kinds == 0) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (request.path.data == NULL) {
        return FK_CODE_NO_WATCHER;
    }
    unsigned found = op == FK_OP_CHECK_WATCHES
                         ? fk_watch_of(&gateway->watches, &conn->watcher, request.path) & kinds
                         : fk_watch_remove(&gateway->watches, &conn->watcher, request.path, kinds);
    return found != 0 ? FK_CODE_OK : FK_CODE_NO_WATCHER;
}

/* ZK: a digest shows the user's name only (DigestAuthenticationProvider.getUserName), and "super" shows none, though it
 * may have one, of a certificate or of SASL: that scheme has no provider. */
static struct fk_bytes user_of(struct fk_bytes scheme, struct fk_bytes id)
{
    if (fk_bytes_equal_text(scheme, "super")) {
        return fk_bytes_of(id.data, 0);
    }
    const uint8_t *colon =
        fk_bytes_equal_text(scheme, "digest") && id.size > 0 ? (const uint8_t *)memchr(id.data, ':', id.size) : NULL;
    return colon == NULL ? id : fk_bytes_head(id, (size_t)(colon - id.data));
}

static void write_clients(struct fk_buf *buf, const struct fk_conn *conn)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&conn->ids));
    int32_t count = fk_read_count(&reader, 8);
    fk_write_i32(buf, count);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        fk_write_bytes(buf, scheme);
        fk_write_bytes(buf, user_of(scheme, fk_read_bytes(&reader)));
    }
}

bool fk_watch_request(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_request_header *header,
                      struct fk_bytes body, int64_t zxid)
{
    struct fk_buf reply = FK_BUF_EMPTY;
    struct fk_reply_header reply_header = {.xid = header->xid, .zxid = zxid, .code = FK_CODE_OK};
    if (header->op == FK_OP_WHO_AM_I) {
        write_clients(&reply, conn);
        reply_header.code = reply.failed ? FK_CODE_SYSTEM_ERROR : FK_CODE_OK;
    } else if (header->op == FK_OP_CHECK_WATCHES || header->op == FK_OP_REMOVE_WATCHES) {
        reply_header.code = (int32_t)run_watches(gateway, conn, header->op, body);
    } else {
        return false;
    }
    fk_conn_reply(gateway, conn, &reply_header, fk_buf_view(&reply));
    fk_buf_deinit(&reply);
    return true;
}
