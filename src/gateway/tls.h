// SPDX-License-Identifier: Apache-2.0
/* TLS over OpenSSL, without sockets: bytes go in, bytes come out. A context has the certificates and what is allowed; a
 * session is one connection's. Contexts can be loaded again while sessions live: they keep what they began with.
 * Sources: ZooKeeper's X509Util and ClientX509Util (names and defaults of ssl.*), RFC 8446, RFC 5246. */
#ifndef FK_GATEWAY_TLS_H
#define FK_GATEWAY_TLS_H

#include "base/buf.h"
#include "base/err.h"

enum fk_client_auth {
    FK_CLIENT_AUTH_NEED, /* a handshake without a certificate fails */
    FK_CLIENT_AUTH_WANT,
    FK_CLIENT_AUTH_NONE,
};

/* Strings are borrowed while the context lives; NULL where nothing was configured. */
struct fk_tls_options {
    const char *key_store; /* certificate chain and private key */
    const char *key_store_type;
    const char *key_store_password;
    const char *key_store_password_path;
    const char *trust_store; /* who may sign certificates of clients, and revocation lists */
    const char *trust_store_type;
    const char *trust_store_password;
    const char *trust_store_password_path;
    const char *protocols; /* "TLSv1.3,TLSv1.2" */
    const char *protocol;  /* oldest, where protocols is NULL */
    const char *ciphers;   /* Java's (IANA's) or OpenSSL's names, commas between them */
    enum fk_client_auth client_auth;
    bool crl;                   /* certificates must not be in the trust store's revocation lists */
    bool verify_client_address; /* a client's certificate must name its address */
};

struct fk_tls_context;
struct fk_tls;

/* USAGE: an option is wrong, or a store can't be read or holds something else; diag names the key and the file. */
enum fk_err fk_tls_context_new(const struct fk_tls_options *options, struct fk_tls_context **context,
                               struct fk_diag *diag);
/* Reads the stores again. On errors (as above) everything stays as it was. */
enum fk_err fk_tls_context_reload(struct fk_tls_context *context, struct fk_diag *diag);
/* All sessions must be gone. */
void fk_tls_context_free(struct fk_tls_context *context);

/* A server's session; NULL without memory. */
struct fk_tls *fk_tls_new(struct fk_tls_context *context);
void fk_tls_free(struct fk_tls *tls);

enum fk_tls_result {
    FK_TLS_OK,
    FK_TLS_CLOSED, /* the peer said so, in order */
    FK_TLS_FAILED, /* no TLS, or not as the options want it; fk_tls_error tells */
};

/* Bytes came from the socket; all are taken. What they held is appended to `plain`, also before a failure. Afterwards
 * there may be something to send. */
enum fk_tls_result fk_tls_receive(struct fk_tls *tls, struct fk_bytes bytes, struct fk_buf *plain);

/* Seals bytes into the output; false where the session is broken. */
bool fk_tls_send(struct fk_tls *tls, struct fk_bytes bytes);

/* Tells the peer that nothing follows; best effort. */
void fk_tls_shutdown(struct fk_tls *tls);

/* Bytes for the socket; the caller consumes what it sent. */
struct fk_buf *fk_tls_output(struct fk_tls *tls);

/* True once the handshake is over. */
bool fk_tls_established(const struct fk_tls *tls);

/* Why it failed, as a static or thread-local text. */
const char *fk_tls_error(const struct fk_tls *tls);

/* Appends the subject of the client's certificate as Java's X500Principal.getName() writes it (RFC 2253); nothing where
 * the client showed none. */
enum fk_err fk_tls_subject(const struct fk_tls *tls, struct fk_buf *subject);

/* True where the options do not care, or the certificate's subjectAltName has this IP address. */
bool fk_tls_address_fits(const struct fk_tls *tls, const char *address);

#endif
