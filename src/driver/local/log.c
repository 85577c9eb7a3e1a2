// SPDX-License-Identifier: Apache-2.0
#include "driver/local/log.h"

#include "base/assert.h"
#include "base/mutant.h"

enum {
    /* Behind every frame there is room for an empty one and for the one that leads to the next segment. */
    RESERVE_SIZE = 2 * FK_FRAME_HEADER_SIZE,
    /* Buffers above this size are given back. */
    KEEP_SIZE = 1024 * 1024,
    /* The next segment is made when this part of the current one is used: a server that writes little needs none. */
    PREPARE_PART = 4,
};

static void start(struct fk_log *log, struct fk_files *files, struct fk_segment segment, int64_t position,
                  uint32_t chain)
{
    log->files = files;
    log->current = segment;
    log->chain = chain;
    log->accepted = position;
    log->filling_end = log->next_first = segment.first + segment.size;
    log->filling_size = segment.size;
    atomic_store(&log->written, position);
    atomic_store(&log->synced, position);
    atomic_store(&log->current_first, segment.first);
}

enum fk_err fk_log_begin(struct fk_log *log, struct fk_files *files, int64_t first, int64_t segment_size, uint32_t seed,
                         struct fk_diag *diag)
{
    struct fk_segment segment;
    enum fk_err err = fk_segment_create(files, first, segment_size, seed, false, &segment, diag);
    if (err == FK_OK) {
        start(log, files, segment, first + FK_SEGMENT_HEADER_SIZE, 0);
    }
    return err;
}

static enum fk_err remove_segment(struct fk_files *files, int64_t first, struct fk_diag *diag)
{
    char name[FK_SEGMENT_NAME_SIZE];
    fk_segment_name(first, name);
    return files->ops->remove(files, name, diag);
}

/* Later segments go first and durably: once the log grows again, nothing old may stand behind its end. The last goes
 * first, so that a crash in between leaves no gap. */
static enum fk_err remove_later(struct fk_files *files, int64_t current, struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    int64_t *firsts = NULL;
    size_t count = 0;
    enum fk_err err = fk_segment_list(files, &arena, &firsts, &count, diag);
    while (err == FK_OK && count > 0 && firsts[count - 1] > current) {
        err = remove_segment(files, firsts[--count], diag);
    }
    fk_arena_deinit(&arena);
    return err == FK_OK ? files->ops->sync_directory(files, diag) : err;
}

/* Cutting the file and allocating it again is how it gets zeros without writing them. */
static enum fk_err zero_rest(const struct fk_segment *segment, int64_t *size, int64_t position, bool torn,
                             struct fk_diag *diag)
{
    const struct fk_file_ops *ops = segment->file->ops;
    enum fk_err err = ops->size(segment->file, size, diag);
    if (err != FK_OK || ((!torn || FK_MUTANT(NO_FRAME_CHAIN)) && *size == segment->size)) {
        return err;
    }
    err = ops->truncate(segment->file, position - segment->first, diag);
    *size = position - segment->first;
    if (err != FK_OK) {
        return err;
    }
    struct fk_diag full = {.text = ""};
    err = ops->allocate(segment->file, segment->size, &full);
    if (err == FK_OK) {
        *size = segment->size;
    } else if (err != FK_ERR_FULL) {
        fk_diag_set(diag, "%s", full.text);
    }
    return err == FK_ERR_FULL ? FK_OK : err;
}

enum fk_err fk_log_resume(struct fk_log *log, struct fk_log_reader *reader, const struct fk_log_tail *tail,
                          struct fk_diag *diag)
{
    struct fk_segment *segment = fk_log_reader_segment(reader);
    int64_t size = 0;
    /* Also names may be in the page cache only: that of a segment whose maker died before it had synced them. */
    enum fk_err err = tail->later_first < 0 ? reader->files->ops->sync_directory(reader->files, diag)
                                            : remove_later(reader->files, segment->first, diag);
    if (err == FK_OK && !FK_MUTANT(TAIL_NOT_WRITTEN)) {
        err = fk_log_reader_write_again(reader, diag);
    }
    if (err == FK_OK) {
        err = zero_rest(segment, &size, reader->position, tail->torn, diag);
    }
    if (err == FK_OK) {
        err = fk_segment_upgrade(segment, diag);
    }
    if (err == FK_OK && !FK_MUTANT(TAIL_NOT_SYNCED)) {
        /* What was read may be in the page cache only: it becomes visible now, so it must be durable now. */
        err = segment->file->ops->sync(segment->file, diag);
    }
    if (err == FK_OK) {
        start(log, reader->files, *segment, reader->position, reader->chain);
        log->filling_end = segment->first + size;
        *segment = FK_SEGMENT_NONE;
    }
    fk_log_reader_close(reader);
    return err;
}

void fk_log_deinit(struct fk_log *log)
{
    fk_segment_close(&log->current);
    fk_segment_close(&log->prepared);
    for (size_t i = 0; i < FK_LOG_SWITCHES_MAX; i++) {
        fk_segment_close(&log->entered[i]);
        fk_segment_close(&log->next[i]);
    }
    fk_buf_deinit(&log->filling);
    fk_buf_deinit(&log->writing);
}

static int64_t needed(size_t payload_size)
{
    return FK_FRAME_HEADER_SIZE + (int64_t)payload_size + RESERVE_SIZE;
}

bool fk_log_fits(int64_t segment_size, size_t payload_size)
{
    return payload_size <= UINT32_MAX && needed(payload_size) <= segment_size - FK_SEGMENT_HEADER_SIZE;
}

/* The frame that leads to the next segment needs room in any case; where the disk was full on start, there is none. */
static bool can_switch(const struct fk_log *log)
{
    return log->prepared.file != NULL && log->entered_count < FK_LOG_SWITCHES_MAX &&
           log->accepted + FK_FRAME_HEADER_SIZE <= log->filling_end;
}

bool fk_log_room(const struct fk_log *log, size_t payload_size)
{
    if (payload_size > UINT32_MAX) {
        return false;
    }
    return needed(payload_size) <= log->filling_end - log->accepted ||
           (can_switch(log) && fk_log_fits(log->prepared.size, payload_size));
}

/* Memory for so many bytes; without it the buffer is as before. */
static bool has_memory(struct fk_buf *buf, size_t size)
{
    bool has = fk_buf_reserve(buf, size) != NULL;
    buf->failed = false;
    return has;
}

bool fk_log_promise(struct fk_log *log, size_t payload_size)
{
    /* The frame, the switch before it, and an empty frame that may come first. */
    size_t size = payload_size + (size_t)3 * FK_FRAME_HEADER_SIZE;
    if (!has_memory(&log->filling, size)) {
        return false;
    }
    log->promised = size;
    return true;
}

static void push_frame(struct fk_log *log, enum fk_frame_kind kind, struct fk_bytes payload)
{
    uint8_t header[FK_FRAME_HEADER_SIZE] = {0};
    fk_frame_begin(header, kind, payload.size, log->accepted);
    fk_buf_append(&log->filling, fk_bytes_of(header, sizeof header));
    fk_buf_append(&log->filling, payload);
    FK_ASSERT(!log->filling.failed);
    log->accepted += FK_FRAME_HEADER_SIZE + (int64_t)payload.size;
}

static void switch_segment(struct fk_log *log)
{
    FK_ASSERT(can_switch(log));
    push_frame(log, FK_FRAME_SWITCH, FK_BYTES_NULL);
    log->accepted = log->prepared.first + FK_SEGMENT_HEADER_SIZE;
    log->filling_end = log->next_first = log->prepared.first + log->prepared.size;
    log->filling_size = log->prepared.size;
    log->entered[log->entered_count++] = log->prepared;
    log->prepared = FK_SEGMENT_NONE;
}

int64_t fk_log_push(struct fk_log *log, struct fk_bytes payload)
{
    /* An empty frame may have come since room was promised: its part of the reserve is not needed again. */
    if (needed(payload.size) - FK_FRAME_HEADER_SIZE > log->filling_end - log->accepted) {
        switch_segment(log);
    }
    FK_ASSERT(needed(payload.size) - FK_FRAME_HEADER_SIZE <= log->filling_end - log->accepted);
    push_frame(log, FK_FRAME_DATA, payload);
    log->promised = 0;
    return log->accepted;
}

bool fk_log_can_close(const struct fk_log *log)
{
    return log->accepted + RESERVE_SIZE <= log->filling_end;
}

int64_t fk_log_close(struct fk_log *log)
{
    FK_ASSERT(fk_log_can_close(log));
    if (!has_memory(&log->filling, log->promised + FK_FRAME_HEADER_SIZE)) {
        return -1;
    }
    push_frame(log, FK_FRAME_DATA, FK_BYTES_NULL);
    return log->accepted;
}

bool fk_log_take(struct fk_log *log)
{
    FK_ASSERT(log->writing.size == 0 && log->next_count == 0);
    if (log->filling.size == 0 || (log->promised > 0 && !has_memory(&log->writing, log->promised))) {
        return false;
    }
    struct fk_buf empty = log->writing;
    log->writing = log->filling;
    log->filling = empty;
    memcpy(log->next, log->entered, sizeof log->next);
    memset(log->entered, 0, sizeof log->entered);
    log->next_count = log->entered_count;
    log->entered_count = 0;
    return true;
}

bool fk_log_prepare_first(const struct fk_log *log, bool wanted, int64_t *first)
{
    int64_t used = log->accepted - (log->next_first - log->filling_size);
    *first = log->next_first;
    return log->prepared.file == NULL && (wanted || used > log->filling_size / PREPARE_PART);
}

void fk_log_offer(struct fk_log *log, struct fk_segment segment)
{
    FK_ASSERT(log->prepared.file == NULL);
    log->prepared = segment;
}

bool fk_log_is_short(const struct fk_log *log)
{
    return log->filling_end < log->next_first;
}

enum fk_err fk_log_allocate(struct fk_log *log, struct fk_diag *diag)
{
    enum fk_err err = log->current.file->ops->allocate(log->current.file, log->current.size, diag);
    return err == FK_OK ? log->current.file->ops->sync(log->current.file, diag) : err;
}

void fk_log_extend(struct fk_log *log)
{
    log->filling_end = log->next_first;
}

void fk_log_raise_synced(struct fk_log *log, int64_t position)
{
    int64_t synced = atomic_load(&log->synced);
    while (synced < position && !atomic_compare_exchange_weak(&log->synced, &synced, position)) {
    }
}

enum fk_err fk_log_sync(struct fk_log *log, struct fk_diag *diag)
{
    int64_t written = atomic_load(&log->written);
    enum fk_err err = log->current.file->ops->sync(log->current.file, diag);
    if (err == FK_OK) {
        fk_log_raise_synced(log, written);
    }
    return err;
}

/* Leaves the current segment, which must be durable before anything that follows it is. */
static enum fk_err enter_next(struct fk_log *log, struct fk_diag *diag)
{
    enum fk_err err = FK_MUTANT(SEGMENT_LEFT_EARLY) ? FK_OK : fk_log_sync(log, diag);
    if (err != FK_OK) {
        return err;
    }
    fk_segment_close(&log->current);
    log->current = log->next[0];
    memmove(log->next, log->next + 1, sizeof log->next - sizeof log->next[0]);
    log->next[FK_LOG_SWITCHES_MAX - 1] = FK_SEGMENT_NONE;
    log->next_count--;
    atomic_store(&log->current_first, log->current.first);
    return FK_OK;
}

enum fk_err fk_log_write(struct fk_log *log, struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    size_t done = 0; /* bytes of the buffer that are in a file */
    for (size_t at = 0; at < log->writing.size && err == FK_OK;) {
        struct fk_frame frame;
        bool parsed = fk_frame_parse(log->writing.data + at, &frame);
        FK_ASSERT(parsed);
        log->chain = fk_frame_seal(log->writing.data + at, log->current.seed, log->chain, atomic_load(&log->synced));
        at += FK_FRAME_HEADER_SIZE + frame.payload_size;
        if (frame.kind != FK_FRAME_SWITCH && at < log->writing.size) {
            continue;
        }
        int64_t end = fk_frame_end(&frame);
        int64_t offset = end - (int64_t)(at - done) - log->current.first;
        err = log->current.file->ops->write(log->current.file, offset, fk_bytes_of(log->writing.data + done, at - done),
                                            diag);
        done = at;
        if (err == FK_OK) {
            atomic_store(&log->written, end);
        }
        if (err == FK_OK && frame.kind == FK_FRAME_SWITCH) {
            err = enter_next(log, diag);
        }
    }
    fk_buf_clear(&log->writing);
    fk_buf_trim(&log->writing, KEEP_SIZE);
    return err;
}

enum fk_err fk_log_remove_before(struct fk_files *files, int64_t position, struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    int64_t *firsts = NULL;
    size_t count = 0;
    enum fk_err err = fk_segment_list(files, &arena, &firsts, &count, diag);
    for (size_t i = 0; err == FK_OK && i + 1 < count && firsts[i + 1] <= position; i++) {
        err = remove_segment(files, firsts[i], diag);
    }
    fk_arena_deinit(&arena);
    return err;
}
