// SPDX-License-Identifier: Apache-2.0
/* Answers of HTTP/1.1. */
#ifndef FK_HTTP_RESPONSE_H
#define FK_HTTP_RESPONSE_H

#include "base/buf.h"

struct fk_http_response {
    int status;
    const char *type; /* Content-Type */
    struct fk_bytes body;
    bool head; /* the request was HEAD: the length is told, the body left out */
    bool keep_alive;
    const char *more; /* further headers, each with CRLF; or NULL */
};

/* Text of a status; "Unknown" for those that nobody here uses. */
const char *fk_http_reason(int status);

void fk_http_respond(struct fk_buf *out, const struct fk_http_response *response);

#endif
