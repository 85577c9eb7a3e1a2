// SPDX-License-Identifier: Apache-2.0
/* Identities of a connection: its address, and what addauth and SASL add. Clients send them again on each connection.
 * They are the connection's, and requests carry a copy of those it has when they are taken: what is sent before an
 * addauth does not have its identity, what is sent after it does. */
#include "gateway/gateway_internal.h"

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

/* ZK: X509AuthenticationProvider.handleAuthentication. */
bool fk_gateway_certified(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes subject)
{
    const char *super = gateway->options.auth.x509_super;
    bool ok =
        super == NULL || !fk_bytes_equal_text(subject, super) || fk_auth_add(conn, FK_BYTES_LITERAL("super"), subject);
    return ok && fk_auth_add(conn, FK_BYTES_LITERAL("x509"), subject);
}

bool fk_gateway_handshake_begins(struct fk_gateway *gateway)
{
    int32_t limit = gateway->options.auth.tls_handshakes_max;
    if (limit > 0 && gateway->stats.tls_handshaking >= limit) {
        gateway->stats.tls_refused++;
        return false;
    }
    gateway->stats.tls_handshaking++;
    return true;
}

void fk_gateway_handshake_ends(struct fk_gateway *gateway, bool done)
{
    gateway->stats.tls_handshaking--;
    gateway->stats.tls_failed += done ? 0 : 1;
}

/* True where `name` stands in a list with commas; blanks around the names count for nothing. */
static bool list_has(const char *list, struct fk_bytes name)
{
    const char *at = list;
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        size_t start = strspn(at, " \t");
        size_t end = size;
        while (end > start && (at[end - 1] == ' ' || at[end - 1] == '\t')) {
            end--;
        }
        if (start < end && fk_bytes_equal(fk_bytes_of(at + start, end - start), name)) {
            return true;
        }
        at += size + (at[size] == ',' ? 1 : 0);
    }
    return false;
}

bool fk_auth_enforces(const struct fk_gateway *gateway, const char *scheme)
{
    const char *enforced = gateway->options.auth.enforced_schemes;
    return enforced != NULL && list_has(enforced, fk_bytes_text(scheme));
}

static bool has_enforced_id(const struct fk_gateway *gateway, const struct fk_conn *conn)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&conn->ids));
    int32_t count = fk_read_count(&reader, 8);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        (void)fk_read_bytes(&reader);
        if (list_has(gateway->options.auth.enforced_schemes, scheme)) {
            return true;
        }
    }
    return false;
}

static struct fk_bytes address_of(const struct fk_conn *conn)
{
    return fk_bytes_of(conn->address->text, conn->address->size);
}

void fk_auth_failed(struct fk_gateway *gateway, struct fk_conn *conn, const char *scheme)
{
    struct fk_bytes address = address_of(conn);
    gateway->stats.auth_failed++;
    /* No name: who mistypes writes a password where the name belongs. */
    fk_log_security(FK_LOG_WARN, "authentication failed", fk_log_bytes("address", address),
                    fk_log_text("scheme", scheme), fk_log_id("session", conn->session == NULL ? 0 : conn->session->id));
    if (fk_throttle_failed(&gateway->throttle, address, gateway->now_ms)) {
        fk_log_security(FK_LOG_WARN,
                        "too many failures to authenticate within a minute: the next attempts have to wait",
                        fk_log_bytes("address", address), fk_log_number("failures", FK_AUTH_FAILURES_MAX));
    }
}

/* True where an attempt to authenticate has to wait. Only its connection does: its input stays unread. */
static bool must_wait(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (conn->auth_wait_ms == 0 && conn->sasl == NULL &&
        fk_throttle_slow(&gateway->throttle, address_of(conn), gateway->now_ms)) {
        conn->auth_wait_ms = gateway->now_ms + FK_AUTH_DELAY_MS;
    }
    return gateway->now_ms < conn->auth_wait_ms;
}

/* ZK: AuthenticationHelper.enforceAuthentication. */
static void refuse_unauthenticated(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid)
{
    struct fk_bytes address = address_of(conn);
    fk_log_security(FK_LOG_WARN, "connection closed: a request without the authentication that is enforced",
                    fk_log_text("schemes", gateway->options.auth.enforced_schemes), fk_log_bytes("address", address));
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = xid, .code = FK_CODE_SASL_REQUIRED}, FK_BYTES_NULL);
    fk_conn_close(gateway, conn);
}

enum fk_auth_gate fk_auth_gate(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, int32_t op)
{
    if (fk_sasl_busy(conn)) {
        return FK_AUTH_WAIT;
    }
    if (op == FK_OP_AUTH || op == FK_OP_SASL) {
        return must_wait(gateway, conn) ? FK_AUTH_WAIT : FK_AUTH_PASS;
    }
    if (gateway->options.auth.enforced_schemes == NULL || has_enforced_id(gateway, conn)) {
        return FK_AUTH_PASS;
    }
    refuse_unauthenticated(gateway, conn, xid);
    return FK_AUTH_REFUSED;
}

void fk_auth_tick(struct fk_gateway *gateway, struct fk_conn *conn)
{
    if (fk_sasl_late(gateway, conn)) {
        fk_log_security(FK_LOG_WARN, "connection closed: its SASL exchange takes too long",
                        fk_log_bytes("address", address_of(conn)), fk_log_number("limit_ms", FK_SASL_EXCHANGE_MS));
        fk_conn_kill(gateway, conn);
    } else if (conn->auth_wait_ms != 0 && gateway->now_ms >= conn->auth_wait_ms) {
        fk_conn_process(gateway, conn);
    }
}

static struct fk_bytes user_of(struct fk_bytes credentials)
{
    const uint8_t *colon =
        credentials.size == 0 ? NULL : (const uint8_t *)memchr(credentials.data, ':', credentials.size);
    return fk_bytes_head(credentials, colon == NULL ? credentials.size : (size_t)(colon - credentials.data));
}

/* ZK: DigestAuthenticationProvider.handleAuthentication. Any password is right, it makes another identity; but whoever
 * calls himself super and is not, guesses. */
static bool auth_digest(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes credentials)
{
    const char *super = gateway->options.super_digest;
    struct fk_buf id = FK_BUF_EMPTY;
    bool added = fk_digest_id_by(gateway->options.auth.digest, credentials, &id) == FK_OK;
    if (added && super != NULL) {
        if (fk_bytes_equal_secret(fk_buf_view(&id), fk_bytes_text(super))) {
            added = fk_auth_add(conn, FK_BYTES_LITERAL("super"), FK_BYTES_LITERAL(""));
        } else if (fk_bytes_equal(user_of(credentials), user_of(fk_bytes_text(super)))) {
            fk_auth_failed(gateway, conn, "super");
        }
    }
    added = added && fk_auth_add(conn, FK_BYTES_LITERAL("digest"), fk_buf_view(&id));
    fk_buf_deinit(&id);
    return added;
}

static bool has_scheme(const struct fk_conn *conn, struct fk_bytes wanted)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&conn->ids));
    int32_t count = fk_read_count(&reader, 8);
    bool found = false;
    for (int32_t i = 0; i < count; i++) {
        found = fk_bytes_equal(fk_read_bytes(&reader), wanted) || found;
        (void)fk_read_bytes(&reader);
    }
    return found;
}

enum verdict {
    VERDICT_FAILED,
    VERDICT_OK,
    VERDICT_ELSEWHERE, /* the client shall try another server: the end, without an answer */
};

/* ZK: EnsembleAuthenticationProvider: a name of the server, no identity of the client. */
static enum verdict auth_ensemble(const struct fk_gateway *gateway, struct fk_bytes name)
{
    const struct fk_auth_options *options = &gateway->options.auth;
    if (!options->ensemble) {
        return VERDICT_FAILED;
    }
    bool ok = name.size == 0 || options->ensemble_names == NULL || list_has(options->ensemble_names, name);
    return ok ? VERDICT_OK : VERDICT_ELSEWHERE;
}

static enum verdict authenticate(struct fk_gateway *gateway, struct fk_conn *conn,
                                 const struct fk_auth_request *request)
{
    bool ok = false;
    if (fk_bytes_equal_text(request->scheme, "digest")) {
        ok = !gateway->options.auth.digest_disabled && auth_digest(gateway, conn, request->auth);
    } else if (fk_bytes_equal_text(request->scheme, "ip")) {
        ok = true; /* the address is an identity from the start */
    } else if (fk_bytes_equal_text(request->scheme, "x509")) {
        ok = has_scheme(conn, request->scheme); /* from the certificate, with the handshake */
    } else if (fk_bytes_equal_text(request->scheme, "ensemble")) {
        return auth_ensemble(gateway, request->auth);
    }
    return ok ? VERDICT_OK : VERDICT_FAILED;
}

void fk_auth_request(struct fk_gateway *gateway, struct fk_conn *conn, int32_t xid, struct fk_bytes body)
{
    struct fk_reader reader = fk_reader_of(body);
    struct fk_auth_request request;
    conn->auth_wait_ms = 0;
    fk_read_auth_request(&reader, &request);
    if (reader.failed) { /* ZK: an exception while it is read ends the connection, without a reply */
        fk_auth_failed(gateway, conn, "unreadable");
        fk_conn_close(gateway, conn);
        return;
    }
    enum verdict verdict = authenticate(gateway, conn, &request);
    if (verdict == VERDICT_ELSEWHERE) {
        fk_auth_failed(gateway, conn, "ensemble");
        fk_conn_kill(gateway, conn);
        return;
    }
    int32_t code = verdict == VERDICT_OK ? FK_CODE_OK : FK_CODE_AUTH_FAILED;
    fk_conn_reply(gateway, conn, &(struct fk_reply_header){.xid = xid, .zxid = 0, .code = code}, FK_BYTES_NULL);
    if (verdict != VERDICT_OK) {
        char scheme[64];
        struct fk_bytes name = fk_bytes_head(request.scheme, sizeof scheme - 1);
        if (name.size > 0) {
            memcpy(scheme, name.data, name.size);
        }
        scheme[name.size] = '\0';
        fk_auth_failed(gateway, conn, scheme);
        fk_conn_close(gateway, conn);
    }
}
