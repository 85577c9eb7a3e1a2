// SPDX-License-Identifier: Apache-2.0
/* C8 and C14: sessions end when they should, with all that is theirs, and what is asked is answered. */
#include "story.h"

enum {
    A = 0xa,
    B = 0xb,
};

static void expect(struct story *story, const char *promise)
{
    if (promise == NULL) {
        story_good(story);
    } else {
        story_bad(story, promise);
    }
    story_end(story);
}

/* A has the ephemeral /e since zxid 1. */
static uint32_t with_ephemeral(struct story *story)
{
    story_begin(story);
    uint32_t a = story_open(story, A);
    story_create(story, a, 1, "/e", "x", FK_CREATE_EPHEMERAL);
    story_commit(story, A, 1, 1, 0);
    story_told_path(story, a, 1, 1, "/e");
    return a;
}

static int64_t end_of_a(struct story *story)
{
    return story_ground(story, (struct sim_ground){.kind = SIM_GROUND_CLOSE, .session_id = A});
}

static void ends_after_its_timeout(void **state)
{
    (void)state;
    for (int early = 0; early < 2; early++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        story_lose(&story, a);
        story_wait(&story, early == 0 ? STORY_TIMEOUT_MS : STORY_TIMEOUT_MS - 100);
        end_of_a(&story);
        expect(&story, early == 0 ? NULL : "C8");
    }
}

/* The timeout of the newest connection counts: what it was agreed on, or may have been where nobody knows. */
static void a_timeout_is_agreed_on_again(void **state)
{
    (void)state;
    static const struct {
        int32_t next_ms;
        bool accepted;
        int64_t after_ms;
        const char *promise;
    } rows[] = {
        {STORY_TIMEOUT_MS / 2, true, STORY_TIMEOUT_MS / 2, NULL},
        {STORY_TIMEOUT_MS / 2, true, STORY_TIMEOUT_MS / 2 - 100, "C8"},
        {STORY_TIMEOUT_MS / 2, false, STORY_TIMEOUT_MS / 2, NULL},
        {STORY_TIMEOUT_MS * 2, true, STORY_TIMEOUT_MS * 2 - 100, "C8"},
        {STORY_TIMEOUT_MS * 2, true, STORY_TIMEOUT_MS * 2, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        story_lose(&story, a);
        story.timeout_ms = rows[i].next_ms;
        story.unanswered = !rows[i].accepted;
        story_lose(&story, story_reopen(&story, A, 2, 0));
        story_wait(&story, rows[i].after_ms);
        end_of_a(&story);
        expect(&story, rows[i].promise);
    }
}

/* A ping that was answered keeps it alive. */
static void pings_count(void **state)
{
    (void)state;
    struct story story;
    uint32_t a = with_ephemeral(&story);
    story_wait(&story, 3000);
    story_ask(&story, a, FK_XID_PING, FK_OP_PING, FK_BYTES_NULL);
    story_told(&story, a, FK_XID_PING, 1, 0);
    story_wait(&story, 3000);
    end_of_a(&story);
    expect(&story, "C8");
}

static void ends_in_time(void **state)
{
    (void)state;
    for (int late = 0; late < 3; late++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        story.options.late_ns = INT64_C(1000000000);
        story_lose(&story, a);
        story_wait(&story, late == 0 ? STORY_TIMEOUT_MS + 500 : STORY_TIMEOUT_MS + 1500);
        if (late < 2) {
            end_of_a(&story);
        }
        story_quiet(&story);
        expect(&story, late == 0 ? NULL : "C8");
    }
}

static void ephemerals_go_with_it(void **state)
{
    (void)state;
    for (int row = 0; row < 3; row++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        uint32_t b = story_open(&story, B);
        story_lose(&story, a);
        story_wait(&story, STORY_TIMEOUT_MS);
        end_of_a(&story);
        story_read(&story, b, 1, FK_OP_EXISTS, "/e", false);
        struct fk_stat stat = story_stat(1, 1, 0, 1);
        stat.ephemeral_owner = A;
        if (row == 0) {
            story_told(&story, b, 1, 2, FK_CODE_NO_NODE);
        } else {
            story_told_stat(&story, b, 1, row == 1 ? 1 : 2, stat); /* before, and after the end */
        }
        expect(&story, row == 2 ? "C3" : NULL);
    }
}

static void nothing_after_the_end(void **state)
{
    (void)state;
    struct story story;
    uint32_t a = with_ephemeral(&story);
    story_create(&story, a, 2, "/f", "x", FK_CREATE_EPHEMERAL);
    story_lose(&story, a);
    story_wait(&story, STORY_TIMEOUT_MS);
    end_of_a(&story);
    story_good(&story);
    story_commit(&story, A, 1, 2, 0); /* a zombie writer */
    expect(&story, "C8");
}

static void in_pieces(void **state)
{
    (void)state;
    for (int row = 0; row < 3; row++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        struct fk_bytes path = fk_bytes_text(row == 1 ? "/n" : "/e");
        story_create(&story, a, 2, "/n", "x", 0);
        story_commit(&story, A, 1, 2, 0);
        story_set(&story, a, 3, "/n", "y", -1);
        story_lose(&story, a);
        story_wait(&story, STORY_TIMEOUT_MS);
        story_ground(&story, (struct sim_ground){
                                 .kind = SIM_GROUND_CLOSE_CHUNK, .session_id = A, .paths = &path, .path_count = 1});
        if (row == 2) {
            story_commit(&story, A, 1, 3, 0); /* between the pieces */
        }
        end_of_a(&story);
        expect(&story, row == 0 ? NULL : "C8");
    }
}

/* The client asks for the end, the function dies over it, and a sweep goes on: that is not early. Nor is it asked for
 * where the client only asks when the end has begun. */
static void an_end_that_was_asked_for_may_be_gone_on_with(void **state)
{
    (void)state;
    for (int row = 0; row < 3; row++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        struct fk_bytes path = fk_bytes_text("/e");
        if (row == 0) {
            story_ask(&story, a, 2, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
        }
        story_wait(&story, 10);
        story_ground(&story, (struct sim_ground){
                                 .kind = SIM_GROUND_CLOSE_CHUNK, .session_id = A, .paths = &path, .path_count = 1});
        story_wait(&story, 10);
        if (row == 1) {
            story_ask(&story, a, 2, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
        }
        story_lose(&story, a);
        end_of_a(&story);
        expect(&story, row == 0 ? NULL : "C8");
    }
}

static void closes_itself(void **state)
{
    (void)state;
    struct story story;
    uint32_t a = with_ephemeral(&story);
    story_ask(&story, a, 2, FK_OP_CLOSE_SESSION, FK_BYTES_NULL);
    story_ground(&story, (struct sim_ground){.kind = SIM_GROUND_CLOSE, .session_id = A, .epoch = 1, .number = 2});
    story_told(&story, a, 2, 2, 0);
    story_good(&story);
    story.history.has_nodes = true; /* and no /e */
    expect(&story, NULL);
}

static void list_of_sessions(void **state)
{
    (void)state;
    for (int row = 0; row < 3; row++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        story_lose(&story, a);
        story_wait(&story, STORY_TIMEOUT_MS);
        if (row != 1) {
            end_of_a(&story);
        }
        sim_history_final_session(&story.history, row == 2 ? A : B);
        expect(&story, row == 0 ? NULL : "C8");
    }
}

static void refused_only_when_over(void **state)
{
    (void)state;
    for (int alive = 0; alive < 2; alive++) {
        struct story story;
        struct fk_buf frame = FK_BUF_EMPTY;
        uint32_t a = with_ephemeral(&story);
        story_lose(&story, a);
        story_wait(&story, STORY_TIMEOUT_MS);
        if (alive == 0) {
            end_of_a(&story);
        }
        fk_write_connect_request(
            &frame, &(struct fk_connect_request){.session_id = A, .password = FK_BYTES_LITERAL("0123456789abcdef")});
        uint32_t again = sim_history_connect(&story.history, ++story.now_ns, 1, 1, fk_buf_view(&frame));
        fk_buf_clear(&frame);
        fk_write_connect_response(&frame, &(struct fk_connect_response){.session_id = 0});
        sim_history_accepted(&story.history, ++story.now_ns, again, fk_buf_view(&frame));
        fk_buf_deinit(&frame);
        expect(&story, alive == 0 ? NULL : "C8");
    }
}

/* Somebody asks for A's session with a password that ends in `last`, and is refused, or let in. */
static void stranger(char last, bool let_in, const char *promise)
{
    struct story story;
    struct fk_buf frame = FK_BUF_EMPTY;
    uint8_t password[16];
    memcpy(password, "0123456789abcdef", sizeof password);
    (void)with_ephemeral(&story);
    password[15] = (uint8_t)last;
    fk_write_connect_request(&frame, &(struct fk_connect_request){.session_id = A,
                                                                  .timeout_ms = STORY_TIMEOUT_MS,
                                                                  .password = fk_bytes_of(password, 16)});
    uint32_t other = sim_history_connect(&story.history, ++story.now_ns, 2, 1, fk_buf_view(&frame));
    fk_buf_clear(&frame);
    fk_write_connect_response(&frame, &(struct fk_connect_response){.session_id = let_in ? A : 0,
                                                                    .timeout_ms = let_in ? STORY_TIMEOUT_MS : 0,
                                                                    .password = fk_bytes_of(password, 16)});
    sim_history_accepted(&story.history, ++story.now_ns, other, fk_buf_view(&frame));
    fk_buf_deinit(&frame);
    expect(&story, promise);
}

static void a_session_needs_its_password(void **state)
{
    (void)state;
    stranger('f', false, "C8"); /* alive, and called expired */
    stranger('x', false, NULL);
    stranger('x', true, "C8");
}

static void seen_too_much(void **state)
{
    (void)state;
    for (int64_t ahead = 0; ahead < 2; ahead++) {
        struct story story;
        (void)with_ephemeral(&story);
        (void)story_reopen(&story, A, 2, 2 + ahead);
        expect(&story, ahead == 0 ? NULL : "C11");
    }
}

static void everything_is_answered(void **state)
{
    (void)state;
    for (int row = 0; row < 2; row++) {
        struct story story;
        uint32_t a = with_ephemeral(&story);
        story.options.answer_ns = INT64_C(60000000000);
        story_read(&story, a, 2, FK_OP_EXISTS, "/x", false);
        story_wait(&story, row == 0 ? 1000 : 61000);
        story_told(&story, a, 2, 1, FK_CODE_NO_NODE);
        story_quiet(&story);
        expect(&story, row == 0 ? NULL : "C14");
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(ends_after_its_timeout),
    FK_TEST(a_timeout_is_agreed_on_again),
    FK_TEST(an_end_that_was_asked_for_may_be_gone_on_with),
    FK_TEST(pings_count),
    FK_TEST(ends_in_time),
    FK_TEST(ephemerals_go_with_it),
    FK_TEST(nothing_after_the_end),
    FK_TEST(in_pieces),
    FK_TEST(closes_itself),
    FK_TEST(list_of_sessions),
    FK_TEST(refused_only_when_over),
    FK_TEST(everything_is_answered),
    FK_TEST(a_session_needs_its_password),
    FK_TEST(seen_too_much),
};

FK_TEST_MAIN(tests)
