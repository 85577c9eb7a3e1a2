// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/endpoint.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HTTP_PORT = 80,
    HTTPS_PORT = 443,
    REGION_SIZE_MAX = 31,
};

const struct fk_aws_service_name *fk_aws_service_name(enum fk_aws_service service)
{
    static const struct fk_aws_service_name names[FK_AWS_SERVICE_COUNT] = {
        [FK_AWS_DYNAMODB] = {"DYNAMODB", "dynamodb", "dynamodb"},
        [FK_AWS_SQS] = {"SQS", "sqs", "sqs"},
        [FK_AWS_S3] = {"S3", "s3", "s3"},
        [FK_AWS_LAMBDA] = {"LAMBDA", "lambda", "lambda"},
        [FK_AWS_CLOUDFORMATION] = {"CLOUDFORMATION", "cloudformation", "cloudformation"},
        [FK_AWS_STS] = {"STS", "sts", "sts"},
        [FK_AWS_SCHEDULER] = {"SCHEDULER", "scheduler", "scheduler"},
        [FK_AWS_LOGS] = {"CLOUDWATCH_LOGS", "logs", "logs"},
        [FK_AWS_CLOUDWATCH] = {"CLOUDWATCH", "monitoring", "monitoring"},
    };
    return &names[service];
}

bool fk_aws_is_region(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return size > 0 && size <= REGION_SIZE_MAX && text[size] == '\0' && text[0] != '-' && text[size - 1] != '-';
}

enum fk_err fk_aws_endpoint_of(enum fk_aws_service service, const char *region, struct fk_aws_endpoint *endpoint,
                               struct fk_diag *diag)
{
    static const char *const unknown[] = {"us-iso", "eu-iso", "eusc-"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (strncmp(region, unknown[i], strlen(unknown[i])) == 0) {
            fk_diag_set(diag,
                        "region %s: the host names of its part of AWS are not known here; set AWS_ENDPOINT_URL_%s",
                        region, fk_aws_service_name(service)->id);
            return FK_ERR_USAGE;
        }
    }
    bool is_china = strncmp(region, "cn-", 3) == 0;
    *endpoint = (struct fk_aws_endpoint){.tls = true, .port = HTTPS_PORT};
    (void)snprintf(endpoint->host, sizeof endpoint->host, "%s.%s.amazonaws.com%s", fk_aws_service_name(service)->prefix,
                   region, is_china ? ".cn" : "");
    return FK_OK;
}

/* The host in front of the port or the path, without the brackets of IPv6; its size with them, 0 where it is none. */
static size_t take_host(const char *text, struct fk_aws_endpoint *endpoint)
{
    bool in_brackets = text[0] == '[';
    size_t size = in_brackets ? strspn(text + 1, "0123456789abcdefABCDEF:.") : strcspn(text, ":/?#@");
    const char *host = in_brackets ? text + 1 : text;
    if (size == 0 || size >= sizeof endpoint->host || (in_brackets && host[size] != ']')) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        if (host[i] <= ' ' || host[i] >= 0x7f) {
            return 0;
        }
    }
    memcpy(endpoint->host, host, size);
    endpoint->host[size] = '\0';
    return in_brackets ? size + 2 : size;
}

enum fk_err fk_aws_endpoint_parse(const char *url, const char *what, struct fk_aws_endpoint *endpoint,
                                  const char **path, struct fk_diag *diag)
{
    bool tls = strncmp(url, "https://", 8) == 0;
    const char *at = url + (tls ? 8 : 7);
    *endpoint = (struct fk_aws_endpoint){.is_own = true, .tls = tls, .port = tls ? HTTPS_PORT : HTTP_PORT};
    size_t size = tls || strncmp(url, "http://", 7) == 0 ? take_host(at, endpoint) : 0;
    bool is_good = size > 0;
    at += size;
    if (is_good && *at == ':') {
        char *end = NULL;
        unsigned long port = at[1] >= '0' && at[1] <= '9' ? strtoul(at + 1, &end, 10) : 0;
        is_good = port > 0 && port <= UINT16_MAX;
        endpoint->port = (uint16_t)port;
        at = end;
    }
    if (is_good && path != NULL) {
        *path = at;
        is_good = *at == '\0' || *at == '/';
    } else if (is_good) {
        is_good = at[*at == '/' ? 1 : 0] == '\0';
    }
    if (!is_good) {
        /* The text may hold a password: user:password@host. */
        fk_diag_set(diag, "%s: it is no URL of the form http://HOST:PORT or https://HOST", what);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}
