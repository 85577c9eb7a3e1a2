// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "support/test.h"

static char last_line[2048];
static enum fk_log_level last_level;
static size_t last_fields;
static int line_count;

static void keep_line(const struct fk_log_record *record)
{
    last_level = record->level;
    last_fields = record->field_count;
    line_count++;
    assert_true(strlen(record->message) < sizeof last_line);
    memcpy(last_line, record->message, strlen(record->message) + 1);
}

static void start_log(enum fk_log_level level)
{
    line_count = 0;
    last_line[0] = '\0';
    fk_log_set(keep_line, level);
}

static void without_a_sink_lines_are_dropped(void **state)
{
    (void)state;
    start_log(FK_LOG_DEBUG);
    fk_log_set(NULL, FK_LOG_DEBUG);
    fk_log(FK_LOG_ERROR, "nobody reads this");
    assert_int_equal(line_count, 0);
}

static void lines_up_to_the_level_pass(void **state)
{
    (void)state;
    for (int level = FK_LOG_ERROR; level <= FK_LOG_DEBUG; level++) {
        start_log((enum fk_log_level)level);
        for (int line = FK_LOG_ERROR; line <= FK_LOG_DEBUG; line++) {
            fk_log((enum fk_log_level)line, "line %d", line);
        }
        assert_int_equal(line_count, level + 1);
        assert_int_equal(last_level, level);
    }
    fk_log_set(NULL, FK_LOG_INFO);
}

static void fields_come_with_the_message(void **state)
{
    (void)state;
    start_log(FK_LOG_INFO);
    fk_log_with(FK_LOG_INFO, "100 %s", fk_log_id("session", 1), fk_log_number("n", 2), fk_log_text("path", NULL));
    assert_string_equal(last_line, "100 %s");
    assert_int_equal(last_fields, 3);
    fk_log_security(FK_LOG_DEBUG, "below the level", fk_log_number("n", 2));
    assert_int_equal(line_count, 1);
    assert_true(fk_log_wants(FK_LOG_INFO) && !fk_log_wants(FK_LOG_DEBUG));
    fk_log_set(NULL, FK_LOG_INFO);
    assert_false(fk_log_wants(FK_LOG_ERROR));
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    start_log(FK_LOG_INFO);
    fk_log(FK_LOG_INFO, "%0*d", 100000, 1);
    assert_int_equal(line_count, 1);
    assert_int_equal(strlen(last_line), 1023);
    fk_log_set(NULL, FK_LOG_INFO);
}

static void level_names(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "ERROR", "warning", "infos", " info", "trace"};
    for (int i = FK_LOG_ERROR; i <= FK_LOG_DEBUG; i++) {
        enum fk_log_level level = FK_LOG_ERROR;
        assert_true(fk_log_level_parse(fk_log_level_text((enum fk_log_level)i), &level));
        assert_int_equal(level, i);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        enum fk_log_level level = FK_LOG_WARN;
        assert_false(fk_log_level_parse(wrong[i], &level));
        assert_int_equal(level, FK_LOG_WARN);
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(without_a_sink_lines_are_dropped),
    FK_TEST(lines_up_to_the_level_pass),
    FK_TEST(fields_come_with_the_message),
    FK_TEST(long_lines_are_cut),
    FK_TEST(level_names),
};

FK_TEST_MAIN(tests)
