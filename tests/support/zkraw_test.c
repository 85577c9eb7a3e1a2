// SPDX-License-Identifier: Apache-2.0
/* Frames of zkraw against those that kazoo 2.8 encodes for the same requests, and replies cut at every byte. */
#include "zkraw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Compares the frame in buf with its hexadecimal text, and empties buf. */
static void assert_frame(struct zkraw_buf *buf, const char *expected)
{
    char text[512];
    assert_true(buf->size * 2 < sizeof text);
    for (size_t i = 0; i < buf->size; i++) {
        snprintf(text + 2 * i, 3, "%02x", buf->data[i]);
    }
    assert_string_equal(text, expected);
    buf->size = 0;
}

static void frames_are_those_of_kazoo(void **state)
{
    (void)state;
    struct zkraw_buf buf = {0};
    struct zkraw_connect connect = {.last_zxid_seen = 5, .timeout_ms = 10000, .session_id = 0x1122334455667788};
    memcpy(connect.passwd, "0123456789abcdef", sizeof connect.passwd);
    zkraw_put_connect(&buf, &connect);
    assert_frame(&buf, "0000002d000000000000000000000005000027101122334455667788"
                       "000000103031323334353637383961626364656600");
    zkraw_put_create(&buf, 7, "/a", "xy", 2, ZKRAW_CREATE_EPHEMERAL | ZKRAW_CREATE_SEQUENTIAL);
    assert_frame(&buf, "000000330000000700000001000000022f61000000027879"
                       "000000010000001f00000005776f726c6400000006616e796f6e6500000003");
    zkraw_put_delete(&buf, 8, "/a", -1);
    assert_frame(&buf, "000000120000000800000002000000022f61ffffffff");
    zkraw_put_read(&buf, ZKRAW_OP_EXISTS, 9, "/a", false);
    assert_frame(&buf, "0000000f0000000900000003000000022f6100");
    zkraw_put_read(&buf, ZKRAW_OP_GET_DATA, 10, "/a", true);
    assert_frame(&buf, "0000000f0000000a00000004000000022f6101");
    zkraw_put_set_data(&buf, 11, "/a", "xy", 2, 5);
    assert_frame(&buf, "000000180000000b00000005000000022f6100000002787900000005");
    zkraw_put_read(&buf, ZKRAW_OP_GET_CHILDREN, 12, "/a", false);
    assert_frame(&buf, "0000000f0000000c00000008000000022f6100");
    zkraw_put_sync(&buf, 13, "/a");
    assert_frame(&buf, "0000000e0000000d00000009000000022f61");
    zkraw_put_ping(&buf);
    assert_frame(&buf, "00000008fffffffe0000000b");
    zkraw_put_auth(&buf, "digest", "u:p");
    assert_frame(&buf, "0000001dfffffffc00000064000000000000000664696765737400000003753a70");
    zkraw_buf_deinit(&buf);
}

static void a_frame_is_found_when_it_is_whole(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0};
    static const uint8_t negative[] = {0xff, 0xff, 0xff, 0xff};
    const uint8_t *frame = NULL;
    size_t size = 0;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(zkraw_frame_find(bytes, i, &frame, &size), 0);
    }
    assert_int_equal(zkraw_frame_find(bytes, 6, &frame, &size), 1);
    assert_ptr_equal(frame, bytes + 4);
    assert_int_equal(size, 2);
    assert_int_equal(zkraw_frame_find(bytes + 6, 4, &frame, &size), 1);
    assert_int_equal(size, 0);
    assert_int_equal(zkraw_frame_find(negative, 4, &frame, &size), -1);
}

/* A getData reply: xid 3, zxid 9, data "hi", a Stat of bytes 0, 1, 2 ... */
static size_t reply_make(uint8_t *bytes)
{
    static const uint8_t head[] = {0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 2, 'h', 'i'};
    memcpy(bytes, head, sizeof head);
    for (size_t i = 0; i < ZKRAW_STAT_SIZE; i++) {
        bytes[sizeof head + i] = (uint8_t)i;
    }
    return sizeof head + ZKRAW_STAT_SIZE;
}

static void a_reply_cut_anywhere_is_refused(void **state)
{
    (void)state;
    uint8_t bytes[128];
    struct zkraw_reply reply;
    struct zkraw_stat stat = {0};
    size_t data_size = 0;
    size_t size = reply_make(bytes);
    for (size_t cut = 0; cut <= size; cut++) {
        if (!zkraw_read_reply(bytes, cut, &reply)) {
            assert_true(cut < 16);
            continue;
        }
        assert_int_equal(reply.xid, 3);
        assert_int_equal(reply.zxid, 9);
        (void)zkraw_read_buffer(&reply.body, &data_size);
        zkraw_read_stat(&reply.body, &stat);
        assert_int_equal(reply.body.failed, cut < size);
    }
    assert_int_equal(data_size, 2);
    assert_int_equal(stat.czxid, 0x0001020304050607);
    assert_int_equal(stat.version, 0x20212223);
    assert_int_equal(stat.ephemeral_owner, 0x2c2d2e2f30313233);
    assert_int_equal(stat.num_children, 0x38393a3b);
    assert_int_equal(stat.pzxid, 0x3c3d3e3f40414243);
}

static void null_and_negative_lengths(void **state)
{
    (void)state;
    static const uint8_t null[] = {0xff, 0xff, 0xff, 0xff};
    static const uint8_t negative[] = {0xff, 0xff, 0xff, 0xfe};
    size_t size = 1;
    struct zkraw_reader reader = {.cursor = null, .end = null + sizeof null};
    assert_null(zkraw_read_buffer(&reader, &size));
    assert_int_equal(size, 0);
    assert_false(reader.failed);
    reader = (struct zkraw_reader){.cursor = negative, .end = negative + sizeof negative};
    assert_null(zkraw_read_buffer(&reader, &size));
    assert_true(reader.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_of_kazoo),
        cmocka_unit_test(a_frame_is_found_when_it_is_whole),
        cmocka_unit_test(a_reply_cut_anywhere_is_refused),
        cmocka_unit_test(null_and_negative_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
