// SPDX-License-Identifier: Apache-2.0
/* Histories without a ground log: what an answer or the final state tells of each zxid is enough to judge. */
#include "story.h"

enum {
    A = 0xa,
    B = 0xb,
};

/* Forgets the ground log, as a real server has none. */
static void expect(struct story *story, int64_t final_zxid, const char *promise)
{
    story->history.has_ground = false;
    story->history.ground_count = 0;
    story->history.final_zxid = final_zxid;
    story->history.has_nodes = true;
    if (promise == NULL) {
        story_good(story);
    } else {
        story_bad(story, promise);
    }
    story_end(story);
}

/* zxid 1 begins A's session; /r is created at zxid 2 and answered. */
static uint32_t begin(struct story *story)
{
    story_begin(story);
    uint32_t a = story_open(story, A);
    story_create(story, a, 1, "/r", "one", 0);
    story_told_path(story, a, 1, 2, "/r");
    return a;
}

static void answered(void **state)
{
    (void)state;
    struct story story;
    (void)begin(&story);
    story_final(&story, "/r", "one", story_stat(2, 2, 0, 3));
    expect(&story, 2, NULL);
    (void)begin(&story);
    expect(&story, 2, "C6"); /* gone */
    (void)begin(&story);
    story_final(&story, "/r", "two", story_stat(2, 2, 0, 3));
    expect(&story, 2, "C6");
    (void)begin(&story);
    story_final(&story, "/r", "one", story_stat(2, 2, 0, 3));
    expect(&story, 1, "C6"); /* the server went back */
}

static void set_without_answer(void **state)
{
    (void)state;
    static const struct {
        int32_t version;
        const char *data;
        int64_t mzxid;
        const char *promise;
    } rows[] = {
        {0, "one", 2, NULL}, /* not applied */
        {1, "two", 3, NULL},
        {2, "two", 3, "C6"}, /* twice */
        {1, "six", 3, "C6"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct story story;
        uint32_t a = begin(&story);
        story_set(&story, a, 2, "/r", "two", -1);
        story_lose(&story, a);
        story_final(&story, "/r", rows[i].data, story_stat(2, rows[i].mzxid, rows[i].version, 3));
        expect(&story, 3, rows[i].promise);
    }
}

/* Nothing shows at which zxid it stood. */
static void delete_without_answer(void **state)
{
    (void)state;
    for (int applied = 0; applied < 2; applied++) {
        struct story story;
        uint32_t a = begin(&story);
        story_delete(&story, a, 2, "/r");
        story_lose(&story, a);
        if (applied == 0) {
            story_final(&story, "/r", "one", story_stat(2, 2, 0, 3));
        }
        expect(&story, 3, NULL);
        assert_int_equal(story.counts.applied, applied);
    }
}

/* Of what has no answer a first part was applied, never a later one alone. */
static void first_part_only(void **state)
{
    (void)state;
    for (int row = 0; row < 3; row++) {
        struct story story;
        uint32_t a = begin(&story);
        story_create(&story, a, 2, "/s", "x", 0);
        story_create(&story, a, 3, "/t", "y", 0);
        story_lose(&story, a);
        story_final(&story, "/r", "one", story_stat(2, 2, 0, 3));
        if (row < 2) {
            story_final(&story, "/s", "x", story_stat(3, 3, 0, 1));
        }
        if (row > 0) {
            int64_t zxid = row == 1 ? 4 : 3;
            story_final(&story, "/t", "y", story_stat(zxid, zxid, 0, 1));
        }
        expect(&story, 4, row == 2 ? "C7" : NULL);
    }
}

static void zxid_twice(void **state)
{
    (void)state;
    struct story story;
    (void)begin(&story);
    uint32_t b = story_open(&story, B);
    story_create(&story, b, 1, "/b", "x", 0);
    story_told_path(&story, b, 1, 2, "/b");
    expect(&story, 2, "C11");
}

/* The first state is not a fresh tree. */
static void first_state(void **state)
{
    (void)state;
    for (int row = 0; row < 2; row++) {
        struct story story;
        struct fk_buf stat = FK_BUF_EMPTY;
        struct fk_stat planted = story_stat(7, 9, 5, 3);
        story_begin(&story);
        fk_write_stat(&stat, &planted);
        sim_history_first_node(&story.history, &(struct sim_final_node){.path = fk_bytes_text("/old"),
                                                                        .data = fk_bytes_text("abc"),
                                                                        .stat = fk_buf_view(&stat)});
        fk_buf_deinit(&stat);
        story.history.first_zxid = 20;
        uint32_t a = story_open(&story, A);
        story_set(&story, a, 1, "/old", "new", 5);
        story_told_stat(&story, a, 1, 22, story_stat(7, 22, row == 0 ? 6 : 7, 3));
        planted = story_stat(7, 22, 6, 3);
        planted.ctime_ms = 1007;
        story_final(&story, "/old", "new", planted);
        expect(&story, 22, row == 0 ? NULL : "C12");
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(answered),        FK_TEST(set_without_answer), FK_TEST(delete_without_answer),
    FK_TEST(first_part_only), FK_TEST(zxid_twice),         FK_TEST(first_state),
};

FK_TEST_MAIN(tests)
