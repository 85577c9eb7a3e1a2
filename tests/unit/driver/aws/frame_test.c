// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/frame.h"

#include "driver/aws/address.h"
#include "support/test.h"

static const uint8_t key[FK_FRAME_KEY_SIZE] = "the key of the gateway's frames";

static void frames_bring_messages(void **state)
{
    (void)state;
    static const char *const messages[] = {"", "x", "a message"};
    static const int64_t gateways[] = {1, -1, INT64_MIN};
    for (size_t i = 0; i < 3; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_bytes message = FK_BYTES_NULL;
        fk_frame_append(&buf, key, gateways[i], fk_bytes_text(messages[i]));
        assert_int_equal(buf.size, FK_FRAME_HEAD_SIZE + strlen(messages[i]) + FK_FRAME_TAIL_SIZE);
        assert_int_equal(fk_frame_size(buf.data, gateways[i]), buf.size);
        assert_int_equal(fk_frame_read(fk_buf_view(&buf), key, gateways[i], &message), FK_OK);
        fk_assert_text(message, messages[i]);
        assert_int_equal(fk_frame_read(fk_buf_view(&buf), key, gateways[i] + 1, &message), FK_ERR_MALFORMED);
        fk_buf_deinit(&buf);
    }
}

static void the_layout_is_what_the_header_says(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_buf expected = FK_BUF_EMPTY;
    fk_frame_append(&buf, key, 0x0102030405060708, FK_BYTES_LITERAL("hi"));
    /* printf 'FKC1\1\2\3\4\5\6\7\10\0\0\0\2hi' | openssl dgst -sha256 -mac hmac -macopt hexkey:... */
    fk_test_unhex(&expected, "464b4331 0102030405060708 00000002 6869"
                             "bdaba1f036cd3a3397029063f593be6f7a750242312e61dbe61985fbd4e21102");
    fk_assert_bytes(fk_buf_view(&buf), fk_buf_view(&expected));
    fk_buf_deinit(&expected);
    fk_buf_deinit(&buf);
}

static void any_other_bit_is_refused(void **state)
{
    (void)state;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_bytes message;
    fk_frame_append(&buf, key, 7, FK_BYTES_LITERAL("message"));
    for (size_t bit = 0; bit < 8 * buf.size; bit++) {
        buf.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_not_equal(fk_frame_read(fk_buf_view(&buf), key, 7, &message), FK_OK);
        buf.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    uint8_t other[FK_FRAME_KEY_SIZE];
    memcpy(other, key, sizeof other);
    other[31] ^= 1;
    assert_int_equal(fk_frame_read(fk_buf_view(&buf), other, 7, &message), FK_ERR_REFUSED);
    assert_int_equal(fk_frame_read(fk_buf_view(&buf), key, 7, &message), FK_OK);
    fk_buf_deinit(&buf);
}

static void sizes_are_checked_before_anything(void **state)
{
    (void)state;
    struct fk_guard guard;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_bytes message;
    fk_guard_init(&guard, 200);
    fk_frame_append(&buf, key, 7, FK_BYTES_LITERAL("message"));
    for (size_t size = 0; size < buf.size; size++) {
        struct fk_bytes cut = fk_guard_copy(&guard, fk_bytes_head(fk_buf_view(&buf), size));
        assert_int_equal(fk_frame_read(cut, key, 7, &message), FK_ERR_MALFORMED);
    }
    fk_buf_append(&buf, FK_BYTES_LITERAL("x"));
    assert_int_equal(fk_frame_read(fk_buf_view(&buf), key, 7, &message), FK_ERR_MALFORMED);
    static const uint32_t wrong[] = {FK_CHANNEL_MESSAGE_SIZE_MAX + 1, 0x7fffffff, 0x80000000, 0xffffffff};
    for (size_t i = 0; i < 4; i++) {
        for (size_t byte = 0; byte < 4; byte++) {
            buf.data[12 + byte] = (uint8_t)(wrong[i] >> (24 - 8 * byte));
        }
        assert_int_equal(fk_frame_size(buf.data, 7), 0);
    }
    fk_buf_deinit(&buf);
    fk_guard_deinit(&guard);
}

static void addresses_come_back(void **state)
{
    (void)state;
    static const struct fk_address addresses[] = {
        {FK_ADDRESS_SQS, "https://sqs.eu-west-1.amazonaws.com/1/faaskeeper-a-gw-0#1", {1, 2, 0xff}},
        {FK_ADDRESS_TCP, "10.0.0.1:2000", {0}},
        {FK_ADDRESS_TCP, "[::1]:1", {0xab}},
    };
    for (size_t i = 0; i < 3; i++) {
        struct fk_buf buf = FK_BUF_EMPTY;
        struct fk_address read;
        fk_address_append(&buf, &addresses[i]);
        assert_int_equal(fk_address_read(fk_buf_view(&buf), &read), FK_OK);
        assert_int_equal(read.kind, addresses[i].kind);
        assert_string_equal(read.way, addresses[i].way);
        assert_memory_equal(read.key, addresses[i].key, FK_FRAME_KEY_SIZE);
        for (size_t size = 0; size < buf.size; size++) {
            struct fk_bytes cut = fk_bytes_head(fk_buf_view(&buf), size);
            assert_int_equal(fk_address_read(cut, &read), FK_ERR_MALFORMED);
        }
        fk_buf_deinit(&buf);
    }
}

static void other_addresses_are_refused(void **state)
{
    (void)state;
#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    static const char *const wrong[] = {"",
                                        "udp:a:1#" DIGITS,
                                        "sqs:#" DIGITS,
                                        "sqs:a:" DIGITS,
                                        "sqs:a#"
                                        "0G112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                                        "sqs:a#"
                                        "0A112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"};
    struct fk_address read;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(fk_address_read(fk_bytes_text(wrong[i]), &read), FK_ERR_MALFORMED);
    }
    assert_int_equal(fk_address_read(FK_BYTES_LITERAL("sqs:a\0b#" DIGITS), &read), FK_ERR_MALFORMED);
    assert_int_equal(fk_address_read(FK_BYTES_LITERAL("sqs:a#" DIGITS), &read), FK_OK);
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_buf_print(&buf, "sqs:%0511d#" DIGITS, 1);
    assert_int_equal(fk_address_read(fk_buf_view(&buf), &read), FK_OK);
    fk_buf_clear(&buf);
    fk_buf_print(&buf, "sqs:%0512d#" DIGITS, 1);
    assert_int_equal(fk_address_read(fk_buf_view(&buf), &read), FK_ERR_MALFORMED);
    fk_buf_deinit(&buf);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(frames_bring_messages),    FK_TEST(the_layout_is_what_the_header_says),
    FK_TEST(any_other_bit_is_refused), FK_TEST(sizes_are_checked_before_anything),
    FK_TEST(addresses_come_back),      FK_TEST(other_addresses_are_refused),
};

FK_TEST_MAIN(tests)
