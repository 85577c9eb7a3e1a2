// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: every record of src/wire/records.h, in whole frames. Input: a byte that chooses the kind of frame (enum
 * frame_kind, or ACL_ENTRIES), a byte that is the operation a reply answers, the frame. What was understood is written
 * again: that must have the size of what was read, and come out the same from a second round. */
#include "wire/transcode.h"

#include "base/assert.h"

enum {
    ACL_ENTRIES = FRAME_KINDS,
    CHOICES,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A list of ACL entries without a count, up to the end. */
static void copy_acl_entries(struct fk_reader *reader, struct fk_buf *out)
{
    while (!reader->failed && reader->left > 0) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(reader, &entry);
        fk_write_acl_entry(out, &entry);
    }
}

static bool copy(struct fk_bytes frame, unsigned choice, int32_t op, struct fk_buf *out)
{
    struct fk_reader reader = fk_reader_of(frame);
    if (choice == ACL_ENTRIES) {
        copy_acl_entries(&reader, out);
    } else {
        transcode(&reader, (enum frame_kind)choice, op, out);
    }
    FK_ASSERT(reader.left <= frame.size);
    FK_ASSERT(reader.failed || fk_buf_left(out) == frame.size - reader.left);
    return !reader.failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    unsigned choice = data[0] % CHOICES;
    int32_t op = (int8_t)data[1];
    struct fk_buf first = FK_BUF_EMPTY;
    struct fk_buf second = FK_BUF_EMPTY;
    if (copy(fk_bytes_of(data + 2, size - 2), choice, op, &first)) {
        bool understood = copy(fk_buf_view(&first), choice, op, &second);
        FK_ASSERT(understood);
        FK_ASSERT(fk_bytes_equal(fk_buf_view(&first), fk_buf_view(&second)));
    }
    fk_buf_deinit(&first);
    fk_buf_deinit(&second);
    return 0;
}
