// SPDX-License-Identifier: Apache-2.0
/* The id that ZooKeeper's digest scheme derives from "user:password": user:base64(sha1("user:password")), as
 * DigestAuthenticationProvider.generateDigest does. */
#ifndef FK_BASE_DIGEST_H
#define FK_BASE_DIGEST_H

#include "base/buf.h"

/* Appends the id for `credentials` to out. The user is what stands before the first ':' (all, where there is none), as
 * in ZooKeeper. Errors: FK_ERR_NOMEM; FK_ERR_IO where the cryptographic library refuses SHA-1. */
enum fk_err fk_digest_id(struct fk_bytes credentials, struct fk_buf *out);

#endif
