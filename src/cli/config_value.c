// SPDX-License-Identifier: Apache-2.0
/* Values: text into fields of struct fk_config, or a message. */
#include "cli/config_internal.h"

#include "base/log.h"

#include "base/alloc.h"
#include "gateway/gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum fk_err fk_config_refuse(const struct fk_config_value *value, const char *allowed)
{
    struct fk_buf place = FK_BUF_EMPTY;
    fk_place_print(value->place, &place);
    fk_diag_set(value->diag, "%.*s%s=%s: %s", (int)fk_buf_left(&place), (const char *)place.data, value->key,
                value->value, allowed);
    fk_buf_deinit(&place);
    return FK_ERR_USAGE;
}

/* The value is a secret: it is not repeated. */
static enum fk_err refuse_secret(const struct fk_config_value *value, const char *allowed)
{
    struct fk_buf place = FK_BUF_EMPTY;
    fk_place_print(value->place, &place);
    fk_diag_set(value->diag, "%.*s%s: %s", (int)fk_buf_left(&place), (const char *)place.data, value->key, allowed);
    fk_buf_deinit(&place);
    return FK_ERR_USAGE;
}

static enum fk_err read_number(const struct fk_config_value *value, int64_t min, int64_t max, int64_t *out)
{
    char allowed[96];
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value->value, &end, 10);
    if (errno != 0 || end == value->value || *end != '\0' || number < min || number > max) {
        (void)snprintf(allowed, sizeof allowed, "expected a whole number from %" PRId64 " to %" PRId64, min, max);
        return fk_config_refuse(value, allowed);
    }
    *out = number;
    return FK_OK;
}

enum fk_err fk_config_set_text(const struct fk_config_value *value, char **out)
{
    size_t size = strlen(value->value) + 1;
    char *copy = (char *)fk_alloc(size);
    if (copy == NULL) {
        return FK_ERR_NOMEM;
    }
    memcpy(copy, value->value, size);
    fk_free(*out);
    *out = copy;
    return FK_OK;
}

/* A host's name or number; whether it exists is found out when it is listened on. */
static enum fk_err set_address(const struct fk_config_value *value, char **out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%";
    if (value->value[0] == '\0' || value->value[strspn(value->value, allowed)] != '\0') {
        return fk_config_refuse(value, "expected a host name or address");
    }
    return fk_config_set_text(value, out);
}

static enum fk_err set_switch(const struct fk_config_value *value, bool *out)
{
    if (strcasecmp(value->value, "yes") == 0 || strcasecmp(value->value, "true") == 0) {
        *out = true;
    } else if (strcasecmp(value->value, "no") == 0 || strcasecmp(value->value, "false") == 0) {
        *out = false;
    } else {
        return fk_config_refuse(value, "expected yes or no");
    }
    return FK_OK;
}

static enum fk_err warn(struct fk_config *config, const struct fk_config_key *key, const struct fk_config_value *value)
{
    fk_place_print(value->place, &config->warnings);
    fk_buf_print(&config->warnings, "%s is not honoured: %s\n", value->key, key->text);
    return config->warnings.failed ? FK_ERR_NOMEM : FK_OK;
}

enum fk_err fk_config_set(struct fk_config *config, const struct fk_config_key *key,
                          const struct fk_config_value *value)
{
    void *field = (char *)config + key->offset;
    int64_t number = 0;
    enum fk_err err = FK_OK;
    switch (key->kind) {
    case FK_CONFIG_NUMBER:
        err = read_number(value, key->min, key->max, &number);
        *(int32_t *)field = err == FK_OK ? (int32_t)number : *(int32_t *)field;
        return err;
    case FK_CONFIG_LONG:
        err = read_number(value, key->min, key->max, &number);
        *(int64_t *)field = err == FK_OK ? number : *(int64_t *)field;
        return err;
    case FK_CONFIG_SWITCH:
        return set_switch(value, (bool *)field);
    case FK_CONFIG_PATH:
        return value->value[0] == '\0' ? fk_config_refuse(value, "expected a path")
                                       : fk_config_set_text(value, (char **)field);
    case FK_CONFIG_TEXT:
    case FK_CONFIG_SECRET:
        return fk_config_set_text(value, (char **)field);
    case FK_CONFIG_ADDRESS:
        return set_address(value, (char **)field);
    case FK_CONFIG_SPECIAL:
        return key->set(config, value);
    case FK_CONFIG_REFUSED:
        return warn(config, key, value);
    case FK_CONFIG_IGNORED:
        break;
    }
    return FK_OK;
}

/* "*" or names with commas between them. Words that nobody knows are allowed, as in ZooKeeper: they stay unanswered. */
enum fk_err fk_config_set_words(struct fk_config *config, const struct fk_config_value *value)
{
    enum {
        WORD_SIZE = 4,
    };
    const char *at = value->value;
    unsigned words = 0;
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        size_t start = strspn(at, " \t");
        size_t end = size;
        while (end > start && (at[end - 1] == ' ' || at[end - 1] == '\t')) {
            end--;
        }
        if (end - start == 1 && at[start] == '*') {
            words = FK_WORD_ALL;
        } else if (end - start == WORD_SIZE) {
            words |= fk_word_parse(fk_bytes_of(at + start, WORD_SIZE));
        } else if (end > start) {
            fk_place_print(value->place, &config->warnings);
            fk_buf_print(&config->warnings, "%s: %.*s is no four-letter word\n", value->key, (int)(end - start),
                         at + start);
        }
        at += size + (at[size] == ',' ? 1 : 0);
    }
    config->words = words;
    return config->warnings.failed ? FK_ERR_NOMEM : FK_OK;
}

/* The name is free, as in ZooKeeper: whoever has its password is super. */
enum fk_err fk_config_set_super_digest(struct fk_config *config, const struct fk_config_value *value)
{
    const char *colon = strchr(value->value, ':');
    if (colon == NULL || colon == value->value || colon[1] == '\0') {
        return refuse_secret(value, "expected NAME:HASH, as DigestAuthenticationProvider prints it");
    }
    return fk_config_set_text(value, &config->auth.super_digest);
}

/* server.N: one is this server, more are a quorum. */
enum fk_err fk_config_set_server(struct fk_config *config, const struct fk_config_value *value)
{
    const char *number = strchr(value->key, '.') + 1;
    char *end = NULL;
    long long parsed = strtoll(number, &end, 10);
    if (end == number || *end != '\0' || parsed < 0 || parsed > 255) {
        return fk_config_refuse(value, "expected server.N with N from 0 to 255");
    }
    config->servers++;
    return FK_OK;
}

/* superUser, superUser.N */
enum fk_err fk_config_set_super_user(struct fk_config *config, const struct fk_config_value *value)
{
    if (value->value[0] == '\0') {
        return fk_config_refuse(value, "expected the name of a user");
    }
    fk_buf_print(&config->auth.supers, "%s\n", value->value);
    return config->auth.supers.failed ? FK_ERR_NOMEM : FK_OK;
}

enum fk_err fk_config_set_client_auth(struct fk_config *config, const struct fk_config_value *value)
{
    static const char *const names[] = {"need", "want", "none"};
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(value->value, names[i]) == 0) {
            config->tls.client_auth = i;
            return FK_OK;
        }
    }
    return fk_config_refuse(value, "expected need, want or none");
}

/* Who asks for a check gets it, or no server. */
enum fk_err fk_config_set_ocsp(struct fk_config *config, const struct fk_config_value *value)
{
    (void)config;
    return strcasecmp(value->value, "false") == 0 || strcasecmp(value->value, "no") == 0
               ? FK_OK
               : fk_config_refuse(value, "expected no: it would ask a foreign server in each handshake; ssl.crl is "
                                         "there for revoked certificates");
}

enum fk_err fk_config_set_auth_provider(struct fk_config *config, const struct fk_config_value *value)
{
    (void)config;
    return strcmp(value->value, "x509") == 0 ? FK_OK : fk_config_refuse(value, "expected x509");
}

enum fk_err fk_config_set_digest(struct fk_config *config, const struct fk_config_value *value)
{
    enum fk_digest_algorithm algorithm = FK_DIGEST_SHA1;
    if (!fk_digest_parse(value->value, &algorithm)) {
        return fk_config_refuse(value, "expected SHA1, SHA-256, SHA-512 or another hash that Java knows by name");
    }
    config->auth.digest = (int32_t)algorithm;
    return FK_OK;
}

/* authProvider.N, authProvider.x509: classes of ZooKeeper's own; others can't be loaded. */
enum fk_err fk_config_set_provider(struct fk_config *config, const struct fk_config_value *value)
{
    static const char package[] = "org.apache.zookeeper.server.auth.";
    static const struct {
        const char *name;
        unsigned scheme;
        bool ensemble;
    } known[] = {
        {"SASLAuthenticationProvider", FK_SCHEME_SASL, false},
        {"X509AuthenticationProvider", FK_SCHEME_X509, false},
        {"EnsembleAuthenticationProvider", 0, true},
        {"DigestAuthenticationProvider", 0, false}, /* these two are always there */
        {"IPAuthenticationProvider", 0, false},
    };
    size_t size = strncmp(value->value, package, sizeof package - 1) == 0 ? sizeof package - 1 : 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(value->value + size, known[i].name) == 0) {
            config->rules.schemes |= known[i].scheme;
            config->auth.ensemble = config->auth.ensemble || known[i].ensemble;
            return FK_OK;
        }
    }
    return fk_config_refuse(value, "classes can't be loaded; expected one of ZooKeeper's own: "
                                   "SASLAuthenticationProvider, X509AuthenticationProvider, IPAuthenticationProvider, "
                                   "DigestAuthenticationProvider, EnsembleAuthenticationProvider");
}

enum fk_err fk_config_set_require_scheme(struct fk_config *config, const struct fk_config_value *value)
{
    if (strcmp(value->value, "sasl") != 0 && value->value[0] != '\0') {
        return fk_config_refuse(value, "expected sasl");
    }
    config->auth.require_sasl = value->value[0] != '\0';
    return FK_OK;
}

enum fk_err fk_config_set_log_level(struct fk_config *config, const struct fk_config_value *value)
{
    enum fk_log_level level = FK_LOG_INFO;
    if (!fk_log_level_parse(value->value, &level)) {
        return fk_config_refuse(value, "expected error, warn, info or debug");
    }
    config->log.level = (int32_t)level;
    return FK_OK;
}

enum fk_err fk_config_set_log_format(struct fk_config *config, const struct fk_config_value *value)
{
    if (strcmp(value->value, "text") != 0 && strcmp(value->value, "json") != 0) {
        return fk_config_refuse(value, "expected text or json");
    }
    config->log.json = value->value[0] == 'j';
    return FK_OK;
}

enum fk_err fk_config_set_metrics(struct fk_config *config, const struct fk_config_value *value)
{
    static const char prometheus[] = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    static const char standard[] = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider";
    static const char null[] = "org.apache.zookeeper.metrics.impl.NullMetricsProvider";
    if (strcmp(value->value, prometheus) != 0 && strcmp(value->value, standard) != 0 &&
        strcmp(value->value, null) != 0) {
        return fk_config_refuse(value, "expected ZooKeeper's PrometheusMetricsProvider, DefaultMetricsProvider or "
                                       "NullMetricsProvider with its package");
    }
    return fk_config_set_text(value, &config->admin.metrics_class);
}
