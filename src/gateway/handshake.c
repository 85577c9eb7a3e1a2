// SPDX-License-Identifier: Apache-2.0
/* The handshake, as far as it is the same in all topologies. Source: ZooKeeperServer.processConnectRequest. */
#include "gateway/gateway_internal.h"

int32_t fk_handshake_timeout(const struct fk_gateway *gateway, int32_t timeout_ms)
{
    if (timeout_ms < gateway->options.session_timeout_min_ms) {
        return gateway->options.session_timeout_min_ms;
    }
    if (timeout_ms > gateway->options.session_timeout_max_ms) {
        return gateway->options.session_timeout_max_ms;
    }
    return timeout_ms;
}

/* One write: C clients read 40 bytes and take the rest for granted (ZOOKEEPER-3426). */
void fk_handshake_respond(struct fk_gateway *gateway, struct fk_conn *conn, int64_t session_id, int32_t timeout_ms,
                          const uint8_t *password)
{
    struct fk_connect_response response = {.timeout_ms = timeout_ms,
                                           .session_id = session_id,
                                           .password = fk_bytes_of(password, FK_PASSWORD_SIZE),
                                           .read_only = gateway->options.read_only,
                                           .has_read_only = conn->has_read_only};
    size_t length_at = conn->out.size;
    fk_write_i32(&conn->out, 0);
    fk_write_connect_response(&conn->out, &response);
    fk_patch_i32(&conn->out, length_at, (int32_t)(conn->out.size - length_at - 4));
    gateway->stats.packets_sent++;
    conn->sent++;
    fk_conn_mark(gateway, conn);
}

/* ZK: an unknown session and a wrong password look alike: a response with zeros, then the end. */
void fk_handshake_refuse(struct fk_gateway *gateway, struct fk_conn *conn)
{
    static const uint8_t zeros[FK_PASSWORD_SIZE];
    fk_handshake_respond(gateway, conn, 0, 0, zeros);
    fk_conn_close(gateway, conn);
}

void fk_handshake(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes frame)
{
    struct fk_reader reader = fk_reader_of(frame);
    struct fk_connect_request request;
    fk_read_connect_request(&reader, &request);
    if (reader.failed) {
        fk_conn_close(gateway, conn);
        return;
    }
    if (!fk_bounds_handshake(gateway)) { /* ZK: closed without a word, its client comes again */
        fk_conn_close(gateway, conn);
        return;
    }
    gateway->stats.packets_received++;
    gateway->stats.handshakes++;
    conn->received++;
    conn->has_read_only = request.has_read_only;
    gateway->backend->connect(gateway, conn, &request);
}
