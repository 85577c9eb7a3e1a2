// SPDX-License-Identifier: Apache-2.0
/* The bill of a recorded run as JSON: what /commands/cost says and `faaskeeper cost live --json` prints, in the form
 * that cost/recorded.h reads, and more. */
#ifndef FK_COST_LIVE_JSON_H
#define FK_COST_LIVE_JSON_H

#include "cost/live.h"

#include <jansson.h>

/* Sets read_units, write_units, queue_requests, channel_requests, invocations, blob_puts (with lists) and blob_gets of
 * `object`: `count` times the use. Numbers are real where `count` has a fraction. */
void fk_live_set_use(json_t *object, const struct fk_cost_use *use, double count);

/* The run with its operations and services, dollars of it and of a month like it. The caller's; NULL without memory. */
json_t *fk_live_run_json(const struct fk_live *live, const struct fk_recorded *recorded);

#endif
