// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/settings.h"

#include "base/alloc.h"
#include "driver/aws/shared_file.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const char *fk_aws_variable_name(enum fk_aws_variable variable)
{
    static const char *const names[FK_AWS_VAR_COUNT] = {
#define FK_AWS_VARIABLE_ROW(name, text) text,
        FK_AWS_VARIABLES(FK_AWS_VARIABLE_ROW)
#undef FK_AWS_VARIABLE_ROW
    };
    return names[variable];
}

static char *copy_text(struct fk_bytes text)
{
    char *copy = (char *)fk_alloc(text.size + 1);
    if (copy != NULL) {
        if (text.size > 0) {
            memcpy(copy, text.data, text.size);
        }
        copy[text.size] = '\0';
    }
    return copy;
}

static bool is_true(const char *text)
{
    return text != NULL && strcasecmp(text, "true") == 0;
}

/* --- files --- */

void fk_aws_buf_forget(struct fk_buf *buf)
{
    if (buf->data != NULL) {
        OPENSSL_cleanse(buf->data, buf->capacity);
    }
    fk_buf_deinit(buf);
}

enum fk_err fk_aws_read_file(const char *path, size_t size_max, struct fk_buf *text, struct fk_diag *diag)
{
    enum {
        PIECE_SIZE = 4096,
    };
    FILE *file = fopen(path, "rbe");
    char reason[128];
    if (file == NULL) {
        enum fk_err err = errno == ENOENT || errno == ENOTDIR ? FK_ERR_NOT_FOUND : FK_ERR_IO;
        fk_diag_set(diag, "%s: %s", path, strerror_r(errno, reason, sizeof reason));
        return err;
    }
    size_t got = 1;
    while (got > 0 && !text->failed && fk_buf_left(text) <= size_max) {
        uint8_t *room = fk_buf_reserve(text, PIECE_SIZE);
        got = room == NULL ? 0 : fread(room, 1, PIECE_SIZE, file);
        text->size += got;
    }
    bool is_broken = ferror(file) != 0;
    (void)fclose(file);
    if (is_broken || text->failed) {
        fk_diag_set(diag, "%s: it cannot be read", path);
        return text->failed ? FK_ERR_NOMEM : FK_ERR_IO;
    }
    if (fk_buf_left(text) > size_max) {
        fk_diag_set(diag, "%s: larger than %zu bytes", path, size_max);
        return FK_ERR_TOO_LARGE;
    }
    return FK_OK;
}

const char *fk_aws_settings_profile(const struct fk_aws_settings *settings)
{
    const char *profile = settings->variables[FK_AWS_VAR_PROFILE];
    return profile == NULL ? "default" : profile;
}

enum fk_err fk_aws_settings_file(const struct fk_aws_settings *settings, enum fk_aws_variable variable,
                                 struct fk_buf *text, struct fk_diag *diag)
{
    const char *path = settings->variables[variable];
    const char *home = settings->variables[FK_AWS_VAR_HOME];
    char usual[1024];
    if (path == NULL) {
        const char *name = variable == FK_AWS_VAR_CONFIG_FILE ? "config" : "credentials";
        int size = home == NULL ? -1 : snprintf(usual, sizeof usual, "%s/.aws/%s", home, name);
        if (size < 0 || size >= (int)sizeof usual) {
            return FK_OK;
        }
        path = usual;
    }
    struct fk_diag reason = {""};
    enum fk_err err = fk_aws_read_file(path, FK_AWS_FILE_SIZE_MAX, text, &reason);
    if (err == FK_ERR_NOT_FOUND) {
        return FK_OK;
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "%s", reason.text);
        return err == FK_ERR_NOMEM ? err : FK_ERR_USAGE;
    }
    return FK_OK;
}

/* --- region and endpoints --- */

static enum fk_err set_region(struct fk_aws_settings *settings, const char *region, struct fk_bytes config,
                              struct fk_diag *diag)
{
    const char *const candidates[] = {region, settings->variables[FK_AWS_VAR_REGION],
                                      settings->variables[FK_AWS_VAR_DEFAULT_REGION]};
    struct fk_bytes found = fk_shared_file_get(config, "profile", fk_aws_settings_profile(settings), "", "region");
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (candidates[i] != NULL) {
            found = fk_bytes_text(candidates[i]);
            break;
        }
    }
    if (found.size == 0) {
        fk_diag_set(diag, "no region is set: AWS_REGION, AWS_DEFAULT_REGION, or `region` of the profile '%s'",
                    fk_aws_settings_profile(settings));
        return FK_ERR_USAGE;
    }
    found = fk_bytes_head(found, sizeof settings->region);
    (void)snprintf(settings->region, sizeof settings->region, "%.*s", (int)found.size, (const char *)found.data);
    if (found.size == sizeof settings->region || !fk_aws_is_region(settings->region)) {
        fk_diag_set(diag, "'%s' is no region of AWS: small letters, digits and '-', as in eu-west-1", settings->region);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* What the profile says of endpoints: of the service in its section of services, or of all. */
static struct fk_bytes endpoint_of_profile(const struct fk_aws_settings *settings, enum fk_aws_service service,
                                           struct fk_bytes config)
{
    const char *profile = fk_aws_settings_profile(settings);
    struct fk_bytes services = fk_shared_file_get(config, "profile", profile, "", "services");
    if (services.size > 0) {
        char section[128];
        char id[32];
        (void)snprintf(section, sizeof section, "%.*s", (int)fk_bytes_head(services, sizeof section).size,
                       (const char *)services.data);
        (void)snprintf(id, sizeof id, "%s", fk_aws_service_name(service)->id);
        struct fk_bytes url = fk_shared_file_get(config, "services", section, id, "endpoint_url");
        if (url.size > 0) {
            return url;
        }
    }
    return fk_shared_file_get(config, "profile", profile, "", "endpoint_url");
}

static enum fk_err set_endpoint(struct fk_aws_settings *settings, enum fk_aws_service service, struct fk_bytes config,
                                struct fk_diag *diag)
{
    struct fk_aws_endpoint *endpoint = &settings->endpoints[service];
    char name[64];
    if (is_true(settings->variables[FK_AWS_VAR_IGNORE_ENDPOINTS])) {
        return fk_aws_endpoint_of(service, settings->region, endpoint, diag);
    }
    (void)snprintf(name, sizeof name, "AWS_ENDPOINT_URL_%s", fk_aws_service_name(service)->id);
    const char *url = getenv(name);
    if (url == NULL || url[0] == '\0') {
        (void)snprintf(name, sizeof name, "AWS_ENDPOINT_URL");
        url = getenv(name);
    }
    if (url != NULL && url[0] != '\0') {
        return fk_aws_endpoint_parse(url, name, endpoint, NULL, diag);
    }
    struct fk_bytes text = endpoint_of_profile(settings, service, config);
    if (text.size == 0) {
        return fk_aws_endpoint_of(service, settings->region, endpoint, diag);
    }
    char *copy = copy_text(text);
    enum fk_err err =
        copy == NULL ? FK_ERR_NOMEM : fk_aws_endpoint_parse(copy, "endpoint_url of the profile", endpoint, NULL, diag);
    fk_free(copy);
    return err;
}

static enum fk_err set_all(struct fk_aws_settings *settings, const char *region, struct fk_diag *diag)
{
    static const enum fk_aws_variable unsupported[] = {FK_AWS_VAR_USE_FIPS, FK_AWS_VAR_USE_DUALSTACK};
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (is_true(settings->variables[unsupported[i]])) {
            fk_diag_set(diag, "%s is not supported; name the endpoints with AWS_ENDPOINT_URL_<SERVICE>",
                        fk_aws_variable_name(unsupported[i]));
            return FK_ERR_USAGE;
        }
    }
    struct fk_buf config = FK_BUF_EMPTY;
    enum fk_err err = fk_aws_settings_file(settings, FK_AWS_VAR_CONFIG_FILE, &config, diag);
    if (err == FK_OK) {
        err = set_region(settings, region, fk_buf_view(&config), diag);
    }
    for (int i = 0; i < FK_AWS_SERVICE_COUNT && err == FK_OK; i++) {
        err = set_endpoint(settings, (enum fk_aws_service)i, fk_buf_view(&config), diag);
    }
    fk_aws_buf_forget(&config); /* some keep their keys in it */
    return err;
}

/* --- the whole --- */

static bool read_environment(struct fk_aws_settings *settings)
{
    for (int i = 0; i < FK_AWS_VAR_COUNT; i++) {
        const char *value = getenv(fk_aws_variable_name((enum fk_aws_variable)i));
        if (value != NULL && value[0] != '\0') {
            settings->variables[i] = copy_text(fk_bytes_text(value));
            if (settings->variables[i] == NULL) {
                return false;
            }
        }
    }
    return true;
}

enum fk_err fk_aws_settings_new(struct fk_clock *clock, const char *region, struct fk_aws_settings **settings,
                                struct fk_diag *diag)
{
    struct fk_aws_settings *made = (struct fk_aws_settings *)fk_alloc_zero(sizeof *made);
    if (made == NULL) {
        return FK_ERR_NOMEM;
    }
    made->clock = clock;
    (void)pthread_mutex_init(&made->tls_lock, NULL);
    (void)pthread_mutex_init(&made->keys_lock, NULL);
    (void)pthread_cond_init(&made->keys_changed, NULL);
    enum fk_err err = read_environment(made) ? set_all(made, region, diag) : FK_ERR_NOMEM;
    if (err != FK_OK) {
        fk_aws_settings_free(made);
        return err;
    }
    *settings = made;
    return FK_OK;
}

void fk_aws_settings_free(struct fk_aws_settings *settings)
{
    if (settings == NULL) {
        return;
    }
    for (int i = 0; i < FK_AWS_VAR_COUNT; i++) {
        if (settings->variables[i] != NULL) {
            OPENSSL_cleanse(settings->variables[i], strlen(settings->variables[i]));
            fk_free(settings->variables[i]);
        }
    }
    SSL_CTX_free(settings->contexts[FK_AWS_TRUST_AMAZON]);
    SSL_CTX_free(settings->contexts[FK_AWS_TRUST_SYSTEM]);
    (void)pthread_mutex_destroy(&settings->tls_lock);
    (void)pthread_mutex_destroy(&settings->keys_lock);
    (void)pthread_cond_destroy(&settings->keys_changed);
    OPENSSL_cleanse(&settings->keys, sizeof settings->keys);
    fk_free(settings);
}

const char *fk_aws_region(const struct fk_aws_settings *settings)
{
    return settings->region;
}

enum fk_err fk_aws_settings_tls(struct fk_aws_settings *settings, const struct fk_aws_endpoint *endpoint,
                                struct ssl_ctx_st **context, struct fk_diag *diag)
{
    enum fk_aws_trust trust = endpoint->is_own ? FK_AWS_TRUST_SYSTEM : FK_AWS_TRUST_AMAZON;
    enum fk_err err = FK_OK;
    (void)pthread_mutex_lock(&settings->tls_lock);
    if (settings->contexts[trust] == NULL) {
        err = fk_aws_roots_context(trust, settings->variables[FK_AWS_VAR_CA_BUNDLE], &settings->contexts[trust], diag);
    }
    *context = settings->contexts[trust];
    (void)pthread_mutex_unlock(&settings->tls_lock);
    return err;
}
