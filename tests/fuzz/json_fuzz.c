// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: JSON and base64. Strings that were read are written and read again the same; what is skipped lies within
 * the text. */
#include "base/assert.h"
#include "base/base64.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_string(struct fk_json *json, struct fk_arena *arena)
{
    struct fk_bytes read = fk_json_string(json, arena);
    struct fk_buf buf = FK_BUF_EMPTY;
    if (read.data != NULL) {
        fk_json_append_string(&buf, read);
        struct fk_json again = fk_json_of(fk_buf_view(&buf));
        FK_ASSERT(fk_bytes_equal(fk_json_string(&again, arena), read));
        FK_ASSERT(fk_json_done(&again));
    }
    fk_buf_deinit(&buf);
}

static void walk(struct fk_json *json, struct fk_arena *arena, int depth)
{
    struct fk_bytes name;
    enum fk_json_kind kind = fk_json_peek(json);
    if (kind == FK_JSON_STRING) {
        check_string(json, arena);
    } else if (kind == FK_JSON_NUMBER) {
        struct fk_json whole = *json;
        (void)fk_json_integer(&whole);
        fk_json_skip(json);
    } else if (kind == FK_JSON_OBJECT && depth < 20) {
        fk_json_enter_object(json);
        while (fk_json_next_member(json, &name)) {
            walk(json, arena, depth + 1);
        }
    } else if (kind == FK_JSON_ARRAY && depth < 20) {
        fk_json_enter_array(json);
        while (fk_json_next_item(json)) {
            walk(json, arena, depth + 1);
        }
    } else {
        fk_json_skip(json);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_bytes text = fk_bytes_of(data, size);
    struct fk_json json = fk_json_of(text);
    struct fk_bytes bytes;
    walk(&json, &arena, 0);
    json = fk_json_of(text);
    struct fk_bytes value = fk_json_value(&json);
    FK_ASSERT(value.data == NULL || (value.data >= data && value.data + value.size <= data + size));
    (void)fk_json_member(text, "a");
    if (fk_base64_read(text, &arena, &bytes) == FK_OK) {
        struct fk_buf buf = FK_BUF_EMPTY;
        fk_base64_append(&buf, bytes);
        FK_ASSERT(fk_bytes_equal(fk_buf_view(&buf), text));
        fk_buf_deinit(&buf);
    }
    fk_arena_deinit(&arena);
    return 0;
}
