// SPDX-License-Identifier: Apache-2.0
#include "driver/local/log_reader.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/mutant.h"
#include "wire/jute.h"

#include <inttypes.h>

enum {
    READ_AHEAD_SIZE = 256 * 1024,
};

/* Makes a segment the current one. */
static enum fk_err enter(struct fk_log_reader *reader, int64_t first, struct fk_diag *diag)
{
    size_t room = reader->segment_count + 1;
    struct fk_segment *larger = (struct fk_segment *)fk_realloc(reader->segments, room * sizeof *larger);
    if (larger == NULL) {
        return FK_ERR_NOMEM;
    }
    reader->segments = larger;
    enum fk_err err = fk_segment_open(reader->files, first, reader->mode, &larger[reader->segment_count], diag);
    if (err == FK_OK) {
        reader->segment_count++;
        fk_log_reader_forget(reader);
        if (reader->position < first + FK_SEGMENT_HEADER_SIZE) {
            reader->position = first + FK_SEGMENT_HEADER_SIZE;
        }
    }
    return err;
}

/* The segment that holds the reader's position: the last that starts at or before it. */
static enum fk_err find_first(struct fk_log_reader *reader, int64_t *first, struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    int64_t *firsts = NULL;
    size_t count = 0;
    enum fk_err err = fk_segment_list(reader->files, &arena, &firsts, &count, diag);
    if (err == FK_OK && count == 0) {
        err = FK_ERR_NOT_FOUND;
    } else if (err == FK_OK && firsts[0] > reader->position) {
        char name[FK_SEGMENT_NAME_SIZE];
        fk_segment_name(firsts[0], name);
        fk_diag_set(diag, "the log is damaged: %s is its first segment, but the checkpoint ends at %016" PRIx64, name,
                    (uint64_t)reader->position);
        err = FK_ERR_DAMAGED;
    }
    for (size_t i = 0; err == FK_OK && i < count && firsts[i] <= reader->position; i++) {
        *first = firsts[i];
    }
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_log_reader_open(struct fk_log_reader *reader, struct fk_files *files, enum fk_open_mode mode,
                               int64_t position, uint32_t chain, struct fk_diag *diag)
{
    *reader = (struct fk_log_reader){
        .files = files, .mode = mode, .position = position, .chain = chain, .durable = position, .limit = INT64_MAX};
    int64_t first = 0;
    enum fk_err err = find_first(reader, &first, diag);
    if (err == FK_OK) {
        err = enter(reader, first, diag);
    }
    if (err == FK_OK && position > first + fk_log_reader_segment(reader)->size) {
        fk_diag_set(diag, "the log is damaged: the segment that holds position %016" PRIx64 " is missing",
                    (uint64_t)position);
        err = FK_ERR_DAMAGED;
    }
    if (err != FK_OK) {
        fk_log_reader_close(reader);
    }
    return err;
}

void fk_log_reader_close(struct fk_log_reader *reader)
{
    for (size_t i = 0; i < reader->segment_count; i++) {
        fk_segment_close(&reader->segments[i]);
    }
    fk_free(reader->segments);
    reader->segments = NULL;
    reader->segment_count = 0;
    fk_buf_deinit(&reader->window);
}

void fk_log_reader_forget(struct fk_log_reader *reader)
{
    fk_buf_clear(&reader->window);
}

void fk_log_reader_fold(struct fk_log_reader *reader)
{
    FK_ASSERT(reader->segment_count > 0);
    size_t last = reader->segment_count - 1;
    for (size_t i = 0; i < last; i++) {
        fk_segment_close(&reader->segments[i]);
    }
    reader->segments[0] = reader->segments[last];
    reader->segment_count = 1;
    fk_buf_deinit(&reader->window);
}

/* Makes `size` bytes at a position of the current segment available in the window; *bytes is NULL where the file has
 * not that many. */
static enum fk_err load(struct fk_log_reader *reader, int64_t position, size_t size, const uint8_t **bytes,
                        struct fk_diag *diag)
{
    struct fk_buf *window = &reader->window;
    int64_t skip = position - reader->window_position;
    if (skip < 0 || (uint64_t)skip > window->size || window->size - (size_t)skip < size) {
        struct fk_segment *segment = fk_log_reader_segment(reader);
        int64_t end = segment->first + segment->size;
        end = end < reader->limit ? end : reader->limit;
        size_t ahead =
            end - position < READ_AHEAD_SIZE ? (size_t)(end > position ? end - position : 0) : READ_AHEAD_SIZE;
        size_t want = size > ahead ? size : ahead;
        fk_buf_clear(window);
        uint8_t *room = fk_buf_reserve(window, want);
        if (room == NULL) {
            return FK_ERR_NOMEM;
        }
        enum fk_err err =
            reader->files->ops->read(segment->file, position - segment->first, room, want, &window->size, diag);
        if (err != FK_OK) {
            window->size = 0;
            return err;
        }
        reader->window_position = position;
        skip = 0;
    }
    *bytes = window->size - (size_t)skip < size ? NULL : window->data + skip;
    return FK_OK;
}

/* Reads and checks the frame at a position of the current segment, its place in the chain excepted. NOT_FOUND. */
static enum fk_err load_frame(struct fk_log_reader *reader, int64_t position, struct fk_frame *frame,
                              const uint8_t **header, struct fk_diag *diag)
{
    const struct fk_segment *segment = fk_log_reader_segment(reader);
    int64_t left = segment->first + segment->size - position;
    if (left < FK_FRAME_HEADER_SIZE) {
        return FK_ERR_NOT_FOUND;
    }
    enum fk_err err = load(reader, position, FK_FRAME_HEADER_SIZE, header, diag);
    if (err != FK_OK) {
        return err;
    }
    if (*header == NULL || !fk_frame_parse(*header, frame) || frame->position != position ||
        (int64_t)frame->payload_size > left - FK_FRAME_HEADER_SIZE) {
        return FK_ERR_NOT_FOUND;
    }
    err = load(reader, position, FK_FRAME_HEADER_SIZE + frame->payload_size, header, diag);
    if (err != FK_OK) {
        return err;
    }
    return *header != NULL && fk_frame_check(*header, frame, segment->seed) ? FK_OK : FK_ERR_NOT_FOUND;
}

static enum fk_err enter_next(struct fk_log_reader *reader, struct fk_diag *diag)
{
    const struct fk_segment *segment = fk_log_reader_segment(reader);
    int64_t first = segment->first + segment->size;
    struct fk_diag cause = {.text = ""};
    enum fk_err err = enter(reader, first, &cause);
    if (err == FK_ERR_NOT_FOUND) { /* it was made, durably, before the frame that leads to it was written */
        char name[FK_SEGMENT_NAME_SIZE];
        fk_segment_name(first, name);
        fk_diag_set(diag, "the log is damaged: its segment %s is missing", name);
        return FK_ERR_DAMAGED;
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "%s", cause.text);
    }
    return err;
}

/* A segment that was left is durable as a whole once its last frame is. */
static void note_durable(struct fk_log_reader *reader, const struct fk_frame *frame)
{
    int64_t durable = frame->durable;
    if (frame->kind == FK_FRAME_SWITCH) {
        reader->left = fk_frame_end(frame);
    } else if (reader->left > 0 && durable >= reader->left) {
        int64_t begin = fk_log_reader_segment(reader)->first + FK_SEGMENT_HEADER_SIZE;
        durable = durable < begin ? begin : durable;
    }
    reader->durable = durable > reader->durable ? durable : reader->durable;
}

enum fk_err fk_log_reader_next(struct fk_log_reader *reader, struct fk_frame *frame, struct fk_bytes *payload,
                               struct fk_diag *diag)
{
    const uint8_t *header = NULL;
    enum fk_err err = FK_OK;
    do {
        err = load_frame(reader, reader->position, frame, &header, diag);
        if (err == FK_OK && frame->previous != reader->chain && !FK_MUTANT(NO_FRAME_CHAIN)) {
            err = FK_ERR_NOT_FOUND; /* H28: from before a cut */
        }
        if (err != FK_OK) {
            return err;
        }
        if (frame->kind == FK_FRAME_SWITCH) {
            err = enter_next(reader, diag);
        } else {
            reader->position = fk_frame_end(frame);
        }
        if (err == FK_OK) {
            reader->chain = frame->crc;
            note_durable(reader, frame);
        }
    } while (err == FK_OK && frame->kind == FK_FRAME_SWITCH);
    *payload = fk_bytes_of(header + FK_FRAME_HEADER_SIZE, frame->payload_size);
    return err;
}

/* The search for a later frame that proves damage. */
struct search {
    int64_t bad;       /* position of the bad frame */
    bool zeros;        /* nothing but zeros so far */
    struct fk_buf buf; /* bytes of the current segment */
};

/* Whether the bytes at a position of the current segment are a valid frame written after `bad` was synced. */
static enum fk_err proves_damage(struct fk_log_reader *reader, const uint8_t *header, int64_t position, int64_t bad,
                                 bool *proof, struct fk_diag *diag)
{
    struct fk_frame frame;
    const uint8_t *unused = NULL;
    if (!fk_frame_parse(header, &frame) || frame.position != position || FK_MUTANT(DAMAGE_IS_TORN) ||
        (frame.durable <= bad && !FK_MUTANT(TORN_IS_DAMAGE))) {
        return FK_OK;
    }
    enum fk_err err = load_frame(reader, position, &frame, &unused, diag);
    *proof = err == FK_OK;
    return err == FK_ERR_NOT_FOUND ? FK_OK : err;
}

static bool all_zeros(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Looks for a proof in `size` bytes of the current segment, which start at `position`. */
static enum fk_err search_piece(struct fk_log_reader *reader, struct search *search, int64_t position, size_t size,
                                bool *proof, struct fk_diag *diag)
{
    const uint8_t *bytes = search->buf.data;
    enum fk_err err = FK_OK;
    if (all_zeros(bytes, size)) {
        return FK_OK;
    }
    search->zeros = false;
    for (size_t at = 0; at + FK_FRAME_HEADER_SIZE <= size && !*proof && err == FK_OK; at++) {
        const uint8_t *found = (const uint8_t *)memchr(bytes + at, 'F', size - at - FK_FRAME_HEADER_SIZE + 1);
        if (found == NULL) {
            break;
        }
        at = (size_t)(found - bytes);
        err = proves_damage(reader, found, position + (int64_t)at, search->bad, proof, diag);
    }
    return err;
}

/* Looks for a proof in the current segment, from a position on. */
static enum fk_err search_segment(struct fk_log_reader *reader, struct search *search, int64_t from, bool *proof,
                                  struct fk_diag *diag)
{
    const struct fk_segment *segment = fk_log_reader_segment(reader);
    int64_t end = segment->first + segment->size;
    fk_buf_clear(&search->buf);
    if (fk_buf_reserve(&search->buf, READ_AHEAD_SIZE) == NULL) {
        return FK_ERR_NOMEM;
    }
    while (from < end && !*proof) {
        size_t want = end - from < READ_AHEAD_SIZE ? (size_t)(end - from) : READ_AHEAD_SIZE;
        size_t got = 0;
        enum fk_err err =
            reader->files->ops->read(segment->file, from - segment->first, search->buf.data, want, &got, diag);
        if (err == FK_OK) {
            err = search_piece(reader, search, from, got, proof, diag);
        }
        if (err != FK_OK) {
            return err;
        }
        if (got < want || from + (int64_t)got == end) {
            break;
        }
        from += (int64_t)got - (FK_FRAME_HEADER_SIZE - 1); /* a header may lie across two pieces */
    }
    return FK_OK;
}

/* Looks in the segments behind the current one; leaves the reader where it was. */
static enum fk_err search_later(struct fk_log_reader *reader, struct search *search, struct fk_log_tail *tail,
                                bool *proof, struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    int64_t *firsts = NULL;
    size_t count = 0;
    int64_t current = fk_log_reader_segment(reader)->first;
    int64_t position = reader->position;
    enum fk_err err = fk_segment_list(reader->files, &arena, &firsts, &count, diag);
    for (size_t i = 0; err == FK_OK && i < count && !*proof; i++) {
        if (firsts[i] <= current) {
            continue;
        }
        tail->later_first = tail->later_first < 0 ? firsts[i] : tail->later_first;
        err = enter(reader, firsts[i], diag);
        if (err == FK_OK) {
            err = search_segment(reader, search, firsts[i] + FK_SEGMENT_HEADER_SIZE, proof, diag);
            reader->segment_count--;
            fk_segment_close(&reader->segments[reader->segment_count]);
        }
        fk_log_reader_forget(reader);
        reader->position = position;
    }
    fk_arena_deinit(&arena);
    return err;
}

enum fk_err fk_log_reader_judge(struct fk_log_reader *reader, struct fk_log_tail *tail, struct fk_diag *diag)
{
    struct search search = {.bad = reader->position, .zeros = true};
    bool proof = false;
    *tail = (struct fk_log_tail){.later_first = -1};
    enum fk_err err = search_segment(reader, &search, reader->position, &proof, diag);
    tail->torn = !search.zeros;
    if (err == FK_OK && !proof) {
        err = search_later(reader, &search, tail, &proof, diag);
    }
    if (err == FK_OK && proof) {
        const struct fk_segment *segment = fk_log_reader_segment(reader);
        char name[FK_SEGMENT_NAME_SIZE];
        fk_segment_name(segment->first, name);
        fk_diag_set(diag,
                    "%s is damaged at offset %" PRId64 ": the frame there is bad, but was synced, a later one says",
                    name, reader->position - segment->first);
        err = FK_ERR_DAMAGED;
    }
    fk_buf_deinit(&search.buf);
    return err;
}

enum fk_err fk_log_reader_fetch(struct fk_log_reader *reader, int64_t position, size_t size, struct fk_buf *out,
                                struct fk_diag *diag)
{
    size_t i = reader->segment_count;
    while (i > 0 && reader->segments[i - 1].first > position) {
        i--;
    }
    FK_ASSERT(i > 0);
    uint8_t *room = fk_buf_reserve(out, size);
    size_t got = 0;
    if (room == NULL) {
        return FK_ERR_NOMEM;
    }
    const struct fk_segment *segment = &reader->segments[i - 1];
    enum fk_err err = reader->files->ops->read(segment->file, position - segment->first, room, size, &got, diag);
    if (err == FK_OK && got < size) {
        fk_diag_set(diag, "the log segment at %016" PRIx64 " has become shorter", (uint64_t)segment->first);
        err = FK_ERR_IO;
    }
    out->size += err == FK_OK ? size : 0;
    return err;
}

/* Writes the frames again that stand at [from, to) of the part's one segment, or up to the one that leads out of it. */
static enum fk_err write_frames(struct fk_log_reader *part, int64_t from, int64_t to, struct fk_diag *diag)
{
    const struct fk_segment *segment = fk_log_reader_segment(part);
    const struct fk_file_ops *ops = segment->file->ops;
    struct fk_frame frame = {.kind = FK_FRAME_DATA};
    enum fk_err err = FK_OK;
    for (int64_t at = from; err == FK_OK && at < to && frame.kind != FK_FRAME_SWITCH; at = fk_frame_end(&frame)) {
        const uint8_t *header = NULL;
        err = load_frame(part, at, &frame, &header, diag);
        if (err == FK_ERR_NOT_FOUND) { /* what is written now must be right */
            char name[FK_SEGMENT_NAME_SIZE];
            fk_segment_name(segment->first, name);
            fk_diag_set(diag, "%s was read in two ways at offset %" PRId64, name, at - segment->first);
            err = FK_ERR_IO;
        }
        if (err == FK_OK) {
            err = ops->write(segment->file, at - segment->first,
                             fk_bytes_of(header, FK_FRAME_HEADER_SIZE + frame.payload_size), diag);
        }
    }
    return err;
}

enum fk_err fk_log_reader_write_again(struct fk_log_reader *reader, struct fk_diag *diag)
{
    enum fk_err err = FK_OK;
    for (size_t i = 0; err == FK_OK && i < reader->segment_count; i++) {
        struct fk_segment *segment = &reader->segments[i];
        struct fk_log_reader part = {
            .files = reader->files, .segments = segment, .segment_count = 1, .limit = INT64_MAX};
        int64_t from = segment->first + FK_SEGMENT_HEADER_SIZE;
        int64_t to = segment->first + segment->size;
        from = from < reader->durable ? reader->durable : from;
        to = to > reader->position ? reader->position : to;
        if (from >= to) {
            continue;
        }
        err = write_frames(&part, from, to, diag);
        fk_buf_deinit(&part.window);
        if (err == FK_OK && i + 1 < reader->segment_count) {
            err = segment->file->ops->sync(segment->file, diag);
        }
    }
    return err;
}
