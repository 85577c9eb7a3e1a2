// SPDX-License-Identifier: Apache-2.0
/* Identities of a connection: its address, and what addauth adds. Clients send them again on each connection. */
#include "gateway/gateway_internal.h"

#include "base/digest.h"
#include "base/log.h"

void fk_auth_init(struct fk_conn *conn)
{
    fk_write_i32(&conn->ids, 0);
}

/* True where the identity is there already. */
static bool has_id(const struct fk_conn *conn, struct fk_bytes scheme, struct fk_bytes id)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&conn->ids));
    int32_t count = fk_read_count(&reader, 8);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes known_scheme = fk_read_bytes(&reader);
        struct fk_bytes known_id = fk_read_bytes(&reader);
        if (fk_bytes_equal(known_scheme, scheme) && fk_bytes_equal(known_id, id)) {
            return true;
        }
    }
    return false;
}

bool fk_auth_add(struct fk_conn *conn, struct fk_bytes scheme, struct fk_bytes id)
{
    if (has_id(conn, scheme, id)) {
        return true;
    }
    int32_t count = (int32_t)fk_load_u32(conn->ids.data);
    if (count >= FK_AUTH_IDS_MAX || fk_buf_left(&conn->ids) + scheme.size + id.size > FK_AUTH_SIZE_MAX) {
        return false;
    }
    if (fk_buf_reserve(&conn->ids, 8 + scheme.size + id.size) == NULL) {
        conn->ids.failed = false;
        return false;
    }
    fk_write_bytes(&conn->ids, scheme);
    fk_write_bytes(&conn->ids, id);
    fk_patch_i32(&conn->ids, 0, count + 1);
    return true;
}

/* ZK: DigestAuthenticationProvider.handleAuthentication. */
static bool auth_digest(const struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes credentials)
{
    struct fk_buf id = FK_BUF_EMPTY;
    bool added = fk_digest_id(credentials, &id) == FK_OK;
    if (added && gateway->options.super_digest != NULL &&
        fk_bytes_equal_secret(fk_buf_view(&id), fk_bytes_text(gateway->options.super_digest))) {
        added = fk_auth_add(conn, fk_bytes_text("super"), fk_bytes_text(""));
    }
    added = added && fk_auth_add(conn, fk_bytes_text("digest"), fk_buf_view(&id));
    fk_buf_deinit(&id);
    return added;
}

void fk_auth_request(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_auth_request request;
    fk_read_auth_request(&reader, &request);
    bool ok = false;
    if (!reader.failed && fk_bytes_equal_text(request.scheme, "digest")) {
        ok = auth_digest(gateway, conn, request.auth);
    } else if (!reader.failed && fk_bytes_equal_text(request.scheme, "ip")) {
        ok = true; /* the address is an identity from the start */
    }
    int32_t code = ok ? FK_CODE_OK : FK_CODE_AUTH_FAILED;
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = FK_XID_AUTH, .zxid = 0, .code = code}, FK_BYTES_NULL);
    if (!ok) {
        gateway->stats.auth_failed++;
        fk_log(FK_LOG_WARN, "authentication failed, scheme '%.*s'", (int)fk_bytes_head(request.scheme, 64).size,
               (const char *)request.scheme.data);
        fk_conn_close(gateway, conn);
    }
}
