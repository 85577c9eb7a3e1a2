// SPDX-License-Identifier: Apache-2.0
/* Writers: what is accepted when, and what becomes of attempts whose writer was slow, repeated or died (H23 to H25). */
#include "function/lock.h"
#include "function/pipeline.h"

#include "function/cloud_world.h"
#include "function/pipeline_record.h"
#include "wire/codes.h"

enum {
    OTHER_SESSION = 8,
};

static struct cloud cloud;

static int setup(void **state)
{
    int result = fk_test_begin(state);
    cloud_init(&cloud, true);
    cloud_add_session(&cloud, OTHER_SESSION, CLOUD_OTHER);
    cloud.writes = 0;
    return result;
}

static int teardown(void **state)
{
    cloud_deinit(&cloud);
    return fk_test_end(state);
}

#define ROW(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct fk_bytes one(int64_t number, struct fk_request_operation operation)
{
    return cloud_message(&cloud, number, &operation, 1);
}

static struct fk_bytes of_other(int64_t number, struct fk_request_operation operation)
{
    return cloud_message_of(&cloud, OTHER_SESSION, 1, CLOUD_OTHER, number, &operation, 1);
}

static struct fk_accepted_session accepted_session(void)
{
    struct fk_accepted_session record = {.epoch = 0};
    struct fk_key key = fk_key_accepted_session(&cloud.arena, CLOUD_SESSION);
    struct fk_item item;
    if (cloud_item(&cloud, &key, &item)) {
        assert_int_equal(fk_accepted_session_read(item.value, &cloud.arena, &record), FK_OK);
    }
    return record;
}

static struct fk_accepted_node accepted(const char *path)
{
    struct fk_accepted_node record = {.known = false};
    struct fk_key key = fk_key_accepted_node(&cloud.arena, fk_bytes_text(path));
    struct fk_item item;
    if (cloud_item(&cloud, &key, &item)) {
        assert_int_equal(fk_accepted_node_read(item.value, fk_bytes_text(path), &cloud.arena, &record), FK_OK);
    }
    return record;
}

static void what_is_accepted_is_not_visible_and_not_answered(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_answer_message answer;
    assert_int_equal(cloud_write(&cloud, one(1, cloud_create(&cloud, "/a", "x", 0))), FK_OK);
    assert_false(cloud_node(&cloud, "/a", &node));
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(cloud_entries(&cloud), 1);
    assert_true(accepted("/a").known);
    assert_true(accepted("/a").record.exists);
    assert_int_equal(accepted("/a").record.counter, 1);
    assert_int_equal(accepted("/a").lock.token, 0);
    assert_int_equal(accepted("/").record.node.num_children, 2);
    assert_int_equal(accepted_session().last, 1);
    assert_int_equal(accepted_session().count, 1);
    assert_int_equal(accepted_session().lock.token, 0);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.counter, 1);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
}

static void writers_plan_against_what_is_accepted(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    struct fk_node_record node;
    assert_int_equal(cloud_write(&cloud, one(1, cloud_create(&cloud, "/a", "", 0))), FK_OK);
    assert_int_equal(cloud_write(&cloud, of_other(1, cloud_create(&cloud, "/a/b", "", 0))), FK_OK);
    assert_int_equal(cloud_write(&cloud, of_other(2, cloud_create(&cloud, "/a", "", 0))), FK_OK);
    assert_int_equal(cloud_write(&cloud, one(2, cloud_set(&cloud, "/a", "2", 0))), FK_OK);
    assert_false(cloud_answer(&cloud, CLOUD_OTHER, &answer)); /* H23: nobody can see that /a exists */
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_answer(&cloud, CLOUD_OTHER, &answer));
    assert_int_equal(answer.code, 0);
    assert_true(cloud_answer(&cloud, CLOUD_OTHER, &answer));
    assert_int_equal(answer.code, FK_CODE_NODE_EXISTS);
    assert_int_equal(answer.zxid, 3);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.node.version, 1);
    assert_int_equal(node.counter, 3);
}

static void a_message_that_comes_again_is_not_accepted_again(void **state)
{
    (void)state;
    struct fk_bytes message = one(1, cloud_create(&cloud, "/q-", "", 2));
    struct fk_node_record node;
    struct fk_answer_message answer;
    assert_int_equal(cloud_write(&cloud, message), FK_OK);
    assert_int_equal(cloud_write(&cloud, message), FK_OK); /* accepted, not visible */
    assert_int_equal(cloud_entries(&cloud), 1);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    cloud_clear(&cloud);
    assert_int_equal(cloud_write(&cloud, message), FK_OK); /* visible: answered again */
    assert_int_equal(cloud_entries(&cloud), 0);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.number, 1);
    assert_false(cloud_node(&cloud, "/q-0000000002", &node));
}

static void several_accepted_steps_are_known_until_they_are_visible(void **state)
{
    (void)state;
    for (int64_t i = 1; i <= 3; i++) {
        assert_int_equal(cloud_write(&cloud, one(i, cloud_set(&cloud, "/", "", -1))), FK_OK);
    }
    assert_int_equal(accepted_session().count, 3); /* H24 */
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_int_equal(cloud_write(&cloud, one(4, cloud_set(&cloud, "/", "", -1))), FK_OK);
    assert_int_equal(accepted_session().count, 1);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_int_equal(cloud_zx(&cloud).zxid, 4);
}

static void distribute(struct cloud *world)
{
    assert_int_equal(cloud_distribute(world), FK_OK);
}

static void the_distributor_accepts_for_a_slow_writer(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud_hook(&cloud, 3, distribute); /* locks of session and paths, then accepting: pushed meanwhile */
    assert_int_equal(cloud_write(&cloud, one(1, cloud_create(&cloud, "/a", "", 0))), FK_OK);
    assert_int_equal(cloud_entries(&cloud), 0);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
    assert_int_equal(accepted_session().count, 1); /* the writer found it done */
}

static struct fk_bytes repeated;

/* Another writer gets the same message, and is faster. */
static void be_faster(struct cloud *world)
{
    assert_int_equal(cloud_write(world, repeated), FK_OK);
}

static void of_two_attempts_one_is_accepted(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_answer_message answer;
    repeated = one(1, cloud_create(&cloud, "/q-", "", 2));
    cloud_hook(&cloud, 4, be_faster); /* the locks of session, parent and child, then accepting */
    assert_int_equal(cloud_write(&cloud, repeated), FK_OK);
    assert_int_equal(cloud_entries(&cloud), 2);
    assert_int_equal(cloud_distribute(&cloud), FK_OK); /* the lost one comes first, and is discarded */
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
    assert_true(cloud_node(&cloud, "/q-0000000001", &node) || cloud_node(&cloud, "/q-0000000000", &node));
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, 0);
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
}

/* The writer stands still for longer than its locks live, and another session changes the same node. */
static void overtake(struct cloud *world)
{
    fk_memory_clock_advance_ms(&world->clock, world->options.lock_ms + world->options.skew_ms + 1);
    assert_int_equal(cloud_write(world, of_other(1, cloud_set(world, "/a", "other", 0))), FK_OK);
}

static void who_has_lost_its_locks_is_fenced(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_answer_message answer;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    cloud_clear(&cloud);
    cloud.options.function_ms = 60000;
    cloud_hook(&cloud, 3, overtake);
    assert_int_equal(cloud_write(&cloud, one(2, cloud_set(&cloud, "/a", "mine", 0))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/a", &node));
    fk_assert_text(node.node.data, "other");
    assert_int_equal(node.node.version, 1);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, FK_CODE_BAD_VERSION); /* decided anew */
}

static void the_message_of_a_lost_attempt_is_not_done(void **state)
{
    (void)state;
    cloud.options.function_ms = 0;
    cloud_fail(&cloud, 3, CLOUD_BUSY);
    cloud.fault_always = true;
    assert_int_not_equal(cloud_write(&cloud, one(1, cloud_create(&cloud, "/a", "", 0))), FK_OK);
    cloud_fail(&cloud, 0, CLOUD_NO_FAULT);
    cloud.options.function_ms = 20000;
    /* Its message comes again; the first attempt's entry is in the queue, before or after. */
    assert_int_equal(cloud_write(&cloud, one(1, cloud_create(&cloud, "/a", "", 0))), FK_OK);
    assert_int_equal(cloud_entries(&cloud), 2);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_int_equal(cloud_zx(&cloud).zxid, 1);
}

static void locks_do_not_outlive_a_decision(void **state)
{
    (void)state;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/a", "", 0), cloud_set(&cloud, "/none", "", -1)};
    cloud_do(&cloud, 1, cloud_multi(&cloud, ops, 2)); /* fails: all is only looked at */
    cloud_do(&cloud, 2, cloud_set(&cloud, "/none/x", "", -1));
    assert_int_equal(cloud_count(&cloud, "a/"), 0);
    assert_int_equal(cloud_count(&cloud, "a/none"), 0);
    assert_int_equal(cloud_count(&cloud, "a"), 0);
}

static void what_is_deleted_leaves_nothing_when_that_is_visible(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud_do(&cloud, 1, cloud_create(&cloud, "/a", "", 0));
    assert_int_equal(cloud_write(&cloud, one(2, cloud_delete(&cloud, "/a"))), FK_OK);
    assert_true(accepted("/a").known); /* for as long as readers see the node */
    assert_false(accepted("/a").record.exists);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_int_equal(cloud_count(&cloud, "a/"), 0);
    /* Created, deleted and created again before anything is visible. */
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/a", "1", 0), cloud_delete(&cloud, "/a"),
                                         cloud_create(&cloud, "/a", "2", 0)};
    assert_int_equal(cloud_write(&cloud, cloud_message(&cloud, 3, ops, 3)), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.node.czxid, 5);
    fk_assert_text(node.node.data, "2");
    assert_true(accepted("/a").known);
}

static void an_end_removes_nodes_that_are_not_visible_yet(void **state)
{
    (void)state;
    struct fk_session_record record;
    struct fk_node_record node;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/e1", "", 1), cloud_create(&cloud, "/e2", "", 1),
                                         cloud_close()};
    assert_int_equal(cloud_write(&cloud, cloud_message(&cloud, 1, ops, 3)), FK_OK);
    assert_int_equal(cloud_entries(&cloud), 3);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_false(cloud_node(&cloud, "/e1", &node));
    assert_false(cloud_node(&cloud, "/e2", &node));
    assert_int_equal(cloud_count(&cloud, "e"), 0);
    assert_int_equal(cloud_count(&cloud, "as"), 0);
}

static void nothing_is_accepted_behind_the_end(void **state)
{
    (void)state;
    struct fk_answer_message answer;
    struct fk_node_record node;
    struct fk_request_operation ops[] = {cloud_close(), cloud_create(&cloud, "/a", "", 0)};
    assert_int_equal(cloud_write(&cloud, cloud_message(&cloud, 1, ops, 2)), FK_OK);
    assert_int_equal(cloud_entries(&cloud), 1);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.number, 1);
    assert_false(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_false(cloud_node(&cloud, "/a", &node));
}

/* A node whose list of children changes before its data in one multi, and one that is made anew. */
static void quotas_count_what_data_was_before_a_multi(void **state)
{
    (void)state;
    struct fk_node_record stats;
    struct fk_request_operation made[] = {cloud_create(&cloud, "/a", "12345", 0),
                                          cloud_create(&cloud, "/zookeeper/quota/a", "", 0),
                                          cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_limits", "count=9", 0),
                                          cloud_create(&cloud, "/zookeeper/quota/a/zookeeper_stats", "", 0)};
    struct fk_request_operation changed[] = {cloud_create(&cloud, "/a/b", "xy", 0),
                                             cloud_set(&cloud, "/a", "1234567", -1)};
    struct fk_request_operation anew[] = {cloud_delete(&cloud, "/a/b"), cloud_create(&cloud, "/a/b", "longer", 0)};
    assert_int_equal(cloud_write(&cloud, one(1, cloud_multi(&cloud, made, 4))), FK_OK);
    assert_int_equal(cloud_write(&cloud, one(2, cloud_multi(&cloud, changed, 2))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/zookeeper/quota/a/zookeeper_stats", &stats));
    fk_assert_text(stats.node.data, "count=2,bytes=9");
    assert_int_equal(cloud_write(&cloud, one(3, cloud_multi(&cloud, anew, 2))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/zookeeper/quota/a/zookeeper_stats", &stats));
    fk_assert_text(stats.node.data, "count=2,bytes=13");
}

/* The statistics of quotas stand in the same commit as what they count. */
static void the_end_of_a_session_leaves_room_for_quotas(void **state)
{
    (void)state;
    enum {
        TREES = 4,
        NODES = 44,
    };
    struct fk_request_operation ops[NODES];
    struct fk_session_record record;
    char path[64];
    int64_t number = 1;
    for (int i = 0; i < TREES; i++) {
        static const char *const parts[] = {"/%c", "/zookeeper/quota/%c", "/zookeeper/quota/%c/zookeeper_limits",
                                            "/zookeeper/quota/%c/zookeeper_stats"};
        const char name[] = {(char)('a' + i), '\0'};
        for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++) {
            size_t front = strcspn(parts[j], "%");
            (void)snprintf(path, sizeof path, "%.*s%s%s", (int)front, parts[j], name, parts[j] + front + 2);
            ops[j] = cloud_create(&cloud, path, j == 2 ? "count=1000" : "", 0);
        }
        assert_int_equal(cloud_write(&cloud, one(number++, cloud_multi(&cloud, ops, 4))), FK_OK);
    }
    for (int i = 0; i < NODES; i++) {
        (void)snprintf(path, sizeof path, "/%c/%d", 'a' + i % TREES, i);
        ops[i] = cloud_create(&cloud, path, "", FK_CREATE_EPHEMERAL);
    }
    assert_int_equal(cloud_write(&cloud, one(number++, cloud_multi(&cloud, ops, NODES))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_int_equal(cloud_write(&cloud, one(number++, cloud_close())), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_false(cloud_session(&cloud, CLOUD_SESSION, &record));
}

static void many_sequential_nodes_are_locked_at_once(void **state)
{
    (void)state;
    enum {
        NODES = 80,
    };
    struct fk_request_operation ops[NODES];
    struct fk_node_record node;
    for (size_t i = 0; i < NODES; i++) {
        ops[i] = cloud_create(&cloud, "/s-", "", FK_CREATE_SEQUENTIAL);
    }
    cloud.writes = 0;
    assert_int_equal(cloud_write(&cloud, one(1, cloud_multi(&cloud, ops, NODES))), FK_OK);
    assert_true(cloud.writes < 10);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/s-0000000079", &node));
    assert_false(cloud_node(&cloud, "/s-0000000080", &node));
}

/* Somebody who died holds one of the names: the multi waits until that lock is over. */
static void a_sequential_node_that_is_locked_is_waited_for(void **state)
{
    (void)state;
    struct fk_request_operation ops[] = {cloud_create(&cloud, "/s-", "", FK_CREATE_SEQUENTIAL),
                                         cloud_create(&cloud, "/s-", "", FK_CREATE_SEQUENTIAL)};
    const struct fk_bytes held = FK_BYTES_LITERAL("/s-0000000001");
    struct fk_node_record node;
    struct fk_locks other;
    fk_locks_init(&other, &cloud.options, &cloud.ports, &cloud.arena, 12345, 0);
    assert_int_equal(fk_locks_take(&other, &held, 1), FK_OK);
    cloud.options.function_ms = 100;
    assert_int_equal(cloud_write(&cloud, one(1, cloud_multi(&cloud, ops, 2))), FK_ERR_BUSY);
    fk_memory_clock_advance_ms(&cloud.clock, cloud.options.lock_ms + cloud.options.skew_ms);
    assert_int_equal(cloud_write(&cloud, one(1, cloud_multi(&cloud, ops, 2))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_node(&cloud, "/s-0000000001", &node));
}

/* More of them than a commit holds: refused for good, before they are locked. */
static void too_many_sequential_nodes_are_refused(void **state)
{
    (void)state;
    enum {
        NODES = 120,
    };
    struct fk_request_operation ops[NODES];
    struct fk_answer_message answer;
    for (size_t i = 0; i < NODES; i++) {
        ops[i] = cloud_create(&cloud, "/s-", "", FK_CREATE_SEQUENTIAL);
    }
    assert_int_equal(cloud_write(&cloud, one(1, cloud_multi(&cloud, ops, NODES))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_answer(&cloud, CLOUD_GATEWAY, &answer));
    assert_int_equal(answer.code, FK_CODE_BAD_ARGUMENTS);
}

static void an_attach_fences_what_was_planned_before(void **state)
{
    (void)state;
    struct fk_node_record node;
    struct fk_session_record record;
    struct fk_request_operation attach = cloud_word(&cloud, FK_OP_ATTACH, 4711);
    cloud.options.function_ms = 0;
    cloud_fail(&cloud, 3, CLOUD_BUSY);
    cloud.fault_always = true; /* pushed, not accepted */
    assert_int_not_equal(cloud_write(&cloud, one(1, cloud_create(&cloud, "/a", "", 0))), FK_OK);
    cloud_fail(&cloud, 0, CLOUD_NO_FAULT);
    assert_int_equal(cloud_write(&cloud, cloud_message_of(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, 0, &attach, 1)),
                     FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_false(cloud_node(&cloud, "/a", &node));
    assert_true(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_int_equal(record.epoch, 2);
    assert_int_equal(record.owner, CLOUD_OTHER);
}

static void an_attach_may_bring_another_timeout(void **state)
{
    (void)state;
    struct fk_session_record record;
    struct fk_request_operation attach = cloud_attach(&cloud, 4711, 4000);
    struct fk_request_operation same = cloud_attach(&cloud, 4712, 0);
    assert_int_equal(cloud_write(&cloud, cloud_message_of(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, 0, &attach, 1)),
                     FK_OK);
    assert_int_equal(cloud_write(&cloud, cloud_message_of(&cloud, CLOUD_SESSION, 2, CLOUD_OTHER, 0, &same, 1)), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_int_equal(record.epoch, 3);
    assert_int_equal(record.session.timeout_ms, 4000);
}

static void an_attach_to_a_gateway_that_dies_meanwhile_gives_full_time(void **state)
{
    (void)state;
    struct fk_session_record record;
    struct fk_gateway_record gateway;
    struct fk_request_operation dead = cloud_word(&cloud, FK_OP_GATEWAY_DEAD, 1);
    struct fk_request_operation attach = cloud_word(&cloud, FK_OP_ATTACH, 4711);
    assert_int_equal(cloud_write(&cloud, cloud_message_of(&cloud, 0, 0, CLOUD_OTHER, 0, &dead, 1)), FK_OK);
    assert_int_equal(cloud_write(&cloud, cloud_message_of(&cloud, CLOUD_SESSION, 1, CLOUD_OTHER, 0, &attach, 1)),
                     FK_OK);
    fk_memory_clock_advance_ms(&cloud.clock, 50000);
    assert_int_equal(cloud_distribute(&cloud), FK_OK);
    assert_true(cloud_session(&cloud, CLOUD_SESSION, &record));
    assert_int_equal(record.epoch, 2);
    assert_true(cloud_gateway(&cloud, CLOUD_OTHER, &gateway));
    assert_false(gateway.alive);
    assert_int_equal(gateway.wall_ms, 1700000050000 + cloud.options.lease_ms);
}

static void large_data_is_stored_before_it_is_accepted(void **state)
{
    (void)state;
    struct fk_node_record node;
    cloud.options.inline_size_max = 16;
    assert_int_equal(cloud_write(&cloud, one(1, cloud_create_sized(&cloud, "/a", 100))), FK_OK);
    assert_int_equal(cloud_count(&cloud, "d"), 1);
    assert_int_equal(accepted("/a").record.place, FK_DATA_ITEM);
    assert_int_equal(cloud_write(&cloud, one(2, cloud_set(&cloud, "/a", "more than sixteen bytes", -1))), FK_OK);
    assert_int_equal(cloud_distribute(&cloud), FK_OK); /* both in one commit */
    assert_true(cloud_node(&cloud, "/a", &node));
    assert_int_equal(node.place, FK_DATA_ITEM);
    fk_assert_bytes(node.attempt, accepted("/a").record.attempt);
    assert_int_equal(cloud_count(&cloud, "d"), 1); /* the first one is gone */
    cloud_do(&cloud, 3, cloud_delete(&cloud, "/a"));
    assert_int_equal(cloud_count(&cloud, "d"), 0);
}

static const struct CMUnitTest tests[] = {
    ROW(what_is_accepted_is_not_visible_and_not_answered),
    ROW(writers_plan_against_what_is_accepted),
    ROW(a_message_that_comes_again_is_not_accepted_again),
    ROW(several_accepted_steps_are_known_until_they_are_visible),
    ROW(the_distributor_accepts_for_a_slow_writer),
    ROW(of_two_attempts_one_is_accepted),
    ROW(who_has_lost_its_locks_is_fenced),
    ROW(the_message_of_a_lost_attempt_is_not_done),
    ROW(locks_do_not_outlive_a_decision),
    ROW(what_is_deleted_leaves_nothing_when_that_is_visible),
    ROW(an_end_removes_nodes_that_are_not_visible_yet),
    ROW(nothing_is_accepted_behind_the_end),
    ROW(quotas_count_what_data_was_before_a_multi),
    ROW(the_end_of_a_session_leaves_room_for_quotas),
    ROW(many_sequential_nodes_are_locked_at_once),
    ROW(a_sequential_node_that_is_locked_is_waited_for),
    ROW(too_many_sequential_nodes_are_refused),
    ROW(an_attach_fences_what_was_planned_before),
    ROW(an_attach_may_bring_another_timeout),
    ROW(an_attach_to_a_gateway_that_dies_meanwhile_gives_full_time),
    ROW(large_data_is_stored_before_it_is_accepted),
};

FK_TEST_MAIN(tests)
