// SPDX-License-Identifier: Apache-2.0
#ifndef FK_TESTS_PAPER_REST_H
#define FK_TESTS_PAPER_REST_H

#include <stdbool.h>
#include <stddef.h>

/* True where a deployment comes to rest: its sessions were closed, its gateway died, and a later call of the heartbeat
 * function finds neither; then the host switches the schedule off (host/lambda_function.c). */
bool rest_is_reached(size_t clients);

#endif
