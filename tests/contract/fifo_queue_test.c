// SPDX-License-Identifier: Apache-2.0
/* What port/queue.h promises between machines, and what its hosts build on when they receive (SQS FIFO), over each of
 * the drivers. (The queue of one machine: queue_test.c.) */
#include "driver/memory/clock.h"
#include "fifo_driver.h"

#include <stdio.h>

static struct fk_memory_clock memory_clock;

static struct fk_queue *memory_open(enum fk_emulator where)
{
    (void)where;
    fk_memory_clock_init(&memory_clock, 1700000000000);
    return fk_memory_queue_new(&memory_clock.base);
}

static void memory_pass_ms(int64_t ms)
{
    fk_memory_clock_advance_ms(&memory_clock, ms);
}

static const struct driver memory_driver = {.open = memory_open,
                                            .pass_ms = memory_pass_ms,
                                            .ready = fk_memory_queue_ready,
                                            .receive = fk_memory_queue_receive,
                                            .remove = fk_memory_queue_delete,
                                            .hide = fk_memory_queue_hide,
                                            .count = fk_memory_queue_count,
                                            .visibility_ms = 30000,
                                            .tick_ms = 1,
                                            .random_steps = 10000};

static const struct driver *driver;
static struct fk_queue *queue;
static struct fk_arena arena;
static struct fk_delivery got[FK_QUEUE_BATCH_MAX];

static int setup(void **state)
{
    driver = (const struct driver *)*state;
    (void)fk_test_begin(state);
    arena = FK_ARENA_EMPTY;
    queue = driver->open(driver->emulator);
    return queue == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    fk_queue_free(queue);
    queue = NULL;
    fk_arena_deinit(&arena);
    if (driver->close != NULL) {
        driver->close();
    }
    return fk_test_end(state);
}

/* --- shorthands --- */

/* An id that no other message of a test has. */
static int64_t fresh_id(void)
{
    static int64_t last = 1000000;
    return ++last;
}

static void send(int64_t group, const char *text)
{
    assert_int_equal(fk_queue_send(queue, group, fresh_id(), fk_bytes_text(text)), FK_OK);
}

/* Receives from the group and compares: `texts` are the bodies one after the other, each followed by a blank. */
static void receive_up_to(int64_t group, size_t max, const char *texts)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    size_t count = 99;
    assert_int_equal(driver->receive(queue, group, max, driver->visibility_ms, &arena, got, &count), FK_OK);
    assert_true(count <= max);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].group, group);
        fk_buf_append(&buf, got[i].body);
        fk_buf_append(&buf, FK_BYTES_LITERAL(" "));
    }
    assert_int_equal(fk_buf_view(&buf).size, strlen(texts));
    assert_true(fk_bytes_equal_text(fk_buf_view(&buf), texts));
    fk_buf_deinit(&buf);
}

static void receive(int64_t group, const char *texts)
{
    receive_up_to(group, FK_QUEUE_BATCH_MAX, texts);
}

/* Whether something of the group can be received now; a driver that does not tell is believed. */
static void assert_ready(int64_t group, bool expected)
{
    int64_t groups[16];
    size_t count = driver->ready == NULL ? 0 : driver->ready(queue, groups, 16);
    bool found = driver->ready == NULL && expected;
    for (size_t i = 0; i < count; i++) {
        found = found || groups[i] == group;
    }
    assert_int_equal(found, expected);
}

/* The receipt of a message that was deleted; where that may be told as done once more, it does nothing more. */
static void assert_gone(struct fk_receipt receipt)
{
    size_t left = driver->count(queue);
    assert_true(!driver->remove(queue, receipt) || driver->deletes_again);
    assert_int_equal(driver->count(queue), left);
}

/* A receipt whose time is over: it deletes nothing. */
static void assert_late(struct fk_receipt receipt)
{
    if (!driver->late_receipts) {
        assert_false(driver->remove(queue, receipt));
    }
}

/* --- order and batches --- */

static void a_group_comes_in_the_order_of_sending(void **state)
{
    (void)state;
    assert_non_null(queue->ops->name);
    assert_ready(1, false);
    receive(1, "");
    send(1, "a");
    send(2, "x");
    send(1, "b");
    send(1, "c");
    receive(2, "x ");
    receive(1, "a b c ");
    assert_true(driver->remove(queue, got[0].receipt));
    assert_true(driver->remove(queue, got[1].receipt));
    assert_true(driver->remove(queue, got[2].receipt));
    assert_int_equal(driver->count(queue), 1);
    assert_ready(1, false);
}

static void a_batch_is_of_one_group_and_has_ten_at_most(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i < 12; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        send(i % 2, text);
        send(7, text);
    }
    receive(7, "0 1 2 3 4 5 6 7 8 9 ");
    receive(1, "1 3 5 7 9 11 ");
    receive_up_to(0, 4, "0 2 4 6 ");
    for (size_t i = 0; i < 4; i++) {
        assert_true(driver->remove(queue, got[i].receipt));
    }
    receive_up_to(0, 1, "8 ");
    assert_true(driver->remove(queue, got[0].receipt));
    receive(0, "10 ");
}

static void deliveries_say_what_was_sent(void **state)
{
    (void)state;
    char text[] = "text";
    size_t count = 0;
    assert_int_equal(fk_queue_send(queue, INT64_MIN, INT64_MIN, fk_bytes_text(text)), FK_OK);
    memset(text, 'x', sizeof text - 1); /* it was borrowed for the call only */
    assert_int_equal(driver->receive(queue, INT64_MIN, 5, driver->visibility_ms, &arena, got, &count), FK_OK);
    assert_int_equal(count, 1);
    assert_int_equal(got[0].group, INT64_MIN);
    assert_int_equal(got[0].deduplication_id, INT64_MIN);
    assert_int_equal(got[0].receipt.delivery, 1);
    assert_true(driver->remove(queue, got[0].receipt));
    fk_assert_text(got[0].body, "text"); /* and what was received is the arena's */
}

static void groups_that_have_something_are_told_oldest_first(void **state)
{
    (void)state;
    int64_t groups[4] = {0};
    assert_int_equal(driver->ready(queue, groups, 4), 0);
    send(3, "a");
    send(1, "b");
    send(3, "c");
    send(2, "d");
    assert_int_equal(driver->ready(queue, groups, 4), 3);
    assert_int_equal(groups[0], 3);
    assert_int_equal(groups[1], 1);
    assert_int_equal(groups[2], 2);
    assert_int_equal(driver->ready(queue, groups, 2), 2);
    receive_up_to(3, 1, "a ");
    assert_int_equal(driver->ready(queue, groups, 4), 2);
    assert_int_equal(groups[0], 1);
    assert_true(driver->remove(queue, got[0].receipt)); /* then c is its first, which is younger than b */
    assert_int_equal(driver->ready(queue, groups, 4), 3);
    assert_int_equal(groups[0], 1);
    assert_int_equal(groups[1], 3);
    assert_int_equal(groups[2], 2);
}

/* --- hidden messages --- */

static void a_group_waits_until_all_it_gave_is_deleted(void **state)
{
    (void)state;
    send(1, "a");
    send(1, "b");
    receive(1, "a b ");
    struct fk_receipt first = got[0].receipt;
    struct fk_receipt second = got[1].receipt;
    send(1, "c");
    send(2, "x");
    assert_ready(1, false);
    assert_ready(2, true); /* others do not wait */
    receive(1, "");
    assert_true(driver->remove(queue, first));
    receive(1, "");
    assert_true(driver->remove(queue, second));
    assert_ready(1, true);
    receive(1, "c ");
}

static void what_is_not_deleted_in_time_comes_again(void **state)
{
    (void)state;
    send(1, "a");
    send(1, "b");
    receive(1, "a b ");
    struct fk_receipt stale[] = {got[0].receipt, got[1].receipt};
    send(1, "c");
    driver->pass_ms(driver->visibility_ms - driver->tick_ms);
    receive(1, "");
    driver->pass_ms(driver->tick_ms);
    assert_ready(1, true);
    assert_late(stale[0]); /* void from the timeout on */
    receive(1, "a b c ");
    assert_int_equal(got[0].receipt.delivery, 2);
    assert_int_equal(got[1].receipt.delivery, 2);
    assert_int_equal(got[2].receipt.delivery, 1);
    assert_false(driver->remove(queue, stale[0])); /* and after the redelivery */
    assert_false(driver->remove(queue, stale[1]));
    assert_int_equal(driver->count(queue), 3);
    assert_true(driver->remove(queue, got[0].receipt));
    assert_int_equal(driver->count(queue), 2);
}

static void what_was_deleted_never_comes_again(void **state)
{
    (void)state;
    send(1, "a");
    receive(1, "a ");
    struct fk_receipt receipt = got[0].receipt;
    assert_true(driver->remove(queue, receipt));
    send(1, "b");
    assert_gone(receipt);
    assert_false(driver->hide(queue, receipt, 0));
    driver->pass_ms(driver->visibility_ms);
    receive(1, "b ");
}

static void an_undeleted_message_comes_before_later_ones(void **state)
{
    (void)state;
    send(1, "a");
    send(1, "b");
    send(1, "c");
    receive(1, "a b c ");
    assert_true(driver->remove(queue, got[1].receipt)); /* a failed, c's deletion was lost */
    driver->pass_ms(driver->visibility_ms - driver->tick_ms);
    send(1, "d");
    receive(1, "");
    driver->pass_ms(driver->tick_ms);
    receive_up_to(1, 1, "a ");
    receive(1, "");
    assert_true(driver->remove(queue, got[0].receipt));
    receive(1, "c d ");
}

static void a_released_message_comes_again_at_once(void **state)
{
    (void)state;
    send(1, "a");
    send(1, "b");
    receive(1, "a b ");
    struct fk_receipt first = got[0].receipt;
    struct fk_receipt second = got[1].receipt;
    assert_true(driver->hide(queue, first, 0));
    assert_late(first); /* its receipt is void */
    receive(1, "");     /* b is still hidden */
    assert_true(driver->hide(queue, second, 0));
    receive(1, "a b ");
    assert_int_equal(got[0].receipt.delivery, 2);
    assert_false(driver->hide(queue, first, 0)); /* a stale receipt does not release what others have */
    assert_ready(1, false);
}

static void the_last_of_a_batch_holds_its_group_too(void **state)
{
    (void)state;
    char text[32];
    for (int i = 0; i < FK_QUEUE_BATCH_MAX + 1; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        send(1, text);
    }
    receive(1, "0 1 2 3 4 5 6 7 8 9 ");
    for (size_t i = 0; i + 1 < FK_QUEUE_BATCH_MAX; i++) {
        assert_true(driver->hide(queue, got[i].receipt, 0));
    }
    assert_ready(1, false);
    receive(1, "");
    assert_true(driver->remove(queue, got[FK_QUEUE_BATCH_MAX - 1].receipt));
    receive(1, "0 1 2 3 4 5 6 7 8 10 ");
}

static void visibility_can_be_prolonged_and_cut(void **state)
{
    (void)state;
    send(1, "a");
    receive(1, "a ");
    struct fk_receipt receipt = got[0].receipt;
    driver->pass_ms(driver->visibility_ms - driver->tick_ms);
    assert_true(driver->hide(queue, receipt, driver->visibility_ms)); /* from now on */
    driver->pass_ms(driver->visibility_ms - driver->tick_ms);
    receive(1, "");
    assert_true(driver->hide(queue, receipt, 2 * driver->tick_ms));
    driver->pass_ms(driver->tick_ms);
    receive(1, "");
    driver->pass_ms(driver->tick_ms);
    if (!driver->late_receipts) {
        assert_false(driver->hide(queue, receipt, driver->visibility_ms)); /* too late */
    }
    receive(1, "a ");
    assert_true(driver->hide(queue, got[0].receipt, FK_QUEUE_VISIBILITY_MAX_MS / 2));
    receive(1, "");
    assert_true(driver->remove(queue, got[0].receipt));
    assert_int_equal(driver->count(queue), 0);
}

static void the_longest_visibility_is_half_a_day(void **state)
{
    (void)state;
    send(1, "a");
    receive(1, "a ");
    assert_true(driver->hide(queue, got[0].receipt, FK_QUEUE_VISIBILITY_MAX_MS));
    driver->pass_ms(1000);
    assert_false(driver->hide(queue, got[0].receipt, FK_QUEUE_VISIBILITY_MAX_MS)); /* half a day in all */
    assert_true(driver->hide(queue, got[0].receipt, FK_QUEUE_VISIBILITY_MAX_MS - 1000));
    driver->pass_ms(FK_QUEUE_VISIBILITY_MAX_MS - 1001);
    receive(1, "");
    driver->pass_ms(1);
    receive(1, "a ");
    assert_int_equal(got[0].receipt.delivery, 2);
}

static void a_message_that_is_given_back_comes_again_and_again(void **state)
{
    (void)state;
    send(1, "a");
    send(1, "b");
    for (int32_t delivery = 1; delivery <= 20; delivery++) {
        receive_up_to(1, 1, "a ");
        assert_int_equal(got[0].receipt.delivery, delivery);
        assert_true(driver->hide(queue, got[0].receipt, 0));
    }
    receive(1, "a b ");
    assert_int_equal(got[1].receipt.delivery, 1);
}

static void a_message_may_come_again_for_hours(void **state)
{
    (void)state;
    send(1, "a");
    for (int32_t delivery = 1; delivery <= 1000; delivery++) {
        receive(1, "a ");
        assert_int_equal(got[0].receipt.delivery, delivery);
        fk_arena_reset(&arena);
        driver->pass_ms(driver->visibility_ms);
    }
}

/* --- deduplication and retention --- */

static void repeated_sends_are_swallowed(void **state)
{
    (void)state;
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("first")), FK_OK);
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("first")), FK_OK);
    assert_int_equal(fk_queue_send(queue, 2, 5, fk_bytes_text("of another group")), FK_OK);
    assert_int_equal(fk_queue_send(queue, 1, 6, fk_bytes_text("first")), FK_OK);
    assert_int_equal(driver->count(queue), 2);
    assert_ready(2, false);
    receive(2, "");
    receive(1, "first first ");
    assert_int_equal(got[0].deduplication_id, 5);
    assert_int_equal(got[1].deduplication_id, 6);
    assert_int_equal(fk_queue_send(queue, 2, 5, fk_bytes_text("first")), FK_OK); /* while it is hidden too */
    assert_int_equal(driver->count(queue), 2);
}

static void repeated_sends_are_swallowed_after_the_deletion_too(void **state)
{
    (void)state;
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("first")), FK_OK);
    receive(1, "first ");
    assert_true(driver->remove(queue, got[0].receipt));
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("first")), FK_OK);
    receive(1, "");
    assert_int_equal(driver->count(queue), 0);
}

static void the_window_of_deduplication_ends(void **state)
{
    (void)state;
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("one")), FK_OK);
    driver->pass_ms(FK_QUEUE_DEDUPLICATION_MS - 1);
    assert_int_equal(fk_queue_send(queue, 1, 6, fk_bytes_text("two")), FK_OK);
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("swallowed")), FK_OK);
    assert_int_equal(driver->count(queue), 2);
    driver->pass_ms(1); /* what was swallowed did not prolong it */
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_text("three")), FK_OK);
    assert_int_equal(fk_queue_send(queue, 1, 6, fk_bytes_text("swallowed")), FK_OK);
    receive(1, "one two three ");
}

static void what_nobody_deletes_is_dropped_at_last(void **state)
{
    (void)state;
    send(1, "a");
    driver->pass_ms(1000);
    send(1, "b");
    driver->pass_ms(FK_QUEUE_RETENTION_MS - 2000);
    receive(1, "a b ");
    struct fk_receipt first = got[0].receipt;
    driver->pass_ms(999);
    assert_int_equal(driver->count(queue), 2);
    driver->pass_ms(1);
    assert_int_equal(driver->count(queue), 1); /* hidden or not */
    assert_false(driver->remove(queue, first));
    driver->pass_ms(999);
    assert_int_equal(driver->count(queue), 1);
    driver->pass_ms(1);
    assert_int_equal(driver->count(queue), 0);
    assert_ready(1, false);
    send(1, "c");
    receive(1, "c ");
}

static void bodies_have_a_largest_size(void **state)
{
    (void)state;
    static uint8_t bytes[FK_QUEUE_BODY_SIZE_MAX + 1];
    size_t count = 0;
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_of(bytes, sizeof bytes)), FK_ERR_TOO_LARGE);
    assert_int_equal(driver->count(queue), 0);
    assert_int_equal(fk_queue_send(queue, 1, 5, fk_bytes_of(bytes, sizeof bytes - 1)), FK_OK); /* the id is free */
    assert_int_equal(driver->receive(queue, 1, 1, driver->visibility_ms, &arena, got, &count), FK_OK);
    assert_int_equal(count, 1);
    assert_int_equal(got[0].body.size, FK_QUEUE_BODY_SIZE_MAX);
}

/* --- random calls, compared with what must be --- */

enum {
    GROUPS = 4,
    PER_GROUP = 400,
};

struct model_message {
    bool deleted;
    int64_t hidden_until_ms;
    int32_t deliveries;
    struct fk_receipt receipt; /* of the last delivery */
};

struct model_group {
    struct model_message messages[PER_GROUP];
    int sent;
};

static struct model_group model[GROUPS];
static int64_t model_ms;

static bool model_blocked(const struct model_group *group)
{
    for (int i = 0; i < group->sent; i++) {
        if (!group->messages[i].deleted && group->messages[i].hidden_until_ms > model_ms) {
            return true;
        }
    }
    return false;
}

static void random_send(struct fk_prng *prng)
{
    int64_t group = (int64_t)fk_prng_below(prng, GROUPS);
    char text[32];
    if (model[group].sent < PER_GROUP) {
        (void)snprintf(text, sizeof text, "%d", model[group].sent++);
        send(group, text);
    }
}

/* Below max_ms; where time passes by itself, `otherwise`, so that nothing depends on it. */
static int64_t random_visibility_ms(struct fk_prng *prng, uint64_t max_ms, int64_t otherwise)
{
    return driver->tick_ms == 1 ? (int64_t)fk_prng_below(prng, max_ms) : otherwise;
}

static void random_receive(struct fk_prng *prng)
{
    int64_t id = (int64_t)fk_prng_below(prng, GROUPS);
    struct model_group *group = &model[id];
    size_t max = 1 + (size_t)fk_prng_below(prng, FK_QUEUE_BATCH_MAX);
    int64_t visibility_ms = random_visibility_ms(prng, 100, FK_QUEUE_VISIBILITY_MAX_MS / 2);
    bool blocked = model_blocked(group);
    size_t count = 0;
    size_t expected = 0;
    assert_int_equal(driver->receive(queue, id, max, visibility_ms, &arena, got, &count), FK_OK);
    for (int i = 0; i < group->sent && expected < max && !blocked; i++) {
        char text[32];
        struct model_message *message = &group->messages[i];
        if (message->deleted) {
            continue;
        }
        assert_true(expected < count);
        (void)snprintf(text, sizeof text, "%d", i);
        fk_assert_text(got[expected].body, text);
        message->receipt = got[expected].receipt;
        message->hidden_until_ms = model_ms + visibility_ms;
        message->deliveries++;
        assert_true(message->receipt.delivery == message->deliveries ||
                    (driver->counts_more && message->receipt.delivery > message->deliveries));
        expected++;
    }
    assert_int_equal(count, expected);
    fk_arena_reset(&arena);
}

/* Deletes or hides something that was delivered at any time. */
static void random_receipt(struct fk_prng *prng)
{
    struct model_group *group = &model[fk_prng_below(prng, GROUPS)];
    int from = group->sent > 20 ? group->sent - 20 : 0;
    struct model_message *message = &group->messages[from + (int)fk_prng_below(prng, 20)];
    bool late = !message->deleted && message->hidden_until_ms <= model_ms;
    if (message->deliveries == 0 || (late && driver->late_receipts)) {
        return;
    }
    struct fk_receipt receipt = message->receipt;
    receipt.delivery -= fk_prng_chance(prng, 20) ? 1 : 0; /* one from before */
    bool valid = !message->deleted && !late && receipt.delivery == message->receipt.delivery;
    if (fk_prng_chance(prng, 70)) {
        assert_int_equal(driver->remove(queue, receipt), valid);
        message->deleted = message->deleted || valid;
    } else {
        int64_t visibility_ms = random_visibility_ms(prng, 60, 0);
        assert_int_equal(driver->hide(queue, receipt, visibility_ms), valid);
        message->hidden_until_ms = valid ? model_ms + visibility_ms : message->hidden_until_ms;
    }
}

static void assert_same_as_model(void)
{
    size_t left = 0;
    for (int64_t id = 0; id < GROUPS; id++) {
        size_t before = left;
        for (int i = 0; i < model[id].sent; i++) {
            left += model[id].messages[i].deleted ? 0 : 1;
        }
        if (driver->ready != NULL) {
            assert_ready(id, left > before && !model_blocked(&model[id]));
        }
    }
    assert_int_equal(driver->count(queue), left);
}

static void random_pause(struct fk_prng *prng)
{
    if (driver->tick_ms == 1) {
        int64_t ms = (int64_t)fk_prng_below(prng, 20);
        model_ms += ms;
        driver->pass_ms(ms);
    }
}

static void random_calls_do_what_they_should(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    memset(model, 0, sizeof model);
    model_ms = 0;
    for (int step = 0; step < driver->random_steps; step++) {
        uint64_t choice = fk_prng_below(&prng, 100);
        if (choice < 12) {
            random_send(&prng);
        } else if (choice < 35) {
            random_receive(&prng);
        } else if (choice < 90) {
            random_receipt(&prng);
        } else {
            random_pause(&prng);
        }
        if (step % 5 == 0) {
            assert_same_as_model();
        }
    }
}

/* --- the queue in memory --- */

static void without_memory_nothing_is_sent(void **state)
{
    (void)state;
    enum fk_err err = FK_ERR_NOMEM;
    for (uint64_t nth = 1; err != FK_OK; nth++) {
        fk_test_fail_alloc(nth);
        err = fk_queue_send(queue, 1, 5, fk_bytes_text("a"));
        fk_test_fail_alloc(0);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_true(nth > 3 || err == FK_ERR_NOMEM); /* message, id and group */
        assert_int_equal(driver->count(queue), err == FK_OK ? 1 : 0);
    }
    receive(1, "a ");
}

static void without_memory_nothing_is_received(void **state)
{
    (void)state;
    static uint8_t bytes[100 * 1000]; /* larger than what the arena takes at once */
    send(1, "a");
    assert_int_equal(fk_queue_send(queue, 1, fresh_id(), fk_bytes_of(bytes, sizeof bytes)), FK_OK);
    for (uint64_t nth = 1; nth <= 2; nth++) { /* nothing at all, or not the second message */
        size_t count = 99;
        fk_arena_deinit(&arena);
        fk_test_fail_alloc(nth);
        assert_int_equal(driver->receive(queue, 1, 5, driver->visibility_ms, &arena, got, &count), FK_ERR_NOMEM);
        fk_test_fail_alloc(0);
        assert_int_equal(count, 0);
    }
    receive_up_to(1, 1, "a ");
    assert_int_equal(got[0].receipt.delivery, 1);
}

static void it_tells_when_to_look_again(void **state)
{
    (void)state;
    assert_int_equal(fk_memory_queue_ready_ms(queue), INT64_MAX);
    driver->pass_ms(100);
    send(1, "a");
    assert_true(fk_memory_queue_ready_ms(queue) <= 100); /* now */
    receive(1, "a ");
    assert_int_equal(fk_memory_queue_ready_ms(queue), 100 + driver->visibility_ms);
    driver->pass_ms(50);
    send(2, "x");
    send(2, "y");
    receive(2, "x y ");
    assert_int_equal(fk_memory_queue_ready_ms(queue), 100 + driver->visibility_ms);
    assert_true(driver->hide(queue, got[0].receipt, 0)); /* y holds the group */
    assert_int_equal(fk_memory_queue_ready_ms(queue), 100 + driver->visibility_ms);
    assert_true(driver->hide(queue, got[1].receipt, 10));
    assert_int_equal(fk_memory_queue_ready_ms(queue), 160);
}

#define ON(function, name, driver)                                                                                     \
    {                                                                                                                  \
#        function " [" name "]", function, setup, teardown, (void *)(uintptr_t) & (driver)                             \
    }
#define ON_MEMORY(function) ON(function, "memory", memory_driver)
#define ON_BOTH(function)   ON_MEMORY(function), ON(function, "ministack", fk_ministack_fifo)
#define ON_EACH(function)   ON_BOTH(function), ON(function, "moto", fk_moto_fifo)

/* On the memory alone: what takes minutes to days, or asks for groups (SQS tells of none). Left out with moto: what it
 * does otherwise than SQS, docs/aws-testing.md. */
static const struct CMUnitTest tests[] = {
    ON_EACH(a_group_comes_in_the_order_of_sending),
    ON_EACH(a_batch_is_of_one_group_and_has_ten_at_most),
    ON_EACH(deliveries_say_what_was_sent),
    ON_MEMORY(groups_that_have_something_are_told_oldest_first),
    ON_EACH(a_group_waits_until_all_it_gave_is_deleted),
    ON_BOTH(what_is_not_deleted_in_time_comes_again),
    ON_EACH(what_was_deleted_never_comes_again),
    ON_BOTH(an_undeleted_message_comes_before_later_ones),
    ON_BOTH(a_released_message_comes_again_at_once),
    ON_EACH(the_last_of_a_batch_holds_its_group_too),
    ON_EACH(visibility_can_be_prolonged_and_cut),
    ON_MEMORY(the_longest_visibility_is_half_a_day),
    ON_EACH(a_message_that_is_given_back_comes_again_and_again),
    ON_MEMORY(a_message_may_come_again_for_hours),
    ON_EACH(repeated_sends_are_swallowed),
    ON_BOTH(repeated_sends_are_swallowed_after_the_deletion_too),
    ON_MEMORY(the_window_of_deduplication_ends),
    ON_MEMORY(what_nobody_deletes_is_dropped_at_last),
    ON_EACH(bodies_have_a_largest_size),
    ON_BOTH(random_calls_do_what_they_should),
    ON_MEMORY(without_memory_nothing_is_sent),
    ON_MEMORY(without_memory_nothing_is_received),
    ON_MEMORY(it_tells_when_to_look_again),
};

FK_CLOUD_TEST_MAIN(tests)
