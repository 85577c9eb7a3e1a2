// SPDX-License-Identifier: Apache-2.0
#include "host/lambda_function.h"

#include "base/log.h"
#include "function/distributor.h"
#include "function/pipeline.h"
#include "function/single_hop.h"
#include "function/sweep.h"
#include "host/lambda_json.h"

enum {
    /* What is begun before the deadline less this can end: a commit that the store is slow with, or a blob. */
    MARGIN_MS = 2000,
};

bool fk_lambda_kind_parse(const char *text, enum fk_lambda_kind *kind)
{
    static const char *const names[] = {"writer", "distributor", "heartbeat", "watch"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *kind = (enum fk_lambda_kind)i;
            return true;
        }
    }
    return false;
}

/* The time in which something new may be begun; negative: none. */
static int64_t time_left(const struct fk_lambda_function *function, const struct fk_invocation *invocation)
{
    int64_t most = function->options.function_ms;
    if (invocation->deadline_ms == 0) {
        return most;
    }
    int64_t left = invocation->deadline_ms - fk_clock_wall_ms(function->ports->clock) - MARGIN_MS;
    return left < most ? left : most;
}

/* --- events of queues --- */

typedef enum fk_err (*run_fn)(const struct fk_cloud_options *options, const struct fk_ports *ports,
                              const struct fk_bytes *messages, size_t count, size_t *done);

static run_fn choose(const struct fk_lambda_function *function)
{
    if (function->kind == FK_LAMBDA_DISTRIBUTOR) {
        return fk_distributor_run;
    }
    return function->options.pipeline ? fk_pipeline_writer_run : fk_single_hop_run;
}

/* One invocation with a batch. */
struct delivery {
    const struct fk_lambda_function *function;
    const struct fk_invocation *invocation;
    struct fk_lambda_batch batch;
    bool *seen;              /* by message: its group was begun */
    struct fk_bytes *bodies; /* of one group */
    size_t *indices;
};

static size_t select_group(struct delivery *delivery, size_t first)
{
    const struct fk_lambda_message *messages = delivery->batch.messages;
    size_t count = 0;
    for (size_t i = first; i < delivery->batch.count; i++) {
        if (!delivery->seen[i] && fk_bytes_equal(messages[i].group, messages[first].group)) {
            delivery->seen[i] = true;
            delivery->indices[count] = i;
            delivery->bodies[count++] = messages[i].body;
        }
    }
    return count;
}

/* The messages of one group, whose first one is this. What is not done fails, all behind the first such included:
 * order. */
static void run_group(struct delivery *delivery, size_t first)
{
    const struct fk_lambda_function *function = delivery->function;
    struct fk_cloud_options options = function->options;
    int64_t left_ms = time_left(function, delivery->invocation);
    size_t count = select_group(delivery, first);
    size_t done = 0;
    enum fk_err err = FK_ERR_BUSY;
    if (left_ms > 0) {
        options.function_ms = (int32_t)left_ms;
        err = choose(function)(&options, function->ports, delivery->bodies, count, &done);
    }
    if (done < count) {
        fk_log_with(FK_LOG_WARN, "messages are given back to the queue",
                    fk_log_number("messages", (int64_t)(count - done)),
                    fk_log_bytes("group", delivery->batch.messages[first].group),
                    fk_log_text("reason", left_ms > 0 ? fk_err_text(err) : "no time is left"));
    }
    for (size_t i = done; i < count; i++) {
        delivery->batch.messages[delivery->indices[i]].failed = true;
    }
}

static void refuse(struct fk_lambda_error *error, enum fk_err err, const struct fk_diag *diag)
{
    const char *type = err == FK_ERR_NOMEM       ? "Function.OutOfMemory"
                       : err == FK_ERR_TOO_LARGE ? "Event.TooLarge"
                                                 : "Event.Malformed";
    fk_lambda_error_set(error, type, "%s", diag->text[0] == '\0' ? fk_err_text(err) : diag->text);
}

static bool run_batch(const struct fk_lambda_function *function, const struct fk_invocation *invocation,
                      struct fk_arena *arena, struct fk_buf *out, struct fk_lambda_error *error)
{
    struct delivery delivery = {.function = function, .invocation = invocation};
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_lambda_batch_read(invocation->event, arena, &delivery.batch, &diag);
    size_t count = delivery.batch.count;
    if (err == FK_OK && count > 0) {
        delivery.seen = (bool *)fk_arena_alloc(arena, count * sizeof *delivery.seen);
        delivery.bodies = (struct fk_bytes *)fk_arena_alloc(arena, count * sizeof *delivery.bodies);
        delivery.indices = (size_t *)fk_arena_alloc(arena, count * sizeof *delivery.indices);
        bool ok = delivery.seen != NULL && delivery.bodies != NULL && delivery.indices != NULL;
        err = ok ? FK_OK : FK_ERR_NOMEM;
    }
    if (err != FK_OK) {
        refuse(error, err, &diag);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        delivery.seen[i] = false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!delivery.seen[i]) {
            run_group(&delivery, i);
        }
    }
    fk_lambda_batch_write_failures(&delivery.batch, out);
    return true;
}

/* --- sweeps --- */

static bool hook_worked(enum fk_err err, const char *what)
{
    if (err != FK_OK) {
        fk_log_with(FK_LOG_WARN, "a part of the sweep failed; the next one tries again", fk_log_text("part", what),
                    fk_log_text("reason", fk_err_text(err)));
    }
    return err == FK_OK;
}

/* Nobody is there: no schedule is needed until the next gateway switches it on. It does so behind its record is
 * written; so whoever is seen here after switching off either finds it off and switches it on, or is switched on for
 * here. */
static void rest(const struct fk_lambda_function *function)
{
    const struct fk_lambda_hooks *hooks = &function->hooks;
    struct fk_sweep_result again = {.gateways_alive = 0};
    if (hooks->set_schedule == NULL || !hook_worked(hooks->set_schedule(hooks->context, false), "schedule")) {
        return;
    }
    fk_log(FK_LOG_INFO, "no gateway and no session is left: the schedule is switched off");
    enum fk_err err = fk_sweep_gateways(&function->options, function->ports, 0, NULL, &again);
    if (err != FK_OK || again.gateways_alive > 0) {
        fk_log(FK_LOG_INFO, "a gateway may have come meanwhile: the schedule is switched on");
        (void)hook_worked(hooks->set_schedule(hooks->context, true), "schedule");
    }
}

/* Queues of dead gateways cost nothing: they are looked for as rarely as data that no record names, and before the
 * schedule may be switched off. */
static void collect(const struct fk_lambda_function *function, const struct fk_sweep_result *result)
{
    const struct fk_lambda_hooks *hooks = &function->hooks;
    if (hooks->collect != NULL && (result->orphans || result->gateways_alive == 0)) {
        (void)hook_worked(hooks->collect(hooks->context), "queues of dead gateways");
    }
}

static bool run_sweep(const struct fk_lambda_function *function, const struct fk_invocation *invocation,
                      struct fk_buf *out, struct fk_lambda_error *error)
{
    json_t *event = json_loadb((const char *)invocation->event.data, invocation->event.size, 0, NULL);
    bool is_object = json_is_object(event);
    struct fk_sweep_result result = {.gateways_alive = 0};
    bool full = function->kind == FK_LAMBDA_HEARTBEAT;
    json_decref(event);
    if (!is_object) {
        fk_lambda_error_set(error, "Event.Malformed", "the event is no JSON object");
        return false;
    }
    enum fk_err err = full ? fk_sweep_run(&function->options, function->ports, &result)
                           : fk_sweep_gateways(&function->options, function->ports, 0, NULL, &result);
    if (err != FK_OK) {
        fk_lambda_error_set(error, "Function.SweepFailed", "the sweep ended early: %s", fk_err_text(err));
        return false;
    }
    if (full) {
        collect(function, &result);
    }
    if (full && result.gateways_alive == 0 && result.sessions == 0) {
        rest(function);
    }
    fk_buf_print(out, "{\"gateways\":%zu,\"sessions\":%zu}", result.gateways_alive, result.sessions);
    return true;
}

/* --- what it used --- */

enum {
    USED_FIELDS = 9,
    USED_LOG_MS = 60 * 1000,
};

static void log_units(enum fk_log_level level, const struct fk_units *units, int64_t invocations)
{
    static struct fk_log_site site = {.file = __FILE__, .line = __LINE__};
    const struct {
        const char *key;
        int64_t number;
    } numbers[USED_FIELDS] = {
        {"read_units", units->read_units},
        {"write_units", units->write_units},
        {"refused", units->table_refused},
        {"failed", units->table_failed},
        {"queue_requests", units->queue_requests},
        {"told", units->channel_requests},
        {"puts", units->blob_puts},
        {"gets", units->blob_gets},
        {"lists", units->blob_lists},
    };
    struct fk_log_field fields[USED_FIELDS + 1] = {fk_log_number("invocations", invocations)};
    size_t count = 1;
    for (size_t i = 0; i < USED_FIELDS; i++) {
        if (numbers[i].number != 0) { /* each byte of a log costs, too */
            fields[count++] = fk_log_number(numbers[i].key, numbers[i].number);
        }
    }
    fk_log_put(&site, level, "used", fields, count);
}

static void log_used(struct fk_lambda_function *function)
{
    struct fk_lambda_used *used = &function->used;
    const struct fk_units units = fk_metered_take(function->metered);
    int64_t now_ms = fk_clock_monotonic_ms(function->ports->clock);
    log_units(FK_LOG_DEBUG, &units, 1);
    fk_units_add(&used->units, &units);
    used->invocations++;
    if (now_ms >= used->due_ms) {
        log_units(FK_LOG_INFO, &used->units, used->invocations);
        *used = (struct fk_lambda_used){.due_ms = now_ms + USED_LOG_MS};
    }
}

bool fk_lambda_run(void *context, const struct fk_invocation *invocation, struct fk_arena *arena, struct fk_buf *out,
                   struct fk_lambda_error *error)
{
    struct fk_lambda_function *function = (struct fk_lambda_function *)context;
    bool of_queue = function->kind == FK_LAMBDA_WRITER || function->kind == FK_LAMBDA_DISTRIBUTOR;
    bool done =
        of_queue ? run_batch(function, invocation, arena, out, error) : run_sweep(function, invocation, out, error);
    if (function->metered != NULL) {
        log_used(function);
    }
    return done;
}
