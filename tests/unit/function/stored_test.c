// SPDX-License-Identifier: Apache-2.0
/* Requests that go by way of a blob: sent, decided, repeated, lost, swept. */
#include "function/stored.h"

#include "driver/memory/blob.h"
#include "driver/memory/queue.h"
#include "function/cloud_world.h"
#include "function/pipeline.h"
#include "function/single_hop.h"
#include "function/sweep.h"
#include "wire/codes.h"

static struct cloud cloud;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, false);
    cloud.options.message_size_max = 500;
    return result;
}

static int setup_pipeline(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, true);
    cloud.options.message_size_max = 500;
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function)          cmocka_unit_test_setup_teardown(function, setup, teardown)
#define PIPELINE_ROW(function) cmocka_unit_test_setup_teardown(function, setup_pipeline, teardown)

static size_t count_blobs(void)
{
    struct fk_blob_page page;
    assert_int_equal(fk_blob_list(cloud.ports.blobs, FK_BYTES_NULL, 100, &cloud.arena, &page), FK_OK);
    return page.count;
}

/* What the queue got from sending a request that creates `path` with so much data. */
static struct fk_bytes send(int64_t number, const char *path, size_t size)
{
    struct fk_request_operation create = cloud_create_sized(&cloud, path, size);
    struct fk_bytes message = cloud_message(&cloud, number, &create, 1);
    struct fk_delivery delivery;
    size_t count = 0;
    int64_t group = cloud.options.pipeline ? CLOUD_SESSION : FK_GROUP_SINGLE_HOP;
    assert_int_equal(fk_stored_send(&cloud.options, &cloud.ports, group, number, message), FK_OK);
    assert_int_equal(fk_memory_queue_receive(cloud.ports.queue, group, 1, 1000, &cloud.arena, &delivery, &count),
                     FK_OK);
    assert_int_equal(count, 1);
    assert_true(fk_memory_queue_delete(cloud.ports.queue, delivery.receipt));
    return delivery.body;
}

static enum fk_err run(struct fk_bytes message, size_t *done)
{
    return cloud.options.pipeline ? fk_pipeline_writer_run(&cloud.options, &cloud.ports, &message, 1, done)
                                  : fk_single_hop_run(&cloud.options, &cloud.ports, &message, 1, done);
}

static void a_small_message_is_sent_as_it_is(void **state)
{
    (void)state;
    assert_true(send(1, "/a", 300).size > 300);
    assert_int_equal(count_blobs(), 0);
}

static void a_large_one_is_named_decided_and_its_blob_removed(void **state)
{
    (void)state;
    size_t done = 0;
    struct fk_node_record node;
    struct fk_bytes message = send(1, "/a", 600);
    assert_true(message.size < 100);
    assert_int_equal(count_blobs(), 1);
    assert_int_equal(run(message, &done), FK_OK);
    assert_int_equal(done, 1);
    if (cloud.options.pipeline) {
        assert_int_equal(cloud_distribute(&cloud), FK_OK);
    }
    assert_int_equal(count_blobs(), 0);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.node.data.size, 600);
}

static void a_message_that_comes_again_asks_for_nothing(void **state)
{
    (void)state;
    size_t done = 0;
    struct fk_bytes message = send(1, "/a", 600);
    assert_int_equal(run(message, &done), FK_OK);
    int64_t zxid = cloud_zx(&cloud).zxid;
    assert_int_equal(run(message, &done), FK_OK);
    assert_int_equal(done, 1);
    assert_int_equal(cloud_zx(&cloud).zxid, zxid);
}

static void the_blob_stays_until_the_message_is_decided(void **state)
{
    (void)state;
    size_t done = 7;
    struct fk_bytes message = send(1, "/a", 600);
    cloud_fail(&cloud, 1, CLOUD_BUSY);
    cloud.fault_always = true;
    assert_int_equal(run(message, &done), FK_ERR_BUSY);
    assert_int_equal(done, 0);
    assert_int_equal(count_blobs(), 1);
}

/* A store of blobs that fails for a while. */
struct failing {
    struct fk_blobs base;
    struct fk_blobs *inner;
    int failures;
};

static enum fk_err failing_get(struct fk_blobs *base, struct fk_bytes name, struct fk_arena *arena,
                               struct fk_bytes *bytes)
{
    struct failing *failing = (struct failing *)base;
    return failing->failures-- > 0 ? FK_ERR_BUSY : fk_blob_get(failing->inner, name, arena, bytes);
}

static enum fk_err failing_remove(struct fk_blobs *base, struct fk_bytes name)
{
    struct failing *failing = (struct failing *)base;
    return fk_blob_remove(failing->inner, name);
}

static const struct fk_blob_ops failing_ops = {.get = failing_get, .remove = failing_remove};

static void fetching_is_tried_again_and_given_up(void **state)
{
    (void)state;
    size_t done = 0;
    struct fk_bytes messages[2];
    struct fk_request_operation small = cloud_create_sized(&cloud, "/a", 10);
    messages[0] = cloud_message(&cloud, 1, &small, 1);
    messages[1] = send(2, "/b", 600);
    struct failing failing = {.base = {.ops = &failing_ops}, .inner = cloud.ports.blobs, .failures = 1000 * 1000};
    cloud.ports.blobs = &failing.base;
    assert_int_equal(fk_single_hop_run(&cloud.options, &cloud.ports, messages, 2, &done), FK_ERR_BUSY);
    assert_int_equal(done, 1); /* what stands before it is decided */
    failing.failures = 3;
    assert_int_equal(fk_single_hop_run(&cloud.options, &cloud.ports, &messages[1], 1, &done), FK_OK);
    assert_int_equal(done, 1);
    cloud.ports.blobs = failing.inner;
    assert_int_equal(count_blobs(), 0);
}

static void what_is_lost_is_swept_when_no_queue_can_have_it(void **state)
{
    (void)state;
    cloud.options.orphan_sweeps = 1;
    struct fk_sweep_result result;
    (void)send(1, "/a", 600);
    assert_int_equal(fk_sweep_run(&cloud.options, &cloud.ports, &result), FK_OK);
    assert_int_equal(count_blobs(), 1);
    cloud.clock.wall_ms += INT64_C(31) * 24 * 3600 * 1000;
    assert_int_equal(fk_sweep_run(&cloud.options, &cloud.ports, &result), FK_OK);
    assert_int_equal(count_blobs(), 0);
}

static void names_are_told_from_those_of_data(void **state)
{
    (void)state;
    bool old = false;
    assert_true(fk_stored_parse(FK_BYTES_LITERAL("m00000000000000050000000000000007"), 0, &old));
    assert_false(old);
    assert_false(fk_stored_parse(FK_BYTES_LITERAL("0000000000000005000000000000000a/"), 0, &old));
    assert_false(fk_stored_parse(FK_BYTES_LITERAL("m0000000000000005"), 0, &old));
    assert_false(fk_stored_parse(FK_BYTES_NULL, 0, &old));
}

static const struct CMUnitTest tests[] = {
    ROW(a_small_message_is_sent_as_it_is),
    ROW(a_large_one_is_named_decided_and_its_blob_removed),
    PIPELINE_ROW(a_large_one_is_named_decided_and_its_blob_removed),
    ROW(a_message_that_comes_again_asks_for_nothing),
    PIPELINE_ROW(a_message_that_comes_again_asks_for_nothing),
    ROW(the_blob_stays_until_the_message_is_decided),
    ROW(fetching_is_tried_again_and_given_up),
    ROW(what_is_lost_is_swept_when_no_queue_can_have_it),
    ROW(names_are_told_from_those_of_data),
};

FK_TEST_MAIN(tests)
