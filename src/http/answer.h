// SPDX-License-Identifier: Apache-2.0
/* Answers of HTTP/1.1 as a client reads them (RFC 9112): bytes in, views out; no sockets, no allocation but that of the
 * buffer a body goes to. */
#ifndef FK_HTTP_ANSWER_H
#define FK_HTTP_ANSWER_H

#include "base/buf.h"
#include "http/request.h"

struct fk_http_answer {
    int status;
    struct fk_http_header headers[FK_HTTP_HEADERS_MAX];
    size_t header_count;
    struct fk_bytes body;
};

/* The value of the first header of this name, in any case; null without one. */
struct fk_bytes fk_http_answer_header(const struct fk_http_answer *answer, const char *name);

enum fk_http_step {
    FK_HTTP_MORE,      /* the bytes end too early */
    FK_HTTP_DONE,      /* */
    FK_HTTP_BROKEN,    /* they are no HTTP/1.x */
    FK_HTTP_TOO_LARGE, /* larger than its bound */
};

enum fk_http_framing {
    FK_HTTP_BODY_NONE,
    FK_HTTP_BODY_SIZED,
    FK_HTTP_BODY_CHUNKED,
    FK_HTTP_BODY_TO_END, /* of the connection */
};

struct fk_http_answer_head {
    size_t size; /* bytes up to the body */
    enum fk_http_framing framing;
    int64_t body_size; /* of FK_HTTP_BODY_SIZED */
    bool keep_alive;   /* the connection may be used again once the body was read */
};

/* Reads the head at the front of `input`; the views in answer->headers point into it. `to_head`: the request was HEAD,
 * whose answer has no body whatever its headers say. */
enum fk_http_step fk_http_answer_parse(struct fk_bytes input, bool to_head, struct fk_http_answer *answer,
                                       struct fk_http_answer_head *head);

/* A chunked body that comes in pieces. All zero at its begin. */
struct fk_http_chunks {
    int state;
    int64_t left;         /* bytes of the chunk that did not come yet */
    size_t trailer_lines; /* they are read and forgotten */
};

/* Appends what `input` has of the body to `body`, which never grows beyond `size_max`; `*used` bytes of the input are
 * done with, the others have to come again in front of the next ones. */
enum fk_http_step fk_http_chunks_take(struct fk_http_chunks *chunks, struct fk_bytes input, size_t size_max,
                                      size_t *used, struct fk_buf *body);

#endif
