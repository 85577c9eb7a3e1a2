// SPDX-License-Identifier: Apache-2.0
#include "http/request.h"

#include <strings.h>

/* tchar of RFC 9110, 5.6.2. */
static bool is_token_char(uint8_t c)
{
    bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return alphanumeric || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct fk_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_token_char(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

static bool equal_in_any_case(struct fk_bytes left, const char *right)
{
    return left.size == strlen(right) &&
           (left.size == 0 || strncasecmp((const char *)left.data, right, left.size) == 0);
}

static struct fk_bytes trim(struct fk_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text = fk_bytes_tail(text, 1);
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t')) {
        text.size--;
    }
    return text;
}

/* Takes a line that ends with CRLF; false where there is none. */
static bool take_line(struct fk_bytes *input, struct fk_bytes *line)
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

static bool take_word(struct fk_bytes *line, struct fk_bytes *word)
{
    const uint8_t *blank = line->size == 0 ? NULL : (const uint8_t *)memchr(line->data, ' ', line->size);
    if (blank == NULL) {
        return false;
    }
    *word = fk_bytes_head(*line, (size_t)(blank - line->data));
    *line = fk_bytes_tail(*line, word->size + 1);
    return true;
}

/* Only the origin form: this is no proxy. */
static bool is_target(struct fk_bytes target)
{
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] <= ' ' || target.data[i] >= 0x7f || target.data[i] == '#') {
            return false;
        }
    }
    return target.size > 0 && target.data[0] == '/';
}

static int parse_request_line(struct fk_bytes line, struct fk_http_request *request)
{
    struct fk_bytes target;
    if (!take_word(&line, &request->method) || !take_word(&line, &target) || !is_token(request->method) ||
        !is_target(target)) {
        return FK_HTTP_BAD_REQUEST;
    }
    const uint8_t *mark = (const uint8_t *)memchr(target.data, '?', target.size);
    request->path = mark == NULL ? target : fk_bytes_head(target, (size_t)(mark - target.data));
    request->query = mark == NULL ? FK_BYTES_NULL : fk_bytes_tail(target, request->path.size + 1);
    if (line.size != 8 || memcmp(line.data, "HTTP/1.", 7) != 0) {
        return line.size == 8 && memcmp(line.data, "HTTP/", 5) == 0 ? FK_HTTP_VERSION : FK_HTTP_BAD_REQUEST;
    }
    if (line.data[7] != '0' && line.data[7] != '1') {
        return FK_HTTP_VERSION;
    }
    request->keep_alive = line.data[7] == '1';
    return FK_HTTP_OK;
}

static int parse_header(struct fk_bytes line, struct fk_http_request *request)
{
    const uint8_t *colon = (const uint8_t *)memchr(line.data, ':', line.size);
    if (colon == NULL) {
        return FK_HTTP_BAD_REQUEST;
    }
    struct fk_http_header header = {.name = fk_bytes_head(line, (size_t)(colon - line.data))};
    header.value = trim(fk_bytes_tail(line, header.name.size + 1));
    for (size_t i = 0; i < header.value.size; i++) {
        uint8_t c = header.value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return FK_HTTP_BAD_REQUEST;
        }
    }
    if (!is_token(header.name)) {
        return FK_HTTP_BAD_REQUEST; /* a folded line begins with a blank, and has no token */
    }
    if (request->header_count == FK_HTTP_HEADERS_MAX) {
        return FK_HTTP_HEADERS_TOO_LARGE;
    }
    request->headers[request->header_count++] = header;
    return FK_HTTP_OK;
}

/* Digits only, and not so many that they overflow; -1 otherwise. */
static int64_t parse_length(struct fk_bytes text)
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

/* What the headers say of the body and of the connection. */
static int apply_headers(struct fk_http_request *request)
{
    bool has_length = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct fk_http_header *header = &request->headers[i];
        if (equal_in_any_case(header->name, "Content-Length")) {
            int64_t length = parse_length(header->value);
            if (length < 0 || has_length) {
                return FK_HTTP_BAD_REQUEST;
            }
            has_length = true;
            request->body_size = length;
        } else if (equal_in_any_case(header->name, "Transfer-Encoding")) {
            return FK_HTTP_NOT_IMPLEMENTED;
        } else if (equal_in_any_case(header->name, "Connection")) {
            request->keep_alive = equal_in_any_case(header->value, "close")        ? false
                                  : equal_in_any_case(header->value, "keep-alive") ? true
                                                                                   : request->keep_alive;
        } else if (equal_in_any_case(header->name, "Expect")) {
            request->expects = equal_in_any_case(header->value, "100-continue");
        }
    }
    bool has_body = fk_bytes_equal_text(request->method, "POST") || fk_bytes_equal_text(request->method, "PUT");
    return has_body && !has_length ? FK_HTTP_LENGTH_REQUIRED : FK_HTTP_OK;
}

int fk_http_parse(struct fk_bytes input, struct fk_http_request *request)
{
    struct fk_bytes head = fk_bytes_head(input, FK_HTTP_HEAD_SIZE_MAX);
    const uint8_t *end = head.size < 4 ? NULL : (const uint8_t *)memmem(head.data, head.size, "\r\n\r\n", 4);
    if (end == NULL) {
        return input.size >= FK_HTTP_HEAD_SIZE_MAX ? FK_HTTP_HEADERS_TOO_LARGE : FK_HTTP_INCOMPLETE;
    }
    request->header_count = 0;
    request->body_size = 0;
    request->expects = false;
    request->head_size = (size_t)(end - head.data) + 4;
    struct fk_bytes rest = fk_bytes_head(head, request->head_size - 2);
    struct fk_bytes line;
    int status = take_line(&rest, &line) ? parse_request_line(line, request) : FK_HTTP_BAD_REQUEST;
    while (status == FK_HTTP_OK && rest.size > 0) {
        status = take_line(&rest, &line) && line.size > 0 ? parse_header(line, request) : FK_HTTP_BAD_REQUEST;
    }
    return status == FK_HTTP_OK ? apply_headers(request) : status;
}

struct fk_bytes fk_http_header(const struct fk_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (equal_in_any_case(request->headers[i].name, name)) {
            return request->headers[i].value;
        }
    }
    return FK_BYTES_NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct fk_bytes text, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < text.size; i++) {
        int c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%') {
            int high = text.size - i > 2 ? hex_digit(text.data[i + 1]) : -1;
            int low = text.size - i > 2 ? hex_digit(text.data[i + 2]) : -1;
            c = high < 0 || low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (c == 0 || at + 1 >= size) {
            return false;
        }
        out[at++] = (char)c;
    }
    out[at] = '\0';
    return true;
}

bool fk_http_query(const struct fk_http_request *request, const char *name, char *out, size_t size)
{
    struct fk_bytes rest = request->query;
    size_t name_size = strlen(name);
    while (rest.size > 0) {
        const uint8_t *mark = (const uint8_t *)memchr(rest.data, '&', rest.size);
        struct fk_bytes pair = mark == NULL ? rest : fk_bytes_head(rest, (size_t)(mark - rest.data));
        if (pair.size > name_size && pair.data[name_size] == '=' && memcmp(pair.data, name, name_size) == 0) {
            return decode(fk_bytes_tail(pair, name_size + 1), out, size);
        }
        rest = mark == NULL ? FK_BYTES_NULL : fk_bytes_tail(rest, pair.size + 1);
    }
    return false;
}
