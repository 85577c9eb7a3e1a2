// SPDX-License-Identifier: Apache-2.0
#include "base/logline.h"

#include "support/test.h"

static struct fk_log_site site = {.file = "../src/gateway/auth.c", .line = 7};
static char line[FK_LOG_LINE_SIZE_MAX + 1];

static const char *write_line(enum fk_logline_format format, const char *message, const struct fk_log_field *fields,
                              size_t count)
{
    const struct fk_log_record record = {
        .site = &site, .level = FK_LOG_WARN, .message = message, .fields = fields, .field_count = count};
    size_t size = fk_logline_write(line, format, "2026-11-24T01:02:03.004Z", &record);
    assert_true(size <= FK_LOG_LINE_SIZE_MAX);
    line[size] = '\0';
    assert_ptr_equal(strchr(line, '\n'), line + size - 1);
    return line;
}

static void text_lines(void **state)
{
    (void)state;
    const struct fk_log_field fields[] = {fk_log_id("session", 0x1234), fk_log_number("n", -5),
                                          fk_log_text("path", "/a"), fk_log_text("other", "b c=\"d\"\\"),
                                          fk_log_text("none", NULL)};
    assert_string_equal(write_line(FK_LOGLINE_TEXT, "it happened", fields, 5),
                        "2026-11-24T01:02:03.004Z warn  gateway: it happened session=0x1234 n=-5 path=/a "
                        "other=\"b c=\\\"d\\\"\\\\\" none=\"\"\n");
}

static void json_lines(void **state)
{
    (void)state;
    const struct fk_log_field fields[] = {fk_log_id("zxid", -1), fk_log_number("n", INT64_MIN),
                                          fk_log_text("path", "/\"\\")};
    assert_string_equal(write_line(FK_LOGLINE_JSON, "so", fields, 3),
                        "{\"ts\":\"2026-11-24T01:02:03.004Z\",\"level\":\"warn\",\"module\":\"gateway\",\"msg\":\"so\","
                        "\"zxid\":\"0xffffffffffffffff\",\"n\":-9223372036854775808,\"path\":\"/\\\"\\\\\"}\n");
}

static void nothing_a_client_sends_forges_a_line(void **state)
{
    (void)state;
    const char *bad = "/a\nerror\r\t\x1b[31m\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xff\xc0\x80\xed\xa0\x80 Größe";
    const char *told = "/a\\nerror\\r\\t\\u001b[31m\\u007f\\u0085\\u2028\\u202e\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd Größe";
    const struct fk_log_field fields[] = {fk_log_text("path", bad)};
    assert_non_null(strstr(write_line(FK_LOGLINE_TEXT, "m", fields, 1), told));
    assert_non_null(strstr(write_line(FK_LOGLINE_TEXT, bad, NULL, 0), told));
    assert_non_null(strstr(write_line(FK_LOGLINE_JSON, "m", fields, 1), told));
    assert_non_null(strstr(write_line(FK_LOGLINE_JSON, bad, NULL, 0), told));
}

/* Quotes that no backslash stands before. */
static size_t count_quotes(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        if (*text == '\\') {
            text++;
        } else {
            count += *text == '"' ? 1 : 0;
        }
    }
    return count;
}

/* Every length of what comes before makes the cut fall on another place, and text fields follow it. */
static void long_lines_are_cut(void **state)
{
    (void)state;
    char text[FK_LOG_TEXT_SIZE_MAX + 1];
    memset(text, '\1', sizeof text - 1);
    for (size_t size = 0; size < sizeof text; size++) {
        text[size] = '\0';
        const struct fk_log_field fields[] = {fk_log_text("a", text), fk_log_text("b", text), fk_log_text("c", "d"),
                                              fk_log_number("number", 1)};
        (void)write_line(FK_LOGLINE_JSON, "message", fields, 4);
        size_t end = strlen(line);
        assert_string_equal(line + end - 2, "}\n");
        assert_int_equal(count_quotes(line) % 2, 0);
        assert_true(end < FK_LOG_LINE_SIZE_MAX - 64 || strstr(line, "\"cut\":true}\n") != NULL || line[end - 3] == '1');
        (void)write_line(FK_LOGLINE_TEXT, "message", fields, 4);
        text[size] = '\1';
    }
}

static void modules(void **state)
{
    (void)state;
    struct fk_log_site own = {.file = "src/driver/local/log.c", .module = NULL};
    assert_true(fk_bytes_equal_text(fk_logline_module(&own), "driver"));
    own.module = "security";
    assert_true(fk_bytes_equal_text(fk_logline_module(&own), "security"));
    own = (struct fk_log_site){.file = "x.c"};
    assert_true(fk_bytes_equal_text(fk_logline_module(&own), "x.c"));
}

static const struct CMUnitTest tests[] = {
    FK_TEST(text_lines),         FK_TEST(json_lines), FK_TEST(nothing_a_client_sends_forges_a_line),
    FK_TEST(long_lines_are_cut), FK_TEST(modules),
};

FK_TEST_MAIN(tests)
