// SPDX-License-Identifier: Apache-2.0
/* Calls to AWS that a test answers: these stand in for those of aws_call.c. What was called is kept, what comes back is
 * what the test said before. */
#ifndef FK_TESTS_UNIT_DRIVER_AWS_STUB_H
#define FK_TESTS_UNIT_DRIVER_AWS_STUB_H

#include "driver/aws/aws.h"

struct fk_stub_answer {
    enum fk_err err;
    int status;
    const char *error; /* NULL: none */
    const char *body;  /* text; NULL: none */
    bool repeated;
    const char *header; /* "name: value"; NULL: none */
};

struct fk_stub_call {
    char action[64];
    char method[8];
    char target[4096];
    char body[16 * 1024]; /* cut */
    size_t body_size;
    bool idempotent;
    size_t header_count;
    char headers[4][128]; /* "name: value" */
};

enum {
    FK_STUB_CALLS_MAX = 16,
};

extern struct fk_stub_call fk_stub_calls[FK_STUB_CALLS_MAX];
extern size_t fk_stub_call_count;

/* Forgets calls and answers. */
void fk_stub_reset(void);
/* The next answer, in the order of calls to come; a call without one fails the test. */
void fk_stub_answer(struct fk_stub_answer answer);
/* What stands for the connections; never looked into. */
struct fk_aws *fk_stub_aws(void);

#endif
