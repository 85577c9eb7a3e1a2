// SPDX-License-Identifier: Apache-2.0
/* Requests of HTTP/1.1 as a server reads them (RFC 9112): bytes in, views out; no sockets, no allocation. What is
 * ambiguous is refused, not guessed: folded headers, two lengths, blanks before a colon, transfer codings. */
#ifndef FK_HTTP_REQUEST_H
#define FK_HTTP_REQUEST_H

#include "base/bytes.h"

enum {
    FK_HTTP_HEADERS_MAX = 64,
    FK_HTTP_HEAD_SIZE_MAX = 16 * 1024, /* request line and headers */
};

struct fk_http_header {
    struct fk_bytes name;
    struct fk_bytes value;
};

/* Views of the input. */
struct fk_http_request {
    struct fk_bytes method;
    struct fk_bytes path;  /* as sent, without the query */
    struct fk_bytes query; /* behind '?'; null without one */
    struct fk_http_header headers[FK_HTTP_HEADERS_MAX];
    size_t header_count;
    size_t head_size;  /* bytes up to the body */
    int64_t body_size; /* Content-Length; 0 without one */
    bool keep_alive;   /* another request may follow */
    bool expects;      /* Expect: 100-continue */
};

enum {
    FK_HTTP_INCOMPLETE = 0,
    FK_HTTP_OK = 200,
    FK_HTTP_BAD_REQUEST = 400,
    FK_HTTP_LENGTH_REQUIRED = 411,
    FK_HTTP_HEADERS_TOO_LARGE = 431,
    FK_HTTP_NOT_IMPLEMENTED = 501,
    FK_HTTP_VERSION = 505,
};

/* Reads the head at the front of `input`: FK_HTTP_OK; FK_HTTP_INCOMPLETE where more bytes are needed; otherwise the
 * status to answer with before the connection closes. The body is not looked at. */
int fk_http_parse(struct fk_bytes input, struct fk_http_request *request);

/* The value of the first header of this name, in any case; null without one. */
struct fk_bytes fk_http_header(const struct fk_http_request *request, const char *name);

/* Writes the value of a name of the query, decoded, to `out`; false where there is none, or it does not decode, or has
 * more than `size` - 1 bytes, or a NUL. */
bool fk_http_query(const struct fk_http_request *request, const char *name, char *out, size_t size);

#endif
