// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/retry.h"

#include "base/limits.h"
#include "driver/aws/error.h"

enum {
    STATUS_CONFLICT = 409,
    STATUS_PRECONDITION_FAILED = 412,
    STATUS_TOO_MANY = 429,
    TOKENS_MAX = 500,
    TOKENS_OF_REPEAT = 5,
    TOKENS_OF_LOST = 10, /* a service that does not answer at all */
};

struct code_row {
    const char *code;
    struct fk_aws_verdict verdict;
};

static const struct code_row codes[] = {
    /* Too much at once; none of these was begun. */
    {"BandwidthLimitExceeded", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"PriorRequestNotComplete", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"ProvisionedThroughputExceededException", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"RequestLimitExceeded", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"RequestThrottled", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"RequestThrottledException", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"SlowDown", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"Throttling", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"ThrottledException", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"ThrottlingException", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"TooManyRequestsException", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    {"OverLimit", {FK_AWS_THROTTLED, FK_ERR_BUSY}}, /* of messages in flight: it passes */
    {"KmsThrottled", {FK_AWS_THROTTLED, FK_ERR_BUSY}},
    /* Another one was faster. */
    {"ConditionalRequestConflict", {FK_AWS_CONFLICT, FK_ERR_BUSY}},
    {"OperationAborted", {FK_AWS_CONFLICT, FK_ERR_BUSY}},
    {"TransactionConflictException", {FK_AWS_CONFLICT, FK_ERR_BUSY}},
    /* The first one with the same token is still at work: it, not this one, is what counts. */
    {"TransactionInProgressException", {FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}},
    {"InternalServerError", {FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}},
    {"InternalFailure", {FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}},
    {"InternalError", {FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}},
    {"ServiceUnavailable", {FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}},
    {"RequestTimeout", {FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}}, /* S3 on a body that came too slowly */
    /* Who we are, and when. */
    {"ExpiredToken", {FK_AWS_EXPIRED, FK_ERR_USAGE}},
    {"ExpiredTokenException", {FK_AWS_EXPIRED, FK_ERR_USAGE}},
    {"RequestExpired", {FK_AWS_SKEWED, FK_ERR_USAGE}},
    {"RequestTimeTooSkewed", {FK_AWS_SKEWED, FK_ERR_USAGE}},
    {"RequestInTheFuture", {FK_AWS_SKEWED, FK_ERR_USAGE}},
    {"InvalidSignatureException", {FK_AWS_SKEWED, FK_ERR_USAGE}},
    {"SignatureDoesNotMatch", {FK_AWS_SKEWED, FK_ERR_USAGE}},
    {"AccessDenied", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"AccessDeniedException", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"AllAccessDisabled", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"AuthFailure", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"IncompleteSignature", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"IncompleteSignatureException", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"InvalidAccessKeyId", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"InvalidClientTokenId", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"InvalidToken", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"MissingAuthenticationToken", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"MissingAuthenticationTokenException", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"NotAuthorized", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"OptInRequired", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"UnauthorizedOperation", {FK_AWS_FINAL, FK_ERR_USAGE}},
    {"UnrecognizedClientException", {FK_AWS_FINAL, FK_ERR_USAGE}},
    /* A condition. */
    {"ConditionalCheckFailedException", {FK_AWS_FINAL, FK_ERR_REFUSED}},
    {"TransactionCanceledException", {FK_AWS_FINAL, FK_ERR_REFUSED}},
    {"PreconditionFailed", {FK_AWS_FINAL, FK_ERR_REFUSED}},
    {"PreconditionFailedException", {FK_AWS_FINAL, FK_ERR_REFUSED}},
    {"NotModified", {FK_AWS_FINAL, FK_ERR_REFUSED}},
    /* Something that is not there, or is there already. */
    {"AWS.SimpleQueueService.NonExistentQueue", {FK_AWS_FINAL, FK_ERR_NOT_FOUND}},
    {"NoSuchBucket", {FK_AWS_FINAL, FK_ERR_NOT_FOUND}},
    {"NoSuchKey", {FK_AWS_FINAL, FK_ERR_NOT_FOUND}},
    {"QueueDoesNotExist", {FK_AWS_FINAL, FK_ERR_NOT_FOUND}},
    {"ResourceNotFoundException", {FK_AWS_FINAL, FK_ERR_NOT_FOUND}},
    {"AlreadyExistsException", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    {"BucketAlreadyExists", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    {"BucketAlreadyOwnedByYou", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    {"QueueNameExists", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    {"ResourceAlreadyExistsException", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    {"ResourceConflictException", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    {"ResourceInUseException", {FK_AWS_FINAL, FK_ERR_EXISTS}},
    /* Quotas. */
    {"ItemCollectionSizeLimitExceededException", {FK_AWS_FINAL, FK_ERR_FULL}},
    {"LimitExceededException", {FK_AWS_FINAL, FK_ERR_FULL}},
    {"ServiceQuotaExceededException", {FK_AWS_FINAL, FK_ERR_FULL}},
    {"CodeStorageExceededException", {FK_AWS_FINAL, FK_ERR_FULL}},
    {"TooManyBuckets", {FK_AWS_FINAL, FK_ERR_FULL}},
};

/* A code that nobody here knows. A 503 without one may come from what stands in front of the service, behind which the
 * call may have been carried out. */
static struct fk_aws_verdict judge_status(int status)
{
    enum {
        UNAUTHORIZED = 401,
        FORBIDDEN = 403,
        NOT_FOUND = 404,
        REQUEST_TIMEOUT = 408,
    };
    switch (status) {
    case UNAUTHORIZED:
    case FORBIDDEN:
        return (struct fk_aws_verdict){FK_AWS_FINAL, FK_ERR_USAGE};
    case NOT_FOUND:
        return (struct fk_aws_verdict){FK_AWS_FINAL, FK_ERR_NOT_FOUND};
    case REQUEST_TIMEOUT:
        return (struct fk_aws_verdict){FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN};
    case STATUS_CONFLICT:
        return (struct fk_aws_verdict){FK_AWS_FINAL, FK_ERR_EXISTS};
    case STATUS_PRECONDITION_FAILED:
    case 304:
        return (struct fk_aws_verdict){FK_AWS_FINAL, FK_ERR_REFUSED};
    case STATUS_TOO_MANY:
        return (struct fk_aws_verdict){FK_AWS_THROTTLED, FK_ERR_BUSY};
    default:
        return status >= 500 ? (struct fk_aws_verdict){FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN}
                             : (struct fk_aws_verdict){FK_AWS_FINAL, FK_ERR_INVALID};
    }
}

struct fk_aws_verdict fk_aws_judge(const struct fk_http_answer *answer, const char *code)
{
    if (answer->status >= 200 && answer->status < 300) {
        return (struct fk_aws_verdict){FK_AWS_FINAL, FK_OK};
    }
    if (strcmp(code, "TransactionCanceledException") == 0 && fk_aws_error_is_conflict(answer->body)) {
        return (struct fk_aws_verdict){FK_AWS_CONFLICT, FK_ERR_BUSY};
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return codes[i].verdict;
        }
    }
    return judge_status(answer->status);
}

void fk_aws_retry_init(struct fk_aws_retry *retry)
{
    retry->tokens = TOKENS_MAX;
}

/* A number from 0 to bound. */
static int64_t draw(struct fk_random *random, int64_t bound)
{
    uint32_t number = 0;
    fk_random_fill(random, (uint8_t *)&number, sizeof number);
    return (int64_t)(number % (uint32_t)(bound + 1));
}

bool fk_aws_retry_next(struct fk_aws_retry *retry, struct fk_aws_repeats *repeats, enum fk_aws_fate fate,
                       int64_t now_ms, int32_t timeout_ms, struct fk_random *random, int64_t *delay_ms)
{
    int32_t cost = fate == FK_AWS_DOUBTFUL ? TOKENS_OF_LOST : TOKENS_OF_REPEAT;
    bool is_late = now_ms - repeats->begin_ms > (int64_t)timeout_ms + FK_AWS_REPEAT_MS;
    if (repeats->attempts >= FK_AWS_ATTEMPTS_MAX || is_late || retry->tokens < cost) {
        return false;
    }
    retry->tokens -= cost;
    repeats->spent += cost;
    int64_t bound = (int64_t)FK_AWS_BACKOFF_MS << (repeats->attempts - 1);
    *delay_ms = draw(random, bound < FK_AWS_BACKOFF_MAX_MS ? bound : FK_AWS_BACKOFF_MAX_MS);
    return true;
}

void fk_aws_retry_succeeded(struct fk_aws_retry *retry, const struct fk_aws_repeats *repeats)
{
    retry->tokens += repeats->spent > 0 ? repeats->spent : 1;
    retry->tokens = retry->tokens < TOKENS_MAX ? retry->tokens : TOKENS_MAX;
}
