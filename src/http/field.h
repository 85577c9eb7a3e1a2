// SPDX-License-Identifier: Apache-2.0
/* What requests and answers have in common: lines, tokens, header fields, lengths (RFC 9110, RFC 9112). */
#ifndef FK_HTTP_FIELD_H
#define FK_HTTP_FIELD_H

#include "http/request.h"

bool fk_http_is_token(struct fk_bytes text);
bool fk_http_equal_in_any_case(struct fk_bytes left, const char *right);
struct fk_bytes fk_http_trim(struct fk_bytes text);

/* Takes a line that ends with CRLF; false where there is none. */
bool fk_http_take_line(struct fk_bytes *input, struct fk_bytes *line);
/* Takes what stands in front of a blank, and the blank; false where there is none. */
bool fk_http_take_word(struct fk_bytes *line, struct fk_bytes *word);

/* Reads "name: value"; false where it is none: folded lines, blanks before the colon, control characters. */
bool fk_http_field_parse(struct fk_bytes line, struct fk_http_header *header);

/* Digits only, and not so many that they overflow; -1 otherwise. */
int64_t fk_http_length_parse(struct fk_bytes text);

/* The size of the head at the front of `input`, the empty line included; 0 where it does not end within
 * FK_HTTP_HEAD_SIZE_MAX bytes. */
size_t fk_http_head_size(struct fk_bytes input);

/* The value of a hexadecimal digit; -1 for other bytes. */
int fk_http_hex_digit(uint8_t c);

#endif
