// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: the payload of a log frame. All changes of it are read; each is written again, within its bound, and
 * what was written must come out the same from a second round (the open ACL has two encodings, written is the short
 * one). */
#include "driver/local/codec.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct fk_change *change, struct fk_arena *arena)
{
    struct fk_buf first = FK_BUF_EMPTY;
    struct fk_buf second = FK_BUF_EMPTY;
    struct fk_change again;
    fk_change_write(&first, change);
    FK_ASSERT(fk_buf_left(&first) <= fk_change_size(change));
    struct fk_reader reader = fk_reader_of(fk_buf_view(&first));
    enum fk_err err = fk_change_read(&reader, arena, &again);
    FK_ASSERT(err == FK_OK);
    FK_ASSERT(reader.left == 0);
    FK_ASSERT(again.count == change->count);
    fk_change_write(&second, &again);
    FK_ASSERT(fk_bytes_equal(fk_buf_view(&first), fk_buf_view(&second)));
    fk_buf_deinit(&first);
    fk_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_reader reader = fk_reader_of(fk_bytes_of(data, size));
    while (reader.left > 0) {
        struct fk_change change;
        size_t before = reader.left;
        enum fk_err err = fk_change_read(&reader, &arena, &change);
        if (err != FK_OK) {
            FK_ASSERT(err == FK_ERR_MALFORMED);
            break;
        }
        FK_ASSERT(reader.left < before);
        check_round_trip(&change, &arena);
    }
    fk_arena_deinit(&arena);
    return 0;
}
