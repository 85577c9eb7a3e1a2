// SPDX-License-Identifier: Apache-2.0
#include "driver/local/segment.h"

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/mutant.h"
#include "wire/jute.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    AT_VERSION = 8,
    AT_SEED = 12,
    AT_FIRST = 16,
    AT_SIZE = 24,
    AT_CRC = 32,
    NAME_PREFIX = 4, /* "log." */
    ZERO_SIZE = 1024 * 1024,
};

static const char magic[] = "FKsegmnt";
static const char unfinished[] = "prepare.tmp";

void fk_segment_name(int64_t first, char name[FK_SEGMENT_NAME_SIZE])
{
    (void)snprintf(name, FK_SEGMENT_NAME_SIZE, "log.%016" PRIx64, (uint64_t)first);
}

/* Reads a name as fk_segment_name writes it; false for any other. */
static bool read_name(const char *name, int64_t *first)
{
    if (strlen(name) != FK_SEGMENT_NAME_SIZE - 1 || memcmp(name, "log.", NAME_PREFIX) != 0 ||
        strspn(name + NAME_PREFIX, "0123456789abcdef") != FK_SEGMENT_NAME_SIZE - 1 - NAME_PREFIX) {
        return false;
    }
    uint64_t value = strtoull(name + NAME_PREFIX, NULL, 16);
    *first = (int64_t)value;
    return value <= INT64_MAX;
}

enum fk_err fk_segment_list(struct fk_files *files, struct fk_arena *arena, int64_t **firsts, size_t *count,
                            struct fk_diag *diag)
{
    const char **names = NULL;
    size_t name_count = 0;
    *count = 0;
    enum fk_err err = files->ops->list(files, arena, &names, &name_count, diag);
    if (err != FK_OK) {
        return err;
    }
    *firsts = (int64_t *)fk_arena_alloc(arena, name_count * sizeof **firsts);
    if (*firsts == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < name_count; i++) { /* the names' order is that of the positions */
        if (read_name(names[i], &(*firsts)[*count])) {
            (*count)++;
        }
    }
    return FK_OK;
}

static void write_header(uint8_t header[FK_SEGMENT_HEADER_SIZE], const struct fk_segment *segment)
{
    memcpy(header, magic, AT_VERSION);
    fk_store_u32(header + AT_VERSION, segment->version);
    fk_store_u32(header + AT_SEED, segment->seed);
    fk_store_u64(header + AT_FIRST, (uint64_t)segment->first);
    fk_store_u64(header + AT_SIZE, (uint64_t)segment->size);
    fk_store_u32(header + AT_CRC, fk_crc32c(0, fk_bytes_of(header, AT_CRC)));
}

/* In slices with a sync each: one sync of it all would make the log's own syncs wait. */
static enum fk_err write_zeros(const struct fk_segment *segment, struct fk_diag *diag)
{
    const struct fk_file_ops *ops = segment->file->ops;
    uint8_t *zeros = (uint8_t *)fk_alloc_zero(segment->size < ZERO_SIZE ? (size_t)segment->size : ZERO_SIZE);
    enum fk_err err = zeros == NULL ? FK_ERR_NOMEM : FK_OK;
    for (int64_t at = 0; at < segment->size && err == FK_OK; at += ZERO_SIZE) {
        int64_t left = segment->size - at;
        err = ops->write(segment->file, at, fk_bytes_of(zeros, left < ZERO_SIZE ? (size_t)left : ZERO_SIZE), diag);
        if (err == FK_OK) {
            err = ops->sync(segment->file, diag);
        }
    }
    fk_free(zeros);
    return err;
}

static enum fk_err fill(struct fk_files *files, struct fk_segment *segment, bool zero, struct fk_diag *diag)
{
    const struct fk_file_ops *ops = files->ops;
    uint8_t header[FK_SEGMENT_HEADER_SIZE];
    char name[FK_SEGMENT_NAME_SIZE];
    write_header(header, segment);
    fk_segment_name(segment->first, name);
    enum fk_err err = ops->allocate(segment->file, segment->size, diag);
    if (err == FK_OK && zero) {
        err = write_zeros(segment, diag);
    }
    if (err == FK_OK) {
        err = ops->write(segment->file, 0, fk_bytes_of(header, sizeof header), diag);
    }
    if (err == FK_OK) {
        err = ops->sync(segment->file, diag);
    }
    if (err == FK_OK) {
        err = ops->rename(files, unfinished, name, diag);
    }
    return err == FK_OK && !FK_MUTANT(RENAME_NOT_SYNCED) ? ops->sync_directory(files, diag) : err;
}

/* Messages about the file shall have the name that it has now. */
static enum fk_err reopen(struct fk_files *files, struct fk_segment *segment, struct fk_diag *diag)
{
    char name[FK_SEGMENT_NAME_SIZE];
    struct fk_file *file = NULL;
    fk_segment_name(segment->first, name);
    enum fk_err err = files->ops->open(files, name, FK_OPEN_WRITE, &file, diag);
    if (err == FK_OK) {
        segment->file->ops->close(segment->file);
        segment->file = file;
    }
    return err;
}

enum fk_err fk_segment_create(struct fk_files *files, int64_t first, int64_t size, uint32_t seed, bool zero,
                              struct fk_segment *segment, struct fk_diag *diag)
{
    *segment = (struct fk_segment){.first = first, .size = size, .seed = seed, .version = FK_SEGMENT_VERSION};
    enum fk_err err = fk_segment_sweep(files, diag);
    if (err == FK_OK) {
        err = files->ops->open(files, unfinished, FK_OPEN_CREATE, &segment->file, diag);
    }
    if (err != FK_OK) {
        return err;
    }
    err = fill(files, segment, zero, diag);
    if (err == FK_OK) {
        err = reopen(files, segment, diag);
    }
    if (err != FK_OK) {
        fk_segment_close(segment);
        (void)fk_segment_sweep(files, NULL); /* gives the space back */
    }
    return err;
}

enum fk_err fk_segment_create_like(struct fk_files *files, const struct fk_segment *like, struct fk_segment *segment,
                                   struct fk_diag *diag)
{
    uint8_t header[FK_SEGMENT_HEADER_SIZE];
    char name[FK_SEGMENT_NAME_SIZE];
    *segment = *like;
    segment->file = NULL;
    write_header(header, segment);
    fk_segment_name(segment->first, name);
    enum fk_err err = files->ops->open(files, name, FK_OPEN_CREATE, &segment->file, diag);
    return err == FK_OK ? files->ops->write(segment->file, 0, fk_bytes_of(header, sizeof header), diag) : err;
}

static enum fk_err check_header(const uint8_t *header, size_t got, const char *name, struct fk_segment *segment,
                                struct fk_diag *diag)
{
    if (got < FK_SEGMENT_HEADER_SIZE || memcmp(header, magic, AT_VERSION) != 0 ||
        fk_load_u32(header + AT_CRC) != fk_crc32c(0, fk_bytes_of(header, AT_CRC))) {
        fk_diag_set(diag, "%s is damaged at offset 0: its header is not that of a log segment", name);
        return FK_ERR_DAMAGED;
    }
    segment->version = fk_load_u32(header + AT_VERSION);
    if (segment->version < FK_SEGMENT_VERSION_FIRST || segment->version > FK_SEGMENT_VERSION) {
        fk_diag_set(diag, "%s has format version %" PRIu32 "; this faaskeeper reads versions %d to %d", name,
                    segment->version, FK_SEGMENT_VERSION_FIRST, FK_SEGMENT_VERSION);
        return FK_ERR_VERSION;
    }
    segment->seed = fk_load_u32(header + AT_SEED);
    segment->size = (int64_t)fk_load_u64(header + AT_SIZE);
    if ((int64_t)fk_load_u64(header + AT_FIRST) != segment->first || segment->size < FK_SEGMENT_HEADER_SIZE ||
        segment->size > INT64_MAX - segment->first) {
        fk_diag_set(diag, "%s is damaged at offset %d: it is not the segment that its name says", name, AT_FIRST);
        return FK_ERR_DAMAGED;
    }
    return FK_OK;
}

enum fk_err fk_segment_open(struct fk_files *files, int64_t first, enum fk_open_mode mode, struct fk_segment *segment,
                            struct fk_diag *diag)
{
    char name[FK_SEGMENT_NAME_SIZE];
    uint8_t header[FK_SEGMENT_HEADER_SIZE];
    size_t got = 0;
    *segment = (struct fk_segment){.first = first};
    fk_segment_name(first, name);
    enum fk_err err = files->ops->open(files, name, mode, &segment->file, diag);
    if (err != FK_OK) {
        return err;
    }
    err = files->ops->read(segment->file, 0, header, sizeof header, &got, diag);
    if (err == FK_OK) {
        err = check_header(header, got, name, segment, diag);
    }
    if (err != FK_OK) {
        fk_segment_close(segment);
    }
    return err;
}

enum fk_err fk_segment_upgrade(struct fk_segment *segment, struct fk_diag *diag)
{
    uint8_t header[FK_SEGMENT_HEADER_SIZE];
    if (segment->version == FK_SEGMENT_VERSION) {
        return FK_OK;
    }
    segment->version = FK_SEGMENT_VERSION;
    write_header(header, segment);
    return segment->file->ops->write(segment->file, 0, fk_bytes_of(header, sizeof header), diag);
}

void fk_segment_close(struct fk_segment *segment)
{
    if (segment->file != NULL) {
        segment->file->ops->close(segment->file);
    }
    *segment = FK_SEGMENT_NONE;
}

enum fk_err fk_segment_sweep(struct fk_files *files, struct fk_diag *diag)
{
    struct fk_diag ignored = {.text = ""};
    enum fk_err err = files->ops->remove(files, unfinished, &ignored);
    if (err != FK_OK && err != FK_ERR_NOT_FOUND) {
        fk_diag_set(diag, "%s", ignored.text);
        return err;
    }
    return FK_OK;
}
