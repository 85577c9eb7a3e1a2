// SPDX-License-Identifier: Apache-2.0
/* AWS Signature Version 4 in a header. No clock, no settings: what is signed is what is given. */
#ifndef FK_DRIVER_AWS_SIGV4_H
#define FK_DRIVER_AWS_SIGV4_H

#include "base/buf.h"
#include "http/request.h"

enum {
    FK_SIGV4_HASH_SIZE = 64 + 1, /* hexadecimal SHA-256, and a NUL */
    FK_SIGV4_TIME_SIZE = 16 + 1, /* 20150830T123600Z */
};

struct fk_sigv4_key {
    const char *id;
    const char *secret;
    const char *region;
    const char *service; /* as in the scope: "dynamodb" */
};

struct fk_sigv4_request {
    const char *method;
    struct fk_bytes target; /* as in the request line */
    /* All of them are signed: Host, X-Amz-Date and what else is sent and may not be changed on the way. */
    const struct fk_http_header *headers;
    size_t header_count;
    const char *body_hash; /* hexadecimal */
    int64_t time_ms;
    bool path_as_is; /* S3: the path counts as it is sent; elsewhere it is normalised, and encoded once more */
};

/* The time as X-Amz-Date has it. */
void fk_sigv4_time(int64_t time_ms, char text[FK_SIGV4_TIME_SIZE]);

/* IO: the cryptographic library refuses. */
enum fk_err fk_sigv4_hash(struct fk_bytes bytes, char hex[FK_SIGV4_HASH_SIZE]);

/* Appends what is hashed and signed in the end. TOO_LARGE: more than 64 parameters or headers. */
enum fk_err fk_sigv4_canonical(const struct fk_sigv4_request *request, struct fk_buf *out);

/* Appends the value of the header Authorization. */
enum fk_err fk_sigv4_authorize(const struct fk_sigv4_key *key, const struct fk_sigv4_request *request,
                               struct fk_buf *out);

#endif
