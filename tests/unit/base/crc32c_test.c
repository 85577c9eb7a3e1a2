// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include "support/test.h"

typedef uint32_t (*crc_fn)(uint32_t crc, struct fk_bytes bytes);

static const crc_fn implementations[] = {fk_crc32c, fk_crc32c_portable};

enum {
    IMPLEMENTATIONS = sizeof implementations / sizeof implementations[0],
};

/* RFC 3720, appendix B.4 (its CRCs are printed in the order of transmission, least significant byte first). */
static void vectors_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0};
    uint8_t ones[32];
    uint8_t up[32];
    uint8_t down[32];
    memset(ones, 0xff, sizeof ones);
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
    }
    static const uint8_t read10[48] = {
        0x01, 0xc0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 4, 0,
        0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 2,    0, 0, 0, 0, 0, 0, 0,
    };
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        crc_fn crc = implementations[i];
        assert_int_equal(crc(0, fk_bytes_of(zeros, 32)), 0x8a9136aa);
        assert_int_equal(crc(0, fk_bytes_of(ones, 32)), 0x62a8ab43);
        assert_int_equal(crc(0, fk_bytes_of(up, 32)), 0x46dd794e);
        assert_int_equal(crc(0, fk_bytes_of(down, 32)), 0x113fdb5c);
        assert_int_equal(crc(0, fk_bytes_of(read10, 48)), 0xd9963a56);
        assert_int_equal(crc(0, FK_BYTES_LITERAL("123456789")), 0xe3069283);
        assert_int_equal(crc(0, FK_BYTES_NULL), 0);
    }
}

static void hardware_equals_portable_at_every_size_and_alignment(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_guard guard;
    fk_guard_init(&guard, 300);
    uint8_t data[300];
    fk_prng_fill(&prng, data, sizeof data);
    for (size_t size = 0; size <= 280; size++) {
        for (size_t offset = 0; offset < 16; offset++) {
            uint32_t seed = (uint32_t)fk_prng_next(&prng);
            struct fk_bytes bytes = fk_guard_copy(&guard, fk_bytes_of(data + offset, size));
            assert_int_equal(fk_crc32c(seed, bytes), fk_crc32c_portable(seed, bytes));
        }
    }
    fk_guard_deinit(&guard);
}

static void parts_give_the_crc_of_the_whole(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    uint8_t data[129];
    fk_prng_fill(&prng, data, sizeof data);
    struct fk_bytes whole = fk_bytes_of(data, sizeof data);
    for (size_t i = 0; i < IMPLEMENTATIONS; i++) {
        uint32_t expected = implementations[i](0, whole);
        for (size_t cut = 0; cut <= whole.size; cut++) {
            uint32_t head = implementations[i](0, fk_bytes_head(whole, cut));
            assert_int_equal(implementations[i](head, fk_bytes_tail(whole, cut)), expected);
        }
    }
}

static void every_flipped_bit_changes_it(void **state)
{
    (void)state;
    uint8_t data[100] = "a log frame";
    uint32_t expected = fk_crc32c(0, fk_bytes_of(data, sizeof data));
    for (size_t bit = 0; bit < sizeof data * 8; bit++) {
        data[bit / 8] = (uint8_t)(data[bit / 8] ^ (1u << (bit % 8)));
        assert_int_not_equal(fk_crc32c(0, fk_bytes_of(data, sizeof data)), expected);
        data[bit / 8] = (uint8_t)(data[bit / 8] ^ (1u << (bit % 8)));
    }
}

static const struct CMUnitTest tests[] = {
    FK_TEST(vectors_of_rfc_3720),
    FK_TEST(hardware_equals_portable_at_every_size_and_alignment),
    FK_TEST(parts_give_the_crc_of_the_whole),
    FK_TEST(every_flipped_bit_changes_it),
};

FK_TEST_MAIN(tests)
