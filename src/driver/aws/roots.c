// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/roots.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static bool add_amazon(SSL_CTX *context)
{
    for (size_t i = 0; i < FK_AWS_ROOT_COUNT; i++) {
        const uint8_t *at = fk_aws_roots_der[i].data;
        X509 *root = d2i_X509(NULL, &at, (long)fk_aws_roots_der[i].size);
        bool done = root != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root) == 1;
        X509_free(root);
        if (!done) {
            return false;
        }
    }
    return true;
}

enum fk_err fk_aws_roots_context(enum fk_aws_trust trust, const char *bundle, struct ssl_ctx_st **context,
                                 struct fk_diag *diag)
{
    SSL_CTX *made = SSL_CTX_new(TLS_client_method());
    if (made == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = SSL_CTX_set_min_proto_version(made, TLS1_2_VERSION) == 1 ? FK_OK : FK_ERR_IO;
    if (err == FK_OK && bundle != NULL) {
        err = SSL_CTX_load_verify_file(made, bundle) == 1 ? FK_OK : FK_ERR_USAGE;
        if (err != FK_OK) {
            fk_diag_set(diag, "AWS_CA_BUNDLE: %s: no certificates in PEM can be read from it", bundle);
        }
    } else if (err == FK_OK && trust == FK_AWS_TRUST_SYSTEM) {
        err = SSL_CTX_set_default_verify_paths(made) == 1 ? FK_OK : FK_ERR_IO;
    } else if (err == FK_OK) {
        err = add_amazon(made) ? FK_OK : FK_ERR_NOMEM;
    }
    ERR_clear_error();
    if (err != FK_OK) {
        SSL_CTX_free(made);
        return err;
    }
    *context = made;
    return FK_OK;
}
