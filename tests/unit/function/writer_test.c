// SPDX-License-Identifier: Apache-2.0
/* The write function over the reference store: what it decides, answers, retries and leaves. */
#include "function/writer.h"

#include "base/container.h"
#include "driver/memory/clock.h"
#include "driver/memory/store.h"
#include "support/test.h"
#include "wire/records.h"

#include <stdio.h>

enum {
    ANSWERS_MAX = 256,
    GATEWAY = 5,
};

/* A channel that keeps what it is given. */
struct recorder {
    struct fk_channel base;
    struct fk_arena arena;
    struct fk_answer_message answers[ANSWERS_MAX];
    int64_t after_zxid[ANSWERS_MAX];
    size_t count;
    size_t failures; /* so many notifies fail */
};

static struct recorder channel;
static struct fk_memory_clock memory_clock;
static struct fk_store *store;
static struct fk_writer writer;
static struct fk_buf message;

static enum fk_err recorder_notify(struct fk_channel *base, int64_t gateway, struct fk_bytes bytes, int64_t after_zxid)
{
    struct recorder *recorder = FK_CONTAINER_OF(base, struct recorder, base);
    assert_int_equal(gateway, GATEWAY);
    if (recorder->failures > 0) {
        recorder->failures--;
        return FK_ERR_NOMEM;
    }
    assert_true(recorder->count < ANSWERS_MAX);
    recorder->after_zxid[recorder->count] = after_zxid;
    assert_int_equal(
        fk_answer_message_read(fk_arena_copy(&recorder->arena, bytes), &recorder->answers[recorder->count]), FK_OK);
    recorder->count++;
    return FK_OK;
}

static const struct fk_channel_ops recorder_ops = {.name = "recorder", .notify = recorder_notify};

static int setup(void **state)
{
    int result = fk_test_begin(state);
    channel = (struct recorder){.base = {.ops = &recorder_ops}, .arena = FK_ARENA_EMPTY};
    fk_memory_clock_init(&memory_clock, 1700000000000);
    store = fk_memory_store_new();
    message = FK_BUF_EMPTY;
    fk_writer_init(&writer, store, &channel.base, &memory_clock.base);
    return store == NULL ? -1 : result;
}

static int teardown(void **state)
{
    fk_writer_deinit(&writer);
    fk_store_free(store);
    fk_buf_deinit(&message);
    fk_arena_deinit(&channel.arena);
    return fk_test_end(state);
}

#define WRITER_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static void begin(int64_t session_id, int64_t first_number)
{
    fk_buf_clear(&message);
    fk_request_message_begin(&message, &(struct fk_request_message){.gateway = GATEWAY,
                                                                    .session_id = session_id,
                                                                    .epoch = 1,
                                                                    .first_number = first_number,
                                                                    .ids = FK_BYTES_LITERAL("\0\0\0\0")});
}

static void add(int32_t op, struct fk_buf *body)
{
    fk_request_message_add(&message, &(struct fk_request_operation){.op = op, .body = fk_buf_view(body)});
    fk_buf_deinit(body);
}

static void add_create(const char *path, int32_t flags)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_create_request(
        &body, &(struct fk_create_request){.path = fk_bytes_text(path), .acl = FK_ACL_OPEN, .flags = flags});
    add(FK_OP_CREATE, &body);
}

static void add_delete(const char *path)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_version_request(&body, &(struct fk_version_request){.path = fk_bytes_text(path), .version = -1});
    add(FK_OP_DELETE, &body);
}

static void add_close(void)
{
    struct fk_buf body = FK_BUF_EMPTY;
    add(FK_OP_CLOSE_SESSION, &body);
}

static void add_session(int32_t timeout_ms, const char *password)
{
    struct fk_buf body = FK_BUF_EMPTY;
    fk_write_session_request(
        &body, &(struct fk_session_request){.timeout_ms = timeout_ms, .password = fk_bytes_text(password)});
    add(FK_OP_CREATE_SESSION, &body);
}

static enum fk_err run(int32_t *done)
{
    return fk_writer_run(&writer, fk_buf_view(&message), done);
}

/* Runs the message, which must be decided as a whole. */
static void run_all(void)
{
    int32_t done = 0;
    assert_int_equal(run(&done), FK_OK);
}

static void open_session(int64_t id)
{
    begin(id, 1);
    add_session(4000, "0123456789abcdef");
    run_all();
    assert_int_equal(channel.answers[channel.count - 1].code, FK_CODE_OK);
}

static const struct fk_answer_message *answer(size_t from_last)
{
    assert_true(channel.count > from_last);
    return &channel.answers[channel.count - 1 - from_last];
}

static bool exists(const char *path)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_node node;
    assert_int_equal(fk_store_get(store, FK_VIEW_ACCEPTED, fk_bytes_text(path), &arena, &node), FK_OK);
    bool there = node.path.data != NULL;
    fk_arena_deinit(&arena);
    return there;
}

static void a_new_session(void **state)
{
    (void)state;
    struct fk_session session;
    open_session(7);
    assert_int_equal(answer(0)->session_id, 7);
    assert_int_equal(answer(0)->epoch, 1);
    assert_int_equal(answer(0)->number, 1);
    assert_int_equal(answer(0)->zxid, 1);
    assert_int_equal(channel.after_zxid[0], 1); /* not before it is durable */
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 7, &session), FK_OK);
    assert_int_equal(session.timeout_ms, 4000);
    assert_memory_equal(session.password, "0123456789abcdef", FK_PASSWORD_SIZE);
}

static void a_session_id_that_is_taken(void **state)
{
    (void)state;
    struct fk_session session;
    open_session(7);
    begin(7, 1);
    add_session(9000, "another password");
    run_all();
    assert_int_equal(answer(0)->code, FK_CODE_NODE_EXISTS);
    assert_int_equal(answer(0)->zxid, 2); /* an error takes a zxid as well */
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 7, &session), FK_OK);
    assert_int_equal(session.timeout_ms, 4000);
    begin(8, 1);
    add_session(4000, "short");
    run_all();
    assert_int_equal(answer(0)->code, FK_CODE_MARSHALLING_ERROR);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 8, &session), FK_ERR_NOT_FOUND);
}

static void operations_are_decided_in_order(void **state)
{
    (void)state;
    open_session(7);
    begin(7, 10);
    add_create("/a", 0);
    add_create("/a", 0);
    add_create("/a/b", 2);
    run_all();
    assert_int_equal(channel.count, 4);
    static const int32_t codes[] = {FK_CODE_OK, FK_CODE_NODE_EXISTS, FK_CODE_OK};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(channel.answers[1 + i].number, 10 + (int64_t)i);
        assert_int_equal(channel.answers[1 + i].zxid, 2 + (int64_t)i);
        assert_int_equal(channel.answers[1 + i].code, codes[i]);
        assert_int_equal(channel.after_zxid[1 + i], 2 + (int64_t)i);
    }
    assert_null(answer(1)->body.data);
    fk_assert_bytes(answer(0)->body, FK_BYTES_LITERAL("\0\0\0\x0e/a/b0000000000"));
    assert_int_equal(fk_store_zxid(store, FK_VIEW_ACCEPTED), 4);
    assert_null(fk_memory_store_next(store)->puts[0].node.path.data); /* the session */
    const struct fk_change *change = fk_memory_store_next(store);
    assert_int_equal(change->time_ms, 1700000000000);
}

static void decided_operations_are_not_decided_again(void **state)
{
    (void)state;
    open_session(7);
    begin(7, 2);
    add_create("/a", 2);
    add_create("/a", 2);
    int32_t done = 1;
    assert_int_equal(run(&done), FK_OK);
    assert_int_equal(done, 2);
    assert_int_equal(channel.count, 2);
    assert_int_equal(answer(0)->number, 3);
    assert_true(exists("/a0000000000"));
    assert_false(exists("/a0000000001"));
}

static void requests_of_a_session_that_is_gone(void **state)
{
    (void)state;
    begin(99, 1);
    add_create("/a", 0);
    add_close();
    run_all();
    assert_int_equal(answer(1)->code, FK_CODE_SESSION_EXPIRED);
    assert_int_equal(answer(0)->code, FK_CODE_SESSION_EXPIRED);
    assert_false(exists("/a"));
    assert_int_equal(fk_store_zxid(store, FK_VIEW_ACCEPTED), 2);
}

static void closing_removes_all_ephemerals(void **state)
{
    (void)state;
    char path[32];
    struct fk_session session;
    open_session(7);
    open_session(8);
    begin(7, 2);
    for (int i = 0; i < 20; i++) { /* more than a page */
        (void)snprintf(path, sizeof path, "/e%d", i);
        add_create(path, 1);
    }
    run_all();
    begin(8, 2);
    add_create("/other", 1);
    run_all();
    begin(7, 30);
    add_close();
    add_create("/late", 0);
    run_all();
    assert_int_equal(answer(1)->code, FK_CODE_OK);
    assert_int_equal(answer(0)->code, FK_CODE_SESSION_EXPIRED);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 7, &session), FK_ERR_NOT_FOUND);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(path, sizeof path, "/e%d", i);
        assert_false(exists(path));
    }
    assert_true(exists("/other"));
    assert_false(exists("/late"));
}

/* A store that takes few puts at once: the end of a session comes in pieces, and is answered with the last. */
static void a_large_end_of_a_session_is_cut(void **state)
{
    (void)state;
    static const size_t limits[] = {3, 4, 7, 22, 23};
    for (size_t round = 0; round < sizeof limits / sizeof limits[0]; round++) {
        char path[32];
        struct fk_session session;
        int64_t id = 100 + (int64_t)round;
        fk_memory_store_limit(store, 0);
        open_session(id);
        begin(id, 2);
        for (int i = 0; i < 20; i++) {
            (void)snprintf(path, sizeof path, "/e%d", i);
            add_create(path, 1);
        }
        run_all();
        fk_memory_store_limit(store, limits[round]);
        int64_t before = fk_store_zxid(store, FK_VIEW_ACCEPTED);
        channel.count = 0;
        begin(id, 30);
        add_close();
        run_all();
        int64_t pieces = fk_store_zxid(store, FK_VIEW_ACCEPTED) - before;
        assert_int_equal(channel.count, 1);
        assert_int_equal(answer(0)->code, FK_CODE_OK);
        assert_int_equal(answer(0)->zxid, before + pieces);
        /* Each piece has a put for its parent, the last one for the session too. */
        assert_true(limits[round] >= 22 ? pieces == 1 : pieces > 1);
        assert_true(pieces <= 20);
        assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, id, &session), FK_ERR_NOT_FOUND);
        for (int i = 0; i < 20; i++) {
            (void)snprintf(path, sizeof path, "/e%d", i);
            assert_false(exists(path));
        }
    }
}

/* Between the pieces the store may be busy: what is done stays done, the rest goes on. */
static void a_cut_end_that_has_to_wait(void **state)
{
    (void)state;
    char path[32];
    open_session(7);
    begin(7, 2);
    for (int i = 0; i < 9; i++) {
        (void)snprintf(path, sizeof path, "/e%d", i);
        add_create(path, 1);
    }
    run_all();
    fk_memory_store_limit(store, 4);
    begin(7, 30);
    add_close();
    channel.count = 0;
    int32_t done = 0;
    enum fk_err err = FK_ERR_BUSY;
    for (int tries = 0; err != FK_OK; tries++) {
        assert_true(tries < 20);
        fk_memory_store_fail(store, tries % 2 == 0 ? FK_MEMORY_BUSY : FK_MEMORY_FULL, tries < 6 ? 1 : 0);
        err = run(&done);
        assert_int_equal(done, err == FK_OK ? 1 : 0);
        assert_int_equal(channel.count, err == FK_OK ? 1 : 0);
    }
    assert_false(exists("/e0"));
    assert_false(exists("/e8"));
}

static void a_request_that_is_too_large_is_refused(void **state)
{
    (void)state;
    open_session(7);
    fk_memory_store_limit(store, 1);
    begin(7, 2);
    add_create("/a", 0);
    run_all();
    assert_int_equal(answer(0)->code, FK_CODE_SYSTEM_ERROR);
    assert_int_equal(answer(0)->zxid, 0);
}

static void refused_and_unknown_commits_are_planned_again(void **state)
{
    (void)state;
    open_session(7);
    begin(7, 2);
    add_create("/a", 0);
    fk_memory_store_fail(store, FK_MEMORY_REFUSED, 3);
    run_all();
    assert_int_equal(channel.count, 2);
    assert_int_equal(answer(0)->code, FK_CODE_OK);
    assert_int_equal(answer(0)->zxid, 2);
    assert_true(exists("/a"));
    begin(7, 3);
    add_create("/b", 0);
    fk_memory_store_fail(store, FK_MEMORY_UNKNOWN_NOT_APPLIED, 1);
    run_all();
    assert_int_equal(answer(0)->code, FK_CODE_OK);
    assert_int_equal(answer(0)->zxid, 3);
    /* Applied, and reported as unknown: it is loaded again, never assumed, so that it can't take effect twice. */
    begin(7, 4);
    add_create("/c", 0);
    fk_memory_store_fail(store, FK_MEMORY_UNKNOWN_APPLIED, 1);
    run_all();
    assert_int_equal(channel.count, 4);
    assert_int_equal(fk_store_zxid(store, FK_VIEW_ACCEPTED), 5);
    assert_true(exists("/c"));
}

static void a_full_disk_refuses_requests_without_a_zxid(void **state)
{
    (void)state;
    open_session(7);
    begin(7, 2);
    add_create("/a", 0);
    add_create("/b", 0);
    fk_memory_store_fail(store, FK_MEMORY_FULL, 1);
    run_all();
    assert_int_equal(answer(1)->code, FK_CODE_SYSTEM_ERROR);
    assert_int_equal(answer(1)->zxid, 0);
    assert_null(answer(1)->body.data);
    assert_int_equal(channel.after_zxid[1], 1); /* in order behind what was accepted before */
    assert_int_equal(answer(0)->code, FK_CODE_OK);
    assert_int_equal(answer(0)->zxid, 2);
    assert_false(exists("/a"));
    assert_true(exists("/b"));
}

static void the_end_of_a_session_waits_for_space(void **state)
{
    (void)state;
    struct fk_session session;
    open_session(7);
    begin(7, 2);
    add_create("/e", 1);
    run_all();
    begin(7, 3);
    add_create("/refused", 0);
    add_close();
    fk_memory_store_fail(store, FK_MEMORY_FULL, 2);
    int32_t done = 0;
    assert_int_equal(run(&done), FK_ERR_FULL);
    assert_int_equal(done, 1); /* the create was decided: refused */
    assert_int_equal(channel.count, 3);
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 7, &session), FK_OK);
    assert_int_equal(run(&done), FK_OK);
    assert_int_equal(done, 2);
    assert_int_equal(channel.count, 4);
    assert_int_equal(answer(0)->code, FK_CODE_OK);
    assert_false(exists("/refused"));
    assert_false(exists("/e"));
    assert_int_equal(fk_store_get_session(store, FK_VIEW_ACCEPTED, 7, &session), FK_ERR_NOT_FOUND);
}

static void a_busy_store_is_waited_for(void **state)
{
    (void)state;
    open_session(7);
    begin(7, 2);
    add_create("/a", 0);
    add_delete("/a");
    fk_memory_store_fail(store, FK_MEMORY_BUSY, 1);
    int32_t done = 0;
    assert_int_equal(run(&done), FK_ERR_BUSY);
    assert_int_equal(done, 0);
    assert_int_equal(channel.count, 1);
    assert_int_equal(run(&done), FK_OK);
    assert_int_equal(done, 2);
    assert_int_equal(answer(1)->zxid, 2);
    assert_int_equal(answer(0)->zxid, 3);
    assert_false(exists("/a"));
}

/* A decision stands, whether or not its answer could be sent. */
static void an_answer_that_is_lost_is_not_a_reason_to_decide_again(void **state)
{
    (void)state;
    open_session(7);
    begin(7, 2);
    add_create("/a", 2);
    add_create("/b", 0);
    channel.failures = 1;
    int32_t done = 0;
    while (run(&done) != FK_OK) {
        assert_true(done > 0);
    }
    assert_int_equal(done, 2);
    assert_true(exists("/a0000000000"));
    assert_false(exists("/a0000000001"));
    assert_true(exists("/b"));
}

static void messages_that_are_none(void **state)
{
    (void)state;
    int32_t done = 0;
    open_session(7);
    begin(7, 2);
    add_create("/a", 0);
    for (size_t size = 0; size < message.size; size++) {
        assert_int_equal(fk_writer_run(&writer, fk_bytes_head(fk_buf_view(&message), size), &done), FK_ERR_MALFORMED);
    }
    assert_int_equal(channel.count, 1);
    assert_int_equal(fk_store_zxid(store, FK_VIEW_ACCEPTED), 1);
    fk_patch_i32(&message, 0, FK_MESSAGE_FORMAT_NEWEST + 1);
    assert_int_equal(run(&done), FK_ERR_VERSION);
    assert_int_equal(done, 0);
}

static void operations_that_it_does_not_know(void **state)
{
    (void)state;
    struct fk_buf body = FK_BUF_EMPTY;
    open_session(7);
    begin(7, 2);
    add(FK_OP_GET_DATA, &body);
    run_all();
    assert_int_equal(answer(0)->code, FK_CODE_UNIMPLEMENTED);
}

/* Without memory a request is refused or waits; it never has half an effect. */
static void without_memory(void **state)
{
    (void)state;
    open_session(7);
    uint64_t nth = 1;
    bool failed = true;
    size_t rounds = 0;
    while (failed) {
        int64_t before = fk_store_zxid(store, FK_VIEW_ACCEPTED);
        int32_t done = 0;
        fk_writer_deinit(&writer);
        fk_writer_init(&writer, store, &channel.base, &memory_clock.base);
        begin(7, 2);
        add_create("/s", 2);
        (void)fk_arena_alloc(&channel.arena, 64);
        fk_test_fail_alloc(nth++);
        enum fk_err err = run(&done);
        failed = fk_test_alloc_failed();
        fk_test_fail_alloc(0);
        int64_t applied = fk_store_zxid(store, FK_VIEW_ACCEPTED) - before;
        assert_true(applied == 0 || applied == 1);
        if (applied == 1) {
            assert_int_equal(done, 1);
        }
        if (err == FK_OK && applied == 0) {
            assert_int_equal(answer(0)->zxid, 0);
            assert_int_equal(answer(0)->code, FK_CODE_SYSTEM_ERROR);
        }
        channel.count = 0;
        assert_true(++rounds < 200);
    }
    assert_true(rounds > 2);
}

static const struct CMUnitTest tests[] = {
    WRITER_TEST(a_new_session),
    WRITER_TEST(a_session_id_that_is_taken),
    WRITER_TEST(operations_are_decided_in_order),
    WRITER_TEST(decided_operations_are_not_decided_again),
    WRITER_TEST(requests_of_a_session_that_is_gone),
    WRITER_TEST(closing_removes_all_ephemerals),
    WRITER_TEST(a_large_end_of_a_session_is_cut),
    WRITER_TEST(a_cut_end_that_has_to_wait),
    WRITER_TEST(a_request_that_is_too_large_is_refused),
    WRITER_TEST(refused_and_unknown_commits_are_planned_again),
    WRITER_TEST(a_full_disk_refuses_requests_without_a_zxid),
    WRITER_TEST(the_end_of_a_session_waits_for_space),
    WRITER_TEST(a_busy_store_is_waited_for),
    WRITER_TEST(an_answer_that_is_lost_is_not_a_reason_to_decide_again),
    WRITER_TEST(messages_that_are_none),
    WRITER_TEST(operations_that_it_does_not_know),
    WRITER_TEST(without_memory),
};

FK_TEST_MAIN(tests)
