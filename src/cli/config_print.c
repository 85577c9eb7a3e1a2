// SPDX-License-Identifier: Apache-2.0
/* The table of keys for people: effective values, and docs/configuration.md. */
#include "cli/config_internal.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

/* The value as text, in `text`, or NULL where it is not set or only its setter knows. */
static const char *value_of(const struct fk_config *config, const struct fk_config_key *key, char text[32])
{
    const void *field = (const char *)config + key->offset;
    switch (key->kind) {
    case FK_CONFIG_NUMBER:
        (void)snprintf(text, 32, "%" PRId32, *(const int32_t *)field);
        return text;
    case FK_CONFIG_LONG:
        (void)snprintf(text, 32, "%" PRId64, *(const int64_t *)field);
        return text;
    case FK_CONFIG_SWITCH:
        return *(const bool *)field ? "yes" : "no";
    case FK_CONFIG_TEXT:
    case FK_CONFIG_PATH:
    case FK_CONFIG_ADDRESS:
        return *(char *const *)field;
    case FK_CONFIG_SECRET:
        return *(char *const *)field == NULL ? NULL : "(set)";
    case FK_CONFIG_SPECIAL:
    case FK_CONFIG_IGNORED:
    case FK_CONFIG_REFUSED:
        break;
    }
    return NULL;
}

static void print_json(const struct fk_config *config, FILE *out)
{
    json_t *object = json_object();
    for (size_t i = 0; i < fk_config_key_count; i++) {
        char text[32];
        const char *value = value_of(config, &fk_config_keys[i], text);
        if (value != NULL) {
            (void)json_object_set_new(object, fk_config_keys[i].name, json_string(value));
        }
    }
    (void)json_object_set_new(object, "DigestAuthenticationProvider.superDigest",
                              config->auth.super_digest == NULL ? json_null() : json_string("(set)"));
    (void)json_object_set_new(object, "unknown",
                              json_stringn((const char *)config->unknown.data, fk_buf_left(&config->unknown)));
    (void)json_dumpf(object, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    (void)fputc('\n', out);
    json_decref(object);
}

void fk_config_print(const struct fk_config *config, bool json, FILE *out)
{
    if (json) {
        print_json(config, out);
        return;
    }
    for (size_t i = 0; i < fk_config_key_count; i++) {
        char text[32];
        const char *value = value_of(config, &fk_config_keys[i], text);
        if (value != NULL) {
            (void)fprintf(out, "%s=%s\n", fk_config_keys[i].name, value);
        }
    }
    if (config->auth.super_digest != NULL) {
        (void)fprintf(out, "DigestAuthenticationProvider.superDigest=(set)\n");
    }
}

static void document_honoured(FILE *out)
{
    (void)fputs("| key | default | |\n| --- | --- | --- |\n", out);
    for (size_t i = 0; i < fk_config_key_count; i++) {
        const struct fk_config_key *key = &fk_config_keys[i];
        if (key->kind < FK_CONFIG_IGNORED) {
            (void)fprintf(out, "| `%s` | %s | %s |\n", key->name, key->standard, key->text);
        }
    }
}

static void document_others(FILE *out, enum fk_config_kind kind)
{
    (void)fputs("| key | why |\n| --- | --- |\n", out);
    for (size_t i = 0; i < fk_config_key_count; i++) {
        if (fk_config_keys[i].kind == kind) {
            (void)fprintf(out, "| `%s` | %s |\n", fk_config_keys[i].name, fk_config_keys[i].text);
        }
    }
}

void fk_config_document(FILE *out)
{
    (void)fputs(
        "# Configuration\n\n"
        "`faaskeeper serve --config zoo.cfg` reads ZooKeeper's file; `-D KEY=VALUE` is one line more of it. The\n"
        "prefixes `zookeeper.` and `faaskeeper.` may stand before each key. `faaskeeper config check FILE` shows\n"
        "what a file comes to. Made from src/cli/config_keys.c by `faaskeeper config document`.\n\n"
        "## Honoured\n\n",
        out);
    document_honoured(out);
    (void)fputs("\n## Named in a warning\n\n", out);
    document_others(out, FK_CONFIG_REFUSED);
    (void)fputs(
        "\n## Taken without a word\n\nWhat they are for is done in another way, or has no place in one server.\n\n",
        out);
    document_others(out, FK_CONFIG_IGNORED);
}
