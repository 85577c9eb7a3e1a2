// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include "base/assert.h"
#include "function/distributor.h"
#include "function/pipeline.h"
#include "function/record.h"
#include "function/single_hop.h"
#include "sim/function_host.h"
#include "sim/gateway_host.h"
#include "sim/ground.h"
#include "sim/port_internal.h"

#include <stdio.h>

enum {
    GATEWAYS_MAX = 4,
    WARM_UP_MS = 500,
    LIVENESS_MS = 60000,
    AUDIT_MS = 600000, /* the tree is read node by node */
    STEP_MS = 100,
};

struct run {
    const struct sim_run_input *input;
    const struct sim_options *options;
    struct sim_world *world;
    struct sim_faults *faults;
    struct sim_cloud *cloud;
    struct sim_net *net;
    struct sim_gateway_host *gateways[GATEWAYS_MAX];
    struct sim_function_host *functions;
    struct sim_function_host *distributor; /* NULL: single hop */
    struct sim_workload *workload;
    struct sim_history *history;
};

static struct sim_history history; /* its memory is used again by the next run */

/* --- building the world --- */

static void start_gateways(struct run *run)
{
    const struct sim_options *options = run->options;
    struct sim_gateway_host_options host = {
        .net = run->net,
        .cloud = run->cloud,
        .history = run->history,
        .options = options->cloud,
        .session_timeout_min_ms = (int32_t)options->timeout_min_ms,
        .session_timeout_max_ms = (int32_t)options->timeout_max_ms,
        .restart_max_ms = options->restart_ms,
    };
    for (int i = 0; i < (int)options->gateways && i < GATEWAYS_MAX; i++) {
        host.port = i;
        run->gateways[i] = sim_gateway_host_new(run->world, &host);
    }
}

static void start_functions(struct run *run)
{
    const struct sim_options *options = run->options;
    struct sim_function_host_options function = {
        .cloud = run->cloud,
        .queue = SIM_QUEUE_REQUESTS,
        .role = SIM_ROLE_FUNCTION,
        .options = &options->cloud,
        .run = fk_single_hop_run,
        .visibility_ms = options->visibility_ms,
        .batch_max = (size_t)options->batch,
    };
    if (options->cloud.pipeline) {
        function.queue = SIM_QUEUE_DISTRIBUTOR;
        function.role = SIM_ROLE_DISTRIBUTOR;
        function.run = fk_distributor_run;
        run->distributor = sim_function_host_new(run->world, &function);
        function.queue = SIM_QUEUE_REQUESTS;
        function.role = SIM_ROLE_WRITER;
        function.run = fk_pipeline_writer_run;
    }
    run->functions = sim_function_host_new(run->world, &function);
    (void)sim_sweep_host_new(run->world, run->cloud, &options->cloud, fk_sweep_run, options->sweep_ms);
}

static void build(struct run *run, const struct sim_run_input *input)
{
    const struct sim_options *options = input->options;
    sim_history_reset(run->history);
    run->history->has_ground = true;
    sim_ground_to(run->history);
    run->world = sim_world_new(options->seed);
    sim_trace_to(run->world, input->sink, input->sink_context);
    run->faults = sim_faults_new(run->world, &options->swarm, input->plan, input->coverage);
    sim_faults_list_calls(run->faults, input->calls);
    run->cloud = sim_cloud_new(run->world, run->faults, options->latency_us * 1000);
    if (input->golden != NULL) {
        sim_golden_attach(input->golden, run->cloud, run->history);
    }
    struct sim_net_options net = {
        .latency_min_ns = 50000,
        .latency_max_ns = options->net_us * 1000,
        .split_per_million = 50000,
        .tiny_per_million = 1000,
        .faults = run->faults,
    };
    run->net = sim_net_new(run->world, &net);
    start_functions(run);
    start_gateways(run);
}

/* --- phases --- */

/* Runs until `done` says so; false at the deadline, or after a violation. */
static bool run_until(struct run *run, bool (*done)(const struct run *run), int64_t limit_ms)
{
    int64_t end = sim_now_ns(run->world) + limit_ms * SIM_MS;
    while (!done(run)) {
        if (sim_now_ns(run->world) >= end || !sim_world_run(run->world, sim_now_ns(run->world) + STEP_MS * SIM_MS)) {
            return false;
        }
    }
    return true;
}

static bool workload_done(const struct run *run)
{
    return sim_workload_done(run->workload);
}

static bool functions_idle(const struct run *run)
{
    return sim_function_host_idle(run->functions) &&
           (run->distributor == NULL || sim_function_host_idle(run->distributor));
}

static bool at_rest(const struct run *run)
{
    return sim_workload_quiet(run->workload) && functions_idle(run);
}

static bool audited(const struct run *run)
{
    return sim_workload_audited(run->workload);
}

static void gateway_verb(void *context, int port, const char *verb, int64_t ms)
{
    struct run *run = (struct run *)context;
    sim_gateway_host_do(run->gateways[port % (int)run->options->gateways], verb, ms);
}

static void start_clients(struct run *run)
{
    if (run->input->scenario == NULL) {
        run->workload = sim_workload_start(run->world, &run->options->workload, run->net, run->history,
                                           (int)run->options->gateways);
        return;
    }
    struct sim_scenario_options scenario = {
        .strict = run->input->plan == NULL && run->options->faults == 0, .gateway = gateway_verb, .context = run};
    run->workload = sim_scenario_start(run->world, run->input->scenario, &scenario, run->net, run->history);
}

static void safety(struct run *run)
{
    (void)sim_world_run(run->world, WARM_UP_MS * SIM_MS);
    sim_trace(run->world, "faults begin");
    sim_faults_enable(run->faults, true);
    start_clients(run);
    (void)run_until(run, workload_done, run->options->safety_ms);
}

static void liveness(struct run *run)
{
    sim_trace(run->world, "faults end");
    sim_faults_enable(run->faults, false);
    sim_net_heal(run->net);
    for (int i = 0; i < (int)run->options->gateways; i++) {
        sim_gateway_host_heal(run->gateways[i]);
    }
    run->history->faults_end_ns = sim_now_ns(run->world);
    sim_workload_quiesce(run->workload);
    if (!run_until(run, at_rest, LIVENESS_MS) && sim_violated(run->world) == NULL) {
        struct fk_buf text = FK_BUF_EMPTY;
        sim_workload_describe(run->workload, &text);
        sim_violation(run->world, "C14", "%d s after the faults there is no rest: %s; clients: %.*s",
                      LIVENESS_MS / 1000, functions_idle(run) ? "queues are empty" : "queues are not empty",
                      (int)text.size, text.data == NULL ? "" : (const char *)text.data);
        fk_buf_deinit(&text);
    }
}

static void read_sessions(struct run *run)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_item_page page = {.more = true};
    struct fk_bytes after = FK_BYTES_NULL;
    while (page.more) {
        enum fk_err err = fk_table_list(sim_cloud_table(run->cloud), FK_BYTES_LITERAL("s"), after, 1000, &arena, &page);
        FK_ASSERT(err == FK_OK);
        for (size_t i = 0; i < page.count; i++) {
            struct fk_session_record record;
            if (fk_session_record_read(page.items[i].value, &arena, &record) == FK_OK &&
                record.state == FK_SESSION_LIVE) {
                sim_history_final_session(run->history, fk_key_number(page.items[i].key.name));
            }
            after = page.items[i].key.name;
        }
    }
    run->history->has_sessions = true;
    fk_arena_deinit(&arena);
}

/* Everything is restarted; then a new session reads it all. */
static void audit(struct run *run)
{
    run->history->end_ns = sim_now_ns(run->world);
    sim_trace(run->world, "all gateways restart");
    for (int i = 0; i < (int)run->options->gateways; i++) {
        sim_gateway_host_crash(run->gateways[i], false);
    }
    sim_workload_audit(run->workload);
    if (!run_until(run, audited, AUDIT_MS) && sim_violated(run->world) == NULL) {
        sim_violation(run->world, "C14", "a new session cannot read the tree within %d s", AUDIT_MS / 1000);
    }
    read_sessions(run);
}

/* --- judgement --- */

static void on_violation(void *context, const char *promise, const char *text)
{
    struct run *run = (struct run *)context;
    sim_violation(run->world, promise, "%s", text);
}

/* Gateways told the epoch of every connection that got one; the others never did anything in a session. */
static void close_epochs(struct sim_history *recorded)
{
    for (size_t i = 0; i < recorded->connection_count; i++) {
        if (recorded->connections[i].epoch == 0) {
            recorded->connections[i].epoch = -1;
        }
    }
}

/* How much earlier than its timeout a session may end. A monotonic clock that stands still (F6) makes a lease longer by
 * as much: only times may depend on clocks, and they do. */
static int64_t early_ns(const struct run *run)
{
    const struct sim_plan *done = sim_faults_done(run->faults);
    int64_t ns = SIM_MS + run->options->session_ms * SIM_MS / 1000; /* drift */
    if (run->options->wild_clocks != 0) {
        return INT64_MAX / 4;
    }
    for (size_t i = 0; i < done->count; i++) {
        ns += done->faults[i].fault.kind == SIM_FAULT_FREEZE ? done->faults[i].fault.argument * SIM_MS : 0;
    }
    return ns;
}

static void judge(struct run *run, struct sim_run_result *result)
{
    close_epochs(run->history);
    struct sim_check_options check = {
        .extended_types = true,
        .enforce_quota = run->options->cloud.rules.enforce_quota,
        .steady_clock = false,
        .items = (size_t)run->options->items,
        .early_ns = early_ns(run),
        .answer_ns = LIVENESS_MS * SIM_MS,
    };
    (void)sim_check(run->history, &check, &result->checked, on_violation, run);
}

/* Replies that say neither what happened nor that the connection is lost: ZooKeeper has none of them. */
static uint64_t count_no_code(const struct sim_history *recorded)
{
    uint64_t count = 0;
    for (size_t i = 0; i < recorded->record_count; i++) {
        const struct sim_record *record = &recorded->records[i];
        if (record->kind != SIM_RECORD_RECEIVED || record->frame.size < 16) {
            continue;
        }
        struct fk_reader reader = fk_reader_of(record->frame);
        int32_t xid = fk_read_i32(&reader);
        (void)fk_read_i64(&reader);
        int32_t code = fk_read_i32(&reader);
        count += xid > 0 && code < 0 && code > FK_CODE_BAD_ARGUMENTS && code != FK_CODE_UNIMPLEMENTED &&
                 code != FK_CODE_MARSHALLING_ERROR && code != FK_CODE_OPERATION_TIMEOUT;
    }
    return count;
}

static void collect(const struct run *run, struct sim_run_result *result)
{
    const struct sim_plan *done = sim_faults_done(run->faults);
    for (size_t i = 0; i < done->count; i++) {
        sim_plan_add(&result->plan, &done->faults[i]);
    }
    result->hash = sim_trace_hash(run->world);
    result->virtual_ns = sim_now_ns(run->world);
    result->operations = sim_workload_operations(run->workload);
    result->no_code = count_no_code(run->history);
    result->invocations = sim_function_host_invocations(run->functions);
    for (size_t i = 0; i < SIM_ACTION_COUNT; i++) {
        result->actions[i] = sim_workload_actions(run->workload, (enum sim_action)i);
    }
    if (sim_violated(run->world) != NULL) {
        result->promise = sim_violated(run->world);
        (void)snprintf(result->text, sizeof result->text, "%s", sim_violation_text(run->world));
    }
}

void sim_run(const struct sim_run_input *input, struct sim_run_result *result)
{
    struct run run = {.input = input, .options = input->options, .history = &history};
    *result = (struct sim_run_result){0};
    build(&run, input);
    safety(&run);
    if (sim_violated(run.world) == NULL) {
        liveness(&run);
    }
    if (sim_violated(run.world) == NULL) {
        audit(&run);
    }
    judge(&run, result);
    collect(&run, result);
    if (input->history != NULL) {
        sim_history_write(run.history, input->history);
    }
    sim_ground_to(NULL);
    sim_world_free(run.world);
}

const char *sim_promise_text(const char *promise)
{
    static const struct {
        const char *promise;
        const char *text;
    } texts[] = {
        {"C1", "writes are linearizable"},
        {"C2", "the requests of a session are done in its order"},
        {"C3", "a session never sees an older state after a newer one"},
        {"C4", "a session reads its own writes, and after sync everybody's"},
        {"C5", "watches fire once, in order, before what they tell of can be read"},
        {"C6", "what was acknowledged or read stays"},
        {"C7", "each request has its effect once"},
        {"C8", "ephemeral nodes live as long as their session"},
        {"C9", "sequence numbers grow and are unique"},
        {"C10", "a multi is done whole or not at all"},
        {"C11", "zxids are unique and grow"},
        {"C12", "Stat tells the truth"},
        {"C13", "ACLs are obeyed"},
        {"C14", "everything is answered once the faults are over"},
        {"C15", "success means an effect, an error none"},
        {"harness", "the simulator is in order"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].promise, promise) == 0) {
            return texts[i].text;
        }
    }
    return "?";
}
