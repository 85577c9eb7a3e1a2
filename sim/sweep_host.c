// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/function_host.h"

#include <inttypes.h>
#include <stdio.h>

struct sim_sweep_host {
    struct sim_world *world;
    struct sim_cloud *cloud;
    const struct fk_cloud_options *options;
    sim_sweep_fn run;
    int64_t period_ms;
    uint64_t sweeps;
};

struct sweep {
    struct sim_sweep_host *host;
    struct sim_process *process;
    struct sim_ports ports;
};

static void ended(void *context)
{
    fk_free(context);
}

static void end_process(void *context)
{
    sim_process_end(context);
}

static void run(void *context)
{
    struct sweep *sweep = context;
    const struct sim_sweep_host *host = sweep->host;
    struct fk_sweep_result result = {0};
    enum fk_err err = host->run(host->options, &sweep->ports.ports, &result);
    sim_trace(host->world, "swept -> %d, %zu gateways, %zu sessions", (int)err, result.gateways_alive, result.sessions);
    sim_at(host->world, NULL, sim_now_ns(host->world), end_process, sweep->process);
}

static void start(struct sim_sweep_host *host, const struct sim_fault *fault)
{
    struct sweep *sweep = fk_alloc_zero(sizeof *sweep);
    FK_ASSERT(sweep != NULL);
    char name[40];
    (void)snprintf(name, sizeof name, "sweep/%" PRIu64, ++host->sweeps);
    sweep->host = host;
    sweep->process = sim_process_new(host->world, name);
    sim_start_clock(sweep->process, fault);
    sim_ports_init(&sweep->ports, host->cloud, sweep->process, SIM_ROLE_SWEEP);
    sim_process_at_end(sweep->process, ended, sweep);
    sim_spawn(sweep->process, run, sweep);
}

static void on_schedule(void *context)
{
    struct sim_sweep_host *host = context;
    struct sim_fault fault =
        sim_fault_labelled(sim_cloud_faults(host->cloud), SIM_ROLE_SWEEP, "", SIM_CALL_PROCESS_START,
                           SIM_FAULT_BIT(SKEW) | SIM_FAULT_BIT(DRIFT) | SIM_FAULT_BIT(SWEEPS));
    start(host, &fault);
    if (fault.kind == SIM_FAULT_SWEEPS) {
        start(host, &fault);
    }
    sim_at(host->world, NULL, sim_now_ns(host->world) + host->period_ms * SIM_MS, on_schedule, host);
}

struct sim_sweep_host *sim_sweep_host_new(struct sim_world *world, struct sim_cloud *cloud,
                                          const struct fk_cloud_options *options, sim_sweep_fn run_sweep,
                                          int64_t period_ms)
{
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_sweep_host *host = fk_alloc_zero(sizeof *host);
    FK_ASSERT(host != NULL);
    *host = (struct sim_sweep_host){
        .world = world, .cloud = cloud, .options = options, .run = run_sweep, .period_ms = period_ms};
    sim_at(world, NULL, sim_now_ns(world) + period_ms * SIM_MS, on_schedule, host);
    (void)sim_memory_of(before);
    return host;
}
