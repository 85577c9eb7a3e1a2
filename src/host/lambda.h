// SPDX-License-Identifier: Apache-2.0
/* The loop of AWS Lambda's runtime API, 2018-06-01: asks for the next invocation, hands it to a function, reports what
 * came of it. It knows nothing of what the function does, and has no other state than its connection: any number of
 * loops may run in threads. */
#ifndef FK_HOST_LAMBDA_H
#define FK_HOST_LAMBDA_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "port/clock.h"

enum {
    FK_LAMBDA_TYPE_SIZE = 48,
    FK_LAMBDA_TEXT_SIZE = 512,
};

/* Views, valid during the invocation. */
struct fk_invocation {
    struct fk_bytes request_id;
    struct fk_bytes arn;      /* the function as it was called; null where not told */
    struct fk_bytes trace_id; /* for X-Ray; null where not told */
    int64_t deadline_ms;      /* wall clock; 0: not told */
    struct fk_bytes event;
};

/* What the runtime is told of a failure: a type ("Event.Malformed") that metrics group by, and a text for people. */
struct fk_lambda_error {
    char type[FK_LAMBDA_TYPE_SIZE];
    char text[FK_LAMBDA_TEXT_SIZE];
};

__attribute__((format(printf, 3, 4))) void fk_lambda_error_set(struct fk_lambda_error *error, const char *type,
                                                               const char *format, ...);

/* Writes the answer, a JSON value, to `out`; or sets the error and returns false. The arena lives as long as the
 * invocation. */
typedef bool (*fk_lambda_fn)(void *context, const struct fk_invocation *invocation, struct fk_arena *arena,
                             struct fk_buf *out, struct fk_lambda_error *error);

struct fk_lambda_options {
    const char *api; /* host:port, as AWS_LAMBDA_RUNTIME_API has it; borrowed */
    struct fk_clock *clock;
    fk_lambda_fn run;
    void *context;
    bool sets_environment; /* _X_AMZN_TRACE_ID for each invocation; not with several loops in a process */
};

/* Serves invocations until the runtime can't be spoken with any more, and says why: there is no other end.
 * USAGE: `api` is no address. */
enum fk_err fk_lambda_serve(const struct fk_lambda_options *options, struct fk_diag *diag);

/* Tells the runtime that the function can't start. */
enum fk_err fk_lambda_init_error(const char *api, const struct fk_lambda_error *error, struct fk_diag *diag);

#endif
