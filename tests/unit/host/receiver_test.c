// SPDX-License-Identifier: Apache-2.0
/* The thread that receives: what comes is handed over once, in order, bounded; it ends when it is told. */
#include "host/receiver.h"

#include "base/container.h"
#include "base/limits.h"
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    WAIT_MS = 20000,
    LARGE = 1024 * 1024,
};

/* Gives `count` messages, each of its number or of `size` zero bytes, then waits until it is let go. */
struct mailbox {
    struct fk_mailbox base;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t size;
    int count;
    int given;
    bool let_go;
};

static uint8_t large[LARGE];

static enum fk_err receive(struct fk_mailbox *base, fk_mailbox_take_fn take, void *context)
{
    struct mailbox *mailbox = FK_CONTAINER_OF(base, struct mailbox, base);
    (void)pthread_mutex_lock(&mailbox->lock);
    while (mailbox->given < mailbox->count) {
        uint8_t number = (uint8_t)mailbox->given++;
        take(context, mailbox->size == 0 ? fk_bytes_of(&number, 1) : fk_bytes_of(large, mailbox->size));
    }
    (void)pthread_cond_broadcast(&mailbox->changed);
    while (!mailbox->let_go) {
        (void)pthread_cond_wait(&mailbox->changed, &mailbox->lock);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
    return FK_OK;
}

static const struct fk_mailbox_ops ops = {.name = "test", .receive = receive};

static void init(struct mailbox *mailbox, int count, size_t size)
{
    *mailbox = (struct mailbox){.base = {.ops = &ops}, .count = count, .size = size};
    (void)pthread_mutex_init(&mailbox->lock, NULL);
    (void)pthread_cond_init(&mailbox->changed, NULL);
}

static void wait_given(struct mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    while (mailbox->given < mailbox->count) {
        (void)pthread_cond_wait(&mailbox->changed, &mailbox->lock);
    }
    (void)pthread_mutex_unlock(&mailbox->lock);
}

static void let_go(struct mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    mailbox->let_go = true;
    (void)pthread_cond_broadcast(&mailbox->changed);
    (void)pthread_mutex_unlock(&mailbox->lock);
}

static void deinit(struct mailbox *mailbox)
{
    (void)pthread_cond_destroy(&mailbox->changed);
    (void)pthread_mutex_destroy(&mailbox->lock);
}

static void count_wake(void *context)
{
    (void)atomic_fetch_add((_Atomic int *)context, 1);
}

struct taken {
    int count;
    bool in_order;
};

static void take(void *context, struct fk_bytes message)
{
    struct taken *taken = (struct taken *)context;
    taken->in_order = taken->in_order && message.size == 1 && message.data[0] == taken->count;
    taken->count++;
}

static void test_messages_come_in_order_and_once(void **state)
{
    (void)state;
    struct mailbox mailbox;
    _Atomic int wakes = 0;
    struct taken taken = {.in_order = true};
    init(&mailbox, 3, 0);
    struct fk_receiver *receiver = fk_receiver_new(&mailbox.base, count_wake, &wakes);
    assert_non_null(receiver);
    wait_given(&mailbox);
    assert_int_equal(wakes, 1); /* the others are found with the first one */
    fk_receiver_take(receiver, take, &taken);
    assert_int_equal(taken.count, 3);
    assert_true(taken.in_order);
    fk_receiver_take(receiver, take, &taken);
    assert_int_equal(taken.count, 3);
    assert_false(fk_receiver_stop(receiver, 1)); /* it waits for a message */
    let_go(&mailbox);
    assert_true(fk_receiver_stop(receiver, WAIT_MS));
    int64_t receives = 0;
    int64_t with_messages = 0;
    fk_receiver_count(receiver, &receives, &with_messages);
    assert_true(receives >= 1);
    assert_int_equal(with_messages, 1); /* the others brought nothing */
    fk_receiver_count(receiver, &receives, &with_messages);
    assert_int_equal(receives + with_messages, 0); /* since the last time */
    fk_receiver_free(receiver);
    deinit(&mailbox);
}

static void test_what_has_no_room_is_dropped(void **state)
{
    (void)state;
    struct mailbox mailbox;
    _Atomic int wakes = 0;
    struct taken taken = {.in_order = true};
    int fit = FK_INBOX_SIZE_MAX / (LARGE + 4);
    init(&mailbox, fit + 5, LARGE);
    struct fk_receiver *receiver = fk_receiver_new(&mailbox.base, count_wake, &wakes);
    assert_non_null(receiver);
    wait_given(&mailbox);
    fk_receiver_take(receiver, take, &taken);
    assert_int_equal(taken.count, fit);
    let_go(&mailbox);
    assert_true(fk_receiver_stop(receiver, WAIT_MS));
    fk_receiver_free(receiver);
    deinit(&mailbox);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_messages_come_in_order_and_once),
    FK_TEST(test_what_has_no_room_is_dropped),
};

FK_TEST_MAIN(tests)
