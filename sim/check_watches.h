// SPDX-License-Identifier: Apache-2.0
/* What check_watches.c (which watches there are, and what each waits for) and check_watch_events.c (what came) share.
 */
#ifndef SIM_CHECK_WATCHES_H
#define SIM_CHECK_WATCHES_H

#include "sim/check_internal.h"

bool check_watch_persistent(const struct check_watch *watch);
/* Whether the event is one of those that the watch is for. */
bool check_watch_heard(const struct check_watch *watch, const struct sim_ref_event *event);
/* Whether the connection's client may read the node, by all that the gateway may know of it. */
bool check_watch_may_hear(const struct check_connection *connection, const struct sim_ref_event *event);
bool check_watch_was_early(const struct check_watch *watch, const struct sim_ref_event *event);
/* Index of the first event of a list behind a zxid. */
size_t check_watch_first_after(struct sim_ref_event *const *events, size_t count, int64_t zxid);
/* Sets the event to come: the first that the watch hears behind its setpoint, and behind `after` if there is one. */
void check_watch_find_due(const struct check *check, const struct check_connection *connection,
                          struct check_watch *watch, const struct sim_ref_event *after);
/* The connection's first event to come, of all its watches. */
void check_watch_update_due(struct check_connection *connection);
/* The catch-up event that setWatches owes for a path in a state; 0: none, the watch is set. */
int32_t check_watch_owed(const struct check_watch *watch, const struct sim_ref_state *state);

#endif
