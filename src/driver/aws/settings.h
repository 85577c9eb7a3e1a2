// SPDX-License-Identifier: Apache-2.0
/* What the environment and the shared files of AWS say, and what all clients of the process share. Inside
 * src/driver/aws only. */
#ifndef FK_DRIVER_AWS_SETTINGS_H
#define FK_DRIVER_AWS_SETTINGS_H

#include "base/limits.h"
#include "driver/aws/aws.h"
#include "driver/aws/endpoint.h"
#include "driver/aws/roots.h"

#include <pthread.h>
#include <stdatomic.h>

/* Environment variables; they are read once, when the settings are made. */
#define FK_AWS_VARIABLES(X)                                                                                            \
    X(ACCESS_KEY_ID, "AWS_ACCESS_KEY_ID")                                                                              \
    X(SECRET_ACCESS_KEY, "AWS_SECRET_ACCESS_KEY")                                                                      \
    X(SESSION_TOKEN, "AWS_SESSION_TOKEN")                                                                              \
    X(REGION, "AWS_REGION")                                                                                            \
    X(DEFAULT_REGION, "AWS_DEFAULT_REGION")                                                                            \
    X(PROFILE, "AWS_PROFILE")                                                                                          \
    X(CONFIG_FILE, "AWS_CONFIG_FILE")                                                                                  \
    X(SHARED_CREDENTIALS_FILE, "AWS_SHARED_CREDENTIALS_FILE")                                                          \
    X(CA_BUNDLE, "AWS_CA_BUNDLE")                                                                                      \
    X(IGNORE_ENDPOINTS, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")                                                         \
    X(USE_FIPS, "AWS_USE_FIPS_ENDPOINT")                                                                               \
    X(USE_DUALSTACK, "AWS_USE_DUALSTACK_ENDPOINT")                                                                     \
    X(WEB_IDENTITY_TOKEN_FILE, "AWS_WEB_IDENTITY_TOKEN_FILE")                                                          \
    X(ROLE_ARN, "AWS_ROLE_ARN")                                                                                        \
    X(CONTAINER_RELATIVE_URI, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")                                                \
    X(CONTAINER_FULL_URI, "AWS_CONTAINER_CREDENTIALS_FULL_URI")                                                        \
    X(CONTAINER_TOKEN, "AWS_CONTAINER_AUTHORIZATION_TOKEN")                                                            \
    X(CONTAINER_TOKEN_FILE, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")                                                  \
    X(METADATA_DISABLED, "AWS_EC2_METADATA_DISABLED")                                                                  \
    X(METADATA_ENDPOINT, "AWS_EC2_METADATA_SERVICE_ENDPOINT")                                                          \
    X(METADATA_MODE, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")                                                         \
    X(HOME, "HOME")

enum fk_aws_variable {
#define FK_AWS_VARIABLE_ROW(name, text) FK_AWS_VAR_##name,
    FK_AWS_VARIABLES(FK_AWS_VARIABLE_ROW)
#undef FK_AWS_VARIABLE_ROW
    FK_AWS_VAR_COUNT
};

struct fk_aws_keys {
    char id[FK_AWS_KEY_SIZE_MAX + 1];
    char secret[FK_AWS_KEY_SIZE_MAX + 1];
    char token[FK_AWS_TOKEN_SIZE_MAX + 1]; /* "": none */
    int64_t expires_ms;                    /* 0: never */
    uint64_t serial;                       /* of the renewal that brought them; 0: there are none */
};

struct fk_aws_settings {
    struct fk_clock *clock;
    char *variables[FK_AWS_VAR_COUNT]; /* NULL where unset or empty */
    char region[32];
    struct fk_aws_endpoint endpoints[FK_AWS_SERVICE_COUNT];
    _Atomic int64_t skew_ms; /* how much AWS's clock is ahead of ours */

    pthread_mutex_t tls_lock;
    struct ssl_ctx_st *contexts[2]; /* by fk_aws_trust; made when they are needed */

    pthread_mutex_t keys_lock;
    pthread_cond_t keys_changed;
    struct fk_aws_keys keys;
    bool keys_renewing; /* by one thread, which alone uses `fresh` meanwhile, outside of the lock */
    struct fk_aws_keys fresh;
    int64_t keys_renew_at_ms; /* not before, where the last attempt failed */
};

const char *fk_aws_variable_name(enum fk_aws_variable variable);

/* Whom to trust at this endpoint. */
enum fk_err fk_aws_settings_tls(struct fk_aws_settings *settings, const struct fk_aws_endpoint *endpoint,
                                struct ssl_ctx_st **context, struct fk_diag *diag);

/* The name of the profile, and the text of a shared file (variable: CONFIG_FILE or SHARED_CREDENTIALS_FILE); the text
 * stays empty where there is no file. */
const char *fk_aws_settings_profile(const struct fk_aws_settings *settings);
enum fk_err fk_aws_settings_file(const struct fk_aws_settings *settings, enum fk_aws_variable variable,
                                 struct fk_buf *text, struct fk_diag *diag);

/* Reads a whole file of at most `size_max` bytes. NOT_FOUND, TOO_LARGE, IO, NOMEM. */
enum fk_err fk_aws_read_file(const char *path, size_t size_max, struct fk_buf *text, struct fk_diag *diag);

/* Overwrites what a buffer with secrets holds, and frees it. */
void fk_aws_buf_forget(struct fk_buf *buf);

#endif
