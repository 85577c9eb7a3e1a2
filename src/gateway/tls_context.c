// SPDX-License-Identifier: Apache-2.0
/* What the options say, as OpenSSL wants it. */
#include "gateway/tls_internal.h"

#include "base/alloc.h"
#include "base/limits.h"

#include <openssl/err.h>
#include <string.h>

const char *fk_tls_openssl_error(void)
{
    unsigned long error = ERR_get_error();
    const char *text = error == 0 ? NULL : ERR_reason_error_string(error);
    ERR_clear_error();
    return text == NULL ? "the peer went away" : text;
}

/* Calls `use` for each name of a list with commas (or spaces) between them. */
static enum fk_err each_name(const char *list, enum fk_err (*use)(void *context, const char *name), void *context)
{
    enum {
        NAME_SIZE_MAX = 96,
    };
    enum fk_err err = FK_OK;
    while (*list != '\0' && err == FK_OK) {
        char name[NAME_SIZE_MAX];
        size_t size = strcspn(list, ", ");
        if (size > 0) {
            size_t kept = size < sizeof name ? size : sizeof name - 1;
            memcpy(name, list, kept);
            name[kept] = '\0';
            err = use(context, name);
        }
        list += size;
        list += strspn(list, ", ");
    }
    return err;
}

/* --- versions --- */

struct versions {
    bool v12;
    bool v13;
    const char *key;
    struct fk_diag *diag;
};

static enum fk_err use_version(void *context, const char *name)
{
    struct versions *versions = (struct versions *)context;
    if (strcmp(name, "TLSv1.2") == 0) {
        versions->v12 = true;
    } else if (strcmp(name, "TLSv1.3") == 0) {
        versions->v13 = true;
    } else {
        fk_diag_set(versions->diag, "%s: '%s' is not spoken here; TLSv1.2 and TLSv1.3 are (older versions are broken)",
                    versions->key, name);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

static enum fk_err set_versions(SSL_CTX *ssl, const struct fk_tls_options *options, struct fk_diag *diag)
{
    struct versions versions = {.key = "ssl.enabledProtocols", .diag = diag};
    enum fk_err err = FK_OK;
    if (options->protocols != NULL) {
        err = each_name(options->protocols, use_version, &versions);
    } else if (options->protocol != NULL && strcmp(options->protocol, "TLS") != 0) {
        versions.key = "ssl.protocol"; /* the oldest one */
        err = each_name(options->protocol, use_version, &versions);
        versions.v13 = true;
    } else {
        versions.v12 = versions.v13 = true;
    }
    if (err == FK_OK && !versions.v12 && !versions.v13) {
        fk_diag_set(diag, "%s: no version is named; TLSv1.2 and TLSv1.3 are spoken here", versions.key);
        err = FK_ERR_USAGE;
    }
    if (err == FK_OK && (SSL_CTX_set_min_proto_version(ssl, versions.v12 ? TLS1_2_VERSION : TLS1_3_VERSION) != 1 ||
                         SSL_CTX_set_max_proto_version(ssl, versions.v13 ? TLS1_3_VERSION : TLS1_2_VERSION) != 1)) {
        err = FK_ERR_NOMEM;
    }
    return err;
}

/* --- cipher suites --- */

struct suites {
    struct fk_buf old; /* of TLS 1.2, OpenSSL's names */
    struct fk_buf new; /* of TLS 1.3 */
    struct fk_diag *diag;
};

/* Java and IANA write TLS_ECDHE_RSA_WITH_..., OpenSSL ECDHE-RSA-...; names of TLS 1.3 are the same everywhere. */
static enum fk_err use_suite(void *context, const char *name)
{
    struct suites *suites = (struct suites *)context;
    const char *known = OPENSSL_cipher_name(name);
    if (strcmp(known, "(NONE)") == 0) {
        known = strncmp(name, "TLS_", 4) == 0 ? NULL : name;
    }
    if (known == NULL) {
        fk_diag_set(suites->diag,
                    "ssl.ciphersuites: OpenSSL does not know '%s'; `openssl ciphers -stdname` lists names", name);
        return FK_ERR_USAGE;
    }
    struct fk_buf *list = strncmp(known, "TLS_", 4) == 0 ? &suites->new : &suites->old;
    fk_buf_print(list, "%s%s", fk_buf_left(list) == 0 ? "" : ":", known);
    return list->failed ? FK_ERR_NOMEM : FK_OK;
}

/* Where suites are named, no others are spoken, in either version. */
static enum fk_err set_suites(SSL_CTX *ssl, const char *names, struct fk_diag *diag)
{
    struct suites suites = {.old = FK_BUF_EMPTY, .new = FK_BUF_EMPTY, .diag = diag};
    enum fk_err err = names == NULL ? FK_OK : each_name(names, use_suite, &suites);
    fk_buf_append(&suites.old, fk_bytes_of("", 1));
    fk_buf_append(&suites.new, fk_bytes_of("", 1));
    if (err == FK_OK && (suites.old.failed || suites.new.failed)) {
        err = FK_ERR_NOMEM;
    }
    if (err == FK_OK && names != NULL) {
        const char *old = (const char *)suites.old.data;
        const char *new = (const char *)suites.new.data;
        bool ok = SSL_CTX_set_ciphersuites(ssl, new) == 1 && (*old == '\0' || SSL_CTX_set_cipher_list(ssl, old) == 1);
        if (!ok || (*old == '\0' && *new == '\0')) {
            fk_diag_set(diag, "ssl.ciphersuites: OpenSSL does not take '%s': %s", names, fk_tls_openssl_error());
            err = FK_ERR_USAGE;
        } else if ((*old == '\0' && SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) != 1) ||
                   (*new == '\0' && SSL_CTX_set_max_proto_version(ssl, TLS1_2_VERSION) != 1)) {
            err = FK_ERR_NOMEM;
        }
    }
    fk_buf_deinit(&suites.old);
    fk_buf_deinit(&suites.new);
    return err;
}

/* --- the whole --- */

static enum fk_err check_options(const struct fk_tls_options *options, struct fk_diag *diag)
{
    if (options->key_store == NULL) {
        fk_diag_set(diag,
                    "TLS needs ssl.keyStore.location: a PEM or PKCS12 file with the server's certificate and key");
        return FK_ERR_USAGE;
    }
    if (options->client_auth != FK_CLIENT_AUTH_NONE && options->trust_store == NULL) {
        fk_diag_set(diag,
                    "ssl.clientAuth=%s needs ssl.trustStore.location, the certificates of those who sign clients' "
                    "certificates; or set ssl.clientAuth=none",
                    options->client_auth == FK_CLIENT_AUTH_NEED ? "need" : "want");
        return FK_ERR_USAGE;
    }
    if (options->crl && options->trust_store == NULL) {
        fk_diag_set(diag, "ssl.crl needs ssl.trustStore.location, a file that has the revocation lists too");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* No tickets: a handshake is always one with a certificate that is looked at, and idle sessions stay small. */
static void set_rules(SSL_CTX *ssl, const struct fk_tls_options *options)
{
    int verify = SSL_VERIFY_NONE;
    if (options->client_auth != FK_CLIENT_AUTH_NONE) {
        verify = SSL_VERIFY_PEER | (options->client_auth == FK_CLIENT_AUTH_NEED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    }
    SSL_CTX_set_verify(ssl, verify, NULL);
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_num_tickets(ssl, 0);
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_max_cert_list(ssl, FK_TLS_CERTIFICATES_SIZE_MAX);
}

static enum fk_err load(const struct fk_tls_options *options, SSL_CTX **out, struct fk_diag *diag)
{
    const struct fk_tls_store key = {"ssl.keyStore", options->key_store, options->key_store_type,
                                     options->key_store_password, options->key_store_password_path};
    const struct fk_tls_store trust = {"ssl.trustStore", options->trust_store, options->trust_store_type,
                                       options->trust_store_password, options->trust_store_password_path};
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    if (ssl == NULL) {
        return FK_ERR_NOMEM;
    }
    set_rules(ssl, options);
    enum fk_err err = set_versions(ssl, options, diag);
    if (err == FK_OK) {
        err = set_suites(ssl, options->ciphers, diag);
    }
    if (err == FK_OK) {
        err = fk_tls_load_key(ssl, &key, diag);
    }
    if (err == FK_OK && options->trust_store != NULL) {
        err = fk_tls_load_trust(ssl, &trust, options->crl, diag);
    }
    if (err != FK_OK) {
        SSL_CTX_free(ssl);
        return err;
    }
    *out = ssl;
    return FK_OK;
}

enum fk_err fk_tls_context_new(const struct fk_tls_options *options, struct fk_tls_context **out, struct fk_diag *diag)
{
    enum fk_err err = check_options(options, diag);
    if (err != FK_OK) {
        return err;
    }
    struct fk_tls_context *context = (struct fk_tls_context *)fk_alloc_zero(sizeof *context);
    if (context == NULL) {
        return FK_ERR_NOMEM;
    }
    context->options = *options;
    context->bio = fk_tls_bio_new();
    err = context->bio == NULL ? FK_ERR_NOMEM : load(options, &context->ssl, diag);
    if (err != FK_OK) {
        fk_tls_context_free(context);
        return err;
    }
    *out = context;
    return FK_OK;
}

enum fk_err fk_tls_context_reload(struct fk_tls_context *context, struct fk_diag *diag)
{
    SSL_CTX *fresh = NULL;
    enum fk_err err = load(&context->options, &fresh, diag);
    if (err == FK_OK) {
        SSL_CTX_free(context->ssl); /* sessions hold references of their own */
        context->ssl = fresh;
    }
    return err;
}

void fk_tls_context_free(struct fk_tls_context *context)
{
    if (context != NULL) {
        SSL_CTX_free(context->ssl);
        BIO_meth_free(context->bio);
        fk_free(context);
    }
}
