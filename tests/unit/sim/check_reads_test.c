// SPDX-License-Identifier: Apache-2.0
/* C3, C4, C13 of reads: what a read shows is the state of its zxid, which never goes back. */
#include "story.h"

enum {
    A = 0xa,
    B = 0xb,
};

/* /r: "one" at zxid 1, "two" at 2; /s: "x" at 3. All by A, all answered. */
static uint32_t three_writes(struct story *story)
{
    story_begin(story);
    uint32_t a = story_open(story, A);
    story_create(story, a, 1, "/r", "one", 0);
    story_set(story, a, 2, "/r", "two", 0);
    story_create(story, a, 3, "/s", "x", 0);
    for (int i = 1; i <= 3; i++) {
        story_commit(story, A, 1, i, 0);
    }
    story_told_path(story, a, 1, 1, "/r");
    story_told_stat(story, a, 2, 2, story_stat(1, 2, 1, 3));
    story_told_path(story, a, 3, 3, "/s");
    return a;
}

static void expect(struct story *story, const char *promise)
{
    if (promise == NULL) {
        story_good(story);
    } else {
        story_bad(story, promise);
    }
    story_end(story);
}

/* What B reads of /r as its first, at a zxid. */
static void b_reads(int64_t zxid, const char *data, struct fk_stat stat, const char *promise)
{
    struct story story;
    (void)three_writes(&story);
    uint32_t b = story_open(&story, B);
    story_read(&story, b, 1, FK_OP_GET_DATA, "/r", false);
    story_told_data(&story, b, 1, zxid, data, stat);
    expect(&story, promise);
}

static void state_of_the_zxid(void **state)
{
    (void)state;
    b_reads(1, "one", story_stat(1, 1, 0, 3), NULL); /* old, but true at its zxid */
    b_reads(2, "two", story_stat(1, 2, 1, 3), NULL);
    b_reads(3, "two", story_stat(1, 2, 1, 3), NULL);
    b_reads(3, "one", story_stat(1, 1, 0, 3), "C3"); /* an old state under a new zxid */
    b_reads(1, "two", story_stat(1, 2, 1, 3), "C3"); /* a new state under an old zxid */
    b_reads(2, "two", story_stat(1, 1, 0, 3), "C3"); /* torn: data and stat */
    b_reads(2, "TWO", story_stat(1, 2, 1, 3), "C3");
    b_reads(9, "two", story_stat(1, 2, 1, 3), "C11"); /* nothing was committed there */
}

static void own_writes(void **state)
{
    (void)state;
    struct story story;
    uint32_t a = three_writes(&story);
    story_read(&story, a, 4, FK_OP_GET_DATA, "/r", false);
    story_told_data(&story, a, 4, 3, "one", story_stat(1, 1, 0, 3));
    expect(&story, "C3");
}

static void never_back(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct story story;
        (void)three_writes(&story);
        uint32_t b = story_open(&story, B);
        story_read(&story, b, 1, FK_OP_EXISTS, "/s", false);
        story_read(&story, b, 2, FK_OP_EXISTS, "/r", false);
        story_told_stat(&story, b, 1, 3, story_stat(3, 3, 0, 1));
        if (broken == 0) {
            story_told_stat(&story, b, 2, 3, story_stat(1, 2, 1, 3));
        } else {
            story_told_stat(&story, b, 2, 3, story_stat(1, 1, 0, 3)); /* another path, but before zxid 2 */
        }
        expect(&story, broken == 0 ? NULL : "C3");
    }
}

/* On another gateway, with what it had seen before. */
static void never_back_over_reconnects(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct story story;
        uint32_t a = three_writes(&story);
        story_lose(&story, a);
        uint32_t again = story_reopen(&story, A, 2, 3); /* the attach is zxid 4 */
        story_read(&story, again, 1, FK_OP_EXISTS, "/s", false);
        if (broken == 0) {
            story_told_stat(&story, again, 1, 4, story_stat(3, 3, 0, 1));
        } else {
            story_told(&story, again, 1, 2, FK_CODE_NO_NODE); /* true at zxid 2, but 3 was seen */
        }
        expect(&story, broken == 0 ? NULL : "C3");
    }
}

static void absent_nodes(void **state)
{
    (void)state;
    static const struct {
        int64_t zxid;
        const char *promise;
    } rows[] = {{2, NULL}, {3, "C3"}};
    for (size_t i = 0; i < 2; i++) {
        struct story story;
        (void)three_writes(&story);
        uint32_t b = story_open(&story, B);
        story_read(&story, b, 1, FK_OP_EXISTS, "/s", false);
        story_told(&story, b, 1, rows[i].zxid, FK_CODE_NO_NODE);
        expect(&story, rows[i].promise);
    }
}

static void children(void **state)
{
    (void)state;
    static const char *const all[] = {"s", "zookeeper", "r"};
    static const char *const twice[] = {"r", "zookeeper", "r"};
    for (int row = 0; row < 4; row++) {
        struct story story;
        (void)three_writes(&story);
        uint32_t b = story_open(&story, B);
        story_read(&story, b, 1, FK_OP_GET_CHILDREN, "/", false);
        story_told_names(&story, b, 1, row == 3 ? 2 : 3, row == 2 ? twice : all, row == 1 ? 2 : 3);
        expect(&story, row == 0 ? NULL : "C3");
    }
}

static void sync_waits(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        struct story story;
        (void)three_writes(&story);
        uint32_t b = story_open(&story, B);
        story_read(&story, b, 1, FK_OP_SYNC, "/", false);
        story_told_path(&story, b, 1, broken == 0 ? 3 : 2, "/");
        expect(&story, broken == 0 ? NULL : "C4");
    }
}

static void shown_before_commit(void **state)
{
    (void)state;
    struct story story;
    (void)three_writes(&story);
    uint32_t b = story_open(&story, B);
    story_read(&story, b, 1, FK_OP_EXISTS, "/s", false);
    story_told_stat(&story, b, 1, 3, story_stat(3, 3, 0, 1));
    story.history.ground[2].time_ns = story.now_ns + 1;
    expect(&story, "C6");
}

static void zxids_never_back(void **state)
{
    (void)state;
    struct story story;
    (void)three_writes(&story);
    uint32_t b = story_open(&story, B);
    story_read(&story, b, 1, FK_OP_EXISTS, "/s", false);
    story_told_stat(&story, b, 1, 3, story_stat(3, 3, 0, 1));
    story_read(&story, b, 2, FK_OP_EXISTS, "/r", false);
    story_told_stat(&story, b, 2, 2, story_stat(1, 2, 1, 3));
    expect(&story, "C11");
}

/* /p may be read by nobody but its address's ids. */
static void permissions(void **state)
{
    (void)state;
    for (int row = 0; row < 3; row++) {
        struct story story;
        struct fk_buf body = FK_BUF_EMPTY;
        struct fk_acl_entry entry = {.perms = FK_PERM_READ,
                                     .scheme = fk_bytes_text("ip"),
                                     .id = fk_bytes_text(row == 0 ? "127.0.0.0/8" : "10.0.0.1")};
        story_begin(&story);
        uint32_t a = story_open(&story, A);
        fk_write_bytes(&body, fk_bytes_text("/p"));
        fk_write_bytes(&body, fk_bytes_text("x"));
        fk_write_i32(&body, 1);
        fk_write_acl_entry(&body, &entry);
        fk_write_i32(&body, 0);
        story_ask(&story, a, 1, FK_OP_CREATE, fk_buf_view(&body));
        story_commit(&story, A, 1, 1, 0);
        story_told_path(&story, a, 1, 1, "/p");
        story_read(&story, a, 2, FK_OP_GET_DATA, "/p", false);
        if (row == 1) {
            story_told(&story, a, 2, 1, FK_CODE_NO_AUTH);
        } else {
            story_told_data(&story, a, 2, 1, "x", story_stat(1, 1, 0, 1));
        }
        fk_buf_deinit(&body);
        expect(&story, row == 2 ? "C13" : NULL);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(state_of_the_zxid), FK_TEST(own_writes),  FK_TEST(never_back), FK_TEST(never_back_over_reconnects),
    FK_TEST(absent_nodes),      FK_TEST(children),    FK_TEST(sync_waits), FK_TEST(shown_before_commit),
    FK_TEST(zxids_never_back),  FK_TEST(permissions),
};

FK_TEST_MAIN(tests)
