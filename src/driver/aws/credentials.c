// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/credentials.h"

#include "base/log.h"
#include "driver/aws/json.h"
#include "driver/aws/shared_file.h"

#include <stdio.h>
#include <time.h>

int64_t fk_aws_time_parse(struct fk_bytes text)
{
    char copy[32];
    struct tm parts = {0};
    if (text.size >= sizeof copy || text.size == 0) {
        return -1;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &parts);
    if (end != NULL && *end == '.') {
        end += 1 + strspn(end + 1, "0123456789");
    }
    if (end == NULL || (strcmp(end, "Z") != 0 && strcmp(end, "+00:00") != 0)) {
        return -1;
    }
    return (int64_t)timegm(&parts) * 1000;
}

int64_t fk_aws_date_parse(struct fk_bytes text)
{
    char copy[40];
    struct tm parts = {0};
    if (text.size >= sizeof copy || text.size == 0) {
        return -1;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return end == NULL || *end != '\0' ? -1 : (int64_t)timegm(&parts) * 1000;
}

/* False where it does not fit, or has what no header may have. */
static bool set_text(char *to, size_t size, struct fk_bytes text)
{
    if (text.size >= size) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f) {
            return false;
        }
    }
    if (text.size > 0) {
        memcpy(to, text.data, text.size);
    }
    to[text.size] = '\0';
    return true;
}

/* What is wrong is named, never shown. */
static enum fk_err set_keys(struct fk_aws_keys *keys, struct fk_bytes id, struct fk_bytes secret, struct fk_bytes token,
                            const char *where, struct fk_diag *diag)
{
    if (id.size == 0 || secret.size == 0) {
        fk_diag_set(diag, "%s: the %s is missing", where, id.size == 0 ? "access key id" : "secret access key");
        return FK_ERR_USAGE;
    }
    const char *wrong = !set_text(keys->id, sizeof keys->id, id)               ? "access key id"
                        : !set_text(keys->secret, sizeof keys->secret, secret) ? "secret access key"
                        : !set_text(keys->token, sizeof keys->token, token)    ? "session token"
                                                                               : NULL;
    if (wrong != NULL) {
        fk_diag_set(diag, "%s: the %s is too long, or has blanks or other characters that none has", where, wrong);
        return FK_ERR_USAGE;
    }
    keys->expires_ms = 0;
    return FK_OK;
}

static struct fk_bytes text_of(const char *text)
{
    return text == NULL ? FK_BYTES_NULL : fk_bytes_text(text);
}

enum fk_err fk_aws_keys_of_environment(const struct fk_aws_settings *settings, struct fk_aws_keys *keys,
                                       struct fk_diag *diag)
{
    char *const *variables = settings->variables;
    if (variables[FK_AWS_VAR_ACCESS_KEY_ID] != NULL || variables[FK_AWS_VAR_SECRET_ACCESS_KEY] != NULL) {
        return set_keys(keys, text_of(variables[FK_AWS_VAR_ACCESS_KEY_ID]),
                        text_of(variables[FK_AWS_VAR_SECRET_ACCESS_KEY]), text_of(variables[FK_AWS_VAR_SESSION_TOKEN]),
                        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN", diag);
    }
    if (variables[FK_AWS_VAR_WEB_IDENTITY_TOKEN_FILE] != NULL) {
        fk_diag_set(diag, "AWS_WEB_IDENTITY_TOKEN_FILE: roles by web identity are not supported; `aws configure "
                          "export-credentials --format env` gives keys that are");
        return FK_ERR_USAGE;
    }
    return FK_ERR_NOT_FOUND;
}

/* --- shared files --- */

/* A profile that says how to get keys, in a way that isn't supported. */
static enum fk_err refuse_others(struct fk_bytes text, const char *kind, const char *profile, struct fk_diag *diag)
{
    static const char *const unsupported[] = {
        "role_arn",    "source_profile", "credential_source",       "credential_process",
        "sso_session", "sso_start_url",  "web_identity_token_file", "login_session"};
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++) {
        if (fk_shared_file_get(text, kind, profile, "", unsupported[i]).size > 0) {
            fk_diag_set(diag,
                        "profile '%s': %s is not supported; `aws configure export-credentials --profile %s "
                        "--format env` gives keys that are",
                        profile, unsupported[i], profile);
            return FK_ERR_USAGE;
        }
    }
    return FK_ERR_NOT_FOUND;
}

static enum fk_err keys_of_section(struct fk_bytes text, const char *kind, const char *profile,
                                   struct fk_aws_keys *keys, struct fk_diag *diag)
{
    struct fk_bytes id = fk_shared_file_get(text, kind, profile, "", "aws_access_key_id");
    struct fk_bytes secret = fk_shared_file_get(text, kind, profile, "", "aws_secret_access_key");
    if (id.size == 0 && secret.size == 0) {
        return refuse_others(text, kind, profile, diag);
    }
    char where[160];
    (void)snprintf(where, sizeof where, "profile '%s'", profile);
    return set_keys(keys, id, secret, fk_shared_file_get(text, kind, profile, "", "aws_session_token"), where, diag);
}

enum fk_err fk_aws_keys_of_profile(const struct fk_aws_settings *settings, struct fk_aws_keys *keys,
                                   struct fk_diag *diag)
{
    const char *profile = fk_aws_settings_profile(settings);
    struct fk_buf credentials = FK_BUF_EMPTY;
    struct fk_buf config = FK_BUF_EMPTY;
    enum fk_err err = fk_aws_settings_file(settings, FK_AWS_VAR_SHARED_CREDENTIALS_FILE, &credentials, diag);
    if (err == FK_OK) {
        err = fk_aws_settings_file(settings, FK_AWS_VAR_CONFIG_FILE, &config, diag);
    }
    if (err == FK_OK) {
        err = keys_of_section(fk_buf_view(&credentials), "", profile, keys, diag);
    }
    if (err == FK_ERR_NOT_FOUND) {
        err = keys_of_section(fk_buf_view(&config), "profile", profile, keys, diag);
    }
    if (err == FK_ERR_NOT_FOUND && settings->variables[FK_AWS_VAR_PROFILE] != NULL &&
        !fk_shared_file_has_section(fk_buf_view(&credentials), "", profile) &&
        !fk_shared_file_has_section(fk_buf_view(&config), "profile", profile)) {
        fk_diag_set(diag,
                    "AWS_PROFILE: neither the file of credentials nor that of the configuration has a profile '%s'",
                    profile);
        err = FK_ERR_USAGE;
    }
    fk_aws_buf_forget(&credentials);
    fk_aws_buf_forget(&config);
    return err;
}

/* --- answers of services --- */

static enum fk_err read_answer(const json_t *json, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    struct fk_bytes code = fk_json_text(json, "Code");
    struct fk_bytes token = fk_json_text(json, "Token");
    struct fk_bytes expiration = fk_json_text(json, "Expiration");
    if (code.size > 0 && !fk_bytes_equal_text(code, "Success")) {
        fk_diag_set(diag, "no credentials: the service says %.*s", (int)fk_bytes_head(code, 64).size,
                    (const char *)code.data);
        return FK_ERR_MALFORMED;
    }
    if (set_keys(keys, fk_json_text(json, "AccessKeyId"), fk_json_text(json, "SecretAccessKey"), token,
                 "the answer with the credentials", diag) != FK_OK) {
        return FK_ERR_MALFORMED;
    }
    keys->expires_ms = expiration.size == 0 ? 0 : fk_aws_time_parse(expiration);
    if (keys->expires_ms < 0) {
        fk_diag_set(diag, "the answer with the credentials has an Expiration that is no time");
        return FK_ERR_MALFORMED;
    }
    return FK_OK;
}

enum fk_err fk_aws_keys_parse(struct fk_bytes text, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    json_t *json = fk_json_load(text);
    if (!json_is_object(json)) {
        fk_diag_set(diag, "the answer with the credentials is no JSON");
        json_decref(json);
        return FK_ERR_MALFORMED;
    }
    enum fk_err err = read_answer(json, keys, diag);
    json_decref(json);
    return err;
}

/* --- renewal --- */

static enum fk_err look_everywhere(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    enum fk_err err = fk_aws_keys_of_environment(settings, keys, diag);
    if (err == FK_ERR_NOT_FOUND) {
        err = fk_aws_keys_of_profile(settings, keys, diag);
    }
    if (err == FK_ERR_NOT_FOUND) {
        err = fk_aws_keys_of_container(settings, keys, diag);
    }
    if (err == FK_ERR_NOT_FOUND) {
        err = fk_aws_keys_of_instance(settings, keys, diag);
    }
    if (err == FK_ERR_NOT_FOUND) {
        fk_diag_set(diag,
                    "no credentials of AWS: not in the environment (AWS_ACCESS_KEY_ID), nor in the profile '%s' of "
                    "the shared files, nor from a container or an instance of EC2",
                    fk_aws_settings_profile(settings));
        err = FK_ERR_USAGE;
    }
    return err;
}

/* keys_lock is held; it is given up while the sources are asked. */
static enum fk_err renew(struct fk_aws_settings *settings, struct fk_diag *diag)
{
    struct fk_aws_keys *fresh = &settings->fresh; /* too large for a stack */
    settings->keys_renewing = true;
    (void)pthread_mutex_unlock(&settings->keys_lock);
    enum fk_err err = look_everywhere(settings, fresh, diag);
    int64_t now_ms = fk_clock_wall_ms(settings->clock);
    (void)pthread_mutex_lock(&settings->keys_lock);
    if (err == FK_OK) {
        fresh->serial = settings->keys.serial + 1;
        settings->keys = *fresh;
    }
    memset(fresh, 0, sizeof *fresh);
    settings->keys_renewing = false;
    (void)pthread_cond_broadcast(&settings->keys_changed);
    settings->keys_renew_at_ms = now_ms + FK_AWS_RENEW_AGAIN_MS;
    return err;
}

static bool are_good(const struct fk_aws_keys *keys, int64_t until_ms)
{
    return keys->serial > 0 && (keys->expires_ms == 0 || keys->expires_ms > until_ms);
}

enum fk_err fk_aws_keys_get(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag)
{
    struct fk_diag reason = {""};
    enum fk_err err = FK_OK;
    (void)pthread_mutex_lock(&settings->keys_lock);
    for (;;) {
        int64_t now_ms = fk_clock_wall_ms(settings->clock);
        bool is_good = are_good(&settings->keys, now_ms);
        bool is_due = !are_good(&settings->keys, now_ms + FK_AWS_RENEW_MS) && now_ms >= settings->keys_renew_at_ms;
        if (is_good && (!is_due || settings->keys_renewing)) {
            break;
        }
        if (settings->keys_renewing) {
            (void)pthread_cond_wait(&settings->keys_changed, &settings->keys_lock);
            continue;
        }
        err = renew(settings, &reason);
        if (err == FK_OK || !is_good) {
            break;
        }
        fk_log_with(FK_LOG_WARN, "credentials of AWS could not be renewed; the old ones are still good for a while",
                    fk_log_text("reason", reason.text));
        err = FK_OK;
    }
    if (err == FK_OK) {
        keys->expires_ms = settings->keys.expires_ms;
        keys->serial = settings->keys.serial;
        (void)snprintf(keys->id, sizeof keys->id, "%s", settings->keys.id);
        (void)snprintf(keys->secret, sizeof keys->secret, "%s", settings->keys.secret);
        (void)snprintf(keys->token, sizeof keys->token, "%s", settings->keys.token);
    }
    (void)pthread_mutex_unlock(&settings->keys_lock);
    if (err != FK_OK) {
        fk_diag_set(diag, "%s", reason.text[0] == '\0' ? fk_err_text(err) : reason.text);
    }
    return err;
}

void fk_aws_keys_expired(struct fk_aws_settings *settings, uint64_t serial)
{
    (void)pthread_mutex_lock(&settings->keys_lock);
    if (settings->keys.serial == serial) {
        settings->keys.expires_ms = 1;
        settings->keys_renew_at_ms = 0;
    }
    (void)pthread_mutex_unlock(&settings->keys_lock);
}
