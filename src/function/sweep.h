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
    size_t sessions; /* of a full sweep */
};

/* One full sweep, for the schedule (once a minute). Data that no record names is looked for in one of
 * options->orphan_sweeps of them: that reads all there is of it. An error of a port ends it; the next one begins anew.
 */
enum fk_err fk_sweep_run(const struct fk_cloud_options *options, const struct fk_ports *ports,
                         struct fk_sweep_result *result);

/* What live gateways run each period: gateways only, and sessions where some gateway is dead. All of them do that, so
 * each looks at the others in some of the periods only: all together twice in each, whatever their number. */
enum fk_err fk_sweep_gateways(const struct fk_cloud_options *options, const struct fk_ports *ports,
                              struct fk_sweep_result *result);

/* Asks that a gateway be declared dead, if its counter is still this one: a sweep that saw it stand still, or the
 * gateway itself, which serves nobody any more. */
enum fk_err fk_sweep_declare_dead(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t gateway,
                                  int64_t counter);

#endif
