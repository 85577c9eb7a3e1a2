// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

static const uint8_t alphabet[64] = {'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P',
                                     'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'a', 'b', 'c', 'd', 'e', 'f',
                                     'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v',
                                     'w', 'x', 'y', 'z', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '/'};

/* One more than what a character stands for; 0 for others. */
static const uint8_t values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

void fk_base64_append(struct fk_buf *buf, struct fk_bytes bytes)
{
    uint8_t *out = fk_buf_reserve(buf, fk_base64_size(bytes.size));
    const uint8_t *in = bytes.data;
    size_t left = bytes.size;
    if (out == NULL) {
        return;
    }
    for (; left >= 3; left -= 3, in += 3, out += 4) {
        uint32_t word = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = alphabet[word >> 18];
        out[1] = alphabet[word >> 12 & 63];
        out[2] = alphabet[word >> 6 & 63];
        out[3] = alphabet[word & 63];
    }
    if (left > 0) {
        uint32_t word = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0);
        out[0] = alphabet[word >> 18];
        out[1] = alphabet[word >> 12 & 63];
        out[2] = left > 1 ? alphabet[word >> 6 & 63] : '=';
        out[3] = '=';
    }
    buf->size += fk_base64_size(bytes.size);
}

/* The 24 bits of four characters; false where one is none. */
static bool read_group(const uint8_t *in, uint32_t *word)
{
    uint8_t a = values[in[0]];
    uint8_t b = values[in[1]];
    uint8_t c = values[in[2]];
    uint8_t d = values[in[3]];
    *word = (uint32_t)(a - 1) << 18 | (uint32_t)(b - 1) << 12 | (uint32_t)(c - 1) << 6 | (uint32_t)(d - 1);
    return a != 0 && b != 0 && c != 0 && d != 0;
}

/* The group with padding at the end. */
static bool read_last(const uint8_t *in, size_t padding, uint8_t *out)
{
    uint8_t group[4] = {in[0], in[1], padding == 2 ? 'A' : in[2], 'A'};
    uint32_t word = 0;
    if (!read_group(group, &word) || (word & (padding == 2 ? 0xffffU : 0xffU)) != 0) {
        return false;
    }
    out[0] = (uint8_t)(word >> 16);
    if (padding == 1) {
        out[1] = (uint8_t)(word >> 8);
    }
    return true;
}

static size_t padding_of(struct fk_bytes text)
{
    if (text.size == 0 || text.data[text.size - 1] != '=') {
        return 0;
    }
    return text.data[text.size - 2] == '=' ? 2 : 1;
}

enum fk_err fk_base64_read(struct fk_bytes text, struct fk_arena *arena, struct fk_bytes *bytes)
{
    if (text.size % 4 != 0) {
        return FK_ERR_MALFORMED;
    }
    size_t padding = padding_of(text);
    size_t size = text.size / 4 * 3 - padding;
    uint8_t *out = (uint8_t *)fk_arena_alloc(arena, size + 1);
    if (out == NULL) {
        return FK_ERR_NOMEM;
    }
    *bytes = fk_bytes_of(out, size);
    const uint8_t *in = text.data;
    size_t groups = text.size / 4 - (padding > 0 ? 1 : 0);
    for (size_t i = 0; i < groups; i++, in += 4, out += 3) {
        uint32_t word = 0;
        if (!read_group(in, &word)) {
            return FK_ERR_MALFORMED;
        }
        out[0] = (uint8_t)(word >> 16);
        out[1] = (uint8_t)(word >> 8);
        out[2] = (uint8_t)word;
    }
    return padding == 0 || read_last(in, padding, out) ? FK_OK : FK_ERR_MALFORMED;
}
