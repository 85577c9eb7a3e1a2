// SPDX-License-Identifier: Apache-2.0
/* The distributor: entries again, garbage, newer ones, entries whose fate is not known, order (H25, H26). */
#include "function/distributor.h"

#include "driver/memory/queue.h"
#include "function/cloud_world.h"
#include "function/pipeline_entry.h"
#include "function/pipeline_record.h"
#include "wire/codes.h"

static struct cloud cloud;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, true);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

/* Takes what writers have pushed out of the queue. */
static size_t take_entries(struct fk_bytes *entries)
{
    struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
    size_t count = 0;
    assert_int_equal(
        fk_memory_queue_receive(cloud.ports.distributor, 0, FK_QUEUE_BATCH_MAX, 1000, &cloud.arena, deliveries, &count),
        FK_OK);
    for (size_t i = 0; i < count; i++) {
        entries[i] = deliveries[i].body;
        assert_true(fk_memory_queue_delete(cloud.ports.distributor, deliveries[i].receipt));
    }
    return count;
}

static enum fk_err run(const struct fk_bytes *entries, size_t count, size_t *done)
{
    return fk_distributor_run(&cloud.options, &cloud.ports, entries, count, done);
}

static void write_ops(int64_t number, struct fk_request_operation operation)
{
    assert_int_equal(cloud_write(&cloud, cloud_message(&cloud, number, &operation, 1)), FK_OK);
}

static void a_batch_becomes_visible_in_one_commit(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    size_t done = 0;
    write_ops(1, cloud_create(&cloud, "/a", "", 0));
    write_ops(2, cloud_create(&cloud, "/a/b", "", 0));
    write_ops(3, cloud_set(&cloud, "/a", "x", -1));
    assert_int_equal(take_entries(entries), 3);
    cloud.writes = 0;
    assert_int_equal(run(entries, 3, &done), FK_OK);
    assert_int_equal(done, 3);
    assert_int_equal(cloud.writes, 1);
    assert_int_equal(cloud_zx(&cloud).zxid, 3);
}

static void a_batch_is_cut_at_the_size_of_a_commit(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    size_t done = 0;
    cloud.options.commit_items_max = 9;
    write_ops(1, cloud_create(&cloud, "/a", "", 0));
    write_ops(2, cloud_create(&cloud, "/b", "", 0));
    write_ops(3, cloud_create(&cloud, "/c", "", 0));
    assert_int_equal(take_entries(entries), 3);
    cloud.writes = 0;
    assert_int_equal(run(entries, 3, &done), FK_OK);
    assert_true(cloud.writes > 1);
    assert_int_equal(cloud_zx(&cloud).zxid, 3);
}

static void entries_delivered_again_are_answered_again(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    struct fk_answer_message answer;
    size_t done = 0;
    write_ops(1, cloud_create(&cloud, "/a", "", 0));
    write_ops(2, cloud_create(&cloud, "/a", "", 0));
    assert_int_equal(take_entries(entries), 2);
    assert_int_equal(run(entries, 2, &done), FK_OK);
    cloud_clear(&cloud);
    assert_int_equal(run(entries, 2, &done), FK_OK);
    assert_int_equal(done, 2);
    assert_int_equal(cloud_zx(&cloud).zxid, 2);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, FK_CODE_NODE_EXISTS);
}

static void an_entry_of_unknown_fate_is_not_passed(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    size_t done = 0;
    struct fk_request_operation create = cloud_create(&cloud, "/a", "", 0);
    cloud.options.function_ms = 0;
    cloud_fail(&cloud, 3, CLOUD_UNKNOWN_LOST); /* the writer's accepting; then it gives up */
    cloud.fault_always = true;
    assert_int_not_equal(cloud_write(&cloud, cloud_message(&cloud, 1, &create, 1)), FK_OK);
    cloud_fail(&cloud, 0, CLOUD_NO_FAULT);
    assert_int_equal(take_entries(entries), 1);
    cloud_fail(&cloud, 1, CLOUD_BUSY); /* and nobody can accept for it now */
    cloud.fault_always = true;
    struct fk_bytes both[2] = {entries[0], entries[0]};
    assert_int_equal(run(both, 2, &done), FK_ERR_BUSY);
    assert_int_equal(done, 0); /* H26 */
    cloud_fail(&cloud, 0, CLOUD_NO_FAULT);
    assert_int_equal(run(entries, 1, &done), FK_OK);
    assert_int_equal(done, 1);
    struct fk_node_record node;
    assert_true(cloud_node(&cloud, "/a", &node)); /* its locks still stood */
}

static void a_change_that_does_not_follow_is_not_made_visible(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    struct fk_node_record node;
    size_t done = 0;
    write_ops(1, cloud_create(&cloud, "/a", "", 0));
    write_ops(2, cloud_set(&cloud, "/a", "x", -1));
    assert_int_equal(take_entries(entries), 2);
    cloud.options.function_ms = 0;
    assert_int_equal(run(entries + 1, 1, &done), FK_ERR_REFUSED); /* a queue that has lost its order */
    assert_int_equal(done, 0);
    assert_int_equal(cloud_zx(&cloud).zxid, 0);
    assert_int_equal(run(entries, 2, &done), FK_OK);
    assert_true(cloud_node(&cloud, "/a", &node));
    fk_assert_text(node.node.data, "x");
}

static void garbage_is_dropped_and_newer_entries_are_left(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    size_t done = 0;
    write_ops(1, cloud_create(&cloud, "/a", "", 0));
    assert_int_equal(take_entries(entries), 1);
    struct fk_bytes cut = fk_bytes_head(entries[0], entries[0].size - 1);
    struct fk_bytes batch[] = {cut, entries[0], FK_BYTES_LITERAL("\0\0\0\4"), entries[0]};
    assert_int_equal(run(batch, 4, &done), FK_ERR_VERSION);
    assert_int_equal(done, 2);
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
}

static void every_beginning_of_an_entry_is_refused(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    struct fk_request_operation ops[] = {cloud_create2(&cloud, "/a", "data", 0), cloud_set(&cloud, "/a", "x", -1)};
    write_ops(1, cloud_multi(&cloud, ops, 2));
    assert_int_equal(take_entries(entries), 1);
    struct fk_entry entry;
    assert_int_equal(fk_entry_read(entries[0], &cloud.arena, &entry), FK_OK);
    assert_int_equal(entry.put_count, 3);
    assert_int_equal(entry.stat_count, 2);
    struct fk_buf again = FK_BUF_EMPTY;
    fk_entry_write(&again, &entry);
    fk_assert_bytes(fk_buf_view(&again), entries[0]);
    fk_buf_deinit(&again);
    for (size_t size = 0; size < entries[0].size; size++) {
        assert_int_equal(fk_entry_read(fk_bytes_head(entries[0], size), &cloud.arena, &entry), FK_ERR_MALFORMED);
    }
}

/* What no attach changes is written as older distributors read it. */
static void an_entry_has_a_timeout_where_it_changes(void **state)
{
    (void)state;
    for (int32_t timeout_ms = 0; timeout_ms <= 9000; timeout_ms += 9000) {
        struct fk_entry entry = {
            .kind = FK_STEP_ATTACH, .session_id = 1, .epoch = 2, .answered = -1, .word = 3, .timeout_ms = timeout_ms};
        struct fk_entry got;
        struct fk_buf buf = FK_BUF_EMPTY;
        fk_entry_write(&buf, &entry);
        assert_int_equal(fk_load_u32(buf.data), timeout_ms == 0 ? 2 : 3);
        assert_int_equal(fk_entry_read(fk_buf_view(&buf), &cloud.arena, &got), FK_OK);
        assert_int_equal(got.timeout_ms, timeout_ms);
        assert_int_equal(got.word, 3);
        fk_buf_deinit(&buf);
    }
}

static void without_memory_nothing_is_lost(void **state)
{
    (void)state;
    struct fk_bytes entries[FK_QUEUE_BATCH_MAX];
    struct fk_answer_message answer;
    struct fk_node_record node;
    uint64_t nth = 1;
    size_t done = 0;
    write_ops(1, cloud_create2(&cloud, "/a", "", 0));
    assert_int_equal(take_entries(entries), 1);
    do {
        fk_test_fail_alloc(nth++);
        enum fk_err err = run(entries, 1, &done);
        fk_test_fail_alloc(0);
        assert_true(err == FK_OK || err == FK_ERR_NOMEM);
        assert_int_equal(done, err == FK_OK ? 1 : 0);
    } while (nth < 200 && done == 0);
    assert_int_equal(run(entries, 1, &done), FK_OK);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
}

static const struct CMUnitTest tests[] = {
    ROW(a_batch_becomes_visible_in_one_commit),
    ROW(a_batch_is_cut_at_the_size_of_a_commit),
    ROW(entries_delivered_again_are_answered_again),
    ROW(an_entry_of_unknown_fate_is_not_passed),
    ROW(a_change_that_does_not_follow_is_not_made_visible),
    ROW(garbage_is_dropped_and_newer_entries_are_left),
    ROW(every_beginning_of_an_entry_is_refused),
    ROW(an_entry_has_a_timeout_where_it_changes),
    ROW(without_memory_nothing_is_lost),
};

FK_TEST_MAIN(tests)
