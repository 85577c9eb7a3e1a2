// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/aws.h"

#include "base/alloc.h"
#include "base/log.h"
#include "driver/aws/credentials.h"
#include "driver/aws/error.h"
#include "driver/aws/retry.h"
#include "driver/aws/settings.h"
#include "driver/aws/sigv4.h"
#include "http/client.h"
#include "http/field.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>

enum {
    OWN_HEADERS_MAX = 7, /* Host, date, hash, token, type, action, Authorization */
};

/* The connection to one service. */
struct connection {
    struct fk_http_client *client;
    char host[FK_AWS_HOST_SIZE]; /* of the client; with S3 it depends on the bucket */
};

struct fk_aws {
    struct fk_aws_settings *settings;
    struct fk_clock *clock;
    struct fk_random *random;
    struct connection connections[FK_AWS_SERVICE_COUNT];
    struct fk_aws_retry retry;
    struct fk_aws_keys keys; /* of the call that is on its way */
    struct fk_buf authorization;
    struct fk_diag diag;
};

/* One attempt. */
struct attempt {
    const struct fk_aws_call *call;
    struct connection *connection;
    struct fk_bytes target;
    struct fk_http_header headers[FK_HTTP_HEADERS_MAX]; /* Host first, which the client writes itself */
    size_t header_count;
    char time[FK_SIGV4_TIME_SIZE];
    char body_hash[FK_SIGV4_HASH_SIZE];
};

struct fk_aws *fk_aws_new(struct fk_aws_settings *settings, struct fk_clock *clock, struct fk_random *random)
{
    struct fk_aws *aws = (struct fk_aws *)fk_alloc_zero(sizeof *aws);
    if (aws != NULL) {
        aws->settings = settings;
        aws->clock = clock;
        aws->random = random;
        fk_aws_retry_init(&aws->retry);
    }
    return aws;
}

void fk_aws_free(struct fk_aws *aws)
{
    if (aws == NULL) {
        return;
    }
    for (int i = 0; i < FK_AWS_SERVICE_COUNT; i++) {
        fk_http_client_free(aws->connections[i].client);
    }
    fk_aws_buf_forget(&aws->authorization);
    OPENSSL_cleanse(&aws->keys, sizeof aws->keys);
    fk_free(aws);
}

const char *fk_aws_diag(const struct fk_aws *aws)
{
    return aws->diag.text;
}

/* --- where --- */

/* The bucket of "/BUCKET/KEY"; null where its name would be no part of a host name that TLS certificates cover. */
static struct fk_bytes bucket_of(struct fk_bytes target)
{
    size_t size = 0;
    struct fk_bytes rest = fk_bytes_tail(target, 1);
    while (size < rest.size && rest.data[size] != '/' && rest.data[size] != '?') {
        uint8_t c = rest.data[size++];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return FK_BYTES_NULL;
        }
    }
    return size == 0 || size > 63 ? FK_BYTES_NULL : fk_bytes_head(rest, size);
}

/* Moves the bucket into the host name: of "/BUCKET", "/BUCKET/KEY" and "/BUCKET/?list-type=2"; a query directly behind
 * the bucket would leave a target without a path. */
static void place(const struct fk_aws *aws, const struct fk_aws_call *call, char host[FK_AWS_HOST_SIZE],
                  struct fk_bytes *target)
{
    const struct fk_aws_endpoint *endpoint = &aws->settings->endpoints[call->service];
    struct fk_bytes bucket = call->service == FK_AWS_S3 && !endpoint->is_own ? bucket_of(call->target) : FK_BYTES_NULL;
    struct fk_bytes rest = fk_bytes_tail(call->target, bucket.size + 1);
    *target = call->target;
    int size = -1;
    if (bucket.size > 0 && (rest.size == 0 || rest.data[0] == '/')) {
        size = snprintf(host, FK_AWS_HOST_SIZE, "%.*s.%s", (int)bucket.size, (const char *)bucket.data, endpoint->host);
        *target = rest.size == 0 ? FK_BYTES_LITERAL("/") : rest;
    }
    if (size < 0 || size >= FK_AWS_HOST_SIZE) {
        *target = call->target;
        (void)snprintf(host, FK_AWS_HOST_SIZE, "%s", endpoint->host);
    }
}

static enum fk_err connect_to(struct fk_aws *aws, enum fk_aws_service service, const char *host)
{
    struct connection *connection = &aws->connections[service];
    const struct fk_aws_endpoint *endpoint = &aws->settings->endpoints[service];
    if (connection->client != NULL && strcmp(connection->host, host) == 0) {
        return FK_OK;
    }
    fk_http_client_free(connection->client);
    connection->client = NULL;
    (void)snprintf(connection->host, sizeof connection->host, "%s", host);
    struct fk_http_client_options options = {
        .origin = {.tls = endpoint->tls, .host = connection->host, .port = endpoint->port},
        .connect_ms = FK_AWS_CONNECT_MS,
    };
    if (endpoint->tls) {
        enum fk_err err = fk_aws_settings_tls(aws->settings, endpoint, &options.tls, &aws->diag);
        if (err != FK_OK) {
            return err;
        }
    }
    connection->client = fk_http_client_new(&options);
    return connection->client == NULL ? FK_ERR_NOMEM : FK_OK;
}

/* --- what --- */

static void add(struct attempt *attempt, const char *name, struct fk_bytes value)
{
    attempt->headers[attempt->header_count++] = (struct fk_http_header){fk_bytes_text(name), value};
}

static bool has_header(const struct fk_aws_call *call, const char *name)
{
    for (size_t i = 0; i < call->header_count; i++) {
        if (fk_http_equal_in_any_case(call->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void add_headers(struct fk_aws *aws, struct attempt *attempt)
{
    const struct fk_aws_call *call = attempt->call;
    attempt->header_count = 0;
    add(attempt, "Host", fk_bytes_text(fk_http_client_host(attempt->connection->client)));
    add(attempt, "X-Amz-Date", fk_bytes_text(attempt->time));
    add(attempt, "X-Amz-Content-Sha256", fk_bytes_text(attempt->body_hash));
    if (aws->keys.token[0] != '\0') {
        add(attempt, "X-Amz-Security-Token", fk_bytes_text(aws->keys.token));
    }
    if (call->action != NULL) {
        const char *type = call->service == FK_AWS_LOGS ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0";
        add(attempt, "X-Amz-Target", fk_bytes_text(call->action));
        if (!has_header(call, "Content-Type")) {
            add(attempt, "Content-Type", fk_bytes_text(type));
        }
    }
    for (size_t i = 0; i < call->header_count; i++) {
        attempt->headers[attempt->header_count++] = call->headers[i];
    }
}

static enum fk_err sign(struct fk_aws *aws, struct attempt *attempt)
{
    const struct fk_aws_call *call = attempt->call;
    int64_t time_ms = fk_clock_wall_ms(aws->clock) + atomic_load(&aws->settings->skew_ms);
    fk_sigv4_time(time_ms, attempt->time);
    enum fk_err err = fk_sigv4_hash(call->body, attempt->body_hash);
    if (err != FK_OK) {
        return err;
    }
    add_headers(aws, attempt);
    const struct fk_sigv4_request request = {
        .method = call->method,
        .target = attempt->target,
        .headers = attempt->headers,
        .header_count = attempt->header_count,
        .body_hash = attempt->body_hash,
        .time_ms = time_ms,
        .path_as_is = call->service == FK_AWS_S3,
    };
    const struct fk_sigv4_key key = {
        .id = aws->keys.id,
        .secret = aws->keys.secret,
        .region = aws->settings->region,
        .service = fk_aws_service_name(call->service)->scope,
    };
    fk_buf_clear(&aws->authorization);
    err = fk_sigv4_authorize(&key, &request, &aws->authorization);
    add(attempt, "Authorization", fk_buf_view(&aws->authorization));
    return err;
}

/* Everything in front of the first byte that is sent. */
static enum fk_err prepare(struct fk_aws *aws, struct attempt *attempt)
{
    char host[FK_AWS_HOST_SIZE];
    if (attempt->call->target.size == 0 || attempt->call->target.data[0] != '/' ||
        attempt->call->header_count > FK_HTTP_HEADERS_MAX - OWN_HEADERS_MAX) {
        fk_diag_set(&aws->diag, "the call has no target, or too many headers");
        return FK_ERR_INVALID;
    }
    enum fk_err err = fk_aws_keys_get(aws->settings, &aws->keys, &aws->diag);
    if (err != FK_OK) {
        return err == FK_ERR_NOMEM                           ? FK_ERR_NOMEM
               : err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN ? FK_ERR_BUSY
                                                             : FK_ERR_USAGE;
    }
    place(aws, attempt->call, host, &attempt->target);
    err = connect_to(aws, attempt->call->service, host);
    if (err == FK_OK) {
        attempt->connection = &aws->connections[attempt->call->service];
        err = sign(aws, attempt);
    }
    return err == FK_ERR_IO ? FK_ERR_USAGE : err;
}

static int32_t timeout_of(const struct fk_aws_call *call)
{
    return call->timeout_ms > 0 ? call->timeout_ms : FK_AWS_CALL_MS;
}

/* --- one attempt, and what became of it --- */

static struct fk_aws_verdict judge_answer(struct fk_aws *aws, const struct fk_aws_call *call,
                                          struct fk_aws_reply *reply)
{
    if (reply->http.status >= 200 && reply->http.status < 300) {
        return (struct fk_aws_verdict){FK_AWS_FINAL, FK_OK};
    }
    fk_aws_error_read(&reply->http, reply->error, reply->message);
    fk_diag_set(&aws->diag, "%s %s: %s (status %d)%s%s", fk_aws_service_name(call->service)->prefix,
                call->action == NULL ? call->method : call->action, reply->error, reply->http.status,
                reply->message[0] == '\0' ? "" : ": ", reply->message);
    return fk_aws_judge(&reply->http, reply->error);
}

static struct fk_aws_verdict try_once(struct fk_aws *aws, const struct fk_aws_call *call, struct fk_arena *arena,
                                      struct fk_aws_reply *reply)
{
    struct attempt attempt = {.call = call};
    aws->diag.text[0] = '\0';
    reply->error[0] = '\0';
    reply->message[0] = '\0';
    reply->http.status = 0;
    enum fk_err err = prepare(aws, &attempt);
    if (err != FK_OK) {
        fk_diag_set(&aws->diag, "%s", fk_err_text(err));
        return (struct fk_aws_verdict){err == FK_ERR_BUSY ? FK_AWS_THROTTLED : FK_AWS_FINAL, err};
    }
    const struct fk_http_call http = {
        .method = call->method,
        .target = attempt.target,
        .headers = attempt.headers + 1, /* Host is the client's */
        .header_count = attempt.header_count - 1,
        .body = call->body,
        .timeout_ms = timeout_of(call),
        .idempotent = false, /* it is repeated here, where that is told to the caller */
    };
    err = fk_http_client_call(attempt.connection->client, &http, arena, &reply->http, &aws->diag);
    if (err == FK_OK) {
        return judge_answer(aws, call, reply);
    }
    if (err == FK_ERR_UNKNOWN || err == FK_ERR_MALFORMED) {
        return (struct fk_aws_verdict){FK_AWS_DOUBTFUL, FK_ERR_UNKNOWN};
    }
    return (struct fk_aws_verdict){err == FK_ERR_BUSY ? FK_AWS_THROTTLED : FK_AWS_FINAL, err};
}

/* Takes the service's time as the right one, where it is far from ours; false where the clocks are not what is wrong.
 */
static bool correct_clock(struct fk_aws *aws, const struct fk_http_answer *answer)
{
    int64_t theirs = fk_aws_date_parse(fk_http_answer_header(answer, "Date"));
    int64_t ours = fk_clock_wall_ms(aws->clock);
    if (theirs < 0) {
        return false;
    }
    int64_t skew = theirs - ours;
    int64_t change = skew - atomic_load(&aws->settings->skew_ms);
    if (change < FK_AWS_SKEW_MS && change > -FK_AWS_SKEW_MS) {
        return false;
    }
    atomic_store(&aws->settings->skew_ms, skew);
    fk_log_with(FK_LOG_WARN, "this machine's clock is off by AWS's; calls are signed with AWS's time",
                fk_log_number("ahead_ms", skew));
    return true;
}

/* Whether the call is made once more. The corrections of who and when happen once a call, and cost no pause. */
static bool is_repeated(struct fk_aws *aws, const struct fk_aws_call *call, struct fk_aws_verdict verdict,
                        const struct fk_http_answer *answer, struct fk_aws_repeats *repeats, bool *corrected)
{
    int64_t delay_ms = 0;
    switch (verdict.fate) {
    case FK_AWS_FINAL:
        return false;
    case FK_AWS_EXPIRED:
    case FK_AWS_SKEWED:
        if (*corrected || (verdict.fate == FK_AWS_SKEWED && !correct_clock(aws, answer))) {
            return false;
        }
        if (verdict.fate == FK_AWS_EXPIRED) {
            fk_aws_keys_expired(aws->settings, aws->keys.serial);
        }
        *corrected = true;
        return true;
    case FK_AWS_DOUBTFUL:
        if (!call->idempotent) {
            return false;
        }
        break;
    case FK_AWS_THROTTLED:
    case FK_AWS_CONFLICT:
        break;
    }
    if (!fk_aws_retry_next(&aws->retry, repeats, verdict.fate, fk_clock_monotonic_ms(aws->clock), timeout_of(call),
                           aws->random, &delay_ms)) {
        return false;
    }
    fk_log_with(FK_LOG_DEBUG, "a call to AWS is repeated", fk_log_text("reason", aws->diag.text),
                fk_log_number("attempt", repeats->attempts), fk_log_number("pause_ms", delay_ms));
    fk_clock_pause_ms(aws->clock, delay_ms);
    return true;
}

enum fk_err fk_aws_call(struct fk_aws *aws, const struct fk_aws_call *call, struct fk_arena *arena,
                        struct fk_aws_reply *reply)
{
    struct fk_aws_repeats repeats = {.begin_ms = fk_clock_monotonic_ms(aws->clock)};
    struct fk_aws_verdict verdict;
    bool corrected = false;
    reply->repeated = false;
    for (;;) {
        verdict = try_once(aws, call, arena, reply);
        repeats.attempts++;
        if (!is_repeated(aws, call, verdict, &reply->http, &repeats, &corrected)) {
            break;
        }
        reply->repeated = reply->repeated || verdict.fate == FK_AWS_DOUBTFUL;
    }
    if (verdict.err == FK_OK) {
        fk_aws_retry_succeeded(&aws->retry, &repeats);
    }
    /* A later attempt that did not get through says nothing of the one that was lost. */
    bool says_nothing = verdict.fate != FK_AWS_FINAL || verdict.err == FK_ERR_USAGE || verdict.err == FK_ERR_NOMEM;
    return reply->repeated && verdict.err != FK_OK && says_nothing ? FK_ERR_UNKNOWN : verdict.err;
}
