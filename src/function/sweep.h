// SPDX-License-Identifier: Apache-2.0
/* The heartbeat function of the cloud topologies (protocol.md section 1, "Heartbeat"): declares gateways dead whose
 * counter stands still, ends the sessions of dead gateways and goes on with those that are closing, sends events again
 * that were not acknowledged, trims what everybody has applied, asks for the end of empty containers and old TTL nodes,
 * removes data that no record names. Any number of instances may run: every action is a conditional request. */
#ifndef FK_FUNCTION_SWEEP_H
#define FK_FUNCTION_SWEEP_H

#include "function/cloud.h"

/* What a sweep found, for its host: a schedule that finds nobody can be switched off. */
struct fk_sweep_result {
    size_t gateways_alive;
    size_t sessions; /* 0 where it did not look at them; it does where no gateway is alive, or one is dead */
    bool orphans;    /* it looked for data that no record names */
    int64_t due_ms;  /* something that it saw can be acted on so long after its start; 0: nothing */
};

/* One full sweep, for the schedule (once a minute). Data that no record names is looked for in one of
 * options->orphan_sweeps of them, sessions while every gateway lives in one of options->session_sweeps: that reads all
 * there is of it. An error of a port ends it; the next one begins anew. */
enum fk_err fk_sweep_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                         struct fk_sweep_result *result);

/* The counter of a gateway as another one saw it, and since when, by that one's monotonic clock. */
struct fk_sweep_seen {
    int64_t gateway;
    int64_t counter;
    int64_t since_ms;
};

/* What a live gateway knows of the others from one sweep to the next: 24 bytes of each. Begins with zeros. */
struct fk_sweep_memory {
    struct fk_sweep_seen *seen;
    size_t count;
};

void fk_sweep_memory_deinit(struct fk_sweep_memory *memory);

/* Gateways only, and sessions where some gateway is dead. A live gateway runs it each options->look_ms, or when the one
 * before says that something is due; it is `self` and remembers the others in `memory`, which costs nothing. Functions
 * have neither, 0 and NULL: they remember in the table. */
enum fk_err fk_sweep_gateways(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t self,
                              struct fk_sweep_memory *memory, struct fk_sweep_result *result);

/* Asks that a gateway be declared dead, if its counter is still this one: a sweep that saw it stand still, or the
 * gateway itself, which serves nobody any more. */
enum fk_err fk_sweep_declare_dead(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t gateway,
                                  int64_t counter);

#endif
