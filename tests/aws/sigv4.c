// SPDX-License-Identifier: Apache-2.0
/* Signs requests as the driver does, for tests/aws/run-sigv4: a JSON object on each line of the standard input, the
 * value of Authorization on each line of the output. */
#include "driver/aws/sigv4.h"
#include "driver/aws/json.h"

#include <stdio.h>

static size_t read_headers(const json_t *list, struct fk_http_header headers[FK_HTTP_HEADERS_MAX])
{
    size_t count = json_array_size(list);
    count = count < FK_HTTP_HEADERS_MAX ? count : FK_HTTP_HEADERS_MAX;
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        headers[i].name = fk_bytes_text(json_string_value(json_array_get(pair, 0)));
        headers[i].value = fk_bytes_text(json_string_value(json_array_get(pair, 1)));
    }
    return count;
}

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value == NULL ? "" : value;
}

static enum fk_err sign(const json_t *line, struct fk_buf *out)
{
    struct fk_http_header headers[FK_HTTP_HEADERS_MAX];
    char hash[FK_SIGV4_HASH_SIZE];
    enum fk_err err = fk_sigv4_hash(fk_json_text(line, "body"), hash);
    const struct fk_sigv4_key key = {
        .id = text(line, "id"),
        .secret = text(line, "secret"),
        .region = text(line, "region"),
        .service = text(line, "service"),
    };
    const struct fk_sigv4_request request = {
        .method = text(line, "method"),
        .target = fk_json_text(line, "target"),
        .headers = headers,
        .header_count = read_headers(json_object_get(line, "headers"), headers),
        .body_hash = hash,
        .time_ms = (int64_t)json_integer_value(json_object_get(line, "time_ms")),
        .path_as_is = strcmp(key.service, "s3") == 0,
    };
    return err == FK_OK ? fk_sigv4_authorize(&key, &request, out) : err;
}

int main(void)
{
    json_error_t error;
    json_t *line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &error);
    while (line != NULL) {
        struct fk_buf out = FK_BUF_EMPTY;
        enum fk_err err = sign(line, &out);
        if (err != FK_OK) {
            (void)fprintf(stderr, "sigv4: %s\n", fk_err_text(err));
            return 1;
        }
        (void)printf("%.*s\n", (int)fk_buf_left(&out), (const char *)fk_buf_view(&out).data);
        fk_buf_deinit(&out);
        json_decref(line);
        line = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &error);
    }
    return 0;
}
