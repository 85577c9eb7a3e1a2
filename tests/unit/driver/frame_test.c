// SPDX-License-Identifier: Apache-2.0
#include "driver/local/frame.h"

#include "support/test.h"

enum {
    PAYLOAD_SIZE = 100,
    FRAME_SIZE = FK_FRAME_HEADER_SIZE + PAYLOAD_SIZE,
};

static uint32_t make(uint8_t *bytes, int64_t position)
{
    struct fk_prng prng = fk_test_prng();
    fk_prng_fill(&prng, bytes + FK_FRAME_HEADER_SIZE, PAYLOAD_SIZE);
    fk_frame_begin(bytes, FK_FRAME_DATA, PAYLOAD_SIZE, position);
    return fk_frame_seal(bytes, 77, 0x12345678, 4000);
}

static void test_round_trip(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct fk_frame frame;
    uint32_t crc = make(bytes, INT64_C(0x123456789abc));
    assert_true(fk_frame_parse(bytes, &frame));
    assert_int_equal(frame.kind, FK_FRAME_DATA);
    assert_int_equal(frame.payload_size, PAYLOAD_SIZE);
    assert_int_equal(frame.position, INT64_C(0x123456789abc));
    assert_int_equal(frame.durable, 4000);
    assert_int_equal(frame.previous, 0x12345678);
    assert_int_equal(frame.crc, crc);
    assert_true(fk_frame_check(bytes, &frame, 77));
    assert_int_equal(fk_frame_end(&frame), INT64_C(0x123456789abc) + FRAME_SIZE);
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    (void)make(bytes, 500);
    for (size_t i = 0; i < (size_t)FRAME_SIZE * 8; i++) {
        struct fk_frame frame;
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        bool valid =
            fk_frame_parse(bytes, &frame) && frame.payload_size == PAYLOAD_SIZE && fk_frame_check(bytes, &frame, 77);
        assert_false(valid);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void test_seed_counts(void **state)
{
    (void)state;
    uint8_t bytes[FRAME_SIZE];
    struct fk_frame frame;
    (void)make(bytes, 500);
    assert_true(fk_frame_parse(bytes, &frame));
    assert_false(fk_frame_check(bytes, &frame, 78));
}

static void test_zeros_are_no_frame(void **state)
{
    (void)state;
    const uint8_t zeros[FK_FRAME_HEADER_SIZE] = {0};
    struct fk_frame frame;
    assert_false(fk_frame_parse(zeros, &frame));
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_round_trip),
    FK_TEST(test_every_bit_counts),
    FK_TEST(test_seed_counts),
    FK_TEST(test_zeros_are_no_frame),
};

FK_TEST_MAIN(tests)
