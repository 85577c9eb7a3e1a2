// SPDX-License-Identifier: Apache-2.0
/* What the codecs of records share (record.c, record_events.c): the format byte in front, vectors, and the rule that
 * nothing may follow a record. */
#ifndef FK_FUNCTION_RECORD_CODEC_H
#define FK_FUNCTION_RECORD_CODEC_H

#include "function/record.h"

enum {
    FK_RECORD_WATCH_KINDS = FK_WATCH_DATA | FK_WATCH_CHILD | FK_WATCH_PERSISTENT | FK_WATCH_RECURSIVE,
};

/* Starts to read: VERSION for a newer format, DAMAGED for none. */
enum fk_err fk_record_open(struct fk_bytes value, struct fk_reader *reader);
/* DAMAGED where the reader failed, or bytes are left. */
enum fk_err fk_record_close(const struct fk_reader *reader);
void fk_record_begin(struct fk_buf *buf);

/* The length of a vector of items of at least `item_size` bytes, checked against what is left; fails for null. */
size_t fk_record_read_length(struct fk_reader *reader, size_t item_size);
void fk_record_write_length(struct fk_buf *buf, size_t count);

/* A byte that is at most `max`. */
uint8_t fk_record_read_byte(struct fk_reader *reader, uint8_t max);
void fk_record_write_byte(struct fk_buf *buf, uint8_t value);

/* Bytes that may be empty, but not null. */
struct fk_bytes fk_record_read_some(struct fk_reader *reader);

/* Memory for `count` items; NULL where there are none, or without memory (*err is NOMEM then). */
void *fk_record_items(struct fk_arena *arena, size_t count, size_t item_size, enum fk_err *err);

#endif
