// SPDX-License-Identifier: Apache-2.0
/* The id that ZooKeeper's digest scheme derives from "user:password": user:base64(hash("user:password")), as
 * DigestAuthenticationProvider.generateDigest does. The hash is SHA-1 unless the property digestAlg names another. */
#ifndef FK_BASE_DIGEST_H
#define FK_BASE_DIGEST_H

#include "base/buf.h"

enum fk_digest_algorithm {
    FK_DIGEST_SHA1,
    FK_DIGEST_MD5,
    FK_DIGEST_SHA224,
    FK_DIGEST_SHA256,
    FK_DIGEST_SHA384,
    FK_DIGEST_SHA512,
    FK_DIGEST_SHA3_224,
    FK_DIGEST_SHA3_256,
    FK_DIGEST_SHA3_384,
    FK_DIGEST_SHA3_512,
};

/* Reads a name of Java's MessageDigest ("SHA1", "SHA-256", "SHA3-256", "MD5"; in any case); false for others. */
bool fk_digest_parse(const char *name, enum fk_digest_algorithm *algorithm);

/* Appends the id for `credentials` to out. The user is what stands before the first ':' (all, where there is none), as
 * in ZooKeeper. Errors: FK_ERR_NOMEM; FK_ERR_IO where the cryptographic library refuses the hash. */
enum fk_err fk_digest_id(struct fk_bytes credentials, struct fk_buf *out);
enum fk_err fk_digest_id_by(enum fk_digest_algorithm algorithm, struct fk_bytes credentials, struct fk_buf *out);

#endif
