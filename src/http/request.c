// SPDX-License-Identifier: Apache-2.0
#include "http/request.h"

#include "http/field.h"

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
    if (!fk_http_take_word(&line, &request->method) || !fk_http_take_word(&line, &target) ||
        !fk_http_is_token(request->method) || !is_target(target)) {
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
    struct fk_http_header header;
    if (!fk_http_field_parse(line, &header)) {
        return FK_HTTP_BAD_REQUEST;
    }
    if (request->header_count == FK_HTTP_HEADERS_MAX) {
        return FK_HTTP_HEADERS_TOO_LARGE;
    }
    request->headers[request->header_count++] = header;
    return FK_HTTP_OK;
}

/* What the headers say of the body and of the connection. */
static int apply_headers(struct fk_http_request *request)
{
    bool has_length = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct fk_http_header *header = &request->headers[i];
        if (fk_http_equal_in_any_case(header->name, "Content-Length")) {
            int64_t length = fk_http_length_parse(header->value);
            if (length < 0 || has_length) {
                return FK_HTTP_BAD_REQUEST;
            }
            has_length = true;
            request->body_size = length;
        } else if (fk_http_equal_in_any_case(header->name, "Transfer-Encoding")) {
            return FK_HTTP_NOT_IMPLEMENTED;
        } else if (fk_http_equal_in_any_case(header->name, "Connection")) {
            request->keep_alive = fk_http_equal_in_any_case(header->value, "close")        ? false
                                  : fk_http_equal_in_any_case(header->value, "keep-alive") ? true
                                                                                           : request->keep_alive;
        } else if (fk_http_equal_in_any_case(header->name, "Expect")) {
            request->expects = fk_http_equal_in_any_case(header->value, "100-continue");
        }
    }
    bool has_body = fk_bytes_equal_text(request->method, "POST") || fk_bytes_equal_text(request->method, "PUT");
    return has_body && !has_length ? FK_HTTP_LENGTH_REQUIRED : FK_HTTP_OK;
}

int fk_http_parse(struct fk_bytes input, struct fk_http_request *request)
{
    request->head_size = fk_http_head_size(input);
    if (request->head_size == 0) {
        return input.size >= FK_HTTP_HEAD_SIZE_MAX ? FK_HTTP_HEADERS_TOO_LARGE : FK_HTTP_INCOMPLETE;
    }
    request->header_count = 0;
    request->body_size = 0;
    request->expects = false;
    struct fk_bytes rest = fk_bytes_head(input, request->head_size - 2);
    struct fk_bytes line;
    int status = fk_http_take_line(&rest, &line) ? parse_request_line(line, request) : FK_HTTP_BAD_REQUEST;
    while (status == FK_HTTP_OK && rest.size > 0) {
        status = fk_http_take_line(&rest, &line) && line.size > 0 ? parse_header(line, request) : FK_HTTP_BAD_REQUEST;
    }
    return status == FK_HTTP_OK ? apply_headers(request) : status;
}

struct fk_bytes fk_http_header(const struct fk_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (fk_http_equal_in_any_case(request->headers[i].name, name)) {
            return request->headers[i].value;
        }
    }
    return FK_BYTES_NULL;
}

static bool decode(struct fk_bytes text, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < text.size; i++) {
        int c = text.data[i] == '+' ? ' ' : text.data[i];
        if (c == '%') {
            int high = text.size - i > 2 ? fk_http_hex_digit(text.data[i + 1]) : -1;
            int low = text.size - i > 2 ? fk_http_hex_digit(text.data[i + 2]) : -1;
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
