// SPDX-License-Identifier: Apache-2.0
/* A server of HTTP that says what the test tells it: a thread on a free port of 127.0.0.1. It reads a whole request,
 * keeps it, and sends the bytes of its next step. One at a time. */
#ifndef FK_TESTS_UNIT_HTTP_SCRIPT_H
#define FK_TESTS_UNIT_HTTP_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum script_end {
    SCRIPT_KEEP,  /* the connection stays */
    SCRIPT_CLOSE, /* the connection ends behind the answer */
};

struct script_step {
    const char *answer; /* NULL: none, the connection ends */
    size_t size;        /* 0: strlen */
    enum script_end end;
    bool in_bytes;   /* each byte on its own */
    int32_t wait_ms; /* before the answer */
    bool early;      /* the answer comes once the head was read, the body is not */
};

struct ssl_ctx_st;

/* Starts with these steps; they have to live as long as it. tls: NULL for none. Gives the port. */
uint16_t script_start(const struct script_step *steps, size_t count, struct ssl_ctx_st *tls);
/* Ends it; fails the test where steps are left. */
void script_stop(void);
/* Ends it, whatever is left. */
void script_abandon(void);

/* Requests that came, and connections they came over. */
size_t script_requests(void);
size_t script_connections(void);
/* The text of one of them: head and body. */
const char *script_request(size_t index);
/* Whether it has this text. */
bool script_request_has(size_t index, const char *text);

#endif
