// SPDX-License-Identifier: Apache-2.0
/* Tables and JSON (an object on each line) of what latency_bench.h measures. */
#ifndef SIM_LATENCY_REPORT_H
#define SIM_LATENCY_REPORT_H

#include "sim/latency_bench.h"

/* setData and getData by size, and what their time goes to. */
void sim_report_stages(const struct sim_bench_options *options, bool json);
/* The prototype's write and its queue in this model, beside what was measured of them. */
void sim_report_model(const struct sim_bench_options *options, bool json);

#endif
