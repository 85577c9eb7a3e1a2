// SPDX-License-Identifier: Apache-2.0
/* Threads beside a host's loop, whose end is waited for no longer than one wants to. */
#ifndef FK_HOST_THREAD_H
#define FK_HOST_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Stays where it is until it is joined. */
struct fk_thread {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*run)(void *context);
    void *context;
    bool ended;
};

/* Starts one that gets no signals, which are the loop's, and has a small stack; false where the system gives none. */
bool fk_thread_start(struct fk_thread *thread, void (*run)(void *context), void *context);

/* Waits for its end until `until_ms` of the monotonic clock; false where it goes on then. */
bool fk_thread_join(struct fk_thread *thread, int64_t until_ms);

#endif
