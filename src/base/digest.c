// SPDX-License-Identifier: Apache-2.0
#include "base/digest.h"

#include <openssl/evp.h>

enum {
    SHA1_SIZE = 20,
    SHA1_BASE64_SIZE = 28,
};

enum fk_err fk_digest_id(struct fk_bytes credentials, struct fk_buf *out)
{
    uint8_t hash[SHA1_SIZE];
    unsigned int hash_size = 0;
    if (EVP_Digest(credentials.data, credentials.size, hash, &hash_size, EVP_sha1(), NULL) != 1 ||
        hash_size != SHA1_SIZE) {
        return FK_ERR_IO;
    }
    uint8_t encoded[SHA1_BASE64_SIZE + 1];
    (void)EVP_EncodeBlock(encoded, hash, SHA1_SIZE);
    const uint8_t *colon =
        credentials.size == 0 ? NULL : (const uint8_t *)memchr(credentials.data, ':', credentials.size);
    size_t user_size = colon == NULL ? credentials.size : (size_t)(colon - credentials.data);
    fk_buf_append(out, fk_bytes_head(credentials, user_size));
    fk_buf_append(out, FK_BYTES_LITERAL(":"));
    fk_buf_append(out, fk_bytes_of(encoded, SHA1_BASE64_SIZE));
    return out->failed ? FK_ERR_NOMEM : FK_OK;
}
