// SPDX-License-Identifier: Apache-2.0
/* A segment is a file of the log, log.<16 hex digits of its first position>. Positions count bytes of the log, file
 * headers and the unused tail of a segment included: the byte at position p of a segment stands at offset p - first of
 * its file, and the next segment starts at first + size. So a segment's name is known before anything is written to it,
 * and it can be made, with all its space, before it is needed. Header, big-endian: 0 magic 8 "FKsegmnt" · 8 format
 * version 4 · 12 seed 4 · 16 first 8 · 24 size 8 · 32 CRC-32C of bytes 0-31, 4 */
#ifndef FK_DRIVER_LOCAL_SEGMENT_H
#define FK_DRIVER_LOCAL_SEGMENT_H

#include "port/file.h"

enum {
    FK_SEGMENT_HEADER_SIZE = 36,
    FK_SEGMENT_VERSION = 2,       /* 2: puts of statistics (codec.h) */
    FK_SEGMENT_VERSION_FIRST = 1, /* the oldest that is read */
    FK_SEGMENT_NAME_SIZE = 21,    /* with the NUL */
};

struct fk_segment {
    struct fk_file *file; /* NULL: none */
    int64_t first;
    int64_t size;     /* of its range of positions; the file may be shorter */
    uint32_t seed;    /* of the CRCs of its frames */
    uint32_t version; /* of its format */
};

#define FK_SEGMENT_NONE ((struct fk_segment){NULL, 0, 0, 0, 0})

void fk_segment_name(int64_t first, char name[FK_SEGMENT_NAME_SIZE]);

/* First positions of the segments in the directory, ascending, in the arena. */
enum fk_err fk_segment_list(struct fk_files *files, struct fk_arena *arena, int64_t **firsts, size_t *count,
                            struct fk_diag *diag);

/* Makes a segment with all its space: under another name first, so that a segment that has its name is whole, and then
 * durably. `zero`: writes zeros all over it, so that the log's writes change no metadata: that doubles what the log can
 * write (measured: 0.25 against 0.5 GB/s), but takes a while. After an error there is none (what may remain is
 * overwritten by the next try). */
enum fk_err fk_segment_create(struct fk_files *files, int64_t first, int64_t size, uint32_t seed, bool zero,
                              struct fk_segment *segment, struct fk_diag *diag);

/* Makes a copy's file: the header of `like`, no space. Not durable yet. */
enum fk_err fk_segment_create_like(struct fk_files *files, const struct fk_segment *like, struct fk_segment *segment,
                                   struct fk_diag *diag);

/* Opens a segment and checks its header. DAMAGED and VERSION name the file. */
enum fk_err fk_segment_open(struct fk_files *files, int64_t first, enum fk_open_mode mode, struct fk_segment *segment,
                            struct fk_diag *diag);

/* Raises the version of a segment of an older format that is to be written to. The header stands in one sector. Not
 * durable yet. */
enum fk_err fk_segment_upgrade(struct fk_segment *segment, struct fk_diag *diag);

/* NONE is allowed; leaves NONE. */
void fk_segment_close(struct fk_segment *segment);

/* Removes what an interrupted fk_segment_create has left. */
enum fk_err fk_segment_sweep(struct fk_files *files, struct fk_diag *diag);

#endif
