// SPDX-License-Identifier: Apache-2.0
/* Frames of operations of 3.5 and later, as the Java client 3.9.4 and its server exchanged them: each is written back
 * to the same bytes, each of its beginnings fails, and the requests say what was asked. */
#include "support/test.h"
#include "wire/golden.h"

static struct golden golden;

static int load(void **state)
{
    (void)fk_test_begin(state);
    golden_load(&golden);
    return 0;
}

static int unload(void **state)
{
    golden_free(&golden);
    return fk_test_end(state);
}

/* True where so much of the frame is a record. */
static bool survives(const struct golden_frame *frame, size_t size)
{
    struct fk_buf out = FK_BUF_EMPTY;
    struct fk_reader reader = fk_reader_of(fk_bytes_head(frame->body, size));
    transcode(&reader, frame->kind, frame->op, &out);
    bool whole = !reader.failed && reader.left == 0;
    if (whole) {
        fk_assert_bytes(fk_buf_view(&out), fk_bytes_head(frame->body, size));
    }
    fk_buf_deinit(&out);
    return whole;
}

static void frames_come_out_as_they_went_in_and_only_whole(void **state)
{
    (void)state;
    assert_true(golden.count >= 20);
    for (size_t i = 0; i < golden.count; i++) {
        const struct golden_frame *frame = &golden.frames[i];
        bool connect = frame->kind == FRAME_CONNECT_REQUEST || frame->kind == FRAME_CONNECT_REPLY;
        for (size_t size = 0; size <= frame->body.size; size++) {
            bool optional = connect && size == frame->body.size - 1; /* the readOnly byte */
            if (survives(frame, size) != (size == frame->body.size || optional)) {
                fail_msg("%s, %zu bytes", frame->name, size);
            }
        }
    }
}

static void assert_watcher(const char *name, enum fk_op op, int32_t kind)
{
    struct fk_reader reader = fk_reader_of(golden_find(&golden, name)->body);
    struct fk_request_header header;
    struct fk_watcher_request request;
    fk_read_request_header(&reader, &header);
    fk_read_watcher_request(&reader, &request);
    assert_false(reader.failed);
    assert_int_equal(header.op, op);
    fk_assert_text(request.path, "/sm");
    assert_int_equal(request.kind, kind);
}

static void watches_are_added_looked_for_and_removed(void **state)
{
    (void)state;
    assert_watcher("java.add-watch-recursive.request", FK_OP_ADD_WATCH, FK_WATCH_MODE_RECURSIVE);
    assert_watcher("java.add-watch-persistent.request", FK_OP_ADD_WATCH, FK_WATCH_MODE_PERSISTENT);
    assert_watcher("java.check-watches.request", FK_OP_CHECK_WATCHES, FK_WATCHER_PERSISTENT);
    assert_watcher("java.remove-watches.request", FK_OP_REMOVE_WATCHES, FK_WATCHER_ANY);
    struct fk_reply_header header;
    struct fk_reader reader = fk_reader_of(golden_find(&golden, "java.remove-watches-none.reply")->body);
    fk_read_reply_header(&reader, &header);
    assert_int_equal(header.code, FK_CODE_NO_WATCHER);
}

static void events_carry_the_zxid_of_their_change(void **state)
{
    (void)state;
    struct fk_reply_header header;
    struct fk_reader reader = fk_reader_of(golden_find(&golden, "java.set-data.event")->body);
    fk_read_reply_header(&reader, &header);
    assert_int_equal(header.xid, FK_XID_NOTIFICATION);
    assert_true(header.zxid > 0);
}

#define GOLDEN_TEST(function) cmocka_unit_test_setup_teardown(function, load, unload)

static const struct CMUnitTest tests[] = {
    GOLDEN_TEST(frames_come_out_as_they_went_in_and_only_whole),
    GOLDEN_TEST(watches_are_added_looked_for_and_removed),
    GOLDEN_TEST(events_carry_the_zxid_of_their_change),
};

FK_TEST_MAIN(tests)
