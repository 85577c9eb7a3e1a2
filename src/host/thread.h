// SPDX-License-Identifier: Apache-2.0
/* Threads beside a host's loop. */
#ifndef FK_HOST_THREAD_H
#define FK_HOST_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Starts one that gets no signals, which are the loop's, and has a small stack; false where the system gives none. */
bool fk_thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

/* Waits for its end until `until_ms` of the monotonic clock; false where it goes on then. */
bool fk_thread_join(pthread_t thread, int64_t until_ms);

#endif
