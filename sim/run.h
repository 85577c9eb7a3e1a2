// SPDX-License-Identifier: Apache-2.0
/* One run: a world with its services, gateways, functions and clients; a phase with faults, one in which all must come
 * to rest, an audit, the judgement. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "sim/check.h"
#include "sim/golden.h"
#include "sim/options.h"
#include "sim/scenario.h"

struct sim_run_input {
    const struct sim_options *options;
    const struct sim_scenario *scenario; /* NULL: the random workload */
    const struct sim_plan *plan;         /* NULL: the dice draw the faults */
    struct sim_coverage *coverage;
    sim_trace_sink_fn sink; /* NULL: no text */
    void *sink_context;
    struct sim_plan *calls;    /* NULL; gets every call that might fail (sim_faults_list_calls) */
    FILE *history;             /* NULL; where the history is written to */
    struct sim_golden *golden; /* NULL; who looks on, with sim_golden_line as the sink */
};

struct sim_run_result {
    const char *promise; /* NULL: no violation */
    char text[1024];
    struct sim_plan plan; /* what happened; free with sim_plan_free */
    uint64_t hash;        /* of the trace */
    uint64_t operations;
    uint64_t actions[SIM_ACTION_COUNT];
    uint64_t port_calls;
    uint64_t invocations;
    int64_t virtual_ns;
    struct sim_check_counts checked;
    uint64_t no_code; /* replies with a code that says nothing definite (SYSTEM_ERROR) */
};

/* Frees nothing of an earlier result. */
void sim_run(const struct sim_run_input *input, struct sim_run_result *result);
/* The promise in words. */
const char *sim_promise_text(const char *promise);

#endif
