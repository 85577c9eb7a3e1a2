// SPDX-License-Identifier: Apache-2.0
#include "gateway/tls_internal.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

struct fk_tls {
    struct fk_tls_context *context;
    SSL *ssl;
    struct fk_bytes input; /* of the receive at work: OpenSSL takes all of it */
    struct fk_buf output;
    bool established;
    bool broken;
    bool unread; /* the peer asks, and does not read the answers */
    const char *error;
};

/* --- the transport that OpenSSL sees: bytes at hand, and a buffer --- */

static int bio_read(BIO *bio, char *data, int size)
{
    struct fk_tls *tls = (struct fk_tls *)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->input.size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t taken = tls->input.size < (size_t)size ? tls->input.size : (size_t)size;
    memcpy(data, tls->input.data, taken);
    tls->input = fk_bytes_tail(tls->input, taken);
    return (int)taken;
}

static int bio_write(BIO *bio, const char *data, int size)
{
    struct fk_tls *tls = (struct fk_tls *)BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    tls->unread = fk_buf_left(&tls->output) + (size_t)size > FK_TLS_OUTPUT_SIZE_MAX;
    if (tls->unread) {
        return -1;
    }
    fk_buf_append(&tls->output, fk_bytes_of(data, (size_t)size));
    return tls->output.failed ? -1 : size;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *fk_tls_bio_new(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "faaskeeper");
    if (method != NULL) {
        (void)BIO_meth_set_read(method, bio_read);
        (void)BIO_meth_set_write(method, bio_write);
        (void)BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}

/* --- sessions --- */

struct fk_tls *fk_tls_new(struct fk_tls_context *context)
{
    struct fk_tls *tls = (struct fk_tls *)fk_alloc_zero(sizeof *tls);
    if (tls == NULL) {
        return NULL;
    }
    tls->context = context;
    tls->output = FK_BUF_EMPTY;
    tls->ssl = SSL_new(context->ssl);
    BIO *bio = tls->ssl == NULL ? NULL : BIO_new(context->bio);
    if (bio == NULL) {
        fk_tls_free(tls);
        return NULL;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void fk_tls_free(struct fk_tls *tls)
{
    if (tls != NULL) {
        SSL_free(tls->ssl);
        fk_buf_deinit(&tls->output);
        fk_free(tls);
    }
}

/* What the return value of an SSL call means. */
static enum fk_tls_result judge(struct fk_tls *tls, int status)
{
    int error = SSL_get_error(tls->ssl, status);
    if (error == SSL_ERROR_WANT_READ) {
        return FK_TLS_OK;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        return FK_TLS_CLOSED;
    }
    tls->error = tls->output.failed ? fk_err_text(FK_ERR_NOMEM)
                 : tls->unread      ? "the peer does not read"
                                    : fk_tls_openssl_error();
    tls->broken = true;
    return FK_TLS_FAILED;
}

enum fk_tls_result fk_tls_receive(struct fk_tls *tls, struct fk_bytes bytes, struct fk_buf *plain)
{
    enum {
        RECORD_SIZE = 16 * 1024, /* of TLS: no record holds more */
    };
    if (tls->broken) {
        return FK_TLS_FAILED;
    }
    ERR_clear_error();
    tls->input = bytes;
    if (!tls->established) {
        int status = SSL_do_handshake(tls->ssl);
        if (status != 1) {
            return judge(tls, status);
        }
        tls->established = true;
    }
    for (;;) {
        uint8_t *room = fk_buf_reserve(plain, RECORD_SIZE);
        size_t size = 0;
        if (room == NULL) {
            tls->error = fk_err_text(FK_ERR_NOMEM);
            tls->broken = true;
            return FK_TLS_FAILED;
        }
        int status = SSL_read_ex(tls->ssl, room, RECORD_SIZE, &size);
        if (status != 1) {
            return judge(tls, status);
        }
        plain->size += size;
    }
}

bool fk_tls_send(struct fk_tls *tls, struct fk_bytes bytes)
{
    size_t written = 0;
    if (tls->broken || !tls->established) {
        return false;
    }
    ERR_clear_error();
    if (bytes.size > 0 && SSL_write_ex(tls->ssl, bytes.data, bytes.size, &written) != 1) {
        (void)judge(tls, 0);
        return false;
    }
    return !tls->output.failed;
}

void fk_tls_shutdown(struct fk_tls *tls)
{
    if (tls->established && !tls->broken) {
        ERR_clear_error();
        (void)SSL_shutdown(tls->ssl);
        ERR_clear_error();
    }
}

struct fk_buf *fk_tls_output(struct fk_tls *tls)
{
    return &tls->output;
}

bool fk_tls_established(const struct fk_tls *tls)
{
    return tls->established;
}

const char *fk_tls_error(const struct fk_tls *tls)
{
    return tls->error == NULL ? "no error" : tls->error;
}

enum fk_err fk_tls_subject(const struct fk_tls *tls, struct fk_buf *subject)
{
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    return certificate == NULL ? FK_OK : fk_tls_name(X509_get_subject_name(certificate), subject);
}

bool fk_tls_address_fits(const struct fk_tls *tls, const char *address)
{
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    if (!tls->context->options.verify_client_address || certificate == NULL) {
        return true;
    }
    return X509_check_ip_asc(certificate, address, 0) == 1;
}
