// SPDX-License-Identifier: Apache-2.0
#include "cli/config_internal.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "gateway/gateway.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    TICK_DEFAULT_MS = 3000, /* ZooKeeperServer.DEFAULT_TICK_TIME */
    ADMIN_PORT = 8080,
    METRICS_PORT = 7000,
    IDLE_MS = 30000,
    RATE_LIMIT_MS = 300000,
    KEY_SIZE_MAX = 64, /* a longer one is no near miss of a known one */
};

void fk_config_init(struct fk_config *config)
{
    *config = (struct fk_config){
        .client_port = -1,
        .tick_ms = TICK_DEFAULT_MS,
        .session_timeout_min_ms = -1,
        .session_timeout_max_ms = -1,
        .connections_per_address = FK_CONNECTIONS_PER_ADDRESS,
        .backlog = -1,
        .frame_size_max = FK_FRAME_SIZE_MAX,
        .handshake_ms = FK_HANDSHAKE_MS,
        .sync = true,
        .words = FK_WORD_SRVR,
        .sweeper = {.interval_ms = FK_SWEEP_INTERVAL_MS, .per_minute = FK_SWEEPS_PER_MINUTE},
        .log = {.level = FK_LOG_INFO},
        .tls = {.port = -1, .handshakes_max = -1, .hostname_verification = true},
        .auth = {.digest_enabled = true},
        .admin = {.port = ADMIN_PORT,
                  .metrics_port = METRICS_PORT,
                  .idle_ms = IDLE_MS,
                  .rate_limit_ms = RATE_LIMIT_MS,
                  .snapshot = true,
                  .restore = true},
        .unknown = FK_BUF_EMPTY,
    };
}

static void forget(char *secret)
{
    if (secret != NULL) {
        OPENSSL_cleanse(secret, strlen(secret));
    }
}

void fk_config_deinit(struct fk_config *config)
{
    forget(config->auth.super_digest);
    for (size_t i = 0; i < fk_config_key_count; i++) {
        const struct fk_config_key *key = &fk_config_keys[i];
        bool text = key->kind == FK_CONFIG_TEXT || key->kind == FK_CONFIG_PATH || key->kind == FK_CONFIG_ADDRESS ||
                    key->kind == FK_CONFIG_SECRET;
        char **field = (char **)(void *)((char *)config + key->offset);
        if (text) {
            if (key->kind == FK_CONFIG_SECRET) {
                forget(*field);
            }
            fk_free(*field);
            *field = NULL;
        }
    }
    fk_free(config->auth.super_digest);
    fk_free(config->admin.metrics_class);
    fk_buf_deinit(&config->auth.supers);
    fk_buf_deinit(&config->unknown);
    fk_buf_deinit(&config->warnings);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters have to change (Levenshtein), for names shorter than KEY_SIZE_MAX. */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_SIZE_MAX + 1];
    size_t size = strlen(b);
    for (size_t j = 0; j <= size; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= size; j++) {
            size_t above = row[j];
            size_t changed = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = least(changed, least(above, row[j - 1]) + 1);
            corner = above;
        }
    }
    return row[size];
}

/* A key that may have been meant, or NULL. Names whose lengths differ by more than may change are not compared: a file
 * may have thousands of unknown ones. */
static const char *near(const char *name)
{
    const char *best = NULL;
    size_t best_distance = 3;
    size_t size = strlen(name);
    if (size >= KEY_SIZE_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < fk_config_key_count; i++) {
        const char *known = fk_config_keys[i].name;
        size_t known_size = strlen(known);
        if (known_size >= KEY_SIZE_MAX || known_size >= size + best_distance || size >= known_size + best_distance ||
            known[known_size - 1] == '*') {
            continue;
        }
        size_t changes = distance(name, known);
        if (changes < best_distance) {
            best = known;
            best_distance = changes;
        }
    }
    return best;
}

static enum fk_err note_unknown(struct fk_config *config, const char *name)
{
    const char *meant = near(name);
    fk_buf_print(&config->unknown, "%s%s", fk_buf_left(&config->unknown) == 0 ? "" : ", ", name);
    if (meant != NULL) {
        fk_buf_print(&config->unknown, " (%s?)", meant);
    }
    return config->unknown.failed ? FK_ERR_NOMEM : FK_OK;
}

/* A name with "zookeeper." or "faaskeeper." before it is the same. */
static const char *without_prefix(const char *name)
{
    static const char *const prefixes[] = {"zookeeper.", "faaskeeper."};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], size) == 0) {
            return name + size;
        }
    }
    return name;
}

static enum fk_err take(void *context, const struct fk_place *place, const char *name, const char *value,
                        struct fk_diag *diag)
{
    struct fk_config *config = (struct fk_config *)context;
    const char *bare = without_prefix(name);
    const struct fk_config_key *key = bare[0] == '\0' ? NULL : fk_config_find(bare);
    if (key == NULL) {
        return note_unknown(config, name);
    }
    return fk_config_set(config, key, &(struct fk_config_value){place, bare, value, diag});
}

enum fk_err fk_config_parse(struct fk_config *config, struct fk_bytes text, const char *name, struct fk_diag *diag)
{
    return fk_properties_parse(text, name, take, config, diag);
}

enum fk_err fk_config_load(struct fk_config *config, const char *path, struct fk_diag *diag)
{
    return fk_properties_load(path, take, config, diag);
}

/* Everybody on the machine reads command lines. */
static bool is_secret(const char *name)
{
    const struct fk_config_key *key = fk_config_find(without_prefix(name));
    return key != NULL && (key->kind == FK_CONFIG_SECRET || key->set == fk_config_set_super_digest);
}

static enum fk_err define(struct fk_config *config, const char *name, const char *value, struct fk_diag *diag)
{
    static const struct fk_place place = {.name = "-D", .line = 0};
    if (is_secret(name)) {
        fk_diag_set(diag,
                    "-D: %s: everybody on this machine can read a command line; write it into the file of --config",
                    name);
        return FK_ERR_USAGE;
    }
    return take(config, &place, name, value, diag);
}

enum fk_err fk_config_define(struct fk_config *config, const char *setting, struct fk_diag *diag)
{
    const char *equals = strchr(setting, '=');
    if (equals == NULL || equals == setting) {
        fk_diag_set(diag, "-D: expected KEY=VALUE");
        return FK_ERR_USAGE;
    }
    struct fk_buf name = FK_BUF_EMPTY;
    fk_buf_append(&name, fk_bytes_of(setting, (size_t)(equals - setting)));
    fk_buf_append(&name, fk_bytes_of("", 1));
    enum fk_err err = name.failed ? FK_ERR_NOMEM : define(config, (const char *)name.data, equals + 1, diag);
    fk_buf_deinit(&name);
    return err;
}

enum fk_err fk_config_finish(struct fk_config *config, struct fk_diag *diag)
{
    if (config->servers > 1) {
        fk_diag_set(diag,
                    "the configuration names %d servers (server.N): faaskeeper serve is one server, not a quorum. "
                    "Remove the server.N lines to serve on this machine alone",
                    config->servers);
        return FK_ERR_USAGE;
    }
    config->rules.any_sasl = config->auth.any_sasl;
    config->rules.digest_disabled = !config->auth.digest_enabled;
    if (config->session_timeout_min_ms == -1) {
        config->session_timeout_min_ms = 2 * config->tick_ms;
    }
    if (config->session_timeout_max_ms == -1) {
        config->session_timeout_max_ms = 20 * config->tick_ms;
    }
    if (config->session_timeout_min_ms > config->session_timeout_max_ms) {
        fk_diag_set(diag, "minSessionTimeout (%d ms) is larger than maxSessionTimeout (%d ms)",
                    config->session_timeout_min_ms, config->session_timeout_max_ms);
        return FK_ERR_USAGE;
    }
    config->words |= FK_WORD_SRVR; /* ZK: zkServer.sh depends on it */
    if (config->read_only) {
        config->words |= FK_WORD_ISRO;
    }
    return FK_OK;
}
