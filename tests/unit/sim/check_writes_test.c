// SPDX-License-Identifier: Apache-2.0
/* C1, C2, C6, C7, C9, C10, C11, C12, C13, C15 of writes: a history that keeps the promise, and the smallest change that
 * breaks it. */
#include "story.h"

enum {
    A = 0xa,
    B = 0xb,
};

/* /r with data "one" at zxid 1, and "two" at zxid 2; what each is told is the caller's. */
static void two_writes(struct story *story, uint32_t connection)
{
    story_create(story, connection, 1, "/r", "one", 0);
    story_set(story, connection, 2, "/r", "two!", 0);
    story_commit(story, A, 1, 1, 0);
    story_commit(story, A, 1, 2, 0);
}

static void writes_are_good(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_told_path(&story, a, 1, 1, "/r");
    story_told_stat(&story, a, 2, 2, story_stat(1, 2, 1, 4));
    story_final(&story, "/r", "two!", story_stat(1, 2, 1, 4));
    story_good(&story);
    assert_int_equal(story.counts.writes, 2);
    assert_int_equal(story.counts.nodes, 1);
    story_end(&story);
}

static void wrong_stat(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_told_path(&story, a, 1, 1, "/r");
    story_told_stat(&story, a, 2, 2, story_stat(1, 2, 2, 4)); /* a version too many: done twice */
    story_bad(&story, "C12");
    story_end(&story);
}

static void two_times_of_one_zxid(void **state)
{
    (void)state;
    struct story story;
    struct fk_stat stat = story_stat(1, 2, 1, 4);
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_told_path(&story, a, 1, 1, "/r");
    story_told_stat(&story, a, 2, 2, stat);
    story_read(&story, a, 3, FK_OP_EXISTS, "/r", false);
    stat.mtime_ms++;
    story_told_stat(&story, a, 3, 2, stat);
    story_bad(&story, "C3");
    story_end(&story);
}

static void wrong_code(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_create(&story, a, 1, "/r", "one", 0);
    story_create(&story, a, 2, "/r", "one", 0);
    story_commit(&story, A, 1, 1, 0);
    story_commit(&story, A, 1, 2, 0); /* it exists */
    story_bad(&story, "C1");
    story_end(&story);
}

static void told_another_code(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_create(&story, a, 1, "/r", "one", 0);
    story_commit(&story, A, 1, 1, 0);
    story_told(&story, a, 1, 1, FK_CODE_NODE_EXISTS); /* its own first try */
    story_bad(&story, "C15");
    story_end(&story);
}

static void error_without_decision(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_delete(&story, a, 1, "/r");
    story_commit(&story, A, 1, 1, FK_CODE_NO_NODE);
    story_told(&story, a, 1, 1, FK_CODE_NO_NODE);
    story_good(&story);
    story_delete(&story, a, 2, "/r");
    story_told(&story, a, 2, 1, FK_CODE_NO_NODE); /* takes no zxid: a redelivery may do it yet */
    story_bad(&story, "C15");
    story_end(&story);
}

static void answered_and_lost(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_told_path(&story, a, 1, 1, "/r");
    story_told_stat(&story, a, 2, 2, story_stat(1, 2, 1, 4));
    story.history.ground_count = 1;
    story_bad(&story, "C6");
    story_end(&story);
}

static void answered_before_commit(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_create(&story, a, 1, "/r", "one", 0);
    story_told_path(&story, a, 1, 1, "/r");
    story_commit(&story, A, 1, 1, 0);
    story_bad(&story, "C6");
    story_end(&story);
}

static void unknown_is_once_or_never(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_set(&story, a, 3, "/r", "three", -1);
    story_lose(&story, a);
    story_good(&story);
    assert_int_equal(story.counts.unknown, 3);
    assert_int_equal(story.counts.applied, 2);
    story_commit(&story, A, 1, 2, 0); /* again */
    story_bad(&story, "C7");
    story_end(&story);
}

static void later_write_without_earlier(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_create(&story, a, 1, "/r", "one", 0);
    story_create(&story, a, 2, "/s", "two", 0);
    story_lose(&story, a);
    story_commit(&story, A, 1, 2, 0);
    story_bad(&story, "C2");
    story_end(&story);
}

static void effect_of_nobody(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    (void)story_open(&story, A);
    story_commit(&story, A, 1, 1, 0);
    story_bad(&story, "C7");
    story_end(&story);
}

static void old_owner_writes_on(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_create(&story, a, 1, "/r", "one", 0);
    story_lose(&story, a);
    uint32_t again = story_reopen(&story, A, 2, 0);
    story_create(&story, again, 1, "/s", "one", 0);
    story_commit(&story, A, 2, 1, 0);
    story_told_path(&story, again, 1, 2, "/s");
    story_good(&story);
    story_commit(&story, A, 1, 1, 0); /* epoch 1 is over */
    story_bad(&story, "C7");
    story_end(&story);
}

static void answers_in_another_order(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_told_stat(&story, a, 2, 2, story_stat(1, 2, 1, 4));
    story_bad(&story, "C2");
    story_end(&story);
}

static void real_time(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct story story;
        story_begin(&story);
        uint32_t a = story_open(&story, A);
        uint32_t b = story_open(&story, B);
        story_create(&story, b, 1, "/s", "b", 0);
        if (broken == 0) {
            story_create(&story, a, 1, "/r", "one", 0);
        }
        story_commit(&story, A, 1, 1, 0);
        story_commit(&story, B, 1, 1, 0);
        story_told_path(&story, b, 1, 2, "/s");
        if (broken == 1) {
            story_create(&story, a, 1, "/r", "one", 0); /* b knows zxid 2 already */
        }
        story_told_path(&story, a, 1, 1, "/r");
        if (broken == 0) {
            story_good(&story);
        } else {
            story_bad(&story, "C1");
        }
        story_end(&story);
    }
}

static void sequential_names(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct story story;
        story_begin(&story);
        uint32_t a = story_open(&story, A);
        story_create(&story, a, 1, "/q-", "", FK_CREATE_SEQUENTIAL);
        story_create(&story, a, 2, "/q-", "", FK_CREATE_SEQUENTIAL);
        story_commit(&story, A, 1, 1, 0);
        story_commit(&story, A, 1, 2, 0);
        story_told_path(&story, a, 1, 1, "/q-0000000000");
        story_told_path(&story, a, 2, 2, broken == 0 ? "/q-0000000001" : "/q-0000000000");
        if (broken == 0) {
            story_good(&story);
        } else {
            story_bad(&story, "C9");
        }
        story_end(&story);
    }
}

static void put_multi_create(struct fk_buf *buf, const char *path)
{
    struct fk_create_request request = {
        .path = fk_bytes_text(path), .data = fk_bytes_text("x"), .acl = FK_ACL_OPEN, .flags = 0};
    fk_write_multi_header(buf, &(struct fk_multi_header){.op = FK_OP_CREATE, .code = -1});
    fk_write_create_request(buf, &request);
}

/* Two creates in a multi; the second path exists where `fails`. */
static void multi(bool fails, int32_t second_code, const char *promise)
{
    struct story story;
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_multi_header end = {.op = -1, .done = true, .code = -1};
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    put_multi_create(&body, "/a");
    put_multi_create(&body, fails ? "/a" : "/b");
    fk_write_multi_header(&body, &end);
    story_ask(&story, a, 1, FK_OP_MULTI, fk_buf_view(&body));
    story_commit(&story, A, 1, 1, 0);
    fk_buf_clear(&body);
    for (int i = 0; i < 2; i++) {
        int32_t code = i == 0 ? 0 : second_code;
        fk_write_multi_header(&body, &(struct fk_multi_header){.op = fails ? FK_OP_ERROR : FK_OP_CREATE, .code = code});
        if (fails) {
            fk_write_i32(&body, code);
        } else {
            fk_write_bytes(&body, fk_bytes_text(i == 0 ? "/a" : "/b"));
        }
    }
    fk_write_multi_header(&body, &end);
    story_told_bytes(&story, a, 1, 1, fk_buf_view(&body));
    if (promise == NULL) {
        story_good(&story);
    } else {
        story_bad(&story, promise);
    }
    fk_buf_deinit(&body);
    story_end(&story);
}

static void multi_results(void **state)
{
    (void)state;
    multi(false, 0, NULL);
    multi(true, FK_CODE_NODE_EXISTS, NULL);
    multi(true, FK_CODE_RUNTIME_INCONSISTENCY, "C10");
    multi(false, FK_CODE_NODE_EXISTS, "C10");
}

/* Refused for its size: it may be where it can't be sure to fit, not where it is. */
static void multi_refused_for_its_size(void **state)
{
    (void)state;
    static const struct {
        int parts;
        size_t items;
        const char *promise;
    } rows[] = {{20, 16, NULL}, {20, 100, "C1"}, {2, 16, "C1"}, {2, 0, NULL}, {120, 100, NULL}};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct story story;
        struct fk_buf body = FK_BUF_EMPTY;
        char path[16];
        story_begin(&story);
        story.options.items = rows[row].items;
        uint32_t a = story_open(&story, A);
        for (int i = 0; i < rows[row].parts; i++) {
            (void)snprintf(path, sizeof path, "/n%d", i);
            put_multi_create(&body, path);
        }
        fk_write_multi_header(&body, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
        story_ask(&story, a, 1, FK_OP_MULTI, fk_buf_view(&body));
        story_commit(&story, A, 1, 1, FK_CODE_BAD_ARGUMENTS);
        story_told(&story, a, 1, 1, FK_CODE_BAD_ARGUMENTS);
        if (rows[row].promise == NULL) {
            story_good(&story);
        } else {
            story_bad(&story, rows[row].promise);
        }
        fk_buf_deinit(&body);
        story_end(&story);
    }
}

/* A failed multi leaves nothing behind. */
static void multi_is_atomic(void **state)
{
    (void)state;
    struct story story;
    struct fk_buf body = FK_BUF_EMPTY;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    put_multi_create(&body, "/a");
    put_multi_create(&body, "/a");
    fk_write_multi_header(&body, &(struct fk_multi_header){.op = -1, .done = true, .code = -1});
    story_ask(&story, a, 1, FK_OP_MULTI, fk_buf_view(&body));
    story_commit(&story, A, 1, 1, 0);
    story_lose(&story, a);
    story_good(&story);
    story_final(&story, "/a", "x", story_stat(1, 1, 0, 1));
    story_bad(&story, "C7");
    fk_buf_deinit(&body);
    story_end(&story);
}

static void zxids_are_dense(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story.history.ground[1].zxid = 3;
    story_bad(&story, "C11");
    story_end(&story);
}

static void zxid_of_the_answer(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story_told_path(&story, a, 1, 2, "/r");
    story_bad(&story, "C1");
    story_end(&story);
}

static void unknown_failure_code(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    story_delete(&story, a, 1, "/r");
    story_commit(&story, A, 1, 1, -4);
    story_told(&story, a, 1, 1, -4); /* connection loss is the client's own code */
    story_bad(&story, "C15");
    story_end(&story);
}

static void final_state(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *data;
        int32_t version;
        const char *promise;
    } rows[] = {
        {"/r", "two!", 1, NULL},
        {"/r", "one!", 1, "C6"},
        {"/r", "two!", 2, "C6"},
        {"/s", "two!", 1, "C7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story story;
        story_begin(&story);
        uint32_t a = story_open(&story, A);
        two_writes(&story, a);
        story_final(&story, rows[i].path, rows[i].data, story_stat(1, 2, rows[i].version, 4));
        if (rows[i].promise == NULL) {
            story_good(&story);
        } else {
            story_bad(&story, rows[i].promise);
        }
        story_end(&story);
    }
}

static void final_state_misses_a_node(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    uint32_t a = story_open(&story, A);
    two_writes(&story, a);
    story.history.has_nodes = true;
    story_bad(&story, "C6");
    story_end(&story);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(writes_are_good),
    FK_TEST(wrong_stat),
    FK_TEST(two_times_of_one_zxid),
    FK_TEST(wrong_code),
    FK_TEST(told_another_code),
    FK_TEST(error_without_decision),
    FK_TEST(answered_and_lost),
    FK_TEST(answered_before_commit),
    FK_TEST(unknown_is_once_or_never),
    FK_TEST(later_write_without_earlier),
    FK_TEST(effect_of_nobody),
    FK_TEST(old_owner_writes_on),
    FK_TEST(answers_in_another_order),
    FK_TEST(real_time),
    FK_TEST(sequential_names),
    FK_TEST(multi_results),
    FK_TEST(multi_refused_for_its_size),
    FK_TEST(multi_is_atomic),
    FK_TEST(zxids_are_dense),
    FK_TEST(zxid_of_the_answer),
    FK_TEST(unknown_failure_code),
    FK_TEST(final_state),
    FK_TEST(final_state_misses_a_node),
};

FK_TEST_MAIN(tests)
