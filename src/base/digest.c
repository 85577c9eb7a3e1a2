// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <openssl/evp.h>
#include <strings.h>

/* Java's names and OpenSSL's; the first row of each algorithm is the one that is used. */
static const struct {
    const char *java;
    enum fk_digest_algorithm algorithm;
    const char *openssl;
} names[] = {
    {"SHA1", FK_DIGEST_SHA1, "SHA1"},
    {"SHA-1", FK_DIGEST_SHA1, "SHA1"},
    {"SHA", FK_DIGEST_SHA1, "SHA1"},
    {"MD5", FK_DIGEST_MD5, "MD5"},
    {"SHA-224", FK_DIGEST_SHA224, "SHA2-224"},
    {"SHA224", FK_DIGEST_SHA224, "SHA2-224"},
    {"SHA-256", FK_DIGEST_SHA256, "SHA2-256"},
    {"SHA256", FK_DIGEST_SHA256, "SHA2-256"},
    {"SHA-384", FK_DIGEST_SHA384, "SHA2-384"},
    {"SHA384", FK_DIGEST_SHA384, "SHA2-384"},
    {"SHA-512", FK_DIGEST_SHA512, "SHA2-512"},
    {"SHA512", FK_DIGEST_SHA512, "SHA2-512"},
    {"SHA3-224", FK_DIGEST_SHA3_224, "SHA3-224"},
    {"SHA3-256", FK_DIGEST_SHA3_256, "SHA3-256"},
    {"SHA3-384", FK_DIGEST_SHA3_384, "SHA3-384"},
    {"SHA3-512", FK_DIGEST_SHA3_512, "SHA3-512"},
};

enum {
    BASE64_SIZE_MAX = (EVP_MAX_MD_SIZE + 2) / 3 * 4,
};

bool fk_digest_parse(const char *name, enum fk_digest_algorithm *algorithm)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(name, names[i].java) == 0) {
            *algorithm = names[i].algorithm;
            return true;
        }
    }
    return false;
}

static const char *openssl_name(enum fk_digest_algorithm algorithm)
{
    size_t i = 0;
    while (names[i].algorithm != algorithm) {
        i++;
    }
    return names[i].openssl;
}

static bool hash_credentials(enum fk_digest_algorithm algorithm, struct fk_bytes credentials, uint8_t *hash,
                             unsigned *size)
{
    if (algorithm == FK_DIGEST_SHA1) { /* the usual one needs no look-up */
        return EVP_Digest(credentials.data, credentials.size, hash, size, EVP_sha1(), NULL) == 1;
    }
    EVP_MD *method = EVP_MD_fetch(NULL, openssl_name(algorithm), NULL);
    bool ok = method != NULL && EVP_Digest(credentials.data, credentials.size, hash, size, method, NULL) == 1;
    EVP_MD_free(method);
    return ok;
}

enum fk_err fk_digest_id_by(enum fk_digest_algorithm algorithm, struct fk_bytes credentials, struct fk_buf *out)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int hash_size = 0;
    uint8_t encoded[BASE64_SIZE_MAX + 1];
    if (!hash_credentials(algorithm, credentials, hash, &hash_size)) {
        return FK_ERR_IO;
    }
    int encoded_size = EVP_EncodeBlock(encoded, hash, (int)hash_size);
    const uint8_t *colon =
        credentials.size == 0 ? NULL : (const uint8_t *)memchr(credentials.data, ':', credentials.size);
    size_t user_size = colon == NULL ? credentials.size : (size_t)(colon - credentials.data);
    fk_buf_append(out, fk_bytes_head(credentials, user_size));
    fk_buf_append(out, FK_BYTES_LITERAL(":"));
    fk_buf_append(out, fk_bytes_of(encoded, (size_t)encoded_size));
    return out->failed ? FK_ERR_NOMEM : FK_OK;
}

enum fk_err fk_digest_id(struct fk_bytes credentials, struct fk_buf *out)
{
    return fk_digest_id_by(FK_DIGEST_SHA1, credentials, out);
}
