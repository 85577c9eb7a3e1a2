// SPDX-License-Identifier: Apache-2.0
/* What faaskeeper-sim prints at the end. */
#ifndef SIM_REPORT_H
#define SIM_REPORT_H

#include "sim/campaign.h"

/* Figures, for people. `seconds`: real time. */
void sim_report(const struct sim_totals *totals, double seconds);
/* The same as one line of JSON. */
void sim_report_json(const struct sim_totals *totals, double seconds);
/* Each site with how often each fault happened there; kinds that make sense there and never happened are named. */
void sim_report_matrix(const struct sim_coverage *coverage);
/* The last line. */
void sim_report_verdict(uint64_t passed, uint64_t failed, uint64_t skipped);

#endif
