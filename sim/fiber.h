// SPDX-License-Identifier: Apache-2.0
/* Coroutines: a function with a stack of its own that can stop in the middle. One thread; fibers are resumed from the
 * scheduler's stack only, and give control back to it. */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

#include <stdbool.h>

struct sim_fiber;

/* A fiber that will call run(context) when it is resumed; from the pool where there is one. */
struct sim_fiber *sim_fiber_new(void (*run)(void *context), void *context);
/* Goes on with the fiber until it yields or its function returns; true where it returned, and the fiber is back in the
 * pool. */
bool sim_fiber_resume(struct sim_fiber *fiber);
/* Back to the scheduler. */
void sim_fiber_yield(void);
/* A fiber that is never resumed again. */
void sim_fiber_drop(struct sim_fiber *fiber);

#endif
