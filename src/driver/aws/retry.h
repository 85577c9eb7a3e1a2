// SPDX-License-Identifier: Apache-2.0
/* When a call to AWS is repeated, and what its failure means: the only place that knows. */
#ifndef FK_DRIVER_AWS_RETRY_H
#define FK_DRIVER_AWS_RETRY_H

#include "base/err.h"
#include "http/answer.h"
#include "port/clock.h"

enum fk_aws_fate {
    FK_AWS_FINAL,     /* the answer stays what it is */
    FK_AWS_THROTTLED, /* nothing was applied; later it may be */
    FK_AWS_CONFLICT,  /* the same, because of another transaction: soon */
    FK_AWS_DOUBTFUL,  /* may have been applied */
    FK_AWS_EXPIRED,   /* nothing was applied: the credentials are too old */
    FK_AWS_SKEWED,    /* nothing was applied: one of the clocks is wrong */
};

struct fk_aws_verdict {
    enum fk_aws_fate fate;
    enum fk_err err; /* what the call ends with where it is not repeated */
};

/* Judges an answer with this code (""  where the status is 2xx). */
struct fk_aws_verdict fk_aws_judge(const struct fk_http_answer *answer, const char *code);

/* How often and how long one call is repeated, and how often all calls of one client together: when a service is down,
 * repeating everything makes it worse. All zero is ready after fk_aws_retry_init. */
struct fk_aws_retry {
    int32_t tokens;
};

struct fk_aws_repeats {
    int32_t attempts; /* those that were made */
    int32_t spent;    /* tokens */
    int64_t begin_ms; /* monotonic */
};

void fk_aws_retry_init(struct fk_aws_retry *retry);

/* Whether one more attempt is to be made, and after how many milliseconds: somewhere below a bound that doubles. */
bool fk_aws_retry_next(struct fk_aws_retry *retry, struct fk_aws_repeats *repeats, enum fk_aws_fate fate,
                       int64_t now_ms, int32_t timeout_ms, struct fk_random *random, int64_t *delay_ms);

/* The call succeeded: what its repeats took is given back, and a bit more where it had none. */
void fk_aws_retry_succeeded(struct fk_aws_retry *retry, const struct fk_aws_repeats *repeats);

#endif
