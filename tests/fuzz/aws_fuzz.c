// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: what comes from AWS and from its files: bodies of errors, credentials, shared files, URLs, times; and
 * the canonical form of a request, which doesn't change when it is made again. The first byte says which. */
#include "base/assert.h"
#include "driver/aws/credentials.h"
#include "driver/aws/error.h"
#include "driver/aws/retry.h"
#include "driver/aws/shared_file.h"
#include "driver/aws/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size)
{
    FK_ASSERT(memchr(text, '\0', size) != NULL);
    for (const char *at = text; *at != '\0'; at++) {
        FK_ASSERT(*at >= ' ' && *at < 0x7f);
    }
}

static void check_error(struct fk_bytes body)
{
    char code[FK_AWS_CODE_SIZE];
    char message[FK_AWS_MESSAGE_SIZE];
    const struct fk_http_answer answer = {.status = 400, .body = body};
    fk_aws_error_read(&answer, code, message);
    check_text(code, sizeof code);
    check_text(message, sizeof message);
    FK_ASSERT(code[0] != '\0');
    FK_ASSERT(fk_aws_judge(&answer, code).err != FK_OK);
    (void)fk_aws_judge(&answer, "TransactionCanceledException");
}

static void check_keys(struct fk_bytes text)
{
    static struct fk_aws_keys keys;
    struct fk_diag diag = {""};
    if (fk_aws_keys_parse(text, &keys, &diag) == FK_OK) {
        check_text(keys.id, sizeof keys.id);
        check_text(keys.secret, sizeof keys.secret);
        check_text(keys.token, sizeof keys.token);
        FK_ASSERT(keys.id[0] != '\0' && keys.secret[0] != '\0' && keys.expires_ms >= 0);
    } else {
        FK_ASSERT(diag.text[0] != '\0');
    }
    (void)fk_aws_time_parse(text);
    (void)fk_aws_date_parse(text);
}

static void check_file(struct fk_bytes text)
{
    static const char *const outers[] = {"", "s3"};
    for (size_t i = 0; i < 2; i++) {
        struct fk_bytes value = fk_shared_file_get(text, "profile", "default", outers[i], "a");
        FK_ASSERT(value.size == 0 || (value.data >= text.data && value.data + value.size <= text.data + text.size));
        FK_ASSERT(value.size == 0 || memchr(value.data, '\n', value.size) == NULL);
    }
    (void)fk_shared_file_has_section(text, "services", "x");
}

static void check_url(struct fk_bytes bytes)
{
    char url[512];
    struct fk_aws_endpoint endpoint;
    const char *path = NULL;
    size_t size = bytes.size < sizeof url ? bytes.size : sizeof url - 1;
    if (size > 0) {
        memcpy(url, bytes.data, size);
    }
    url[size] = '\0';
    if (fk_aws_endpoint_parse(url, "x", &endpoint, &path, NULL) == FK_OK) {
        check_text(endpoint.host, sizeof endpoint.host);
        FK_ASSERT(endpoint.host[0] != '\0' && endpoint.port > 0 && (*path == '\0' || *path == '/'));
    }
}

static void check_canonical(struct fk_bytes target, bool path_as_is)
{
    struct fk_buf first = FK_BUF_EMPTY;
    struct fk_buf second = FK_BUF_EMPTY;
    struct fk_sigv4_request request = {.method = "GET", .target = target, .body_hash = "x", .path_as_is = path_as_is};
    enum fk_err err = fk_sigv4_canonical(&request, &first);
    FK_ASSERT(err == FK_OK || err == FK_ERR_TOO_LARGE);
    if (err == FK_OK && path_as_is) {
        /* "GET\nPATH\nQUERY\n...": as a target it is its own canonical form. */
        struct fk_bytes rest = fk_bytes_tail(fk_buf_view(&first), 4);
        const uint8_t *end = (const uint8_t *)memchr(rest.data, '\n', rest.size);
        const uint8_t *query = end + 1;
        const uint8_t *query_end = (const uint8_t *)memchr(query, '\n', rest.size - (size_t)(query - rest.data));
        struct fk_buf again = FK_BUF_EMPTY;
        fk_buf_append(&again, fk_bytes_head(rest, (size_t)(end - rest.data)));
        fk_buf_append(&again, FK_BYTES_LITERAL("?"));
        fk_buf_append(&again, fk_bytes_of(query, (size_t)(query_end - query)));
        request.target = fk_buf_view(&again);
        FK_ASSERT(fk_sigv4_canonical(&request, &second) == FK_OK);
        FK_ASSERT(fk_bytes_equal(fk_buf_view(&first), fk_buf_view(&second)));
        fk_buf_deinit(&again);
    }
    fk_buf_deinit(&first);
    fk_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct fk_bytes input = fk_bytes_of(data + 1, size - 1);
    switch (data[0] % 6) {
    case 0:
        check_error(input);
        break;
    case 1:
        check_keys(input);
        break;
    case 2:
        check_file(input);
        break;
    case 3:
        check_url(input);
        break;
    default:
        check_canonical(input, data[0] % 6 == 4);
        break;
    }
    return 0;
}
