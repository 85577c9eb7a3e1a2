// SPDX-License-Identifier: Apache-2.0
/* Signed calls to AWS, repeated where that is right. Region, endpoints and credentials come from the standard variables
 * and files of AWS (docs/aws-client.md lists which). */
#ifndef FK_DRIVER_AWS_AWS_H
#define FK_DRIVER_AWS_AWS_H

#include "base/arena.h"
#include "base/err.h"
#include "http/answer.h"
#include "port/clock.h"

enum fk_aws_service {
    FK_AWS_DYNAMODB,
    FK_AWS_SQS,
    FK_AWS_S3,
    FK_AWS_LAMBDA,
    FK_AWS_CLOUDFORMATION,
    FK_AWS_STS,
    FK_AWS_SCHEDULER,
    FK_AWS_LOGS,
    FK_AWS_CLOUDWATCH,
    FK_AWS_SERVICE_COUNT,
};

/* Shared by all clients of the process, from any thread; outlives them. */
struct fk_aws_settings;

/* Reads the environment; credentials are looked for at the first call. region NULL: from AWS_REGION,
 * AWS_DEFAULT_REGION or the profile. USAGE: something is not set, or not right, or not supported. */
enum fk_err fk_aws_settings_new(struct fk_clock *clock, const char *region, struct fk_aws_settings **settings,
                                struct fk_diag *diag);
void fk_aws_settings_free(struct fk_aws_settings *settings);
const char *fk_aws_region(const struct fk_aws_settings *settings);

/* The connections of one thread. NULL without memory. */
struct fk_aws;
struct fk_aws *fk_aws_new(struct fk_aws_settings *settings, struct fk_clock *clock, struct fk_random *random);
void fk_aws_free(struct fk_aws *aws);

struct fk_aws_call {
    enum fk_aws_service service;
    const char *method; /* "POST" */
    /* Path and query, already encoded; "/" for JSON services. Of S3 always "/BUCKET/KEY": the bucket moves into the
     * host name where no endpoint of one's own is set. */
    struct fk_bytes target;
    const char *action;                   /* X-Amz-Target ("DynamoDB_20120810.GetItem"), a JSON call then; NULL: none */
    const struct fk_http_header *headers; /* further ones; they are signed */
    size_t header_count;
    struct fk_bytes body;
    bool idempotent;    /* may be repeated when no answer came (reads; writes that a second time change nothing) */
    int32_t timeout_ms; /* of one attempt; 0: FK_AWS_CALL_MS */
};

struct fk_aws_reply {
    struct fk_http_answer http;
    char error[96];    /* "ConditionalCheckFailedException", "NoSuchKey"; "" where the status is 2xx */
    char message[256]; /* for people */
    /* An earlier attempt of this call got no answer and may have been applied: a condition may have failed because of
     * that. */
    bool repeated;
};

/* OK: 2xx.
 * REFUSED (a condition failed, a transaction was cancelled), NOT_FOUND, EXISTS, INVALID (any other refusal): an answer
 * with reply->error set; not repeated.
 * BUSY: throttled, in conflict or unreachable, nothing applied; after repeating.
 * UNKNOWN: may have been applied. FULL: a quota of the account. TOO_LARGE: the answer is.
 * USAGE: no credentials, or access denied. NOMEM: as UNKNOWN. fk_aws_diag says more on all of them. */
enum fk_err fk_aws_call(struct fk_aws *aws, const struct fk_aws_call *call, struct fk_arena *arena,
                        struct fk_aws_reply *reply);

/* Text of the last failure, for people; never a secret. */
const char *fk_aws_diag(const struct fk_aws *aws);

#endif
