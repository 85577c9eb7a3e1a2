// SPDX-License-Identifier: Apache-2.0
#include "cli/config.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "gateway/gateway.h"
#include "host/sweeper.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FILE_SIZE_MAX = 1024 * 1024,
    TICK_DEFAULT_MS = 3000, /* ZooKeeperServer.DEFAULT_TICK_TIME */
};

/* Where a value stands, for messages. */
struct place {
    const char *name;
    int line;
    const char *key;
    const char *value;
    struct fk_diag *diag;
};

void fk_config_init(struct fk_config *config)
{
    *config = (struct fk_config){.client_port = -1,
                                 .tick_ms = TICK_DEFAULT_MS,
                                 .session_timeout_min_ms = -1,
                                 .session_timeout_max_ms = -1,
                                 .connections_per_address = FK_CONNECTIONS_PER_ADDRESS,
                                 .sync = true,
                                 .words = FK_WORD_SRVR,
                                 .sweep_interval_ms = FK_SWEEP_INTERVAL_MS,
                                 .sweeps_per_minute = FK_SWEEPS_PER_MINUTE,
                                 .unknown = FK_BUF_EMPTY};
}

void fk_config_deinit(struct fk_config *config)
{
    fk_free(config->data_directory);
    fk_free(config->client_address);
    fk_free(config->super_digest);
    fk_free(config->x509_supers);
    fk_buf_deinit(&config->unknown);
}

static enum fk_err refuse(const struct place *place, const char *allowed)
{
    fk_diag_set(place->diag, "%s:%d: %s=%s: %s", place->name, place->line, place->key, place->value, allowed);
    return FK_ERR_USAGE;
}

static enum fk_err set_number(const struct place *place, int32_t *out, int32_t min, int32_t max)
{
    char allowed[96];
    char *end = NULL;
    errno = 0;
    long long value = strtoll(place->value, &end, 10);
    if (errno != 0 || end == place->value || *end != '\0' || value < min || value > max) {
        (void)snprintf(allowed, sizeof allowed, "expected a whole number from %" PRId32 " to %" PRId32, min, max);
        return refuse(place, allowed);
    }
    *out = (int32_t)value;
    return FK_OK;
}

static enum fk_err set_text(const struct place *place, char **out)
{
    size_t size = strlen(place->value) + 1;
    char *copy = (char *)fk_alloc(size);
    if (copy == NULL) {
        return FK_ERR_NOMEM;
    }
    memcpy(copy, place->value, size);
    fk_free(*out);
    *out = copy;
    return FK_OK;
}

/* A host's name or number; whether it exists is found out when it is listened on. */
static enum fk_err set_address(const struct place *place, char **out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]%";
    if (place->value[0] == '\0' || place->value[strspn(place->value, allowed)] != '\0') {
        return refuse(place, "expected a host name or address");
    }
    return set_text(place, out);
}

static enum fk_err set_yes_no(const struct place *place, bool *out)
{
    if (strcmp(place->value, "yes") == 0 || strcmp(place->value, "true") == 0) {
        *out = true;
    } else if (strcmp(place->value, "no") == 0 || strcmp(place->value, "false") == 0) {
        *out = false;
    } else {
        return refuse(place, "expected yes or no");
    }
    return FK_OK;
}

/* "*" or names with commas between them. Names of ZooKeeper's that we do not answer are allowed: they stay unanswered.
 */
static enum fk_err set_words(const struct place *place, unsigned *out)
{
    enum {
        WORD_SIZE = 4,
    };
    const char *at = place->value;
    *out = 0;
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        size_t start = strspn(at, " \t");
        size_t end = size;
        while (end > start && (at[end - 1] == ' ' || at[end - 1] == '\t')) {
            end--;
        }
        if (end - start == 1 && at[start] == '*') {
            *out = FK_WORD_ALL;
        } else if (end - start == WORD_SIZE) {
            *out |= fk_word_parse(fk_bytes_of(at + start, WORD_SIZE));
        } else if (end > start) {
            return refuse(place, "expected * or words of four letters with commas between them");
        }
        at += size + (at[size] == ',' ? 1 : 0);
    }
    return FK_OK;
}

static enum fk_err set_super_digest(const struct place *place, char **out)
{
    static const char prefix[] = "super:";
    if (strncmp(place->value, prefix, sizeof prefix - 1) != 0 || place->value[sizeof prefix - 1] == '\0') {
        /* The value is a secret: it is not repeated. */
        fk_diag_set(place->diag, "%s:%d: %s: expected super:HASH, as DigestAuthenticationProvider prints it",
                    place->name, place->line, place->key);
        return FK_ERR_USAGE;
    }
    return set_text(place, out);
}

static enum fk_err count_server(const struct place *place, int32_t *servers)
{
    int32_t number = 0;
    struct place id = *place;
    id.value = place->key + strlen("server.");
    id.key = "server.N";
    *servers += 1;
    return set_number(&id, &number, 0, 255);
}

/* ZK: authProvider.N (or .x509) names a class; the schemes of ACLs that need one. */
static enum fk_err add_provider(const struct place *place, struct fk_rules *rules)
{
    static const struct {
        const char *name;
        unsigned scheme;
    } known[] = {
        {"SASLAuthenticationProvider", FK_SCHEME_SASL},
        {"X509AuthenticationProvider", FK_SCHEME_X509},
        {"IPAuthenticationProvider", 0}, /* these two are always there */
        {"DigestAuthenticationProvider", 0},
        {"EnsembleAuthenticationProvider", 0},
    };
    static const char package[] = "org.apache.zookeeper.server.auth.";
    bool ours = strncmp(place->value, package, sizeof package - 1) == 0;
    const char *name = ours ? place->value + sizeof package - 1 : place->value;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            rules->schemes |= known[i].scheme;
            return FK_OK;
        }
    }
    return refuse(place, "classes can't be loaded; expected one of ZooKeeper's own: SASLAuthenticationProvider, "
                         "X509AuthenticationProvider, IPAuthenticationProvider, DigestAuthenticationProvider, "
                         "EnsembleAuthenticationProvider");
}

static enum fk_err set_never_used(const struct place *place, int64_t *out, int32_t max)
{
    int32_t ms = 0;
    enum fk_err err = set_number(place, &ms, 0, max);
    *out = ms;
    return err;
}

/* What concerns the tree and its permissions. False where the key is none of these. */
static bool set_rule(struct fk_config *config, const struct place *place, enum fk_err *err)
{
    static const int32_t ms_max = INT32_MAX;
    struct fk_rules *rules = &config->rules;
    bool ignored = false;
    const struct {
        const char *key;
        bool *flag;
    } flags[] = {
        {"extendedTypesEnabled", &rules->extended_types},
        {"enforceQuota", &rules->enforce_quota},
        {"reconfigEnabled", &rules->reconfig_enabled},
        {"skipACL", &rules->skip_acl},
        {"emulate353TTLNodes", &ignored}, /* about data that ZooKeeper 3.5.3 wrote */
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(place->key, flags[i].key) == 0) {
            *err = set_yes_no(place, flags[i].flag);
            return true;
        }
    }
    if (strcmp(place->key, "znode.container.checkIntervalMs") == 0) {
        *err = set_number(place, &config->sweep_interval_ms, 1, ms_max);
    } else if (strcmp(place->key, "znode.container.maxPerMinute") == 0) {
        *err = set_number(place, &config->sweeps_per_minute, 1, INT32_MAX);
    } else if (strcmp(place->key, "znode.container.maxNeverUsedIntervalMs") == 0) {
        *err = set_never_used(place, &rules->never_used_ms, ms_max);
    } else if (strncmp(place->key, "authProvider.", strlen("authProvider.")) == 0) {
        *err = add_provider(place, rules);
    } else if (strcmp(place->key, "X509AuthenticationProvider.superUser") == 0) {
        *err = set_text(place, &config->x509_supers);
    } else {
        return false;
    }
    return true;
}

static enum fk_err set(struct fk_config *config, const struct place *place)
{
    static const int32_t ms_max = 24 * 60 * 60 * 1000;
    const char *key = place->key;
    if (strcmp(key, "dataDir") == 0) {
        return place->value[0] == '\0' ? refuse(place, "expected a directory")
                                       : set_text(place, &config->data_directory);
    }
    if (strcmp(key, "clientPort") == 0) {
        return set_number(place, &config->client_port, 0, 65535);
    }
    if (strcmp(key, "clientPortAddress") == 0) {
        return set_address(place, &config->client_address);
    }
    if (strcmp(key, "tickTime") == 0) {
        return set_number(place, &config->tick_ms, 1, ms_max);
    }
    if (strcmp(key, "minSessionTimeout") == 0) {
        return set_number(place, &config->session_timeout_min_ms, -1, ms_max);
    }
    if (strcmp(key, "maxSessionTimeout") == 0) {
        return set_number(place, &config->session_timeout_max_ms, -1, ms_max);
    }
    if (strcmp(key, "maxClientCnxns") == 0) {
        return set_number(place, &config->connections_per_address, 0, INT32_MAX);
    }
    if (strcmp(key, "preAllocSize") == 0) {
        return set_number(place, &config->segment_size_kb, 1024, 1024 * 1024);
    }
    if (strcmp(key, "forceSync") == 0) {
        return set_yes_no(place, &config->sync);
    }
    if (strcmp(key, "4lw.commands.whitelist") == 0) {
        return set_words(place, &config->words);
    }
    if (strcmp(key, "DigestAuthenticationProvider.superDigest") == 0) {
        return set_super_digest(place, &config->super_digest);
    }
    enum fk_err err = FK_OK;
    if (set_rule(config, place, &err)) {
        return err;
    }
    if (strncmp(key, "server.", strlen("server.")) == 0) {
        return count_server(place, &config->servers);
    }
    fk_buf_print(&config->unknown, "%s%s", fk_buf_left(&config->unknown) == 0 ? "" : ", ", key);
    return FK_OK;
}

/* One character of a key or value; a backslash takes the next one as it is, or as t, n, r, f, uXXXX. */
static const char *unescape(const char *at, struct fk_buf *out)
{
    if (at[0] != '\\' || at[1] == '\0') {
        fk_buf_append(out, fk_bytes_of(at, 1));
        return at + 1;
    }
    unsigned code = 0;
    int used = 0;
    if (at[1] == 'u' && sscanf(at + 2, "%4x%n", &code, &used) == 1 && used == 4 && code > 0 && code < 0x80) {
        char character = (char)code;
        fk_buf_append(out, fk_bytes_of(&character, 1));
        return at + 6;
    }
    const char *found = strchr("t\tn\nr\rf\f", at[1]);
    bool letter = found != NULL && strchr("tnrf", at[1]) != NULL;
    fk_buf_append(out, fk_bytes_of(letter ? found + 1 : at + 1, 1));
    return at + 2;
}

/* Splits a logical line: the key ends at the first '=', ':' or blank that is not escaped. */
static enum fk_err parse_line(struct fk_config *config, const char *line, struct place *place)
{
    struct fk_buf key = FK_BUF_EMPTY;
    struct fk_buf value = FK_BUF_EMPTY;
    const char *at = line + strspn(line, " \t\f");
    enum fk_err err = FK_OK;
    if (*at == '\0' || *at == '#' || *at == '!') {
        return FK_OK;
    }
    while (*at != '\0' && strchr("=: \t\f", *at) == NULL) {
        at = unescape(at, &key);
    }
    at += strspn(at, " \t\f");
    if (*at == '=' || *at == ':') {
        at++;
    }
    at += strspn(at, " \t\f");
    while (*at != '\0') {
        at = unescape(at, &value);
    }
    /* QuorumPeerConfig trims values. */
    while (value.size > 0 && strchr(" \t\f\r", value.data[value.size - 1]) != NULL) {
        value.size--;
    }
    fk_buf_append(&key, fk_bytes_of("", 1));
    fk_buf_append(&value, fk_bytes_of("", 1));
    if (key.failed || value.failed) {
        err = FK_ERR_NOMEM;
    } else {
        place->key = (const char *)key.data;
        place->value = (const char *)value.data;
        err = set(config, place);
    }
    fk_buf_deinit(&key);
    fk_buf_deinit(&value);
    return err;
}

/* Takes the next logical line and counts the lines it has: a line that ends with an odd number of backslashes goes on
 * in the next one. */
static bool next_line(struct fk_bytes *text, struct fk_buf *line, int *taken)
{
    bool some = false;
    fk_buf_clear(line);
    while (text->size > 0) {
        const uint8_t *end = (const uint8_t *)memchr(text->data, '\n', text->size);
        size_t size = end == NULL ? text->size : (size_t)(end - text->data);
        struct fk_bytes rest = fk_bytes_head(*text, size);
        size_t slashes = 0;
        while (rest.size > 0 && strchr(" \t\f", rest.data[0]) != NULL) {
            rest = fk_bytes_tail(rest, 1); /* blanks in front count for nothing, in continued lines too */
        }
        if (rest.size > 0 && rest.data[rest.size - 1] == '\r') {
            rest.size--;
        }
        bool comment = !some && (rest.size == 0 || rest.data[0] == '#' || rest.data[0] == '!');
        while (slashes < rest.size && rest.data[rest.size - 1 - slashes] == '\\') {
            slashes++;
        }
        bool goes_on = slashes % 2 == 1 && !comment; /* comments do not continue */
        some = true;
        (*taken)++;
        fk_buf_append(line, fk_bytes_head(rest, goes_on ? rest.size - 1 : rest.size));
        *text = fk_bytes_tail(*text, end == NULL ? size : size + 1);
        if (!goes_on) {
            break;
        }
    }
    fk_buf_append(line, fk_bytes_of("", 1));
    return some;
}

enum fk_err fk_config_parse(struct fk_config *config, struct fk_bytes text, const char *name, struct fk_diag *diag)
{
    struct place place = {.name = name, .line = 1, .diag = diag};
    struct fk_buf line = FK_BUF_EMPTY;
    enum fk_err err = FK_OK;
    if (text.size > 0 && memchr(text.data, '\0', text.size) != NULL) {
        fk_diag_set(diag, "%s: has a NUL byte, this is no text file", name);
        return FK_ERR_USAGE;
    }
    int taken = 0;
    while (err == FK_OK && next_line(&text, &line, &taken)) {
        err = line.failed ? FK_ERR_NOMEM : parse_line(config, (const char *)line.data, &place);
        place.line = taken + 1; /* a line that goes on is named by where it starts */
    }
    fk_buf_deinit(&line);
    return err;
}

enum fk_err fk_config_load(struct fk_config *config, const char *path, struct fk_diag *diag)
{
    struct fk_buf text = FK_BUF_EMPTY;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fk_diag_set(diag, "can't read %s: %s", path, strerror(errno));
        return FK_ERR_IO;
    }
    enum fk_err err = FK_OK;
    uint8_t *room = fk_buf_reserve(&text, FILE_SIZE_MAX + 1);
    if (room == NULL) {
        err = FK_ERR_NOMEM;
    } else {
        text.size = fread(room, 1, FILE_SIZE_MAX + 1, file);
        if (ferror(file) != 0) {
            fk_diag_set(diag, "can't read %s: %s", path, strerror(errno));
            err = FK_ERR_IO;
        } else if (text.size > FILE_SIZE_MAX) {
            fk_diag_set(diag, "%s is larger than %d bytes, which no configuration is", path, FILE_SIZE_MAX);
            err = FK_ERR_USAGE;
        }
    }
    (void)fclose(file);
    if (err == FK_OK) {
        err = fk_config_parse(config, fk_buf_view(&text), path, diag);
    }
    fk_buf_deinit(&text);
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
    return FK_OK;
}
