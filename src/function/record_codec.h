// SPDX-License-Identifier: Apache-2.0
/* What the codecs of records share (record.c, record_events.c): the format byte in front, vectors, and the rule that
 * nothing may follow a record. */
#ifndef FK_FUNCTION_RECORD_CODEC_H
#define FK_FUNCTION_RECORD_CODEC_H

#include "function/record.h"

enum {
    FK_RECORD_WATCH_KINDS = FK_WATCH_DATA | FK_WATCH_CHILD | FK_WATCH_PERSISTENT | FK_WATCH_RECURSIVE,
};

/* Formats of records. */
enum {
    FK_RECORD_FIRST = 1,
    FK_RECORD_SMALL = 2, /* of the records that every write puts: numbers as small as they are, the usual left out */
};

/* Starts to read a record whose newest format this is: VERSION for a newer one, DAMAGED for none. */
enum fk_err fk_record_open(struct fk_bytes value, uint8_t newest, struct fk_reader *reader);
/* DAMAGED where the reader failed, or bytes are left. */
enum fk_err fk_record_close(const struct fk_reader *reader);
/* Starts to write one of the first format. */
void fk_record_begin(struct fk_buf *buf);

/* The length of a vector of items of at least `item_size` bytes, checked against what is left; fails for null. */
size_t fk_record_read_length(struct fk_reader *reader, size_t item_size);
void fk_record_write_length(struct fk_buf *buf, size_t count);

/* A byte that is at most `max`. */
uint8_t fk_record_read_byte(struct fk_reader *reader, uint8_t max);
void fk_record_write_byte(struct fk_buf *buf, uint8_t value);

/* Numbers in 7 bits a byte, the low ones first, and the other bit where more follow. `near` to another number: the
 * difference, small whatever its sign; all numbers come back as they were. `small`: an int32_t near to 0. */
uint64_t fk_record_read_number(struct fk_reader *reader);
void fk_record_write_number(struct fk_buf *buf, uint64_t value);
int64_t fk_record_read_near(struct fk_reader *reader, int64_t base);
void fk_record_write_near(struct fk_buf *buf, int64_t value, int64_t base);
int32_t fk_record_read_small(struct fk_reader *reader);
/* As fk_record_read_length, of a count written as a number. */
size_t fk_record_read_number_length(struct fk_reader *reader, size_t item_size);
/* Bytes that may be null, behind their length as a number; `some`: null fails. */
struct fk_bytes fk_record_read_blob(struct fk_reader *reader);
struct fk_bytes fk_record_read_some_blob(struct fk_reader *reader);
void fk_record_write_blob(struct fk_buf *buf, struct fk_bytes bytes);

/* Bytes that may be empty, but not null. */
struct fk_bytes fk_record_read_some(struct fk_reader *reader);

/* Memory for `count` items; NULL where there are none, or without memory (*err is NOMEM then). */
void *fk_record_items(struct fk_arena *arena, size_t count, size_t item_size, enum fk_err *err);

/* The front of a session's record: id, timeout, password, state. */
void fk_record_read_session(struct fk_reader *reader, struct fk_session_record *record);

/* record_old.c: what follows the format byte of records of the first format. */
enum fk_err fk_zx_record_read_old(struct fk_reader *reader, struct fk_arena *arena, struct fk_zx_record *record);
enum fk_err fk_node_record_read_old(struct fk_reader *reader, struct fk_arena *arena, struct fk_node_record *record);
enum fk_err fk_session_record_read_old(struct fk_reader *reader, struct fk_session_record *record);

#endif
