// SPDX-License-Identifier: Apache-2.0
/* Messages of several sessions in one. */
#include "function/bundle.h"

#include "function/cloud_world.h"
#include "function/single_hop.h"
#include "wire/codes.h"

static struct cloud cloud;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, false);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct fk_bytes bundle_of(const struct fk_bytes *messages, size_t count)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_bundle_begin(&buf);
    for (size_t i = 0; i < count; i++) {
        fk_bundle_add(&buf, messages[i]);
    }
    struct fk_bytes copy = fk_arena_copy(&cloud.arena, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return copy;
}

static void plain_messages_stay_as_they_are(void **state)
{
    (void)state;
    struct fk_bytes messages[2] = {FK_BYTES_LITERAL("\0\0\0\1one"), FK_BYTES_LITERAL("\0\0\0\2two")};
    struct fk_unbundled unbundled;
    assert_int_equal(fk_unbundle(&unbundled, messages, 2), FK_OK);
    assert_ptr_equal(unbundled.messages, messages);
    assert_int_equal(unbundled.count, 2);
    assert_int_equal(fk_unbundled_done(&unbundled, 1), 1);
    assert_int_equal(fk_unbundled_done(&unbundled, 2), 2);
    fk_unbundled_close(&unbundled);
}

static void a_bundle_is_done_when_all_of_it_is(void **state)
{
    (void)state;
    struct fk_bytes inside[3] = {FK_BYTES_LITERAL("\0\0\0\1a"), FK_BYTES_LITERAL("\0\0\0\1b"),
                                 FK_BYTES_LITERAL("\0\0\0\1c")};
    struct fk_bytes messages[3] = {FK_BYTES_LITERAL("\0\0\0\1first"), bundle_of(inside, 3), bundle_of(inside, 0)};
    static const size_t done[] = {0, 1, 1, 1, 3}; /* what holds nothing is done with what is before it */
    struct fk_unbundled unbundled;
    assert_int_equal(fk_unbundle(&unbundled, messages, 3), FK_OK);
    assert_int_equal(unbundled.count, 4);
    fk_assert_bytes(unbundled.messages[0], messages[0]);
    fk_assert_bytes(unbundled.messages[3], inside[2]);
    for (size_t i = 0; i < sizeof done / sizeof done[0]; i++) {
        assert_int_equal(fk_unbundled_done(&unbundled, i), done[i]);
    }
    fk_unbundled_close(&unbundled);
}

static void what_is_cut_short_or_nested_is_dropped(void **state)
{
    (void)state;
    struct fk_bytes inside[2] = {FK_BYTES_LITERAL("\0\0\0\1a"), FK_BYTES_LITERAL("\0\0\0\1b")};
    struct fk_bytes whole = bundle_of(inside, 2);
    struct fk_bytes nested[2] = {inside[0], whole};
    struct fk_unbundled unbundled;
    for (size_t size = 4; size <= whole.size; size++) {
        struct fk_bytes part = fk_bytes_head(whole, size);
        assert_int_equal(fk_unbundle(&unbundled, &part, 1), FK_OK);
        assert_int_equal(unbundled.count, size == whole.size ? 2 : size >= 4 + 4 + inside[0].size ? 1 : 0);
        assert_int_equal(fk_unbundled_done(&unbundled, unbundled.count), 1);
        fk_unbundled_close(&unbundled);
    }
    whole = bundle_of(nested, 2);
    assert_int_equal(fk_unbundle(&unbundled, &whole, 1), FK_OK);
    assert_int_equal(unbundled.count, 1);
    fk_unbundled_close(&unbundled);
}

static void the_function_decides_all_of_a_bundle(void **state)
{
    (void)state;
    struct fk_request_operation first = cloud_create(&cloud, "/a", "", 0);
    struct fk_request_operation second = cloud_create(&cloud, "/b", "", 0);
    struct fk_request_operation third = cloud_set(&cloud, "/a", "x", -1);
    struct fk_bytes inside[2] = {cloud_message(&cloud, 1, &first, 1), cloud_message(&cloud, 2, &second, 1)};
    struct fk_bytes messages[2] = {bundle_of(inside, 2), cloud_message(&cloud, 3, &third, 1)};
    struct fk_node_record node;
    size_t done = 0;
    assert_int_equal(fk_single_hop_run(&cloud.options, &cloud.ports, messages, 2, &done), FK_OK);
    assert_int_equal(done, 2);
    assert_true(cloud_node(&cloud, "/b", &node));
    assert_true(cloud_node(&cloud, "/a", &node));
    fk_assert_text(node.node.data, "x");
    for (int64_t i = 1; i <= 3; i++) {
        struct fk_answer_message answer;
        assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
        assert_int_equal(answer.number, i);
        assert_int_equal(answer.code, FK_CODE_OK);
    }
}

static const struct CMUnitTest tests[] = {
    ROW(plain_messages_stay_as_they_are),
    ROW(a_bundle_is_done_when_all_of_it_is),
    ROW(what_is_cut_short_or_nested_is_dropped),
    ROW(the_function_decides_all_of_a_bundle),
};

FK_TEST_MAIN(tests)
