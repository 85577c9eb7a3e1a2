// SPDX-License-Identifier: Apache-2.0
#include "damage.h"

void random_seed(struct random *random, uint64_t seed)
{
    random->state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint64_t next(struct random *random)
{
    uint64_t x = random->state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    random->state = x;
    return x * UINT64_C(0x2545F4914F6CDD1D);
}

size_t random_below(struct random *random, size_t bound)
{
    return (size_t)((next(random) >> 16) % bound);
}

bool random_one_in(struct random *random, size_t chances)
{
    return random_below(random, chances) == 0;
}

void random_bytes(struct random *random, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(next(random) >> 56);
    }
}

static size_t anywhere(struct random *random, const struct fk_buf *bytes)
{
    return random_below(random, bytes->size);
}

/* Removes, doubles or inserts a piece. */
static void move_piece(struct random *random, struct fk_buf *bytes)
{
    struct fk_buf whole = FK_BUF_EMPTY;
    struct fk_bytes view = fk_buf_view(bytes);
    size_t start = anywhere(random, bytes);
    size_t size = 1 + random_below(random, random_one_in(random, 4) ? bytes->size : 16);
    struct fk_bytes piece = fk_bytes_head(fk_bytes_tail(view, start), size);
    fk_buf_append(&whole, fk_bytes_head(view, start));
    switch (random_below(random, 3)) {
    case 0:
        break;
    case 1:
        fk_buf_append(&whole, piece);
        fk_buf_append(&whole, piece);
        break;
    default: {
        uint8_t other[16];
        random_bytes(random, other, sizeof other);
        fk_buf_append(&whole, fk_bytes_of(other, 1 + random_below(random, sizeof other)));
        fk_buf_append(&whole, piece);
        break;
    }
    }
    fk_buf_append(&whole, fk_bytes_tail(view, start + piece.size));
    fk_buf_clear(bytes);
    fk_buf_append(bytes, fk_buf_view(&whole));
    fk_buf_deinit(&whole);
}

/* A number as lengths are: 0, the largest, a little more or less. */
static void change_number(struct random *random, struct fk_buf *bytes)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t at = anywhere(random, bytes);
    size_t width = 1 + random_below(random, 3);
    for (size_t i = at; i < at + width && i < bytes->size; i++) {
        bytes->data[i] = random_one_in(random, 2) ? values[random_below(random, sizeof values)]
                                                  : (uint8_t)(bytes->data[i] + (random_one_in(random, 2) ? 1 : 255));
    }
}

void damage(struct random *random, struct fk_buf *bytes)
{
    size_t strikes = 1 + random_below(random, 4);
    for (size_t i = 0; i < strikes && bytes->size > 0; i++) {
        switch (random_below(random, 6)) {
        case 0:
            bytes->data[anywhere(random, bytes)] ^= (uint8_t)(1U << random_below(random, 8));
            break;
        case 1:
            random_bytes(random, &bytes->data[anywhere(random, bytes)], 1);
            break;
        case 2:
            bytes->size = random_one_in(random, 4) ? anywhere(random, bytes) : bytes->size;
            break;
        case 3:
            change_number(random, bytes);
            break;
        default:
            move_piece(random, bytes);
            break;
        }
    }
}
