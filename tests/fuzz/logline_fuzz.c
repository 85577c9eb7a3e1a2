// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: lines of the log. Whatever a record holds, it makes one line of printable, well-formed UTF-8; a JSON
 * line is one flat object: no quote stands in a string without its backslash. */
#include "base/logline.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a string behind its opening quote: where it ends. Only JSON's escapes may stand in it. */
static size_t skip_string(const char *line, size_t at, size_t size)
{
    while (at < size && line[at] != '"') {
        if (line[at] == '\\') {
            at++;
            FK_ASSERT(at < size && strchr("nrtu\"\\", line[at]) != NULL);
        }
        at++;
    }
    FK_ASSERT(at < size);
    return at + 1;
}

static void check_object(const char *line, size_t size)
{
    size_t at = 1;
    FK_ASSERT(line[0] == '{' && line[size - 2] == '}');
    while (at < size - 2) {
        if (line[at] == '"') {
            at = skip_string(line, at + 1, size - 2);
        } else {
            FK_ASSERT(strchr(":,-0123456789true", line[at]) != NULL);
            at++;
        }
    }
}

static void check_line(const char *line, size_t size)
{
    FK_ASSERT(size > 0 && size <= FK_LOG_LINE_SIZE_MAX && line[size - 1] == '\n');
    for (size_t i = 0; i < size - 1; i++) {
        uint8_t byte = (uint8_t)line[i];
        FK_ASSERT(byte >= 0x20 && byte != 0x7f && byte != 0xff && byte != 0xc0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fk_log_site site = {.file = "src/base/fuzz.c"};
    char line[FK_LOG_LINE_SIZE_MAX];
    char message[256] = "";
    if (size < 2) {
        return 0;
    }
    struct fk_bytes rest = fk_bytes_of(data + 2, size - 2);
    struct fk_bytes first = fk_bytes_head(rest, data[0]);
    struct fk_bytes second = fk_bytes_tail(rest, first.size);
    memcpy(message, first.data, first.size < sizeof message ? first.size : sizeof message - 1);
    const struct fk_log_field fields[] = {fk_log_bytes("path", second), fk_log_id("session", (int64_t)size * data[1]),
                                          fk_log_bytes("user", first), fk_log_number("n", (int64_t)data[1] - 128)};
    const struct fk_log_record record = {.site = &site,
                                         .level = (enum fk_log_level)(data[1] % 4),
                                         .message = message,
                                         .fields = fields,
                                         .field_count = data[1] % 5};
    size_t length = fk_logline_write(line, FK_LOGLINE_TEXT, "2026-11-24T00:00:00.000Z", &record);
    check_line(line, length);
    length = fk_logline_write(line, FK_LOGLINE_JSON, data[1] % 2 == 0 ? NULL : "2026-11-24T00:00:00.000Z", &record);
    check_line(line, length);
    check_object(line, length);
    return 0;
}
