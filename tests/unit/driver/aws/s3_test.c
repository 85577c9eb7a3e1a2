// SPDX-License-Identifier: Apache-2.0
/* The blob port over answers that the test gives. What S3 itself does with the requests is for tests/contract. */
#include "driver/aws/s3.h"

#include "driver/aws/s3_internal.h"
#include "stub.h"
#include "support/test.h"

static struct fk_blobs *blobs;
static struct fk_arena arena;

static int setup(void **state)
{
    (void)fk_test_begin(state);
    fk_stub_reset();
    arena = FK_ARENA_EMPTY;
    blobs = fk_s3_blobs_new(fk_stub_aws(), "bucket", "data/");
    return 0;
}

static int teardown(void **state)
{
    fk_blobs_free(blobs);
    fk_arena_deinit(&arena);
    return fk_test_end(state);
}

static void answer(enum fk_err err, int status, const char *error, const char *body, const char *header)
{
    fk_stub_answer(
        (struct fk_stub_answer){.err = err, .status = status, .error = error, .body = body, .header = header});
}

static enum fk_err put(const char *name, const char *bytes)
{
    return fk_blob_put(blobs, fk_bytes_text(name), fk_bytes_text(bytes));
}

static void objects_are_put_once_with_a_checksum(void **state)
{
    (void)state;
    answer(FK_OK, 200, NULL, NULL, NULL);
    assert_int_equal(put("a/b-c d\xff", "123456789"), FK_OK);
    assert_string_equal(fk_stub_calls[0].method, "PUT");
    assert_string_equal(fk_stub_calls[0].target, "/bucket/data/a/b-c%2120d~FF");
    assert_string_equal(fk_stub_calls[0].body, "123456789");
    assert_string_equal(fk_stub_calls[0].headers[0], "If-None-Match: *");
    assert_string_equal(fk_stub_calls[0].headers[1], "x-amz-checksum-crc32c: 4waSgw=="); /* 0xe3069283 */
    assert_true(fk_stub_calls[0].idempotent);
}

static void outcomes_of_puts(void **state)
{
    (void)state;
    static const struct {
        enum fk_err err;
        int status;
        const char *error;
        enum fk_err expected;
    } cases[] = {
        {FK_ERR_REFUSED, 412, "PreconditionFailed", FK_OK}, /* it is there already */
        {FK_ERR_BUSY, 409, "ConditionalRequestConflict", FK_ERR_BUSY},
        {FK_ERR_INVALID, 409, "ConditionalRequestConflict", FK_ERR_BUSY},
        {FK_ERR_BUSY, 503, "SlowDown", FK_ERR_BUSY},
        {FK_ERR_UNKNOWN, 0, NULL, FK_ERR_UNKNOWN},
        {FK_ERR_NOT_FOUND, 404, "NoSuchBucket", FK_ERR_IO},
        {FK_ERR_INVALID, 400, "BadDigest", FK_ERR_IO},
        {FK_ERR_USAGE, 403, "AccessDenied", FK_ERR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer(cases[i].err, cases[i].status, cases[i].error, NULL, NULL);
        assert_int_equal(put("a", "x"), cases[i].expected);
    }
}

static void what_comes_back_is_checked(void **state)
{
    (void)state;
    struct fk_bytes bytes = FK_BYTES_NULL;
    struct fk_bytes name = FK_BYTES_LITERAL("a");
    answer(FK_OK, 200, NULL, "123456789", "X-Amz-Checksum-Crc32c: 4waSgw==");
    assert_int_equal(fk_blob_get(blobs, name, &arena, &bytes), FK_OK);
    fk_assert_text(bytes, "123456789");
    assert_string_equal(fk_stub_calls[0].headers[0], "x-amz-checksum-mode: ENABLED");
    answer(FK_OK, 200, NULL, "123456780", "x-amz-checksum-crc32c: 4waSgw==");
    assert_int_equal(fk_blob_get(blobs, name, &arena, &bytes), FK_ERR_UNKNOWN);
    answer(FK_OK, 200, NULL, "no checksum", NULL);
    assert_int_equal(fk_blob_get(blobs, name, &arena, &bytes), FK_OK);
    answer(FK_OK, 200, NULL, NULL, NULL);
    assert_int_equal(fk_blob_get(blobs, name, &arena, &bytes), FK_OK);
    assert_non_null(bytes.data);
    assert_int_equal(bytes.size, 0);
    answer(FK_ERR_NOT_FOUND, 404, "NoSuchKey", NULL, NULL);
    assert_int_equal(fk_blob_get(blobs, name, &arena, &bytes), FK_ERR_NOT_FOUND);
    answer(FK_ERR_NOT_FOUND, 404, "NoSuchBucket", NULL, NULL);
    assert_int_equal(fk_blob_get(blobs, name, &arena, &bytes), FK_ERR_IO);
    answer(FK_ERR_NOT_FOUND, 404, "NoSuchKey", NULL, NULL);
    assert_int_equal(fk_blob_remove(blobs, name), FK_OK);
    answer(FK_OK, 204, NULL, NULL, NULL);
    assert_int_equal(fk_blob_remove(blobs, name), FK_OK);
    assert_string_equal(fk_stub_calls[7].method, "DELETE");
}

#define LISTING(truncated, contents)                                                                                   \
    "<?xml version=\"1.0\"?>\n<ListBucketResult xmlns=\"x\"><IsTruncated>" truncated "</IsTruncated>" contents         \
    "</ListBucketResult>"
#define OBJECT(key) "<Contents><Key>" key "</Key><Size>1</Size></Contents>"

static void names_are_listed(void **state)
{
    (void)state;
    struct fk_blob_page page;
    answer(FK_OK, 200, NULL, LISTING("true", OBJECT("data/a%2Fb") OBJECT("data/c%2120d")), NULL);
    assert_int_equal(fk_blob_list(blobs, FK_BYTES_LITERAL("a b"), 5000, &arena, &page), FK_OK);
    assert_string_equal(fk_stub_calls[0].target, "/bucket?encoding-type=url&list-type=2&max-keys=1000&prefix=data%2F"
                                                 "&start-after=data%2Fa%2120b");
    assert_int_equal(page.count, 2);
    assert_true(page.more);
    fk_assert_text(page.names[0], "a/b");
    fk_assert_text(page.names[1], "c d");
}

/* Something of others stands in the bucket: it is passed over, also where it fills a page. */
static void other_keys_are_passed_over(void **state)
{
    (void)state;
    struct fk_blob_page page;
    answer(FK_OK, 200, NULL, LISTING("true", OBJECT("data/") OBJECT("data/x+y") OBJECT("data/!zz")), NULL);
    answer(FK_OK, 200, NULL, LISTING("false", OBJECT("data/b")), NULL);
    assert_int_equal(fk_blob_list(blobs, FK_BYTES_NULL, 10, &arena, &page), FK_OK);
    assert_int_equal(fk_stub_call_count, 2);
    assert_non_null(strstr(fk_stub_calls[1].target, "&start-after=data%2F%21zz"));
    assert_int_equal(page.count, 1);
    assert_false(page.more);
    fk_assert_text(page.names[0], "b");
}

static void broken_listings_are_unknown(void **state)
{
    (void)state;
    static const char *const broken[] = {"",
                                         "<html></html>",
                                         "<IsTruncated>true</IsTruncated>",
                                         LISTING("false", OBJECT("data/%4")),
                                         LISTING("false", OBJECT("data/%zz")),
                                         LISTING("false", "<Contents><Size>1</Size></Contents>")};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct fk_blob_page page;
        answer(FK_OK, 200, NULL, broken[i], NULL);
        assert_int_equal(fk_blob_list(blobs, FK_BYTES_NULL, 10, &arena, &page), FK_ERR_UNKNOWN);
    }
}

static void names_keep_their_order_in_keys(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    for (int i = 0; i < 5000; i++) {
        uint8_t bytes[2][8];
        struct fk_bytes names[2];
        struct fk_buf keys[2] = {FK_BUF_EMPTY, FK_BUF_EMPTY};
        for (size_t j = 0; j < 2; j++) {
            names[j] = fk_bytes_of(bytes[j], (size_t)fk_prng_below(&prng, 4));
            for (size_t k = 0; k < names[j].size; k++) {
                bytes[j][k] = (uint8_t)("\0!-,.z{~\xff/a0Z"[fk_prng_below(&prng, 13)]);
            }
            fk_s3_append_name(&keys[j], names[j]);
            assert_true(names[j].size == 0 || fk_bytes_equal(fk_s3_read_name(fk_buf_view(&keys[j]), &arena), names[j]));
        }
        int order = fk_bytes_compare(names[0], names[1]);
        int key_order = fk_bytes_compare(fk_buf_view(&keys[0]), fk_buf_view(&keys[1]));
        assert_int_equal(order > 0, key_order > 0);
        assert_int_equal(order < 0, key_order < 0);
        fk_buf_deinit(&keys[0]);
        fk_buf_deinit(&keys[1]);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(objects_are_put_once_with_a_checksum), TEST(outcomes_of_puts),
    TEST(what_comes_back_is_checked),           TEST(names_are_listed),
    TEST(other_keys_are_passed_over),           TEST(broken_listings_are_unknown),
    TEST(names_keep_their_order_in_keys),
};

FK_TEST_MAIN(tests)
