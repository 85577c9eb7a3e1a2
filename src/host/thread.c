// SPDX-License-Identifier: Apache-2.0
#include "host/thread.h"

#include <signal.h>
#include <time.h>

enum {
    STACK_SIZE = 512 * 1024, /* a handshake of TLS takes 60 KB; what is not touched costs nothing */
};

static void *run(void *context)
{
    struct fk_thread *thread = (struct fk_thread *)context;
    thread->run(thread->context);
    (void)pthread_mutex_lock(&thread->lock);
    thread->ended = true;
    (void)pthread_cond_signal(&thread->changed);
    (void)pthread_mutex_unlock(&thread->lock);
    return NULL;
}

static void init(struct fk_thread *thread, void (*call)(void *context), void *context)
{
    pthread_condattr_t attributes;
    *thread = (struct fk_thread){.run = call, .context = context};
    (void)pthread_mutex_init(&thread->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&thread->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void deinit(struct fk_thread *thread)
{
    (void)pthread_cond_destroy(&thread->changed);
    (void)pthread_mutex_destroy(&thread->lock);
}

bool fk_thread_start(struct fk_thread *thread, void (*call)(void *context), void *context)
{
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    init(thread, call, context);
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread->thread, &attributes, run, thread) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    if (!started) {
        deinit(thread);
    }
    return started;
}

bool fk_thread_join(struct fk_thread *thread, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    int status = 0;
    (void)pthread_mutex_lock(&thread->lock);
    while (!thread->ended && status == 0) {
        status = pthread_cond_timedwait(&thread->changed, &thread->lock, &until);
    }
    bool ended = thread->ended;
    (void)pthread_mutex_unlock(&thread->lock);
    if (ended) {
        (void)pthread_join(thread->thread, NULL);
        deinit(thread);
    }
    return ended;
}
