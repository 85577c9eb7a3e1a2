// SPDX-License-Identifier: Apache-2.0
/* Whom calls to AWS trust. */
#ifndef FK_DRIVER_AWS_ROOTS_H
#define FK_DRIVER_AWS_ROOTS_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    FK_AWS_ROOT_COUNT = 5,
};

struct ssl_ctx_st;

/* Certificates of Amazon's roots, in DER. */
extern const struct fk_bytes fk_aws_roots_der[FK_AWS_ROOT_COUNT];

enum fk_aws_trust {
    FK_AWS_TRUST_AMAZON, /* the roots that are built in: reading the system's 140 takes 20 ms */
    FK_AWS_TRUST_SYSTEM, /* the system's, for endpoints of one's own */
};

/* A context of TLS 1.2 and later. `bundle`: a file of PEM to trust instead of those; or NULL. */
enum fk_err fk_aws_roots_context(enum fk_aws_trust trust, const char *bundle, struct ssl_ctx_st **context,
                                 struct fk_diag *diag);

#endif
