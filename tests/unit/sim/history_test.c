// SPDX-License-Identifier: Apache-2.0
/* Histories as files: what is written is read back, and what is no history is refused. */
#include "story.h"

#include <stdlib.h>

enum {
    A = 0xa,
};

/* One of each kind of line. */
static void fill(struct story *story)
{
    struct fk_bytes path = fk_bytes_text("/e");
    uint32_t a = story_open(story, A);
    story_create(story, a, 1, "/e", "x", FK_CREATE_EPHEMERAL);
    story_commit(story, A, 1, 1, 0);
    story_told_path(story, a, 1, 1, "/e");
    story_lose(story, a);
    story_wait(story, STORY_TIMEOUT_MS);
    story_ground(story,
                 (struct sim_ground){.kind = SIM_GROUND_CLOSE_CHUNK, .session_id = A, .paths = &path, .path_count = 1});
    story_ground(story, (struct sim_ground){.kind = SIM_GROUND_CLOSE, .session_id = A});
    story_final(story, "/zookeeper/quota", "", story_stat(0, 0, 0, 0));
    story->history.nodes[0].stat = FK_BYTES_NULL;
    sim_history_final_session(&story->history, 0xb);
    story->history.final_zxid = 3;
    story_quiet(story);
}

static char *text_of(const struct sim_history *history)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    sim_history_write(history, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

static enum fk_err read_text(struct sim_history *history, const char *text, struct fk_diag *diag)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    (void)fputs(text, file);
    rewind(file);
    enum fk_err err = sim_history_read(history, file, diag);
    (void)fclose(file);
    return err;
}

static void round_trip(void **state)
{
    (void)state;
    struct story story;
    struct sim_history copy;
    struct fk_diag diag = {{0}};
    story_begin(&story);
    fill(&story);
    story_good(&story);
    char *text = text_of(&story.history);
    sim_history_init(&copy);
    assert_int_equal(read_text(&copy, text, &diag), FK_OK);
    char *again = text_of(&copy);
    assert_string_equal(text, again);
    assert_int_equal(copy.record_count, story.history.record_count);
    struct sim_history first = story.history;
    story.history = copy;
    story_good(&story);
    story.history = first;
    free(text);
    free(again);
    sim_history_deinit(&copy);
    story_end(&story);
}

/* Two runs of a recorder, joined: the numbers of connections begin again. */
static void joined(void **state)
{
    (void)state;
    struct story story;
    struct sim_history copy;
    struct fk_diag diag = {{0}};
    story_begin(&story);
    fill(&story);
    char *text = text_of(&story.history);
    char *twice = malloc(2 * strlen(text) + 1);
    assert_non_null(twice);
    (void)sprintf(twice, "%s%s", text, text);
    sim_history_init(&copy);
    assert_int_equal(read_text(&copy, twice, &diag), FK_OK);
    assert_int_equal(copy.connection_count, 2);
    assert_int_equal(copy.records[copy.record_count - 1].connection, 2);
    free(text);
    free(twice);
    sim_history_deinit(&copy);
    story_end(&story);
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum fk_err err;
    } rows[] = {
        {"", FK_ERR_MALFORMED},
        {"x\n", FK_ERR_MALFORMED},
        {"{\"format\":\"other\",\"version\":1}\n", FK_ERR_MALFORMED},
        {"{\"format\":\"faaskeeper-history\",\"version\":2}\n", FK_ERR_VERSION},
        {"{\"format\":\"faaskeeper-history\",\"version\":1}\n{\"k\":\"sent\",\"n\":1}\n", FK_ERR_MALFORMED},
        {"{\"format\":\"faaskeeper-history\",\"version\":1}\n{\"k\":\"connect\",\"n\":1,\"f\":\"0g\"}\n",
         FK_ERR_MALFORMED},
        {"{\"format\":\"faaskeeper-history\",\"version\":1}\n{\"k\":\"ground\",\"kind\":\"what\"}\n", FK_ERR_MALFORMED},
        {"{\"format\":\"faaskeeper-history\",\"version\":1}\n{\"k\":\"what\"}\n", FK_ERR_MALFORMED},
        {"{\"format\":\"faaskeeper-history\",\"version\":1}\n", FK_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sim_history history;
        struct fk_diag diag = {{0}};
        sim_history_init(&history);
        assert_int_equal(read_text(&history, rows[i].text, &diag), rows[i].err);
        assert_int_equal(diag.text[0] != '\0', rows[i].err != FK_OK);
        sim_history_deinit(&history);
    }
}

static void reused(void **state)
{
    (void)state;
    struct story story;
    story_begin(&story);
    for (int i = 0; i < 3; i++) {
        fill(&story);
        story_good(&story);
        sim_history_reset(&story.history);
        assert_int_equal(story.history.record_count, 0);
        story.zxid = 0;
    }
    story_end(&story);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(round_trip),
    FK_TEST(joined),
    FK_TEST(refused),
    FK_TEST(reused),
};

FK_TEST_MAIN(tests)
