// SPDX-License-Identifier: Apache-2.0
/* Credentials that a service on the machine gives out: of a container's task (ECS, EKS), or of an instance of EC2. */
#include "driver/aws/credentials.h"
#include "http/client.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <strings.h>

enum {
    CONTAINER_MS = 2000,
    INSTANCE_MS = 1000, /* elsewhere than on EC2 nobody answers, and somebody waits */
    TRIES = 3,
    REPLY_SIZE_MAX = 64 * 1024,
    TEXT_SIZE = 512,
    STATUS_OK = 200,
    TOKEN_SIZE_MAX = 2048,
};

/* One service for a few calls. */
struct service {
    struct fk_http_client *client;
    struct fk_arena arena;
    int32_t timeout_ms;
};

static enum fk_err service_open(struct service *service, struct fk_aws_settings *settings,
                                const struct fk_aws_endpoint *endpoint, int32_t timeout_ms, struct fk_diag *diag)
{
    struct fk_http_client_options options = {
        .origin = {.tls = endpoint->tls, .host = endpoint->host, .port = endpoint->port}, .connect_ms = timeout_ms};
    *service = (struct service){.arena = FK_ARENA_EMPTY, .timeout_ms = timeout_ms};
    if (endpoint->tls) {
        enum fk_err err = fk_aws_settings_tls(settings, endpoint, &options.tls, diag);
        if (err != FK_OK) {
            return err;
        }
    }
    service->client = fk_http_client_new(&options);
    return service->client == NULL ? FK_ERR_NOMEM : FK_OK;
}

static void service_close(struct service *service)
{
    fk_http_client_free(service->client);
    fk_arena_deinit(&service->arena);
}

/* Asks until an answer comes that is not the service's own failure. */
static enum fk_err ask(struct service *service, const char *method, const char *target,
                       const struct fk_http_header *header, struct fk_http_answer *answer, struct fk_diag *diag)
{
    const struct fk_http_call call = {
        .method = method,
        .target = fk_bytes_text(target),
        .headers = header,
        .header_count = header == NULL ? 0 : 1,
        .timeout_ms = service->timeout_ms,
        .reply_size_max = REPLY_SIZE_MAX,
        .idempotent = true,
    };
    enum fk_err err = FK_ERR_BUSY;
    for (int i = 0; i < TRIES; i++) {
        struct fk_diag reason = {""};
        err = fk_http_client_call(service->client, &call, &service->arena, answer, &reason);
        if (err == FK_OK && answer->status < 500) {
            return FK_OK;
        }
        bool is_last = i == TRIES - 1 || (err != FK_OK && err != FK_ERR_UNKNOWN);
        if (is_last && err == FK_OK) {
            fk_diag_set(diag, "%s answers with status %d", fk_http_client_host(service->client), answer->status);
            return FK_ERR_BUSY;
        }
        if (is_last) {
            fk_diag_set(diag, "%s", reason.text);
            return err;
        }
    }
    return err;
}

/* --- containers --- */

/* What is sent there is a secret, and what comes back too: plain HTTP only to the machine itself. */
static bool is_allowed(const struct fk_aws_endpoint *endpoint)
{
    static const char *const hosts[] = {"localhost", "::1", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
    struct in_addr address;
    if (endpoint->tls) {
        return true;
    }
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (strcasecmp(endpoint->host, hosts[i]) == 0) {
            return true;
        }
    }
    return inet_pton(AF_INET, endpoint->host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

static enum fk_err container_endpoint(const struct fk_aws_settings *settings, struct fk_aws_endpoint *endpoint,
                                      const char **target, struct fk_diag *diag)
{
    const char *relative = settings->variables[FK_AWS_VAR_CONTAINER_RELATIVE_URI];
    const char *full = settings->variables[FK_AWS_VAR_CONTAINER_FULL_URI];
    if (relative != NULL) {
        *target = relative;
        return fk_aws_endpoint_parse("http://169.254.170.2", "", endpoint, NULL, diag);
    }
    enum fk_err err = fk_aws_endpoint_parse(full, "AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint, target, diag);
    if (err == FK_OK && !is_allowed(endpoint)) {
        fk_diag_set(diag, "AWS_CONTAINER_CREDENTIALS_FULL_URI: http is only allowed to this machine, not to %s",
                    endpoint->host);
        err = FK_ERR_USAGE;
    }
    *target = err == FK_OK && **target == '\0' ? "/" : *target;
    return err;
}

/* The value of Authorization; empty where none is set. */
static enum fk_err container_token(const struct fk_aws_settings *settings, struct fk_buf *token, struct fk_diag *diag)
{
    const char *file = settings->variables[FK_AWS_VAR_CONTAINER_TOKEN_FILE];
    const char *text = settings->variables[FK_AWS_VAR_CONTAINER_TOKEN];
    if (file != NULL) {
        enum fk_err err = fk_aws_read_file(file, FK_AWS_TOKEN_SIZE_MAX, token, diag);
        while (fk_buf_left(token) > 0 &&
               (token->data[token->size - 1] == '\n' || token->data[token->size - 1] == '\r')) {
            token->size--;
        }
        return err == FK_OK || err == FK_ERR_NOMEM ? err : FK_ERR_USAGE;
    }
    fk_buf_append(token, text == NULL ? FK_BYTES_LITERAL("") : fk_bytes_text(text));
    return token->failed ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err ask_container(struct service *service, const char *target, struct fk_bytes token,
                                 struct fk_aws_keys *keys, struct fk_diag *diag)
{
    struct fk_http_answer answer;
    const struct fk_http_header header = {FK_BYTES_LITERAL("Authorization"), token};
    enum fk_err err = ask(service, "GET", target, token.size == 0 ? NULL : &header, &answer, diag);
    if (err == FK_OK && answer.status != STATUS_OK) {
        fk_diag_set(diag, "%s refuses to give credentials: status %d", fk_http_client_host(service->client),
                    answer.status);
        err = FK_ERR_USAGE;
    }
    return err == FK_OK ? fk_aws_keys_parse(answer.body, keys, diag) : err;
}

enum fk_err fk_aws_keys_of_container(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    if (settings->variables[FK_AWS_VAR_CONTAINER_RELATIVE_URI] == NULL &&
        settings->variables[FK_AWS_VAR_CONTAINER_FULL_URI] == NULL) {
        return FK_ERR_NOT_FOUND;
    }
    struct fk_aws_endpoint endpoint;
    struct fk_buf token = FK_BUF_EMPTY;
    const char *target = NULL;
    struct service service = {.client = NULL};
    enum fk_err err = container_endpoint(settings, &endpoint, &target, diag);
    if (err == FK_OK) {
        err = container_token(settings, &token, diag);
    }
    if (err == FK_OK) {
        err = service_open(&service, settings, &endpoint, CONTAINER_MS, diag);
    }
    if (err == FK_OK) {
        err = ask_container(&service, target, fk_buf_view(&token), keys, diag);
    }
    service_close(&service);
    fk_aws_buf_forget(&token);
    return err == FK_ERR_NOT_FOUND || err == FK_ERR_INVALID ? FK_ERR_USAGE : err;
}

/* --- instances --- */

static enum fk_err instance_endpoint(const struct fk_aws_settings *settings, struct fk_aws_endpoint *endpoint,
                                     struct fk_diag *diag)
{
    const char *url = settings->variables[FK_AWS_VAR_METADATA_ENDPOINT];
    const char *mode = settings->variables[FK_AWS_VAR_METADATA_MODE];
    if (url == NULL) {
        bool is_v6 = mode != NULL && strcasecmp(mode, "IPv6") == 0;
        url = is_v6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    return fk_aws_endpoint_parse(url, "AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint, NULL, diag);
}

/* IMDSv2: a token first, so that nobody is tricked into asking with a plain GET. */
static enum fk_err instance_token(struct service *service, struct fk_bytes *token)
{
    static const struct fk_http_header ttl = {FK_BYTES_LITERAL("X-aws-ec2-metadata-token-ttl-seconds"),
                                              FK_BYTES_LITERAL("21600")};
    struct fk_http_answer answer;
    enum fk_err err = ask(service, "PUT", "/latest/api/token", &ttl, &answer, NULL);
    if (err != FK_OK || answer.status != STATUS_OK || answer.body.size > TOKEN_SIZE_MAX) {
        return err == FK_ERR_NOMEM ? err : FK_ERR_NOT_FOUND; /* most likely this is no instance */
    }
    *token = answer.body;
    return FK_OK;
}

static enum fk_err ask_instance(struct service *service, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    static const char path[] = "/latest/meta-data/iam/security-credentials/";
    struct fk_http_header header = {FK_BYTES_LITERAL("X-aws-ec2-metadata-token"), FK_BYTES_NULL};
    struct fk_http_answer answer;
    char target[TEXT_SIZE];
    enum fk_err err = instance_token(service, &header.value);
    if (err == FK_OK) {
        err = ask(service, "GET", path, &header, &answer, diag);
    }
    if (err != FK_OK) {
        return err;
    }
    /* The name of the role, on the first line. */
    const uint8_t *end =
        answer.body.size == 0 ? NULL : (const uint8_t *)memchr(answer.body.data, '\n', answer.body.size);
    size_t size = end == NULL ? answer.body.size : (size_t)(end - answer.body.data);
    if (answer.status != STATUS_OK || size == 0 || size > sizeof target - sizeof path) {
        fk_diag_set(diag, "the instance has no role (status %d of its metadata)", answer.status);
        return FK_ERR_USAGE;
    }
    (void)snprintf(target, sizeof target, "%s%.*s", path, (int)size, (const char *)answer.body.data);
    err = ask(service, "GET", target, &header, &answer, diag);
    if (err == FK_OK && answer.status != STATUS_OK) {
        fk_diag_set(diag, "the metadata of the instance gives no credentials: status %d", answer.status);
        err = FK_ERR_USAGE;
    }
    return err == FK_OK ? fk_aws_keys_parse(answer.body, keys, diag) : err;
}

enum fk_err fk_aws_keys_of_instance(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    const char *disabled = settings->variables[FK_AWS_VAR_METADATA_DISABLED];
    if (disabled != NULL && strcasecmp(disabled, "true") == 0) {
        return FK_ERR_NOT_FOUND;
    }
    struct fk_aws_endpoint endpoint;
    struct service service = {.client = NULL};
    enum fk_err err = instance_endpoint(settings, &endpoint, diag);
    if (err == FK_OK) {
        err = service_open(&service, settings, &endpoint, INSTANCE_MS, diag);
    }
    if (err == FK_OK) {
        err = ask_instance(&service, keys, diag);
    }
    service_close(&service);
    return err == FK_ERR_INVALID ? FK_ERR_USAGE : err;
}
