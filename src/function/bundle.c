// SPDX-License-Identifier: Apache-2.0
#include "function/bundle.h"

#include "base/log.h"
#include "base/mark.h"

void fk_bundle_begin(struct fk_buf *buf)
{
    fk_write_i32(buf, FK_MESSAGE_FORMAT_BUNDLE);
}

void fk_bundle_add(struct fk_buf *buf, struct fk_bytes message)
{
    fk_write_bytes(buf, message);
}

static bool is_bundle(struct fk_bytes message, struct fk_reader *reader)
{
    *reader = fk_reader_of(message);
    int32_t format = fk_read_i32(reader);
    return !reader->failed && format == FK_MESSAGE_FORMAT_BUNDLE;
}

/* The next plain message of a bundle; null where there is none, or what comes is none. */
static struct fk_bytes next_of(struct fk_reader *reader)
{
    struct fk_reader inner;
    if (reader->left == 0) {
        return FK_BYTES_NULL;
    }
    struct fk_bytes message = fk_read_bytes(reader);
    if (reader->failed || message.data == NULL || is_bundle(message, &inner)) {
        FK_MARK(MESSAGE_UNREADABLE);
        fk_log(FK_LOG_ERROR, "a bundle of messages is cut short, or holds another one; the rest of it is dropped");
        reader->left = 0;
        return FK_BYTES_NULL;
    }
    return message;
}

static size_t count_of(struct fk_bytes message)
{
    struct fk_reader reader;
    size_t count = 0;
    if (!is_bundle(message, &reader)) {
        return 1;
    }
    while (reader.left > 0 && !reader.failed) {
        (void)fk_read_bytes(&reader);
        count++;
    }
    return count;
}

/* Adds what one message of the queue holds. */
static void open_one(struct fk_unbundled *unbundled, struct fk_bytes *list, size_t *owner, size_t number,
                     struct fk_bytes message)
{
    struct fk_reader reader;
    if (!is_bundle(message, &reader)) {
        owner[unbundled->count] = number;
        list[unbundled->count++] = message;
        return;
    }
    FK_MARK(BUNDLE_OPENED);
    for (message = next_of(&reader); message.data != NULL; message = next_of(&reader)) {
        owner[unbundled->count] = number;
        list[unbundled->count++] = message;
    }
}

enum fk_err fk_unbundle(struct fk_unbundled *unbundled, const struct fk_bytes *messages, size_t count)
{
    struct fk_reader reader;
    size_t most = 0;
    bool bundles = false;
    *unbundled = (struct fk_unbundled){.messages = messages, .count = count, .given = count, .arena = FK_ARENA_EMPTY};
    for (size_t i = 0; i < count; i++) {
        bundles = bundles || is_bundle(messages[i], &reader);
        most += count_of(messages[i]);
    }
    if (!bundles) {
        return FK_OK;
    }
    struct fk_bytes *list = (struct fk_bytes *)fk_arena_alloc(&unbundled->arena, (most + 1) * sizeof *list);
    size_t *owner = (size_t *)fk_arena_alloc(&unbundled->arena, (most + 1) * sizeof *owner);
    unbundled->count = 0;
    if (list == NULL || owner == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        open_one(unbundled, list, owner, i, messages[i]);
    }
    unbundled->messages = list;
    unbundled->owner = owner;
    return FK_OK;
}

size_t fk_unbundled_done(const struct fk_unbundled *unbundled, size_t done)
{
    if (unbundled->owner == NULL) {
        return done < unbundled->count ? done : unbundled->count;
    }
    return done < unbundled->count ? unbundled->owner[done] : unbundled->given;
}

void fk_unbundled_close(struct fk_unbundled *unbundled)
{
    fk_arena_deinit(&unbundled->arena);
}
