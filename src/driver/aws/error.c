// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/error.h"

#include "driver/aws/json.h"

#include <stdio.h>

enum {
    XML_SIZE_MAX = 64 * 1024, /* S3's largest has 2 KB */
};

static bool is_code_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
           c == '-';
}

/* "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "NoSuchKey:http://...", "AWS.X;Sender". */
static void set_code(struct fk_bytes text, char code[FK_AWS_CODE_SIZE])
{
    const uint8_t *mark = text.size == 0 ? NULL : (const uint8_t *)memchr(text.data, '#', text.size);
    if (mark != NULL) {
        text = fk_bytes_tail(text, (size_t)(mark - text.data) + 1);
    }
    size_t size = 0;
    while (size < text.size && size < FK_AWS_CODE_SIZE - 1 && is_code_char(text.data[size])) {
        code[size] = (char)text.data[size];
        size++;
    }
    code[size] = '\0';
}

static void set_message(struct fk_bytes text, char message[FK_AWS_MESSAGE_SIZE])
{
    size_t size = 0;
    while (size < text.size && size < FK_AWS_MESSAGE_SIZE - 1 && text.data[size] != '\n' && text.data[size] != '\r') {
        uint8_t c = text.data[size];
        message[size] = (char)(c < ' ' || c >= 0x7f ? '?' : c);
        size++;
    }
    message[size] = '\0';
}

/* The first of these members that is a string. */
static struct fk_bytes first_text(const json_t *object, const char *const names[3])
{
    for (size_t i = 0; i < 3; i++) {
        struct fk_bytes text = fk_json_text(object, names[i]);
        if (text.size > 0) {
            return text;
        }
    }
    return FK_BYTES_NULL;
}

static void read_json(struct fk_bytes body, char code[FK_AWS_CODE_SIZE], char message[FK_AWS_MESSAGE_SIZE])
{
    static const char *const of_code[3] = {"__type", "code", "Code"};
    static const char *const of_message[3] = {"message", "Message", "errorMessage"};
    json_t *json = fk_json_load(body);
    set_code(first_text(json, of_code), code);
    set_message(first_text(json, of_message), message);
    json_decref(json);
}

/* What stands in the first element of this name; null without one. */
static struct fk_bytes element(struct fk_bytes xml, const char *open, const char *close)
{
    const uint8_t *begin = (const uint8_t *)memmem(xml.data, xml.size, open, strlen(open));
    if (begin == NULL) {
        return FK_BYTES_NULL;
    }
    struct fk_bytes rest = fk_bytes_tail(xml, (size_t)(begin - xml.data) + strlen(open));
    const uint8_t *end = rest.size == 0 ? NULL : (const uint8_t *)memmem(rest.data, rest.size, close, strlen(close));
    return end == NULL ? FK_BYTES_NULL : fk_bytes_head(rest, (size_t)(end - rest.data));
}

/* Resolves the five entities that XML knows by name; others stay as they are. */
static size_t unescape(struct fk_bytes text, char *out, size_t size)
{
    static const struct {
        const char *entity;
        char c;
    } rows[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
    size_t end = 0;
    while (text.size > 0 && end < size) {
        char c = (char)text.data[0];
        size_t used = 1;
        for (size_t i = 0; c == '&' && i < sizeof rows / sizeof rows[0]; i++) {
            size_t length = strlen(rows[i].entity);
            if (text.size >= length && memcmp(text.data, rows[i].entity, length) == 0) {
                c = rows[i].c;
                used = length;
                break;
            }
        }
        out[end++] = c;
        text = fk_bytes_tail(text, used);
    }
    return end;
}

static void read_xml(struct fk_bytes body, char code[FK_AWS_CODE_SIZE], char message[FK_AWS_MESSAGE_SIZE])
{
    struct fk_bytes xml = fk_bytes_head(body, XML_SIZE_MAX);
    char text[FK_AWS_MESSAGE_SIZE];
    set_code(element(xml, "<Code>", "</Code>"), code);
    size_t size = unescape(element(xml, "<Message>", "</Message>"), text, sizeof text);
    set_message(fk_bytes_of(text, size), message);
}

static struct fk_bytes trim_left(struct fk_bytes body)
{
    while (body.size > 0 && (body.data[0] == ' ' || body.data[0] == '\n' || body.data[0] == '\r')) {
        body = fk_bytes_tail(body, 1);
    }
    return body;
}

void fk_aws_error_read(const struct fk_http_answer *answer, char code[FK_AWS_CODE_SIZE],
                       char message[FK_AWS_MESSAGE_SIZE])
{
    struct fk_bytes body = trim_left(answer->body);
    code[0] = '\0';
    message[0] = '\0';
    if (body.size > 0 && body.data[0] == '{') {
        read_json(body, code, message);
    } else if (body.size > 0 && body.data[0] == '<') {
        read_xml(body, code, message);
    }
    struct fk_bytes type = fk_http_answer_header(answer, "x-amzn-errortype");
    if (type.size > 0) {
        set_code(type, code);
    }
    if (code[0] == '\0') {
        set_code(fk_http_answer_header(answer, "x-amzn-query-error"), code);
    }
    if (code[0] == '\0') {
        (void)snprintf(code, FK_AWS_CODE_SIZE, "Http%d", answer->status);
    }
}

/* None: this action was not the reason. */
static bool is_passing_reason(struct fk_bytes code, bool *is_reason)
{
    static const char *const passing[] = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"};
    if (fk_bytes_equal_text(code, "None")) {
        return true;
    }
    *is_reason = true;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        if (fk_bytes_equal_text(code, passing[i])) {
            return true;
        }
    }
    return false;
}

bool fk_aws_error_is_conflict(struct fk_bytes body)
{
    json_t *json = fk_json_load(body);
    const json_t *reasons = json_object_get(json, "CancellationReasons");
    bool has_reason = false;
    bool is_passing = true;
    for (size_t i = 0; i < json_array_size(reasons) && is_passing; i++) {
        struct fk_bytes code = fk_json_text(json_array_get(reasons, i), "Code");
        is_passing = code.size > 0 && is_passing_reason(code, &has_reason);
    }
    json_decref(json);
    return has_reason && is_passing;
}
