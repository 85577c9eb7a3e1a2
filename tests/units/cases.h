// SPDX-License-Identifier: Apache-2.0
/* The operations whose cost is known, and asserted: one row of docs/aws-units.md each. */
#ifndef FK_TESTS_UNITS_CASES_H
#define FK_TESTS_UNITS_CASES_H

#include "units/world.h"

/* What runs by itself. */
#define UNITS_CASE_GATEWAY    "gateway: renewals and sweeps of a minute"
#define UNITS_CASE_HEARTBEATS "heartbeat function: 600 of them, with 64 clients"

enum {
    UNITS_HEARTBEATS = 600,
};

struct units_case {
    const char *name;
    const char *prototype;                      /* what FaaSKeeper's prototype used for it; NULL: not known */
    void (*prepare)(struct units_world *world); /* not counted; NULL: nothing */
    void (*operate)(struct units_world *world); /* counted */
    void (*check)(struct units_world *world);   /* not counted: did it do what it was asked to? NULL: nothing to see */
    bool gateway_alone;                         /* no function has a part in it: it is the same in both topologies */
};

extern const struct units_case units_cases[];
extern const size_t units_case_count;

/* The case of a name; fails the test where there is none. */
const struct units_case *units_find(const char *name);

/* What the case uses, in a world of its own. */
struct units_use units_measure(const struct units_case *one, bool pipeline);

#endif
