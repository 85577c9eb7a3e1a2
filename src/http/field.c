// SPDX-License-Identifier: Apache-2.0
#include "http/field.h"

#include <strings.h>

/* tchar of RFC 9110, 5.6.2. */
static bool is_token_char(uint8_t c)
{
    bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return alphanumeric || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool fk_http_is_token(struct fk_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_char(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

bool fk_http_equal_in_any_case(struct fk_bytes left, const char *right)
{
    return left.size == strlen(right) &&
           (left.size == 0 || strncasecmp((const char *)left.data, right, left.size) == 0);
}

struct fk_bytes fk_http_trim(struct fk_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = fk_bytes_tail(text, 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

bool fk_http_take_line(struct fk_bytes *input, struct fk_bytes *line)
{
    const uint8_t *end = input->size == 0 ? NULL : (const uint8_t *)memchr(input->data, '\n', input->size);
    if (end == NULL || end == input->data || end[-1] != '\r') {
        return false;
    }
    size_t size = (size_t)(end - input->data);
    *line = fk_bytes_head(*input, size - 1);
    *input = fk_bytes_tail(*input, size + 1);
    return true;
}

bool fk_http_take_word(struct fk_bytes *line, struct fk_bytes *word)
{
    const uint8_t *blank = line->size == 0 ? NULL : (const uint8_t *)memchr(line->data, ' ', line->size);
    if (blank == NULL) {
        return false;
    }
    *word = fk_bytes_head(*line, (size_t)(blank - line->data));
    *line = fk_bytes_tail(*line, word->size + 1);
    return true;
}

bool fk_http_field_parse(struct fk_bytes line, struct fk_http_header *header)
{
    const uint8_t *colon = line.size == 0 ? NULL : (const uint8_t *)memchr(line.data, ':', line.size);
    if (colon == NULL) {
        return false;
    }
    header->name = fk_bytes_head(line, (size_t)(colon - line.data));
    header->value = fk_http_trim(fk_bytes_tail(line, header->name.size + 1));
    for (size_t i = 0; i < header->value.size; i++) {
        uint8_t c = header->value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return fk_http_is_token(header->name); /* a folded line begins with a blank, and has no token */
}

int64_t fk_http_length_parse(struct fk_bytes text)
{
    enum {
        DIGITS_MAX = 15,
    };
    int64_t length = 0;
    for (size_t i = 0; i < text.size && i < DIGITS_MAX; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return -1;
        }
        length = length * 10 + (text.data[i] - '0');
    }
    return text.size == 0 || text.size > DIGITS_MAX ? -1 : length;
}

size_t fk_http_head_size(struct fk_bytes input)
{
    struct fk_bytes head = fk_bytes_head(input, FK_HTTP_HEAD_SIZE_MAX);
    const uint8_t *end = head.size < 4 ? NULL : (const uint8_t *)memmem(head.data, head.size, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - head.data) + 4;
}

int fk_http_hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
