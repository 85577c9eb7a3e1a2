// SPDX-License-Identifier: Apache-2.0
#include "host/receiver.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "function/cloud.h"
#include "host/posix_clock.h"
#include "host/thread.h"
#include "wire/jute.h"

#include <pthread.h>

struct fk_receiver {
    struct fk_mailbox *mailbox;
    void (*wake)(void *context);
    void *context;
    struct fk_thread thread;
    pthread_mutex_t lock; /* of everything below */
    struct fk_buf inbox;  /* sizes and messages */
    uint64_t dropped;
    int64_t receives;      /* since they were counted last */
    int64_t with_messages; /* of them */
    int64_t puts;          /* since the last receive */
    bool stopping;
};

/* What has no room is dropped: the gateway finds out by itself, as with a message that is lost. */
static void put(void *context, struct fk_bytes message)
{
    struct fk_receiver *receiver = (struct fk_receiver *)context;
    (void)pthread_mutex_lock(&receiver->lock);
    bool first = fk_buf_left(&receiver->inbox) == 0;
    bool fits = fk_buf_left(&receiver->inbox) + message.size <= FK_INBOX_SIZE_MAX;
    if (fits) {
        fk_write_bytes(&receiver->inbox, message);
    }
    receiver->dropped += fits ? 0 : 1;
    receiver->puts++;
    (void)pthread_mutex_unlock(&receiver->lock);
    if (first) {
        receiver->wake(receiver->context);
    }
}

static bool goes_on(struct fk_receiver *receiver)
{
    (void)pthread_mutex_lock(&receiver->lock);
    bool goes = !receiver->stopping;
    (void)pthread_mutex_unlock(&receiver->lock);
    return goes;
}

static void count_receive(struct fk_receiver *receiver)
{
    (void)pthread_mutex_lock(&receiver->lock);
    receiver->receives++;
    receiver->with_messages += receiver->puts > 0 ? 1 : 0;
    receiver->puts = 0;
    (void)pthread_mutex_unlock(&receiver->lock);
}

void fk_receiver_count(struct fk_receiver *receiver, int64_t *receives, int64_t *with_messages)
{
    (void)pthread_mutex_lock(&receiver->lock);
    *receives = receiver->receives;
    *with_messages = receiver->with_messages;
    receiver->receives = 0;
    receiver->with_messages = 0;
    (void)pthread_mutex_unlock(&receiver->lock);
}

static void run(void *context)
{
    struct fk_receiver *receiver = (struct fk_receiver *)context;
    struct fk_backoff backoff = {.clock = fk_posix_clock(), .random = fk_posix_random()};
    while (goes_on(receiver)) {
        enum fk_err err = fk_mailbox_receive(receiver->mailbox, put, receiver);
        count_receive(receiver);
        if (err == FK_OK) {
            backoff.tries = 0;
        } else if (goes_on(receiver)) {
            fk_log_with(FK_LOG_WARN, "messages can't be received; answers come late",
                        fk_log_text("error", fk_err_text(err)), fk_log_text("channel", receiver->mailbox->ops->name));
            fk_backoff_wait(&backoff);
        }
    }
}

struct fk_receiver *fk_receiver_new(struct fk_mailbox *mailbox, void (*wake)(void *context), void *context)
{
    struct fk_receiver *receiver = (struct fk_receiver *)fk_alloc_zero(sizeof *receiver);
    if (receiver == NULL) {
        return NULL;
    }
    *receiver = (struct fk_receiver){.mailbox = mailbox, .wake = wake, .context = context, .inbox = FK_BUF_EMPTY};
    (void)pthread_mutex_init(&receiver->lock, NULL);
    if (!fk_thread_start(&receiver->thread, run, receiver)) {
        fk_receiver_free(receiver);
        return NULL;
    }
    return receiver;
}

void fk_receiver_take(struct fk_receiver *receiver, fk_mailbox_take_fn take, void *context)
{
    (void)pthread_mutex_lock(&receiver->lock);
    struct fk_buf inbox = receiver->inbox;
    uint64_t dropped = receiver->dropped;
    receiver->inbox = FK_BUF_EMPTY;
    receiver->dropped = 0;
    (void)pthread_mutex_unlock(&receiver->lock);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&inbox));
    while (reader.left > 0 && !inbox.failed) {
        take(context, fk_read_bytes(&reader));
    }
    if (dropped > 0 || inbox.failed) {
        fk_log_with(FK_LOG_WARN, "messages were dropped: there are too many",
                    fk_log_number("messages", (int64_t)dropped));
    }
    fk_buf_deinit(&inbox);
}

bool fk_receiver_stop(struct fk_receiver *receiver, int64_t wait_ms)
{
    (void)pthread_mutex_lock(&receiver->lock);
    receiver->stopping = true;
    (void)pthread_mutex_unlock(&receiver->lock);
    return fk_thread_join(&receiver->thread, fk_clock_monotonic_ms(fk_posix_clock()) + wait_ms);
}

void fk_receiver_free(struct fk_receiver *receiver)
{
    if (receiver != NULL) {
        (void)pthread_mutex_destroy(&receiver->lock);
        fk_buf_deinit(&receiver->inbox);
        fk_free(receiver);
    }
}
