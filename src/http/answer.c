// SPDX-License-Identifier: Apache-2.0
#include "http/answer.h"

#include "http/field.h"

enum {
    CHUNK_SIZE,     /* the line with a chunk's size */
    CHUNK_DATA,     /* its bytes */
    CHUNK_DATA_END, /* the line end behind them */
    CHUNK_TRAILER,  /* lines behind the last chunk */
    CHUNK_END,
};

enum {
    CHUNK_LINE_SIZE_MAX = 4096, /* with its extension; also a trailer's */
    CHUNK_DIGITS_MAX = 15,
};

struct fk_bytes fk_http_answer_header(const struct fk_http_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->header_count; i++) {
        if (fk_http_equal_in_any_case(answer->headers[i].name, name)) {
            return answer->headers[i].value;
        }
    }
    return FK_BYTES_NULL;
}

/* "HTTP/1.1 200 OK"; servers leave out the reason, and some the blank before it. */
static bool parse_status_line(struct fk_bytes line, int *status, bool *keep_alive)
{
    enum {
        VERSION_SIZE = 9,
        STATUS_END = VERSION_SIZE + 3,
    };
    if (line.size < STATUS_END || memcmp(line.data, "HTTP/1.", 7) != 0 || line.data[8] != ' ' ||
        (line.data[7] != '0' && line.data[7] != '1') || (line.size > STATUS_END && line.data[STATUS_END] != ' ')) {
        return false;
    }
    *keep_alive = line.data[7] == '1';
    *status = (int)fk_http_length_parse(fk_bytes_of(line.data + VERSION_SIZE, STATUS_END - VERSION_SIZE));
    return *status >= 100 && *status < 600;
}

/* Whether a list with commas has this word. */
static bool list_has(struct fk_bytes list, const char *word)
{
    while (list.size > 0) {
        const uint8_t *comma = (const uint8_t *)memchr(list.data, ',', list.size);
        struct fk_bytes item = comma == NULL ? list : fk_bytes_head(list, (size_t)(comma - list.data));
        if (fk_http_equal_in_any_case(fk_http_trim(item), word)) {
            return true;
        }
        list = comma == NULL ? FK_BYTES_NULL : fk_bytes_tail(list, item.size + 1);
    }
    return false;
}

/* What the headers say of the body and of the connection. Two lengths that differ, or another coding than chunked, are
 * not guessed at. */
static bool apply_headers(const struct fk_http_answer *answer, bool has_body, struct fk_http_answer_head *head)
{
    int64_t length = -1;
    bool chunked = false;
    for (size_t i = 0; i < answer->header_count; i++) {
        const struct fk_http_header *header = &answer->headers[i];
        if (fk_http_equal_in_any_case(header->name, "Content-Length")) {
            int64_t value = fk_http_length_parse(header->value);
            if (value < 0 || (length >= 0 && length != value)) {
                return false;
            }
            length = value;
        } else if (fk_http_equal_in_any_case(header->name, "Transfer-Encoding")) {
            if (chunked || !fk_http_equal_in_any_case(header->value, "chunked")) {
                return false;
            }
            chunked = true;
        } else if (fk_http_equal_in_any_case(header->name, "Connection")) {
            head->keep_alive = list_has(header->value, "close")        ? false
                               : list_has(header->value, "keep-alive") ? true
                                                                       : head->keep_alive;
        }
    }
    if (!has_body) {
        head->framing = FK_HTTP_BODY_NONE;
        head->body_size = 0;
        return true;
    }
    head->framing = chunked ? FK_HTTP_BODY_CHUNKED : length >= 0 ? FK_HTTP_BODY_SIZED : FK_HTTP_BODY_TO_END;
    head->body_size = head->framing == FK_HTTP_BODY_SIZED ? length : 0;
    if (head->framing == FK_HTTP_BODY_TO_END || (chunked && length >= 0)) {
        head->keep_alive = false; /* both: somebody on the way may have read it otherwise */
    }
    return true;
}

enum fk_http_step fk_http_answer_parse(struct fk_bytes input, bool to_head, struct fk_http_answer *answer,
                                       struct fk_http_answer_head *head)
{
    head->size = fk_http_head_size(input);
    if (head->size == 0) {
        return input.size >= FK_HTTP_HEAD_SIZE_MAX ? FK_HTTP_TOO_LARGE : FK_HTTP_MORE;
    }
    struct fk_bytes rest = fk_bytes_head(input, head->size - 2);
    struct fk_bytes line;
    if (!fk_http_take_line(&rest, &line) || !parse_status_line(line, &answer->status, &head->keep_alive)) {
        return FK_HTTP_BROKEN;
    }
    answer->header_count = 0;
    answer->body = FK_BYTES_LITERAL("");
    while (rest.size > 0) {
        struct fk_http_header header;
        if (!fk_http_take_line(&rest, &line) || !fk_http_field_parse(line, &header)) {
            return FK_HTTP_BROKEN;
        }
        if (answer->header_count == FK_HTTP_HEADERS_MAX) {
            return FK_HTTP_TOO_LARGE;
        }
        answer->headers[answer->header_count++] = header;
    }
    bool has_body = !to_head && answer->status >= 200 && answer->status != 204 && answer->status != 304;
    return apply_headers(answer, has_body, head) ? FK_HTTP_DONE : FK_HTTP_BROKEN;
}

/* "1a2b;extension"; -1 where it is none. */
static int64_t parse_chunk_size(struct fk_bytes line)
{
    int64_t size = 0;
    size_t digits = 0;
    while (digits < line.size && fk_http_hex_digit(line.data[digits]) >= 0) {
        if (digits == CHUNK_DIGITS_MAX) {
            return -1;
        }
        size = size * 16 + fk_http_hex_digit(line.data[digits++]);
    }
    struct fk_bytes rest = fk_http_trim(fk_bytes_tail(line, digits));
    return digits == 0 || (rest.size > 0 && rest.data[0] != ';') ? -1 : size;
}

/* One line of a chunked body: which state comes next. */
static enum fk_http_step take_chunk_line(struct fk_http_chunks *chunks, struct fk_bytes line)
{
    struct fk_http_header trailer;
    switch (chunks->state) {
    case CHUNK_SIZE:
        chunks->left = parse_chunk_size(line);
        chunks->state = chunks->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        return chunks->left < 0 ? FK_HTTP_BROKEN : FK_HTTP_DONE;
    case CHUNK_DATA_END:
        chunks->state = CHUNK_SIZE;
        return line.size == 0 ? FK_HTTP_DONE : FK_HTTP_BROKEN;
    default:
        chunks->state = line.size == 0 ? CHUNK_END : CHUNK_TRAILER;
        if (line.size == 0) {
            return FK_HTTP_DONE;
        }
        if (chunks->trailer_lines++ == FK_HTTP_HEADERS_MAX) {
            return FK_HTTP_TOO_LARGE;
        }
        return fk_http_field_parse(line, &trailer) ? FK_HTTP_DONE : FK_HTTP_BROKEN;
    }
}

/* FK_HTTP_MORE where the line has not ended yet. */
static enum fk_http_step take_chunk_text(struct fk_http_chunks *chunks, struct fk_bytes *rest)
{
    struct fk_bytes bounded = fk_bytes_head(*rest, CHUNK_LINE_SIZE_MAX);
    struct fk_bytes line;
    if (!fk_http_take_line(&bounded, &line)) {
        bool has_end = bounded.size > 0 && memchr(bounded.data, '\n', bounded.size) != NULL;
        return has_end || bounded.size == CHUNK_LINE_SIZE_MAX ? FK_HTTP_BROKEN : FK_HTTP_MORE;
    }
    *rest = fk_bytes_tail(*rest, line.size + 2);
    return take_chunk_line(chunks, line);
}

enum fk_http_step fk_http_chunks_take(struct fk_http_chunks *chunks, struct fk_bytes input, size_t size_max,
                                      size_t *used, struct fk_buf *body)
{
    struct fk_bytes rest = input;
    enum fk_http_step step = FK_HTTP_DONE;
    while (step == FK_HTTP_DONE && chunks->state != CHUNK_END) {
        if (chunks->state != CHUNK_DATA) {
            step = take_chunk_text(chunks, &rest);
            continue;
        }
        struct fk_bytes piece = fk_bytes_head(rest, (size_t)chunks->left);
        if (fk_buf_left(body) + piece.size > size_max) {
            step = FK_HTTP_TOO_LARGE;
            continue;
        }
        fk_buf_append(body, piece);
        rest = fk_bytes_tail(rest, piece.size);
        chunks->left -= (int64_t)piece.size;
        chunks->state = chunks->left == 0 ? CHUNK_DATA_END : CHUNK_DATA;
        step = chunks->left > 0 ? FK_HTTP_MORE : FK_HTTP_DONE;
    }
    *used = input.size - rest.size;
    return step;
}
