// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/sigv4.h"

#include "support/test.h"

#include <stdlib.h>

enum {
    VECTORS = 38, /* in the file: a run that read none of them would pass */
    FILE_SIZE_MAX = 64 * 1024,
    TEXT_SIZE_MAX = 2048,
};

static const int64_t suite_time_ms = INT64_C(1440938160000); /* 2015-08-30T12:36:00Z */

struct vector {
    char name[96];
    bool normalize;
    bool sign_body;
    bool omit_token;
    char token[TEXT_SIZE_MAX];
    char request[TEXT_SIZE_MAX];
    char canonical[TEXT_SIZE_MAX];
    char signature[TEXT_SIZE_MAX];
};

/* Copies what stands from `from` to `to`. */
static void copy(char *out, const char *from, const char *to)
{
    assert_true(to != NULL && to >= from && (size_t)(to - from) < TEXT_SIZE_MAX);
    memcpy(out, from, (size_t)(to - from));
    out[to - from] = '\0';
}

static const char *part(const char *block, const char *begin, const char *end, char *out)
{
    const char *from = strstr(block, begin);
    assert_non_null(from);
    from += strlen(begin);
    const char *to = strstr(from, end);
    copy(out, from, to);
    return to;
}

static const char *read_vector(const char *block, struct vector *vector)
{
    int normalize = 0;
    int sign_body = 0;
    int omit_token = 0;
    assert_int_equal(sscanf(block, "== %95s\nnormalize %d sign_body %d omit_token %d\ntoken %2047s", vector->name,
                            &normalize, &sign_body, &omit_token, vector->token),
                     5);
    vector->normalize = normalize != 0;
    vector->sign_body = sign_body != 0;
    vector->omit_token = omit_token != 0;
    (void)part(block, "-- request\n", "\n-- header-canonical", vector->request);
    (void)part(block, "-- header-canonical-request\n", "\n-- header-sig", vector->canonical);
    return part(block, "-- header-signature\n", "\n-- end", vector->signature);
}

struct parsed {
    char method[16];
    struct fk_bytes target;
    struct fk_http_header headers[16];
    size_t count;
    const char *body;
};

static void add(struct parsed *parsed, const char *name, const char *value)
{
    parsed->headers[parsed->count++] = (struct fk_http_header){fk_bytes_text(name), fk_bytes_text(value)};
}

/* Reads the request where it stands; a folded line becomes one line. The path may have blanks in it. */
static void parse_request(char *text, struct parsed *parsed)
{
    char *end = strstr(text, "\n\n");
    parsed->count = 0;
    parsed->body = end == NULL ? "" : end + 2;
    if (end != NULL) {
        end[1] = '\0';
    }
    char *target = strchr(text, ' ') + 1;
    char *version = strstr(text, " HTTP/1.1");
    char *line = strchr(text, '\n') + 1;
    (void)snprintf(parsed->method, sizeof parsed->method, "%.*s", (int)(target - text - 1), text);
    parsed->target = fk_bytes_of(target, (size_t)(version - target));
    for (char *at = line; *at != '\0'; at++) {
        if (at[0] == '\n' && at[1] == ' ') {
            *at = ' ';
        }
    }
    while (line != NULL && *line != '\0') {
        char *next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        char *colon = strchr(line, ':');
        *colon = '\0';
        add(parsed, line, colon + 1);
        line = next;
    }
}

static void check_vector(struct vector *vector)
{
    static const struct fk_sigv4_key key = {.id = "AKIDEXAMPLE",
                                            .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                            .region = "us-east-1",
                                            .service = "service"};
    struct parsed parsed;
    char when[FK_SIGV4_TIME_SIZE];
    char hash[FK_SIGV4_HASH_SIZE];
    struct fk_buf out = FK_BUF_EMPTY;
    parse_request(vector->request, &parsed);
    fk_sigv4_time(suite_time_ms, when);
    assert_int_equal(fk_sigv4_hash(fk_bytes_text(parsed.body), hash), FK_OK);
    add(&parsed, "X-Amz-Date", when);
    if (vector->sign_body) {
        add(&parsed, "x-amz-content-sha256", hash);
    }
    if (strcmp(vector->token, "-") != 0 && !vector->omit_token) {
        add(&parsed, "X-Amz-Security-Token", vector->token);
    }
    const struct fk_sigv4_request request = {.method = parsed.method,
                                             .target = parsed.target,
                                             .headers = parsed.headers,
                                             .header_count = parsed.count,
                                             .body_hash = hash,
                                             .time_ms = suite_time_ms,
                                             .path_as_is = !vector->normalize};
    assert_int_equal(fk_sigv4_canonical(&request, &out), FK_OK);
    fk_buf_append(&out, fk_bytes_of("", 1));
    if (strcmp((char *)out.data, vector->canonical) != 0) {
        (void)printf("%s:\n%s\n", vector->name, (char *)out.data);
    }
    assert_string_equal((char *)out.data, vector->canonical);
    fk_buf_clear(&out);
    assert_int_equal(fk_sigv4_authorize(&key, &request, &out), FK_OK);
    fk_buf_append(&out, fk_bytes_of("", 1));
    assert_string_equal(strstr((char *)out.data, "Signature=") + 10, vector->signature);
    fk_buf_deinit(&out);
}

static void the_published_suite(void **state)
{
    (void)state;
    static char text[FILE_SIZE_MAX];
    static struct vector vector;
    const char *path = getenv("FK_SIGV4_SUITE");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    assert_true(size < sizeof text - 1);
    text[size] = '\0';
    size_t count = 0;
    for (const char *at = strstr(text, "== "); at != NULL; at = strstr(at, "== ")) {
        at = read_vector(at, &vector);
        check_vector(&vector);
        count++;
    }
    assert_int_equal(count, VECTORS);
}

/* "Signature Calculations for the Authorization Header" in the guide of S3's API has these four. */
static void the_examples_of_s3(void **state)
{
    (void)state;
    static const struct fk_sigv4_key key = {.id = "AKIAIOSFODNN7EXAMPLE",
                                            .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                            .region = "us-east-1",
                                            .service = "s3"};
    static const struct {
        const char *method;
        const char *target;
        const char *body;
        struct fk_http_header more[2];
        size_t count;
        const char *signature;
    } rows[] = {
        {"GET",
         "/test.txt",
         "",
         {{FK_BYTES_LITERAL("Range"), FK_BYTES_LITERAL("bytes=0-9")}},
         1,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT",
         "/test%24file.text",
         "Welcome to Amazon S3.",
         {{FK_BYTES_LITERAL("Date"), FK_BYTES_LITERAL("Fri, 24 May 2013 00:00:00 GMT")},
          {FK_BYTES_LITERAL("x-amz-storage-class"), FK_BYTES_LITERAL("REDUCED_REDUNDANCY")}},
         2,
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET",
         "/?lifecycle",
         "",
         {{FK_BYTES_NULL, FK_BYTES_NULL}},
         0,
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET",
         "/?max-keys=2&prefix=J",
         "",
         {{FK_BYTES_NULL, FK_BYTES_NULL}},
         0,
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed = {.count = 0};
        char hash[FK_SIGV4_HASH_SIZE];
        struct fk_buf out = FK_BUF_EMPTY;
        assert_int_equal(fk_sigv4_hash(fk_bytes_text(rows[i].body), hash), FK_OK);
        add(&parsed, "Host", "examplebucket.s3.amazonaws.com");
        add(&parsed, "x-amz-date", "20130524T000000Z");
        add(&parsed, "x-amz-content-sha256", hash);
        for (size_t k = 0; k < rows[i].count; k++) {
            parsed.headers[parsed.count++] = rows[i].more[k];
        }
        const struct fk_sigv4_request request = {.method = rows[i].method,
                                                 .target = fk_bytes_text(rows[i].target),
                                                 .headers = parsed.headers,
                                                 .header_count = parsed.count,
                                                 .body_hash = hash,
                                                 .time_ms = INT64_C(1369353600000),
                                                 .path_as_is = true};
        assert_int_equal(fk_sigv4_authorize(&key, &request, &out), FK_OK);
        fk_buf_append(&out, fk_bytes_of("", 1));
        assert_string_equal(strstr((char *)out.data, "Signature=") + 10, rows[i].signature);
        fk_buf_deinit(&out);
    }
}

/* What is encoded already is encoded once more, but not for S3; the order of parameters is that of their bytes. */
static void targets(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool path_as_is;
        const char *canonical;
    } rows[] = {
        {"/a%20b/c", false, "GET\n/a%2520b/c\n\n"},
        {"/a%20b//c/../d", true, "GET\n/a%20b//c/../d\n\n"},
        {"/a/../../b/./c", false, "GET\n/b/c\n\n"},
        {"/a/..", false, "GET\n/\n\n"},
        {"/a/b/..", false, "GET\n/a\n\n"},
        {"/a/.", false, "GET\n/a\n\n"},
        {"/a/./", false, "GET\n/a/\n\n"},
        {"//", false, "GET\n/\n\n"},
        {"/?b=2&a=1&b=1&a-=3&B", false, "GET\n/\nB=&a=1&a-=3&b=1&b=2\n"},
        {"/?a=%2f&&b=x+y&=c", false, "GET\n/\n=c&a=%2F&b=x%2By\n"},
        {"/?a=%zz%4", false, "GET\n/\na=%25zz%254\n"},
        {"/?", false, "GET\n/\n\n"},
    };
    const struct fk_http_header header = {FK_BYTES_LITERAL("A"), FK_BYTES_LITERAL("  b   c ")};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_buf out = FK_BUF_EMPTY;
        char expected[256];
        const struct fk_sigv4_request request = {.method = "GET",
                                                 .target = fk_bytes_text(rows[i].target),
                                                 .headers = &header,
                                                 .header_count = 1,
                                                 .body_hash = "x",
                                                 .path_as_is = rows[i].path_as_is};
        assert_int_equal(fk_sigv4_canonical(&request, &out), FK_OK);
        (void)snprintf(expected, sizeof expected, "%sa:b c\n\na\nx", rows[i].canonical);
        fk_assert_text(fk_buf_view(&out), expected);
        fk_buf_deinit(&out);
    }
}

static void too_many_parameters(void **state)
{
    (void)state;
    char target[256] = "/?";
    struct fk_buf out = FK_BUF_EMPTY;
    for (size_t i = 0; i < 65; i++) {
        (void)strcat(target, "a&");
    }
    const struct fk_sigv4_request request = {.method = "GET", .target = fk_bytes_text(target), .body_hash = "x"};
    assert_int_equal(fk_sigv4_canonical(&request, &out), FK_ERR_TOO_LARGE);
    fk_buf_deinit(&out);
}

static void without_memory(void **state)
{
    (void)state;
    static const struct fk_sigv4_key key = {.id = "a", .secret = "b", .region = "c", .service = "d"};
    const struct fk_sigv4_request request = {
        .method = "GET", .target = FK_BYTES_LITERAL("/a?b=c"), .body_hash = "x", .time_ms = 1};
    uint64_t nth = 1;
    do {
        struct fk_buf out = FK_BUF_EMPTY;
        fk_test_fail_alloc(nth++);
        enum fk_err err = fk_sigv4_authorize(&key, &request, &out);
        if (fk_test_alloc_failed()) {
            assert_true(err == FK_ERR_NOMEM || err == FK_ERR_IO);
        } else {
            assert_int_equal(err, FK_OK);
        }
        fk_buf_deinit(&out);
    } while (fk_test_alloc_failed());
    assert_true(nth > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(the_published_suite), FK_TEST(the_examples_of_s3), FK_TEST(targets),
        FK_TEST(too_many_parameters), FK_TEST(without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
