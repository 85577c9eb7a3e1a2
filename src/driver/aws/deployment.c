// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/deployment.h"

#include "driver/aws/dynamodb.h"
#include "driver/aws/json.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FORMAT = 1,
};

static struct fk_key item_key(void)
{
    return (struct fk_key){FK_BYTES_LITERAL("deployment"), FK_BYTES_LITERAL("deployment")};
}

static bool is_name(const char *name)
{
    size_t size = strlen(name);
    if (size == 0 || size > FK_DEPLOYMENT_NAME_MAX || name[0] == '-' || name[size - 1] == '-') {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

/* "faaskeeper-NAME" and what follows; there is room for it. */
static void derive(char part[FK_DEPLOYMENT_PART_MAX + 1], const char *name, const char *rest)
{
    (void)snprintf(part, FK_DEPLOYMENT_PART_MAX + 1, "faaskeeper-%s%s", name, rest);
}

enum fk_err fk_deployment_init(struct fk_deployment *deployment, const char *name, struct fk_diag *diag)
{
    *deployment = (struct fk_deployment){.pipeline = false};
    if (!is_name(name)) {
        fk_diag_set(diag, "deployment name '%.60s': 1 to %d of a-z, 0-9 and '-', which may not stand at an end", name,
                    FK_DEPLOYMENT_NAME_MAX);
        return FK_ERR_USAGE;
    }
    memcpy(deployment->name, name, strlen(name) + 1);
    derive(deployment->table, name, "");
    derive(deployment->gateway_prefix, name, "-gw-");
    return FK_OK;
}

/* Whether a text may stand in `room` bytes; it is copied then. */
static bool copy(char *to, size_t room, struct fk_bytes text)
{
    if (text.data == NULL || text.size >= room || memchr(text.data, 0, text.size) != NULL) {
        return false;
    }
    memcpy(to, text.data, text.size);
    to[text.size] = '\0';
    return true;
}

struct fk_rules fk_deployment_get_rules(const struct fk_deployment *deployment)
{
    struct fk_rules rules = deployment->rules;
    rules.any_sasl = deployment->any_sasl_user[0] == '\0' ? NULL : deployment->any_sasl_user;
    return rules;
}

void fk_deployment_set_rules(struct fk_deployment *deployment, const struct fk_rules *rules)
{
    deployment->rules = *rules;
    deployment->rules.any_sasl = NULL;
    (void)snprintf(deployment->any_sasl_user, sizeof deployment->any_sasl_user, "%s",
                   rules->any_sasl == NULL ? "" : rules->any_sasl);
}

/* --- environment --- */

static enum fk_err take_variable(const char *name, char *to, size_t room, bool needed, struct fk_diag *diag)
{
    const char *value = getenv(name);
    if (value == NULL || value[0] == '\0') {
        if (!needed) {
            return FK_OK;
        }
        fk_diag_set(diag, "environment: %s is not set", name);
        return FK_ERR_USAGE;
    }
    if (!copy(to, room, fk_bytes_text(value))) {
        fk_diag_set(diag, "environment: %s has more than %zu characters", name, room - 1);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

static bool parse_topology(struct fk_bytes text, bool *pipeline)
{
    *pipeline = fk_bytes_equal_text(text, "pipeline");
    return *pipeline || fk_bytes_equal_text(text, "single-hop");
}

enum fk_err fk_deployment_from_environment(struct fk_deployment *deployment, struct fk_diag *diag)
{
    const char *name = getenv("FK_DEPLOYMENT");
    const char *topology = getenv("FK_TOPOLOGY");
    bool pipeline = false;
    enum fk_err err = fk_deployment_init(deployment, name == NULL ? "" : name, diag);
    if (err != FK_OK) {
        return err;
    }
    if (topology != NULL && !parse_topology(fk_bytes_text(topology), &pipeline)) {
        fk_diag_set(diag, "environment: FK_TOPOLOGY is '%.40s', not single-hop or pipeline", topology);
        return FK_ERR_USAGE;
    }
    deployment->pipeline = pipeline;
    const struct {
        const char *name;
        char *to;
        size_t room;
        bool needed;
    } variables[] = {
        {"FK_TABLE", deployment->table, sizeof deployment->table, false},
        {"FK_BUCKET", deployment->bucket, sizeof deployment->bucket, true},
        {"FK_REQUESTS_URL", deployment->requests, sizeof deployment->requests, true},
        {"FK_DISTRIBUTOR_URL", deployment->distributor, sizeof deployment->distributor, pipeline},
        {"FK_SCHEDULE", deployment->schedule, sizeof deployment->schedule, false},
    };
    for (size_t i = 0; err == FK_OK && i < sizeof variables / sizeof variables[0]; i++) {
        err = take_variable(variables[i].name, variables[i].to, variables[i].room, variables[i].needed, diag);
    }
    struct fk_rules rules;
    if (err == FK_OK) {
        err = fk_deployment_rules_from_environment(&rules, diag);
    }
    if (err == FK_OK) {
        fk_deployment_set_rules(deployment, &rules);
    }
    return err;
}

/* --- the item --- */

static void member(struct fk_buf *buf, const char *name, const char *value)
{
    fk_buf_print(buf, ",\"%s\":", name);
    fk_json_append_string(buf, fk_bytes_text(value));
}

/* All of them, each as text. */
static void write_rules(struct fk_buf *buf, const struct fk_deployment *deployment)
{
    const struct fk_rules rules = fk_deployment_get_rules(deployment);
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        char text[FK_DEPLOYMENT_RULE_SIZE];
        fk_deployment_rule_text(i, &rules, text);
        fk_buf_print(buf, "%s\"%s\":", i == 0 ? ",\"rules\":{" : ",", fk_deployment_rules[i].key);
        fk_json_append_string(buf, fk_bytes_text(text));
    }
    fk_buf_append(buf, FK_BYTES_LITERAL("}"));
}

void fk_deployment_write(struct fk_buf *buf, const struct fk_deployment *deployment)
{
    fk_buf_print(buf, "{\"format\":%d", FORMAT);
    member(buf, "topology", deployment->pipeline ? "pipeline" : "single-hop");
    member(buf, "bucket", deployment->bucket);
    member(buf, "requests", deployment->requests);
    member(buf, "distributor", deployment->distributor);
    member(buf, "heartbeat_schedule", deployment->schedule);
    write_rules(buf, deployment);
    fk_buf_append(buf, FK_BYTES_LITERAL("}"));
}

static bool read_members(const json_t *object, struct fk_deployment *deployment, const char **wrong)
{
    const struct {
        const char *name;
        char *to;
        size_t room;
        bool needed;
    } members[] = {
        {"bucket", deployment->bucket, sizeof deployment->bucket, true},
        {"requests", deployment->requests, sizeof deployment->requests, true},
        {"distributor", deployment->distributor, sizeof deployment->distributor, deployment->pipeline},
        {"heartbeat_schedule", deployment->schedule, sizeof deployment->schedule, false},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct fk_bytes text = fk_json_text(object, members[i].name);
        *wrong = members[i].name;
        if (members[i].needed ? text.size == 0 : text.data == NULL) {
            if (members[i].needed) {
                return false;
            }
            text = FK_BYTES_LITERAL("");
        }
        if (!copy(members[i].to, members[i].room, text)) {
            return false;
        }
    }
    return true;
}

/* An item that was written before there were such rules has the defaults, as its functions do. */
static bool read_rules(const json_t *object, struct fk_deployment *deployment, const char **wrong)
{
    struct fk_rules rules = {.extended_types = false};
    char texts[FK_DEPLOYMENT_RULES][FK_DEPLOYMENT_RULE_SIZE]; /* a name stays in its own */
    const json_t *members = json_object_get(object, "rules");
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        struct fk_bytes value = fk_json_text(members, fk_deployment_rules[i].key);
        bool missing = json_object_get(members, fk_deployment_rules[i].key) == NULL;
        *wrong = fk_deployment_rules[i].key;
        if (!copy(texts[i], sizeof texts[i], missing ? FK_BYTES_LITERAL("") : value) ||
            !fk_deployment_rule_set(i, texts[i], &rules)) {
            return false;
        }
    }
    fk_deployment_set_rules(deployment, &rules);
    return true;
}

enum fk_err fk_deployment_read(struct fk_bytes value, struct fk_deployment *deployment, struct fk_diag *diag)
{
    json_t *object = fk_json_load(value);
    json_int_t format = json_integer_value(json_object_get(object, "format"));
    const char *wrong = "format";
    enum fk_err err = FK_ERR_DAMAGED;
    if (format > FORMAT) {
        fk_diag_set(diag, "deployment %s is of format %lld, and this program knows up to %d: use a newer one",
                    deployment->name, (long long)format, FORMAT);
        err = FK_ERR_VERSION;
    } else if (format == FORMAT) {
        wrong = "topology";
        if (parse_topology(fk_json_text(object, "topology"), &deployment->pipeline) &&
            read_members(object, deployment, &wrong) && read_rules(object, deployment, &wrong)) {
            err = FK_OK;
        }
    }
    if (err == FK_ERR_DAMAGED) {
        fk_diag_set(diag, "deployment %s: its item in table %s has no right member '%s'", deployment->name,
                    deployment->table, wrong);
    }
    json_decref(object);
    return err;
}

enum fk_err fk_deployment_load(struct fk_aws *aws, const char *name, struct fk_deployment *deployment,
                               struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_key key = item_key();
    struct fk_item item;
    enum fk_err err = fk_deployment_init(deployment, name, diag);
    if (err != FK_OK) {
        return err;
    }
    struct fk_table *table = fk_dynamodb_table_new(aws, NULL, deployment->table); /* which is only read */
    err = table == NULL ? FK_ERR_NOMEM : fk_table_get(table, &key, &arena, &item);
    if (err != FK_OK && err != FK_ERR_NOMEM) {
        fk_diag_set(diag, "deployment %s: its table %s can't be read: %s", name, deployment->table, fk_aws_diag(aws));
    } else if (err == FK_OK && item.stamp == 0) {
        fk_diag_set(diag, "deployment %s: its table %s does not say how it was set up: deploy it again", name,
                    deployment->table);
        err = FK_ERR_NOT_FOUND;
    } else if (err == FK_OK) {
        err = fk_deployment_read(item.value, deployment, diag);
    }
    fk_table_free(table);
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_deployment_store(struct fk_table *table, const struct fk_deployment *deployment)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_deployment_write(&buf, deployment);
    struct fk_write write = {
        .kind = FK_WRITE_PUT, .key = item_key(), .expected = FK_STAMP_ANY, .value = fk_buf_view(&buf)};
    enum fk_err err = buf.failed ? FK_ERR_NOMEM : fk_table_write(table, &write, 1);
    fk_buf_deinit(&buf);
    return err;
}
