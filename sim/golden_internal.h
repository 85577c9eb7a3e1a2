// SPDX-License-Identifier: Apache-2.0
/* What golden.c (who and when) and golden_text.c (contents in words) share. */
#ifndef SIM_GOLDEN_INTERNAL_H
#define SIM_GOLDEN_INTERNAL_H

#include "function/record.h"
#include "sim/golden.h"
#include "sim/net.h"

enum {
    SIM_GOLDEN_IDS_MAX = 64,
    SIM_GOLDEN_REQUESTS_MAX = 128,
};

/* Random ids by the order in which they are met: people cannot tell 16 digits apart. */
struct sim_golden_ids {
    int64_t items[SIM_GOLDEN_IDS_MAX];
    size_t count;
};

struct sim_golden {
    FILE *out;
    const struct sim_history *history;
    struct sim_golden_ids sessions;
    struct sim_golden_ids gateways;
    int ports[SIM_NET_LISTENERS_MAX]; /* number of the gateway that runs there */
    char who[64];
    int64_t time_ns;
    bool over; /* the script is done */
    /* requests that wait for their replies */
    struct {
        uint32_t connection;
        int32_t xid;
        int32_t op;
    } requests[SIM_GOLDEN_REQUESTS_MAX];
    size_t request_count;
};

/* 1, 2 ...; 0 for id 0. */
int sim_golden_number(struct sim_golden_ids *ids, int64_t id);

/* All print to golden->out, without a line's end. */
void sim_golden_request(struct sim_golden *golden, int32_t op, struct fk_bytes body);
void sim_golden_reply(struct sim_golden *golden, int32_t op, int32_t code, struct fk_bytes body);
void sim_golden_event(struct sim_golden *golden, struct fk_bytes body);
void sim_golden_write(struct sim_golden *golden, const struct fk_write *write);
void sim_golden_events_record(struct sim_golden *golden, const struct fk_events_record *record);
const char *sim_golden_code(int32_t code);
/* Renewals, observations: what happens all the time and says nothing. */
bool sim_golden_dull(const struct fk_write *write);

#endif
