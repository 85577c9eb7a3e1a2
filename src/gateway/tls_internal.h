// SPDX-License-Identifier: Apache-2.0
/* What the parts of TLS share: tls.c (sessions), tls_context.c (options), tls_store.c (files), tls_name.c (subjects).
 */
#ifndef FK_GATEWAY_TLS_INTERNAL_H
#define FK_GATEWAY_TLS_INTERNAL_H

#include "gateway/tls.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

struct fk_tls_context {
    struct fk_tls_options options;
    SSL_CTX *ssl;
    BIO_METHOD *bio;
};

/* A key store or a trust store, as the configuration names it. */
struct fk_tls_store {
    const char *key; /* "ssl.keyStore": the beginning of its keys' names, for messages */
    const char *path;
    const char *type;
    const char *password;
    const char *password_path;
};

/* tls.c: the transport of sessions; NULL without memory. */
BIO_METHOD *fk_tls_bio_new(void);

/* tls_store.c: read a store into a context. */
enum fk_err fk_tls_load_key(SSL_CTX *ssl, const struct fk_tls_store *store, struct fk_diag *diag);
/* `crl`: there must be revocation lists, and they are looked at. */
enum fk_err fk_tls_load_trust(SSL_CTX *ssl, const struct fk_tls_store *store, bool crl, struct fk_diag *diag);

/* tls_name.c: RFC 2253 as Java writes it. */
enum fk_err fk_tls_name(const X509_NAME *name, struct fk_buf *text);

/* tls_context.c: the first error that OpenSSL noted, as a text; its notes are cleared. */
const char *fk_tls_openssl_error(void);

#endif
