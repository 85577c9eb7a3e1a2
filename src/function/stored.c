// SPDX-License-Identifier: Apache-2.0
#include "function/stored.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/mark.h"
#include "function/message.h"
#include "function/record.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    DAY_MS = 24 * 3600 * 1000,
    DIGITS = 16,
    NAME_SIZE = 1 + 2 * DIGITS, /* 'm', the day it was put, the message's deduplication id */
    /* The queue's retention, and as much again in a queue of dead letters that somebody may send back. */
    KEPT_DAYS = 2 * (FK_QUEUE_RETENTION_MS / DAY_MS) + 1,
};

/* The day, not the moment: a message that is sent again puts the same blob again, but for once a day. */
static struct fk_bytes make_name(char *name, const struct fk_ports *ports, int64_t deduplication_id)
{
    int64_t day = fk_clock_wall_ms(ports->clock) / DAY_MS;
    (void)snprintf(name, NAME_SIZE + 1, "m%016" PRIx64 "%016" PRIx64, (uint64_t)day, (uint64_t)deduplication_id);
    return fk_bytes_of(name, NAME_SIZE);
}

bool fk_stored_parse(struct fk_bytes name, int64_t now_ms, bool *old)
{
    int64_t day = name.size == NAME_SIZE ? fk_key_number(fk_bytes_of(name.data + 1, DIGITS)) : -1;
    if (day < 0 || name.data[0] != 'm') {
        return false;
    }
    *old = now_ms / DAY_MS - day > KEPT_DAYS;
    return true;
}

enum fk_err fk_stored_send(const struct fk_cloud_options *options, const struct fk_ports *ports, int64_t group,
                           int64_t deduplication_id, struct fk_bytes message)
{
    if (message.size <= (size_t)options->message_size_max) {
        return fk_queue_send(ports->queue, group, deduplication_id, message);
    }
    char name[NAME_SIZE + 1];
    struct fk_bytes blob = make_name(name, ports, deduplication_id);
    enum fk_err err = fk_blob_put(ports->blobs, blob, message);
    if (err != FK_OK) {
        return err;
    }
    FK_MARK(MESSAGE_STORED);
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i32(&buf, FK_MESSAGE_FORMAT_STORED);
    fk_write_bytes(&buf, blob);
    err = buf.failed ? FK_ERR_NOMEM : fk_queue_send(ports->queue, group, deduplication_id, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return err;
}

/* The name in a message that is stored; null for any other. */
static struct fk_bytes name_of(struct fk_bytes message)
{
    bool old = false;
    struct fk_reader reader = fk_reader_of(message);
    int32_t format = fk_read_i32(&reader);
    struct fk_bytes name = fk_read_bytes(&reader);
    bool valid = !reader.failed && format == FK_MESSAGE_FORMAT_STORED && fk_stored_parse(name, 0, &old);
    return valid ? name : FK_BYTES_NULL;
}

/* A message without operations. */
static enum fk_err make_empty(struct fk_arena *arena, struct fk_bytes *message)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_request_message_begin(&buf, &(struct fk_request_message){.ids = FK_BYTES_LITERAL("\0\0\0\0")});
    *message = fk_arena_copy(arena, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return message->data == NULL ? FK_ERR_NOMEM : FK_OK;
}

static enum fk_err fetch(struct fk_stored *stored, int64_t give_up_ms, struct fk_bytes name, struct fk_bytes *message)
{
    const struct fk_ports *ports = stored->ports;
    struct fk_backoff backoff = {.clock = ports->clock, .random = ports->random};
    enum fk_err err = fk_blob_get(ports->blobs, name, &stored->arena, message);
    while ((err == FK_ERR_BUSY || err == FK_ERR_UNKNOWN) && fk_clock_monotonic_ms(ports->clock) < give_up_ms) {
        fk_backoff_wait(&backoff);
        err = fk_blob_get(ports->blobs, name, &stored->arena, message);
    }
    if (err == FK_ERR_NOT_FOUND) {
        FK_MARK(STORED_MESSAGE_GONE);
        fk_log_with(FK_LOG_INFO, "a message came again that was decided: its blob is gone", fk_log_bytes("blob", name));
        err = make_empty(&stored->arena, message);
    }
    return err;
}

enum fk_err fk_stored_open(struct fk_stored *stored, const struct fk_ports *ports, int64_t give_up_ms,
                           const struct fk_bytes *messages, size_t count)
{
    *stored = (struct fk_stored){
        .ports = ports, .given = messages, .messages = messages, .count = count, .arena = FK_ARENA_EMPTY};
    struct fk_bytes *whole = NULL;
    for (size_t i = 0; i < count; i++) {
        struct fk_bytes name = name_of(messages[i]);
        if (name.data == NULL) {
            continue;
        }
        if (whole == NULL) {
            whole = (struct fk_bytes *)fk_arena_alloc(&stored->arena, count * sizeof *whole);
        }
        if (whole == NULL) {
            stored->count = i;
            return FK_ERR_NOMEM;
        }
        if (stored->messages == messages) {
            memcpy(whole, messages, count * sizeof *whole);
            stored->messages = whole;
        }
        enum fk_err err = fetch(stored, give_up_ms, name, &whole[i]);
        if (err != FK_OK) {
            stored->count = i;
            return err;
        }
    }
    return FK_OK;
}

void fk_stored_close(struct fk_stored *stored, size_t done)
{
    for (size_t i = 0; i < done && i < stored->count; i++) {
        struct fk_bytes name = name_of(stored->given[i]);
        if (name.data != NULL) {
            (void)!fk_blob_remove(stored->ports->blobs, name); /* a sweep finds what stays */
        }
    }
    fk_arena_deinit(&stored->arena);
}
