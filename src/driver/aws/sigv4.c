// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/sigv4.h"

#include "base/assert.h"
#include "http/field.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <time.h>

enum {
    PARAMETERS_MAX = 64,
    HASH_BYTES = 32,
    DATE_SIZE = 8, /* of the time: 20150830 */
};

void fk_sigv4_time(int64_t time_ms, char text[FK_SIGV4_TIME_SIZE])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    size_t size = gmtime_r(&seconds, &parts) == NULL ? 0 : strftime(text, FK_SIGV4_TIME_SIZE, "%Y%m%dT%H%M%SZ", &parts);
    if (size == 0) {
        (void)snprintf(text, FK_SIGV4_TIME_SIZE, "19700101T000000Z");
    }
}

static void to_hex(const uint8_t bytes[HASH_BYTES], char hex[FK_SIGV4_HASH_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[FK_SIGV4_HASH_SIZE - 1] = '\0';
}

enum fk_err fk_sigv4_hash(struct fk_bytes bytes, char hex[FK_SIGV4_HASH_SIZE])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    if (EVP_Digest(bytes.size == 0 ? "" : (const char *)bytes.data, bytes.size, hash, NULL, EVP_sha256(), NULL) != 1) {
        return FK_ERR_IO;
    }
    to_hex(hash, hex);
    return FK_OK;
}

/* --- encoding --- */

static bool is_unreserved(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static void append_encoded(struct fk_buf *out, struct fk_bytes bytes, const char *also)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (is_unreserved(c) || (c != 0 && strchr(also, c) != NULL)) {
            fk_buf_append(out, fk_bytes_of(&c, 1));
        } else {
            fk_buf_print(out, "%%%02X", c);
        }
    }
}

/* The same of what may be encoded already: %41 and A are one. */
static void append_encoded_once(struct fk_buf *out, struct fk_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        int high = c == '%' && bytes.size - i > 2 ? fk_http_hex_digit(bytes.data[i + 1]) : -1;
        int low = high >= 0 ? fk_http_hex_digit(bytes.data[i + 2]) : -1;
        if (low >= 0) {
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        append_encoded(out, fk_bytes_of(&c, 1), "");
    }
}

/* --- the path --- */

/* Takes the segment in front of the next '/'. */
static struct fk_bytes take_segment(struct fk_bytes *path)
{
    const uint8_t *slash = path->size == 0 ? NULL : (const uint8_t *)memchr(path->data, '/', path->size);
    struct fk_bytes segment = slash == NULL ? *path : fk_bytes_head(*path, (size_t)(slash - path->data));
    *path = slash == NULL ? fk_bytes_of(path->data, 0) : fk_bytes_tail(*path, segment.size + 1);
    return segment;
}

/* Without ".", ".." and empty segments, each of the others encoded. A '/' at the end stays; RFC 3986, 5.2.4, has one
 * behind "a/.." too, AWS's SDKs have none. */
static void append_normal_path(struct fk_buf *out, struct fk_bytes path)
{
    size_t begin = out->size;
    bool ends_in_slash = true;
    fk_buf_append(out, FK_BYTES_LITERAL("/"));
    while (path.size > 0 && !out->failed) {
        size_t before = path.size;
        struct fk_bytes segment = take_segment(&path);
        ends_in_slash = before > segment.size;
        if (fk_bytes_equal_text(segment, "..")) {
            while (out->size > begin + 1 && out->data[--out->size - 1] != '/') {
            }
        } else if (segment.size > 0 && !fk_bytes_equal_text(segment, ".")) {
            append_encoded(out, segment, "");
            fk_buf_append(out, FK_BYTES_LITERAL("/"));
        }
    }
    if (!ends_in_slash && !out->failed && out->size > begin + 1) {
        out->size--;
    }
}

static void append_path(struct fk_buf *out, const struct fk_sigv4_request *request)
{
    struct fk_bytes target = request->target;
    const uint8_t *mark = target.size == 0 ? NULL : (const uint8_t *)memchr(target.data, '?', target.size);
    struct fk_bytes path = mark == NULL ? target : fk_bytes_head(target, (size_t)(mark - target.data));
    if (request->path_as_is) {
        append_encoded(out, path, "/%");
    } else {
        append_normal_path(out, path);
    }
    fk_buf_append(out, FK_BYTES_LITERAL("\n"));
}

/* --- the query --- */

struct parameter {
    size_t name;
    size_t value;
    size_t end;
};

/* A piece of the texts, which may have none at all. */
static struct fk_bytes between(const struct fk_buf *texts, size_t from, size_t to)
{
    return from == to ? FK_BYTES_LITERAL("") : fk_bytes_of(texts->data + from, to - from);
}

static int compare_parameters(const struct fk_buf *texts, const struct parameter *a, const struct parameter *b)
{
    int order = fk_bytes_compare(between(texts, a->name, a->value), between(texts, b->name, b->value));
    return order != 0 ? order : fk_bytes_compare(between(texts, a->value, a->end), between(texts, b->value, b->end));
}

/* Puts the last one of `count` where it belongs. */
static void sort_parameter(const struct fk_buf *texts, struct parameter *parameters, size_t count)
{
    struct parameter last = parameters[count - 1];
    size_t at = count - 1;
    while (at > 0 && compare_parameters(texts, &parameters[at - 1], &last) > 0) {
        parameters[at] = parameters[at - 1];
        at--;
    }
    parameters[at] = last;
}

static enum fk_err append_parameters(struct fk_buf *out, struct fk_bytes query, struct fk_buf *texts)
{
    struct parameter parameters[PARAMETERS_MAX];
    size_t count = 0;
    while (query.size > 0) {
        const uint8_t *mark = (const uint8_t *)memchr(query.data, '&', query.size);
        struct fk_bytes pair = mark == NULL ? query : fk_bytes_head(query, (size_t)(mark - query.data));
        query = fk_bytes_tail(query, pair.size + 1);
        const uint8_t *equals = pair.size == 0 ? NULL : (const uint8_t *)memchr(pair.data, '=', pair.size);
        struct fk_bytes name = equals == NULL ? pair : fk_bytes_head(pair, (size_t)(equals - pair.data));
        if (pair.size == 0) {
            continue;
        }
        if (count == PARAMETERS_MAX) {
            return FK_ERR_TOO_LARGE;
        }
        struct parameter *parameter = &parameters[count++];
        parameter->name = texts->size;
        append_encoded_once(texts, name);
        parameter->value = texts->size;
        append_encoded_once(texts, fk_bytes_tail(pair, name.size + 1));
        parameter->end = texts->size;
        if (texts->failed) {
            return FK_ERR_NOMEM;
        }
        sort_parameter(texts, parameters, count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct parameter *one = &parameters[i];
        fk_buf_append(out, i == 0 ? FK_BYTES_LITERAL("") : FK_BYTES_LITERAL("&"));
        fk_buf_append(out, between(texts, one->name, one->value));
        fk_buf_append(out, FK_BYTES_LITERAL("="));
        fk_buf_append(out, between(texts, one->value, one->end));
    }
    fk_buf_append(out, FK_BYTES_LITERAL("\n"));
    return FK_OK;
}

static enum fk_err append_query(struct fk_buf *out, struct fk_bytes target)
{
    struct fk_buf texts = FK_BUF_EMPTY;
    const uint8_t *mark = target.size == 0 ? NULL : (const uint8_t *)memchr(target.data, '?', target.size);
    struct fk_bytes query = mark == NULL ? FK_BYTES_NULL : fk_bytes_tail(target, (size_t)(mark - target.data) + 1);
    enum fk_err err = append_parameters(out, query, &texts);
    fk_buf_deinit(&texts);
    return err;
}

/* --- headers --- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static int compare_names(struct fk_bytes a, struct fk_bytes b)
{
    for (size_t i = 0; i < a.size && i < b.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) {
            return lower(a.data[i]) < lower(b.data[i]) ? -1 : 1;
        }
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* By their names; those of one name stay in their order. */
static void sort_headers(const struct fk_http_header *headers, size_t count, uint8_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        while (at > 0 && compare_names(headers[order[at - 1]].name, headers[i].name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (uint8_t)i;
    }
}

static void append_lower(struct fk_buf *out, struct fk_bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = lower(name.data[i]);
        fk_buf_append(out, fk_bytes_of(&c, 1));
    }
}

/* Blanks at the ends are none, and several are one. */
static void append_value(struct fk_buf *out, struct fk_bytes value)
{
    value = fk_http_trim(value);
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != ' ' || value.data[i - 1] != ' ') {
            fk_buf_append(out, fk_bytes_of(value.data + i, 1));
        }
    }
}

static void append_headers(struct fk_buf *out, const struct fk_sigv4_request *request, const uint8_t *order)
{
    for (size_t i = 0; i < request->header_count; i++) {
        const struct fk_http_header *header = &request->headers[order[i]];
        bool is_more = i > 0 && compare_names(request->headers[order[i - 1]].name, header->name) == 0;
        if (is_more) {
            fk_buf_append(out, FK_BYTES_LITERAL(","));
        } else {
            fk_buf_append(out, i == 0 ? FK_BYTES_LITERAL("") : FK_BYTES_LITERAL("\n"));
            append_lower(out, header->name);
            fk_buf_append(out, FK_BYTES_LITERAL(":"));
        }
        append_value(out, header->value);
    }
    fk_buf_append(out, FK_BYTES_LITERAL("\n\n"));
}

static void append_names(struct fk_buf *out, const struct fk_sigv4_request *request, const uint8_t *order)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct fk_bytes name = request->headers[order[i]].name;
        if (i == 0 || compare_names(request->headers[order[i - 1]].name, name) != 0) {
            fk_buf_append(out, i == 0 ? FK_BYTES_LITERAL("") : FK_BYTES_LITERAL(";"));
            append_lower(out, name);
        }
    }
}

enum fk_err fk_sigv4_canonical(const struct fk_sigv4_request *request, struct fk_buf *out)
{
    uint8_t order[FK_HTTP_HEADERS_MAX];
    if (request->header_count > FK_HTTP_HEADERS_MAX) {
        return FK_ERR_TOO_LARGE;
    }
    sort_headers(request->headers, request->header_count, order);
    fk_buf_print(out, "%s\n", request->method);
    append_path(out, request);
    enum fk_err err = append_query(out, request->target);
    if (err != FK_OK) {
        return err;
    }
    append_headers(out, request, order);
    append_names(out, request, order);
    fk_buf_print(out, "\n%s", request->body_hash);
    return out->failed ? FK_ERR_NOMEM : FK_OK;
}

/* --- the signature --- */

static bool hmac(struct fk_bytes key, struct fk_bytes text, uint8_t mac[HASH_BYTES])
{
    unsigned int size = 0;
    return HMAC(EVP_sha256(), key.data, (int)key.size, text.data, text.size, mac, &size) != NULL && size == HASH_BYTES;
}

/* The key of a day, a region and a service, and what it signs. */
static bool sign(const struct fk_sigv4_key *key, struct fk_bytes date, struct fk_bytes text,
                 char hex[FK_SIGV4_HASH_SIZE])
{
    struct fk_buf secret = FK_BUF_EMPTY;
    uint8_t mac[HASH_BYTES];
    struct fk_bytes derived = fk_bytes_of(mac, sizeof mac);
    fk_buf_print(&secret, "AWS4%s", key->secret);
    bool done = !secret.failed && hmac(fk_buf_view(&secret), date, mac) &&
                hmac(derived, fk_bytes_text(key->region), mac) && hmac(derived, fk_bytes_text(key->service), mac) &&
                hmac(derived, FK_BYTES_LITERAL("aws4_request"), mac) && hmac(derived, text, mac);
    if (done) {
        to_hex(mac, hex);
    }
    if (secret.data != NULL) {
        OPENSSL_cleanse(secret.data, secret.capacity);
    }
    OPENSSL_cleanse(mac, sizeof mac);
    fk_buf_deinit(&secret);
    return done;
}

enum fk_err fk_sigv4_authorize(const struct fk_sigv4_key *key, const struct fk_sigv4_request *request,
                               struct fk_buf *out)
{
    struct fk_buf text = FK_BUF_EMPTY;
    char hex[FK_SIGV4_HASH_SIZE];
    char when[FK_SIGV4_TIME_SIZE];
    uint8_t order[FK_HTTP_HEADERS_MAX];
    fk_sigv4_time(request->time_ms, when);
    enum fk_err err = fk_sigv4_canonical(request, &text);
    if (err == FK_OK) {
        err = fk_sigv4_hash(fk_buf_view(&text), hex);
    }
    if (err == FK_OK) {
        fk_buf_clear(&text);
        fk_buf_print(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", when, when, key->region, key->service,
                     hex);
        err = text.failed                                                        ? FK_ERR_NOMEM
              : sign(key, fk_bytes_of(when, DATE_SIZE), fk_buf_view(&text), hex) ? FK_OK
                                                                                 : FK_ERR_IO;
    }
    if (err == FK_OK) {
        sort_headers(request->headers, request->header_count, order);
        fk_buf_print(out, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=", key->id, when,
                     key->region, key->service);
        append_names(out, request, order);
        fk_buf_print(out, ", Signature=%s", hex);
        err = out->failed ? FK_ERR_NOMEM : FK_OK;
    }
    fk_buf_deinit(&text);
    return err;
}
