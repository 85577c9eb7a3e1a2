// SPDX-License-Identifier: Apache-2.0
/* What the files of the scenarios share: scenario.c (the script's task), scenario_line.c (one line, requests),
 * scenario_nodes.c and scenario_sessions.c (the scripts). */
#ifndef SIM_SCENARIO_INTERNAL_H
#define SIM_SCENARIO_INTERNAL_H

#include "sim/scenario.h"
#include "sim/workload_internal.h"

enum {
    SIM_LINE_MAX = 512,
    SIM_WORDS_MAX = 8,
};

/* One line, cut into words. */
struct sim_line {
    char text[SIM_LINE_MAX];
    const char *words[SIM_WORDS_MAX]; /* behind the verb; empty texts behind the last */
    const char *verb;
    int client;
    bool wait;
    bool has_code;
    int32_t code;
};

extern const struct sim_scenario SIM_SCENARIOS_NODES[];
extern const size_t SIM_SCENARIOS_NODES_COUNT;
extern const struct sim_scenario SIM_SCENARIOS_SESSIONS[];
extern const size_t SIM_SCENARIOS_SESSIONS_COUNT;

/* False where the text is none. */
bool sim_line_parse(struct sim_line *line, const char *text, size_t size);
/* Builds the request that the verb stands for and gives its op; 0: the verb is none of a request. */
int32_t sim_line_request(const struct sim_line *line, struct fk_buf *body);

#endif
