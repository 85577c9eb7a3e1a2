// SPDX-License-Identifier: Apache-2.0
#include "deploy/status.h"

#include <inttypes.h>
#include <jansson.h>

static const char *parameter(const struct fk_status *status, const char *key)
{
    return fk_stack_values_get(&status->stack->parameters, key);
}

static void print_functions(const struct fk_status *status, FILE *out)
{
    for (size_t i = 0; i < status->function_count; i++) {
        const struct fk_status_function *function = &status->functions[i];
        if (function->known) {
            (void)fprintf(out, "%-13s %s, %" PRId64 " MB, code of %" PRId64 " bytes, changed %s\n", function->part,
                          function->state[0] == '\0' ? "state unknown" : function->state, function->memory_mb,
                          function->code_size, function->modified);
        }
    }
}

static void print_queues(const struct fk_status *status, FILE *out)
{
    for (size_t i = 0; i < status->queue_count; i++) {
        const struct fk_status_queue *queue = &status->queues[i];
        if (queue->known) {
            (void)fprintf(out, "%-13s %" PRId64 " waiting, %" PRId64 " in flight\n",
                          strcmp(queue->part, "dead") == 0 ? "dead letters"
                          : i == 0                         ? "requests"
                                                           : "to distribute",
                          queue->waiting, queue->in_flight);
        }
    }
}

static void print_cost(const struct fk_cost *cost, FILE *out)
{
    (void)fprintf(out, "cost          about %.4f USD since %s, of it %.4f in %s (prices of %s, without free tiers,\n",
                  cost->usd, cost->since, cost->month_usd, cost->month, cost->region);
    (void)fprintf(out, "              storage, S3's requests and the gateways' own queues)\n");
    for (size_t i = 0; i < cost->count; i++) {
        const struct fk_cost_line *line = &cost->lines[i];
        (void)fprintf(out, "  %-22s %16.0f  %10.4f USD\n", line->what, line->amount, line->usd);
    }
}

void fk_status_print(const struct fk_deploy *deploy, const struct fk_status *status, FILE *out)
{
    const struct fk_stack *stack = status->stack;
    (void)fprintf(out, "deployment    %s in %s\n", deploy->names.deployment, deploy->region);
    (void)fprintf(out, "stack         %s, since %s\n", stack->status, stack->created);
    (void)fprintf(out, "topology      %s, %s\n", parameter(status, "Topology"), parameter(status, "Architecture"));
    print_functions(status, out);
    print_queues(status, out);
    if (status->census_known) {
        (void)fprintf(out, "gateways      %zu alive\n", status->census.gateways_alive);
        (void)fprintf(out, "sessions      %zu%s\n", status->census.sessions, status->census.more ? " or more" : "");
    }
    if (status->schedule_known) {
        (void)fprintf(out, "schedule      %s\n",
                      status->schedule_enabled ? "enabled: a sweep each minute" : "disabled: nothing is called");
    }
    if (status->cost_known) {
        print_cost(&status->cost, out);
    }
    for (size_t i = 0; i < status->problem_count; i++) {
        (void)fprintf(out, "problem       %s\n", status->problems[i].text);
    }
    if (status->problem_count == 0) {
        (void)fprintf(out, "healthy\n");
    }
}

static json_t *json_functions(const struct fk_status *status)
{
    json_t *list = json_object();
    for (size_t i = 0; i < status->function_count; i++) {
        const struct fk_status_function *function = &status->functions[i];
        if (function->known) {
            (void)json_object_set_new(list, function->part,
                                      json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "name", function->name, "state",
                                                function->state, "lastUpdate", function->update, "memoryMb",
                                                (json_int_t)function->memory_mb, "codeSize",
                                                (json_int_t)function->code_size, "modified", function->modified));
        }
    }
    return list;
}

static json_t *json_queues(const struct fk_status *status)
{
    json_t *list = json_object();
    for (size_t i = 0; i < status->queue_count; i++) {
        const struct fk_status_queue *queue = &status->queues[i];
        if (queue->known) {
            (void)json_object_set_new(list, queue->part,
                                      json_pack("{s:I, s:I}", "waiting", (json_int_t)queue->waiting, "inFlight",
                                                (json_int_t)queue->in_flight));
        }
    }
    return list;
}

static json_t *json_cost(const struct fk_cost *cost)
{
    json_t *parts = json_object();
    for (size_t i = 0; i < cost->count; i++) {
        const struct fk_cost_line *line = &cost->lines[i];
        (void)json_object_set_new(parts, line->what,
                                  json_pack("{s:f, s:f, s:f, s:f}", "amount", line->amount, "usd", line->usd,
                                            "amountThisMonth", line->month, "usdThisMonth", line->month_usd));
    }
    return json_pack("{s:s, s:s, s:f, s:f, s:o}", "since", cost->since, "pricesOf", cost->region, "usd", cost->usd,
                     "usdThisMonth", cost->month_usd, "parts", parts);
}

static json_t *json_problems(const struct fk_status *status)
{
    json_t *list = json_array();
    for (size_t i = 0; i < status->problem_count; i++) {
        (void)json_array_append_new(list, json_string(status->problems[i].text));
    }
    return list;
}

/* What is not known is null. */
static json_t *document(const struct fk_deploy *deploy, const struct fk_status *status)
{
    const struct fk_deploy_census *census = &status->census;
    json_t *gateways = status->census_known ? json_pack("{s:I, s:I}", "alive", (json_int_t)census->gateways_alive,
                                                        "dead", (json_int_t)census->gateways_dead)
                                            : json_null();
    json_t *sessions = status->census_known
                           ? json_pack("{s:I, s:b}", "count", (json_int_t)census->sessions, "more", census->more)
                           : json_null();
    json_t *schedule = status->schedule_known ? json_boolean(status->schedule_enabled) : json_null();
    return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "deployment",
                     deploy->names.deployment, "region", deploy->region, "stack", "name", deploy->names.stack, "status",
                     status->stack->status, "created", status->stack->created, "topology",
                     parameter(status, "Topology"), "architecture", parameter(status, "Architecture"), "functions",
                     json_functions(status), "queues", json_queues(status), "gateways", gateways, "sessions", sessions,
                     "scheduleEnabled", schedule, "cost", status->cost_known ? json_cost(&status->cost) : json_null(),
                     "problems", json_problems(status), "healthy", status->problem_count == 0);
}

enum fk_err fk_status_print_json(const struct fk_deploy *deploy, const struct fk_status *status, FILE *out)
{
    json_t *value = document(deploy, status);
    enum fk_err err = value == NULL ? FK_ERR_NOMEM : FK_OK;
    if (err == FK_OK) {
        err = json_dumpf(value, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF ? FK_OK : FK_ERR_IO;
    }
    json_decref(value);
    return err;
}
