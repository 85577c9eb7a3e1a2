// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/address.h"

enum {
    SCHEME_SIZE = 4,
    KEY_TEXT_SIZE = 1 + 2 * FK_FRAME_KEY_SIZE, /* with '#' */
};

void fk_address_append(struct fk_buf *buf, const struct fk_address *address)
{
    fk_buf_print(buf, "%s:%s#", address->kind == FK_ADDRESS_SQS ? "sqs" : "tcp", address->way);
    for (size_t i = 0; i < FK_FRAME_KEY_SIZE; i++) {
        fk_buf_print(buf, "%02x", address->key[i]);
    }
}

static int digit_of(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool read_key(struct fk_bytes text, uint8_t key[FK_FRAME_KEY_SIZE])
{
    for (size_t i = 0; i < FK_FRAME_KEY_SIZE; i++) {
        int high = digit_of(text.data[2 * i]);
        int low = digit_of(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        key[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

enum fk_err fk_address_read(struct fk_bytes text, struct fk_address *address)
{
    if (text.size <= SCHEME_SIZE + KEY_TEXT_SIZE || text.size > SCHEME_SIZE + FK_ADDRESS_WAY_MAX + KEY_TEXT_SIZE) {
        return FK_ERR_MALFORMED;
    }
    struct fk_bytes scheme = fk_bytes_head(text, SCHEME_SIZE);
    struct fk_bytes key = fk_bytes_tail(text, text.size - KEY_TEXT_SIZE);
    struct fk_bytes way = fk_bytes_of(text.data + SCHEME_SIZE, text.size - SCHEME_SIZE - KEY_TEXT_SIZE);
    bool sqs = fk_bytes_equal_text(scheme, "sqs:");
    if ((!sqs && !fk_bytes_equal_text(scheme, "tcp:")) || key.data[0] != '#' ||
        !read_key(fk_bytes_tail(key, 1), address->key) || memchr(way.data, 0, way.size) != NULL) {
        return FK_ERR_MALFORMED;
    }
    address->kind = sqs ? FK_ADDRESS_SQS : FK_ADDRESS_TCP;
    memcpy(address->way, way.data, way.size);
    address->way[way.size] = '\0';
    return FK_OK;
}
