// SPDX-License-Identifier: Apache-2.0
/* What becomes of requests and of what gateways and sweeps ask, rule by rule (protocol.md H1 to H9, H21, H22): each
 * test runs in both topologies. */
#include "function/cloud_world.h"
#include "wire/codes.h"
#include "wire/records.h"

static struct cloud cloud;
static bool pipeline;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, pipeline);
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct fk_session_record session(void)
{
    struct fk_session_record record = {.epoch = 0};
    assert_true(cloud_session(&cloud, CLOUD_SESSION, &record));
    return record;
}

static void requests_are_decided_in_order_and_answered_with_their_zxid(void **state)
{
    (void)state;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/a", "1", 0), cloud_set(&cloud, "/a", "2", -1),
                                         cloud_create(&cloud, "/a", "3", 0), cloud_delete(&cloud, "/a")};
    static const int32_t codes[] = {0, 0, FK_CODE_NODE_EXISTS, 0};
    cloud_run(&cloud, cloud_message(&cloud, 1, ops, 4));
    for (int64_t i = 0; i < 4; i++) {
        struct fk_answer_message answer;
        assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
        assert_int_equal(answer.number, i + 1);
        assert_int_equal(answer.epoch, 1);
        assert_int_equal(answer.zxid, i + 1);
        assert_int_equal(answer.code, codes[i]);
    }
    struct fk_node_record record;
    assert_false(cloud_node(&cloud, "/a", &record));
    assert_int_equal(session().last, 4);
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
}

static void a_request_delivered_again_is_answered_from_the_ring(void **state)
{
    (void)state;
    assert_int_equal(cloud_code(&cloud, 1, cloud_create(&cloud, "/a", "1", 0)), 0);
    assert_int_equal(cloud_code(&cloud, 2, cloud_create(&cloud, "/a", "1", 0)), FK_CODE_NODE_EXISTS);
    /* H1, H2: results of both kinds are kept, although a later request was decided. */
    assert_int_equal(cloud_code(&cloud, 1, cloud_create(&cloud, "/a", "1", 0)), 0);
    assert_int_equal(cloud_code(&cloud, 2, cloud_create(&cloud, "/a", "1", 0)), FK_CODE_NODE_EXISTS);
    assert_int_equal(cloud_zx(&cloud).zxid, 2);
}

static void an_error_stays_the_answer_though_it_would_succeed_now(void **state)
{
    (void)state;
    assert_int_equal(cloud_code(&cloud, 1, cloud_set(&cloud, "/a", "1", -1)), FK_CODE_NO_NODE);
    assert_int_equal(cloud_code(&cloud, 2, cloud_create(&cloud, "/a", "1", 0)), 0);
    assert_int_equal(cloud_code(&cloud, 1, cloud_set(&cloud, "/a", "1", -1)), FK_CODE_NO_NODE);
    struct fk_node_record record;
    assert_true(cloud_node(&cloud, "/a", &record));
    assert_int_equal(record.node.version, 0);
}

static void the_ring_keeps_eight_results(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    for (int64_t i = 1; i <= 9; i++) {
        cloud_do(&cloud, i, cloud_set(&cloud, "/none", "", -1));
    }
    struct fk_session_record record = session();
    assert_int_equal(record.count, FK_RING_SIZE);
    assert_int_equal(record.results[0].number, 2);
    cloud_clear(&cloud);
    cloud_do(&cloud, 1, cloud_set(&cloud, "/none", "", -1));
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
}

static void what_the_gateway_has_taken_is_not_kept(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    cloud_do(&cloud, 1, cloud_set(&cloud, "/none", "", -1));
    cloud_do(&cloud, 2, cloud_set(&cloud, "/none", "", -1));
    cloud.taken = 1;
    cloud_do(&cloud, 3, cloud_set(&cloud, "/none", "", -1));
    struct fk_session_record record = session();
    assert_int_equal(record.count, 2);
    assert_int_equal(record.results[0].number, 2);
    assert_int_equal(record.results[1].number, 3);
    assert_int_equal(record.last, 3);
    cloud_clear(&cloud);
    cloud_do(&cloud, 1, cloud_set(&cloud, "/none", "", -1)); /* again: nobody waits for it */
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(cloud_code(&cloud, 2, cloud_set(&cloud, "/none", "", -1)), FK_CODE_NO_NODE);
    assert_int_equal(session().last, 3);
}

static void a_gap_in_the_numbers_is_dropped(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    cloud_do(&cloud, 2, cloud_create(&cloud, "/a", "", 0)); /* H3 */
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(session().last, 0);
    assert_int_equal(cloud_code(&cloud, 1, cloud_create(&cloud, "/b", "", 0)), 0);
    assert_int_equal(cloud_code(&cloud, 2, cloud_create(&cloud, "/a", "", 0)), 0);
}

static void requests_of_an_older_epoch_are_dropped(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    struct fk_request_operation op = cloud_create(&cloud, "/a", "", 0);
    struct fk_node_record record;
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, cloud_word(&cloud, FK_OP_ATTACH, 4711));
    cloud_clear(&cloud);
    cloud_do(&cloud, 1, op); /* H9 */
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_false(cloud_node(&cloud, "/a", &record));
    cloud_run(&cloud, cloud_message_of(&cloud, CLOUD_SESSION, 2, CLOUD_OTHER, 1, &op, 1));
    assert_true(cloud_answer(&cloud, CLOUD_OTHER, &answer));
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.epoch, 2);
}

static void an_attach_moves_the_session_and_tells_both_owners(void **state)
{
    (void)state;
    struct fk_events_record events;
    struct fk_answer_message answer;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_clear(&cloud);
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, cloud_word(&cloud, FK_OP_ATTACH, 4711));
    struct fk_session_record record = session();
    assert_int_equal(record.epoch, 2);
    assert_int_equal(record.last, 0);
    assert_int_equal(record.count, 0);
    assert_int_equal(record.owner, CLOUD_OTHER);
    assert_int_equal(record.nonce, 4711);
    assert_int_equal(record.attach_zxid, 2);
    assert_true(cloud_events(&cloud, CLOUD_GATEWAY, &events)); /* H22 */
    assert_int_equal(events.gateways[0].entries[0].kind, FK_ENTRY_SESSION_GONE);
    assert_int_equal(events.gateways[0].entries[0].session_id, CLOUD_SESSION);
    assert_int_equal(events.gateways[0].entries[0].epoch, 1);
    assert_true(cloud_answer(&cloud, CLOUD_OTHER, &answer));
    assert_int_equal(answer.number, 0);
    assert_int_equal(answer.epoch, 2);
}

static void an_attach_may_bring_another_timeout(void **state)
{
    (void)state;
    assert_int_equal(session().session.timeout_ms, 10000);
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, cloud_attach(&cloud, 1, 4000));
    assert_int_equal(session().session.timeout_ms, 4000);
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, cloud_attach(&cloud, 2, 30000)); /* too late */
    assert_int_equal(session().session.timeout_ms, 4000);
    cloud_ask(&cloud, CLOUD_SESSION, 2, CLOUD_OTHER, cloud_attach(&cloud, 3, 0));
    cloud_ask(&cloud, CLOUD_SESSION, 3, CLOUD_OTHER, cloud_word(&cloud, FK_OP_ATTACH, 4)); /* of an older gateway */
    assert_int_equal(session().epoch, 4);
    assert_int_equal(session().session.timeout_ms, 4000);
}

static void a_repeated_or_late_attach_changes_nothing(void **state)
{
    (void)state;
    struct fk_request_operation attach = cloud_word(&cloud, FK_OP_ATTACH, 4711);
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, attach);
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, attach); /* the same again */
    assert_int_equal(session().epoch, 2);
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_GATEWAY, cloud_word(&cloud, FK_OP_ATTACH, 4712)); /* expects epoch 1 */
    assert_int_equal(session().epoch, 2);
    assert_int_equal(session().owner, CLOUD_OTHER);
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
}

static void no_session_goes_to_a_dead_gateway(void **state)
{
    (void)state;
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1));
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, cloud_word(&cloud, FK_OP_ATTACH, 4711));
    cloud_ask(&cloud, CLOUD_SESSION, 1, 12345, cloud_word(&cloud, FK_OP_ATTACH, 4711)); /* never heard of */
    assert_int_equal(session().owner, CLOUD_GATEWAY);
    assert_int_equal(session().epoch, 1);
}

static void a_gateway_is_declared_dead_by_its_counter(void **state)
{
    (void)state;
    struct fk_gateway_record record;
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 0)); /* it has renewed since */
    assert_true(cloud_gateway(&cloud, CLOUD_OTHER, &record));
    assert_true(record.alive);
    assert_int_equal(cloud_zx(&cloud).generation, 0);
    cloud_watch(&cloud, "/w", CLOUD_OTHER, FK_WATCH_DATA);
    cloud_do(&cloud, 1, cloud_create(&cloud, "/w", "", 0));
    assert_int_equal(cloud_zx(&cloud).lastev.count, 1);
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1)); /* H20, H21 */
    assert_true(cloud_gateway(&cloud, CLOUD_OTHER, &record));
    assert_false(record.alive);
    assert_int_equal(record.wall_ms, 1700000000000);
    assert_int_equal(cloud_zx(&cloud).generation, 1);
    assert_int_equal(cloud_zx(&cloud).lastev.count, 0);
    int64_t zxid = cloud_zx(&cloud).zxid;
    cloud_ask(&cloud, 0, 0, CLOUD_OTHER, cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1));
    assert_int_equal(cloud_zx(&cloud).zxid, zxid);
}

static void closing_removes_the_session_and_its_nodes_under_one_zxid(void **state)
{
    (void)state;
    struct fk_session_record record;
    struct fk_node_record node;
    struct fk_events_record events;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/e1", "", FK_CREATE_EPHEMERAL));
    cloud_do(&cloud, 2, cloud_create(&cloud, "/p", "", 0));
    cloud_do(&cloud, 3, cloud_create(&cloud, "/p/e2", "", FK_CREATE_EPHEMERAL));
    assert_int_equal(cloud_count(&cloud, "e"), 1);
    assert_int_equal(cloud_code(&cloud, 4, cloud_close()), 0);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_false(cloud_node(&cloud, "/e1", &node));
    assert_false(cloud_node(&cloud, "/p/e2", &node));
    assert_true(cloud_node(&cloud, "/p", &node));
    assert_int_equal(node.node.num_children, 0);
    assert_int_equal(node.node.pzxid, 4);
    assert_int_equal(cloud_count(&cloud, "e"), 0);
    assert_int_equal(cloud_count(&cloud, "as"), 0);
    assert_int_equal(cloud_count(&cloud, "a/p"), 0);
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
    assert_false(cloud_events(&cloud, CLOUD_OTHER, &events));
}

static void requests_of_a_session_that_is_gone_are_answered_expired(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud_do(&cloud, 1, cloud_close());
    assert_int_equal(cloud_code(&cloud, 2, cloud_create(&cloud, "/a", "", 0)), FK_CODE_SESSION_EXPIRED);
    assert_false(cloud_node(&cloud, "/a", &node));
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
}

static void an_end_larger_than_a_commit_comes_in_chunks_of_their_own_zxids(void **state)
{
    (void)state;
    struct fk_session_record record;
    struct fk_node_record node;
    struct fk_answer_message answer;
    char path[] = "/e00";
    for (int i = 0; i < 20; i++) {
        path[2] = (char)('0' + i / 10);
        path[3] = (char)('0' + i % 10);
        cloud_do(&cloud, i + 1, cloud_create(&cloud, path, "", FK_CREATE_EPHEMERAL));
    }
    cloud_clear(&cloud);
    cloud.options.commit_items_max = 16;
    cloud_do(&cloud, 21, cloud_close()); /* H8 */
    assert_true(cloud_zx(&cloud).zxid > 21);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_true(cloud_node(&cloud, "/", &node));
    assert_int_equal(node.node.num_children, 1); /* /zookeeper */
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.number, 21);
    assert_int_equal(answer.code, 0);
    assert_int_equal(answer.zxid, cloud_zx(&cloud).zxid);
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(cloud_count(&cloud, "e"), 0);
}

static void an_expiry_needs_the_epoch_that_was_seen(void **state)
{
    (void)state;
    struct fk_session_record record;
    struct fk_events_record events;
    struct fk_request_operation expire = {.op = FK_OP_EXPIRE, .body = FK_BYTES_LITERAL("")};
    cloud_do(&cloud, 1, cloud_create(&cloud, "/e", "", FK_CREATE_EPHEMERAL));
    cloud_ask(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, cloud_word(&cloud, FK_OP_ATTACH, 4711));
    cloud_ask(&cloud, CLOUD_SESSION, 1, 0, expire);
    assert_int_equal(session().epoch, 2);
    cloud_clear(&cloud);
    cloud_ask(&cloud, CLOUD_SESSION, 2, 0, expire);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_true(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(events.gateways[0].entries[0].kind, FK_ENTRY_SESSION_GONE);
    assert_int_equal(cloud_count(&cloud, "e"), 0);
}

static void watches_fire_once_and_events_chain(void **state)
{
    (void)state;
    struct fk_events_record events;
    struct fk_node_record node;
    struct fk_answer_message answer;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_watch(&cloud, "/a", CLOUD_GATEWAY, FK_WATCH_DATA);
    cloud_watch(&cloud, "/a", CLOUD_OTHER, FK_WATCH_DATA | FK_WATCH_CHILD);
    cloud_do(&cloud, 2, cloud_set(&cloud, "/a", "2", -1));
    assert_true(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(events.zxid, 2);
    assert_int_equal(events.gateways[0].prev, 0);
    fk_assert_text(events.gateways[0].entries[0].path, "/a");
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.subs.count, 1); /* the child watch */
    assert_int_equal(node.subs.items[0].kinds, FK_WATCH_CHILD);
    assert_int_equal(node.pend.count, 2); /* H11 */
    assert_int_equal(cloud_count(&cloud, "ev"), 1);
    cloud_clear(&cloud);
    cloud_do(&cloud, 3, cloud_create(&cloud, "/a/b", "", 0));
    assert_true(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_int_equal(events.gateways[0].prev, 2); /* H13 */
    assert_false(cloud_events(&cloud, CLOUD_OTHER, &events));
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.need, 2);
    assert_true(cloud_node(&cloud, "/a/b", &node));
    assert_int_equal(node.pend.count, 2);
}

static void replies_show_the_zxids_and_times_of_their_change(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    struct fk_stat stat;
    struct fk_reader reader;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "one", 0));
    cloud_do(&cloud, 2, cloud_create(&cloud, "/a/b", "", 0));
    fk_memory_clock_advance_ms(&cloud.clock, 1000);
    struct fk_request_operation ops[] = {cloud_set(&cloud, "/a", "three", 0), cloud_create2(&cloud, "/a/c", "", 0)};
    cloud_clear(&cloud);
    cloud_do(&cloud, 3, cloud_multi(&cloud, ops, 2));
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    struct fk_multi_header header;
    reader = fk_reader_of(answer.body);
    fk_read_multi_header(&reader, &header);
    fk_read_stat(&reader, &stat);
    assert_int_equal(stat.czxid, 1);
    assert_int_equal(stat.mzxid, 3);
    assert_int_equal(stat.pzxid, 2);
    assert_int_equal(stat.mtime_ms - stat.ctime_ms, 1000);
    assert_int_equal(stat.version, 1);
    assert_int_equal(stat.data_length, 5);
    struct fk_node_record node;
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.node.czxid, 1);
    assert_int_equal(node.node.mzxid, 3);
    assert_int_equal(node.node.pzxid, 3);
    assert_int_equal(node.node.num_children, 2);
    fk_assert_text(node.node.data, "three");
    assert_true(cloud_node(&cloud, "/a/c", &node));
    assert_int_equal(node.node.czxid, 3);
    assert_int_equal(node.node.pzxid, 3);
}

static void sequence_numbers_count_the_creates_under_the_parent(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/q", "", 0), cloud_create(&cloud, "/q/n-", "", 2),
                                         cloud_create(&cloud, "/q/n-", "", 2)};
    struct fk_request_operation both[] = {ops[2], ops[2]};
    cloud_run(&cloud, cloud_message(&cloud, 1, ops, 3));
    cloud_clear(&cloud);
    cloud_do(&cloud, 4, cloud_multi(&cloud, both, 2));
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
    struct fk_node_record node;
    assert_true(cloud_node(&cloud, "/q/n-0000000003", &node));
    assert_int_equal(node.node.czxid, 4);
}

static void a_multi_that_no_commit_holds_is_refused(void **state)
{
    (void)state;
    struct fk_request_operation ops[8];
    struct fk_node_record node;
    static const char *const paths[] = {"/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"};
    for (size_t i = 0; i < 8; i++) {
        ops[i] = cloud_create(&cloud, paths[i], "", 0);
    }
    cloud.options.commit_items_max = 10;
    assert_int_equal(cloud_code(&cloud, 1, cloud_multi(&cloud, ops, 8)), FK_CODE_BAD_ARGUMENTS);
    assert_false(cloud_node(&cloud, "/a", &node));
    assert_int_equal(cloud_code(&cloud, 2, cloud_multi(&cloud, ops, 2)), 0);
    assert_true(cloud_node(&cloud, "/b", &node));
}

static void due_nodes_end_only_as_the_sweep_saw_them(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_request_operation container = cloud_create(&cloud, "/c", "", 4);
    container.op = FK_OP_CREATE_CONTAINER;
    cloud_do(&cloud, 1, container);
    assert_int_equal(cloud_count(&cloud, "c"), 1);
    cloud_do(&cloud, 2, cloud_create(&cloud, "/c/x", "", 0));
    cloud_do(&cloud, 3, cloud_delete(&cloud, "/c/x"));
    cloud_ask(&cloud, 0, 0, 0, cloud_sweep_node(&cloud, "/c", 0, 1)); /* an older cversion */
    assert_true(cloud_node(&cloud, "/c", &node));
    cloud_ask(&cloud, 0, 0, 0, cloud_sweep_node(&cloud, "/c", 0, 2));
    assert_false(cloud_node(&cloud, "/c", &node));
    assert_int_equal(cloud_count(&cloud, "c"), 0);
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
    cloud_ask(&cloud, 0, 0, 0, cloud_sweep_node(&cloud, "/c", 0, 2));
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
}

static void a_commit_of_unknown_outcome_is_looked_up(void **state)
{
    (void)state;
    static const enum cloud_fault faults[] = {CLOUD_UNKNOWN_APPLIED, CLOUD_UNKNOWN_LOST, CLOUD_BUSY, CLOUD_REFUSED};
    int64_t number = 1;
    for (size_t i = 0; i < 4; i++) { /* H6: whichever write it is */
        for (uint64_t nth = 1; nth <= 5; nth++) {
            struct fk_node_record before;
            struct fk_node_record after;
            int32_t version = cloud_node(&cloud, "/n", &before) ? before.node.version : -1;
            cloud_fail(&cloud, nth, faults[i]);
            assert_int_equal(
                cloud_code(&cloud, number,
                           number == 1 ? cloud_create(&cloud, "/n", "", 0) : cloud_set(&cloud, "/n", "", version)),
                0);
            cloud_fail(&cloud, 0, CLOUD_NO_FAULT);
            assert_true(cloud_node(&cloud, "/n", &after));
            assert_int_equal(after.node.version, version + 1);
            assert_int_equal(cloud_zx(&cloud).zxid, number);
            number++;
        }
    }
}

static const struct CMUnitTest tests[] = {
    ROW(requests_are_decided_in_order_and_answered_with_their_zxid),
    ROW(a_request_delivered_again_is_answered_from_the_ring),
    ROW(an_error_stays_the_answer_though_it_would_succeed_now),
    ROW(the_ring_keeps_eight_results),
    ROW(what_the_gateway_has_taken_is_not_kept),
    ROW(a_gap_in_the_numbers_is_dropped),
    ROW(requests_of_an_older_epoch_are_dropped),
    ROW(an_attach_moves_the_session_and_tells_both_owners),
    ROW(an_attach_may_bring_another_timeout),
    ROW(a_repeated_or_late_attach_changes_nothing),
    ROW(no_session_goes_to_a_dead_gateway),
    ROW(a_gateway_is_declared_dead_by_its_counter),
    ROW(closing_removes_the_session_and_its_nodes_under_one_zxid),
    ROW(requests_of_a_session_that_is_gone_are_answered_expired),
    ROW(an_end_larger_than_a_commit_comes_in_chunks_of_their_own_zxids),
    ROW(an_expiry_needs_the_epoch_that_was_seen),
    ROW(watches_fire_once_and_events_chain),
    ROW(replies_show_the_zxids_and_times_of_their_change),
    ROW(sequence_numbers_count_the_creates_under_the_parent),
    ROW(a_multi_that_no_commit_holds_is_refused),
    ROW(due_nodes_end_only_as_the_sweep_saw_them),
    ROW(a_commit_of_unknown_outcome_is_looked_up),
};

int main(void)
{
    int failed = cmocka_run_group_tests_name("single hop", tests, NULL, NULL);
    pipeline = true;
    return failed + cmocka_run_group_tests_name("pipeline", tests, NULL, NULL);
}
