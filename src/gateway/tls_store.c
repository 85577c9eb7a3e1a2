// SPDX-License-Identifier: Apache-2.0
/* Key stores and trust stores: PEM and PKCS12 files. Java's own formats are refused with the way out. */
#include "gateway/tls_internal.h"

#include "base/limits.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum format {
    FORMAT_PEM,
    FORMAT_PKCS12,
    FORMAT_JAVA,
};

/* The bytes of a store and its password, both wiped at the end. */
struct file {
    const struct fk_tls_store *store;
    struct fk_buf bytes;
    char password[FK_TLS_PASSWORD_SIZE_MAX + 1];
    struct fk_diag *diag;
};

static void wipe(struct file *file)
{
    if (file->bytes.data != NULL) {
        OPENSSL_cleanse(file->bytes.data, file->bytes.size);
    }
    fk_buf_deinit(&file->bytes);
    OPENSSL_cleanse(file->password, sizeof file->password);
}

static enum fk_err read_file(const char *key, const char *suffix, const char *path, struct fk_buf *bytes,
                             struct fk_diag *diag)
{
    FILE *in = fopen(path, "rbe");
    if (in == NULL) {
        fk_diag_set(diag, "%s.%s: can't read '%s': %s", key, suffix, path, strerror(errno));
        return FK_ERR_USAGE;
    }
    uint8_t *room = fk_buf_reserve(bytes, FK_TLS_STORE_SIZE_MAX + 1);
    size_t size = room == NULL ? 0 : fread(room, 1, FK_TLS_STORE_SIZE_MAX + 1, in);
    bool failed = ferror(in) != 0;
    int number = errno;
    (void)fclose(in);
    if (room == NULL) {
        return FK_ERR_NOMEM;
    }
    bytes->size = size;
    if (failed || size > FK_TLS_STORE_SIZE_MAX) {
        fk_diag_set(diag, "%s.%s: can't read '%s': %s", key, suffix, path,
                    failed ? strerror(number) : "it is too large to be a store");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* The password as configured, or the first line of its file. */
static enum fk_err read_password(struct file *file)
{
    const struct fk_tls_store *store = file->store;
    struct fk_buf bytes = FK_BUF_EMPTY;
    struct fk_bytes password = fk_bytes_text(store->password == NULL ? "" : store->password);
    enum fk_err err = FK_OK;
    if (store->password_path != NULL && store->password_path[0] != '\0') {
        err = read_file(store->key, "passwordPath", store->password_path, &bytes, file->diag);
        password = fk_buf_view(&bytes);
        const uint8_t *end = (const uint8_t *)(password.size == 0 ? NULL : memchr(password.data, '\n', password.size));
        password.size = end == NULL ? password.size : (size_t)(end - password.data);
        if (password.size > 0 && password.data[password.size - 1] == '\r') {
            password.size--;
        }
    }
    if (err == FK_OK && password.size > FK_TLS_PASSWORD_SIZE_MAX) {
        fk_diag_set(file->diag, "%s.password: longer than %d bytes", store->key, FK_TLS_PASSWORD_SIZE_MAX);
        err = FK_ERR_USAGE;
    }
    if (err == FK_OK && password.size > 0) {
        memcpy(file->password, password.data, password.size);
        file->password[password.size] = '\0';
    }
    if (bytes.data != NULL) {
        OPENSSL_cleanse(bytes.data, bytes.size);
    }
    fk_buf_deinit(&bytes);
    return err;
}

static bool begins_with(struct fk_bytes bytes, const char *start, size_t size)
{
    return bytes.size >= size && memcmp(bytes.data, start, size) == 0;
}

/* JKS and JCEKS have magic numbers, PKCS12 is a DER sequence, the rest is text. */
static enum format format_of(struct fk_bytes bytes)
{
    if (begins_with(bytes, "\xfe\xed\xfe\xed", 4) || begins_with(bytes, "\xce\xce\xce\xce", 4)) {
        return FORMAT_JAVA;
    }
    return begins_with(bytes, "\x30", 1) ? FORMAT_PKCS12 : FORMAT_PEM;
}

static enum fk_err check_format(const struct file *file, enum format format)
{
    const struct fk_tls_store *store = file->store;
    const char *type = store->type;
    if (format == FORMAT_JAVA) {
        fk_diag_set(file->diag,
                    "%s.location: '%s' is a Java key store (JKS); convert it: keytool -importkeystore -srckeystore %s "
                    "-destkeystore %s.p12 -deststoretype PKCS12",
                    store->key, store->path, store->path, store->path);
        return FK_ERR_USAGE;
    }
    if (type == NULL || type[0] == '\0') {
        return FK_OK;
    }
    bool pem = strcasecmp(type, "PEM") == 0;
    if (!pem && strcasecmp(type, "PKCS12") != 0) {
        fk_diag_set(file->diag, "%s.type: '%s' can't be read here; PEM and PKCS12 can", store->key, type);
        return FK_ERR_USAGE;
    }
    if (pem != (format == FORMAT_PEM)) {
        fk_diag_set(file->diag, "%s.location: '%s' is no %s file, as %s.type says", store->key, store->path, type,
                    store->key);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

static enum fk_err open_store(struct file *file, enum format *format)
{
    enum fk_err err = read_file(file->store->key, "location", file->store->path, &file->bytes, file->diag);
    if (err == FK_OK) {
        *format = format_of(fk_buf_view(&file->bytes));
        err = check_format(file, *format);
    }
    return err == FK_OK ? read_password(file) : err;
}

/* What is wrong with a store; OpenSSL's words for its insides. */
static enum fk_err wrong(const struct file *file, const char *what)
{
    const char *reason = fk_tls_openssl_error();
    fk_diag_set(file->diag, "%s.location: '%s': %s (%s)", file->store->key, file->store->path, what, reason);
    return FK_ERR_USAGE;
}

/* --- PEM --- */

static int give_password(char *out, int size, int writing, void *context)
{
    const char *password = (const char *)context;
    size_t length = strlen(password);
    (void)writing;
    if (length > (size_t)size) {
        return -1;
    }
    memcpy(out, password, length); /* NOLINT(bugprone-not-null-terminated-result): its length is returned */
    return (int)length;
}

static BIO *bio_of(const struct file *file)
{
    struct fk_bytes bytes = fk_buf_view(&file->bytes);
    return BIO_new_mem_buf(bytes.data, (int)bytes.size);
}

static enum fk_err use_pem_key(SSL_CTX *ssl, struct file *file)
{
    BIO *bio = bio_of(file);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, give_password, file->password);
    BIO_free(bio);
    if (key == NULL) {
        return wrong(file, "no private key could be read; is there one, and is the password right?");
    }
    bool ok = SSL_CTX_use_PrivateKey(ssl, key) == 1;
    EVP_PKEY_free(key);
    return ok ? FK_OK : wrong(file, "the private key does not belong to the certificate");
}

/* The first certificate is the server's, the others are its chain. */
static enum fk_err use_pem_chain(SSL_CTX *ssl, struct file *file)
{
    BIO *bio = bio_of(file);
    X509 *certificate = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, give_password, file->password);
    if (certificate == NULL) {
        BIO_free(bio);
        return wrong(file, "no certificate could be read");
    }
    bool ok = SSL_CTX_use_certificate(ssl, certificate) == 1;
    X509_free(certificate);
    while (ok && (certificate = PEM_read_bio_X509(bio, NULL, give_password, file->password)) != NULL) {
        ok = SSL_CTX_add0_chain_cert(ssl, certificate) == 1;
    }
    BIO_free(bio);
    if (ok) {
        ERR_clear_error(); /* the end of the file is one */
    }
    return ok ? FK_OK : wrong(file, "the certificate can't be used");
}

/* --- PKCS12 --- */

static enum fk_err read_pkcs12(const struct file *file, EVP_PKEY **key, X509 **certificate, STACK_OF(X509) * *others)
{
    BIO *bio = bio_of(file);
    PKCS12 *pkcs12 = bio == NULL ? NULL : d2i_PKCS12_bio(bio, NULL);
    BIO_free(bio);
    if (pkcs12 == NULL) {
        return wrong(file, "neither PEM nor PKCS12");
    }
    int ok = PKCS12_parse(pkcs12, file->password, key, certificate, others);
    PKCS12_free(pkcs12);
    return ok == 1 ? FK_OK : wrong(file, "it can't be opened; is the password right?");
}

static enum fk_err use_pkcs12(SSL_CTX *ssl, struct file *file)
{
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *others = NULL;
    enum fk_err err = read_pkcs12(file, &key, &certificate, &others);
    if (err == FK_OK && (key == NULL || certificate == NULL)) {
        err = wrong(file, "it holds no private key with a certificate");
    } else if (err == FK_OK && SSL_CTX_use_cert_and_key(ssl, certificate, key, others, 1) != 1) {
        err = wrong(file, "its certificate and key can't be used");
    }
    EVP_PKEY_free(key);
    X509_free(certificate);
    sk_X509_pop_free(others, X509_free);
    return err;
}

enum fk_err fk_tls_load_key(SSL_CTX *ssl, const struct fk_tls_store *store, struct fk_diag *diag)
{
    struct file file = {.store = store, .bytes = FK_BUF_EMPTY, .diag = diag};
    enum format format = FORMAT_PEM;
    ERR_clear_error();
    enum fk_err err = open_store(&file, &format);
    if (err == FK_OK && format == FORMAT_PKCS12) {
        err = use_pkcs12(ssl, &file);
    } else if (err == FK_OK) {
        err = use_pem_chain(ssl, &file);
        err = err == FK_OK ? use_pem_key(ssl, &file) : err;
    }
    /* A key of another kind than the certificate's is not noticed above. */
    if (err == FK_OK && SSL_CTX_check_private_key(ssl) != 1) {
        err = wrong(&file, "the private key does not belong to the certificate");
    }
    wipe(&file);
    return err;
}

/* --- trust --- */

/* Clients are told the names of who may sign; a certificate that is there twice is there. */
static bool trust(SSL_CTX *ssl, X509 *certificate)
{
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), certificate) == 1 &&
           SSL_CTX_add_client_CA(ssl, certificate) == 1;
}

static enum fk_err trust_pem(SSL_CTX *ssl, const struct file *file, size_t *certificates, size_t *lists)
{
    BIO *bio = bio_of(file);
    STACK_OF(X509_INFO) *items = bio == NULL ? NULL : PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (items == NULL) {
        return wrong(file, "neither PEM nor PKCS12");
    }
    bool ok = true;
    for (int i = 0; i < sk_X509_INFO_num(items) && ok; i++) {
        const X509_INFO *item = sk_X509_INFO_value(items, i);
        if (item->x509 != NULL) {
            ok = trust(ssl, item->x509);
            *certificates += 1;
        }
        if (item->crl != NULL && ok) {
            ok = X509_STORE_add_crl(SSL_CTX_get_cert_store(ssl), item->crl) == 1;
            *lists += 1;
        }
    }
    sk_X509_INFO_pop_free(items, X509_INFO_free);
    return ok ? FK_OK : wrong(file, "a certificate in it can't be used");
}

static enum fk_err trust_pkcs12(SSL_CTX *ssl, const struct file *file, size_t *certificates)
{
    EVP_PKEY *key = NULL;
    X509 *own = NULL;
    STACK_OF(X509) *others = NULL;
    enum fk_err err = read_pkcs12(file, &key, &own, &others);
    bool ok = true;
    for (int i = 0; err == FK_OK && i < sk_X509_num(others) && ok; i++) {
        ok = trust(ssl, sk_X509_value(others, i));
        *certificates += 1;
    }
    if (own != NULL && ok) {
        ok = trust(ssl, own);
        *certificates += 1;
    }
    EVP_PKEY_free(key);
    X509_free(own);
    sk_X509_pop_free(others, X509_free);
    return err == FK_OK && !ok ? wrong(file, "a certificate in it can't be used") : err;
}

enum fk_err fk_tls_load_trust(SSL_CTX *ssl, const struct fk_tls_store *store, bool crl, struct fk_diag *diag)
{
    struct file file = {.store = store, .bytes = FK_BUF_EMPTY, .diag = diag};
    enum format format = FORMAT_PEM;
    size_t certificates = 0;
    size_t lists = 0;
    ERR_clear_error();
    enum fk_err err = open_store(&file, &format);
    if (err == FK_OK) {
        err = format == FORMAT_PKCS12 ? trust_pkcs12(ssl, &file, &certificates)
                                      : trust_pem(ssl, &file, &certificates, &lists);
    }
    if (err == FK_OK && certificates == 0) {
        err = wrong(&file, "it holds no certificate");
    }
    if (err == FK_OK && crl && lists == 0) {
        fk_diag_set(diag, "ssl.crl: '%s' (ssl.trustStore.location) holds no revocation list", store->path);
        err = FK_ERR_USAGE;
    }
    if (err == FK_OK && crl) {
        (void)X509_STORE_set_flags(SSL_CTX_get_cert_store(ssl), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
    wipe(&file);
    return err;
}
