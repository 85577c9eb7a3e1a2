// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/frame.h"

#include "base/assert.h"

#include <openssl/hmac.h>

enum {
    MAGIC_SIZE = 4,
    SIZE_AT = 12,
};

static void write_big(uint8_t *at, size_t size, uint64_t value)
{
    for (size_t i = size; i > 0; i--) {
        at[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static uint64_t read_big(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static bool sign(const uint8_t key[FK_FRAME_KEY_SIZE], struct fk_bytes bytes, uint8_t mac[FK_FRAME_TAIL_SIZE])
{
    unsigned size = FK_FRAME_TAIL_SIZE;
    return HMAC(EVP_sha256(), key, FK_FRAME_KEY_SIZE, bytes.data, bytes.size, mac, &size) != NULL;
}

void fk_frame_append(struct fk_buf *buf, const uint8_t key[FK_FRAME_KEY_SIZE], int64_t gateway, struct fk_bytes message)
{
    FK_ASSERT(message.size <= FK_CHANNEL_MESSAGE_SIZE_MAX);
    size_t signed_size = FK_FRAME_HEAD_SIZE + message.size;
    uint8_t *frame = fk_buf_reserve(buf, signed_size + FK_FRAME_TAIL_SIZE);
    if (frame == NULL) {
        return;
    }
    memcpy(frame, "FKC1", MAGIC_SIZE);
    write_big(frame + MAGIC_SIZE, 8, (uint64_t)gateway);
    write_big(frame + SIZE_AT, 4, message.size);
    if (message.size > 0) {
        memcpy(frame + FK_FRAME_HEAD_SIZE, message.data, message.size);
    }
    if (!sign(key, fk_bytes_of(frame, signed_size), frame + signed_size)) {
        buf->failed = true; /* OpenSSL is out of memory */
        return;
    }
    buf->size += signed_size + FK_FRAME_TAIL_SIZE;
}

size_t fk_frame_size(const uint8_t *head, int64_t gateway)
{
    uint64_t size = read_big(head + SIZE_AT, 4);
    if (memcmp(head, "FKC1", MAGIC_SIZE) != 0 || read_big(head + MAGIC_SIZE, 8) != (uint64_t)gateway ||
        size > FK_CHANNEL_MESSAGE_SIZE_MAX) {
        return 0;
    }
    return FK_FRAME_HEAD_SIZE + (size_t)size + FK_FRAME_TAIL_SIZE;
}

enum fk_err fk_frame_read(struct fk_bytes frame, const uint8_t key[FK_FRAME_KEY_SIZE], int64_t gateway,
                          struct fk_bytes *message)
{
    uint8_t mac[FK_FRAME_TAIL_SIZE];
    if (frame.size < FK_FRAME_HEAD_SIZE || frame.size != fk_frame_size(frame.data, gateway)) {
        return FK_ERR_MALFORMED;
    }
    struct fk_bytes body = fk_bytes_head(frame, frame.size - FK_FRAME_TAIL_SIZE);
    if (!sign(key, body, mac) ||
        !fk_bytes_equal_secret(fk_bytes_of(mac, sizeof mac), fk_bytes_tail(frame, body.size))) {
        return FK_ERR_REFUSED;
    }
    *message = fk_bytes_tail(body, FK_FRAME_HEAD_SIZE);
    return FK_OK;
}
