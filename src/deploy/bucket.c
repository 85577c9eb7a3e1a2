// SPDX-License-Identifier: Apache-2.0
#include "deploy/bucket.h"

#include "deploy/form.h"
#include "deploy/query.h"
#include "deploy/xml.h"

#include <openssl/evp.h>
#include <stdio.h>

enum {
    UPLOAD_MS = 10 * 60 * 1000, /* 6 MB over a thin line */
    DELETE_MS = 60 * 1000,      /* a thousand at a time */
    HASH_TEXT_SIZE = 48,        /* SHA-256 in base64 */
};

static void print_target(struct fk_buf *target, const char *bucket, const char *key)
{
    fk_buf_print(target, "/%s/", bucket);
    fk_form_encode(target, fk_bytes_text(key), true);
}

static enum fk_err is_there(struct fk_deploy *deploy, struct fk_bytes target, bool *found)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    const struct fk_aws_call call = {.service = FK_AWS_S3, .method = "HEAD", .target = target, .idempotent = true};
    enum fk_err err = fk_aws_call(deploy->aws, &call, &arena, &reply);
    *found = err == FK_OK;
    fk_arena_deinit(&arena);
    return err == FK_ERR_NOT_FOUND ? FK_OK : fk_query_fail(deploy, err, "looking into the bucket");
}

enum fk_err fk_bucket_put_code(struct fk_deploy *deploy, const char *bucket, const struct fk_code *code)
{
    struct fk_buf target = FK_BUF_EMPTY;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_aws_reply reply;
    bool found = false;
    print_target(&target, bucket, code->key);
    enum fk_err err = target.failed ? FK_ERR_NOMEM : is_there(deploy, fk_buf_view(&target), &found);
    if (err == FK_OK && !found) {
        const struct fk_aws_call call = {.service = FK_AWS_S3,
                                         .method = "PUT",
                                         .target = fk_buf_view(&target),
                                         .body = code->zip,
                                         .idempotent = true,
                                         .timeout_ms = UPLOAD_MS};
        fk_deploy_say(deploy, "uploading     s3://%s/%s", bucket, code->key);
        err = fk_query_fail(deploy, fk_aws_call(deploy->aws, &call, &arena, &reply), "uploading the code");
    }
    fk_arena_deinit(&arena);
    fk_buf_deinit(&target);
    return err;
}

/* A thousand keys behind `after`. */
static enum fk_err list_page(struct fk_deploy *deploy, const char *bucket, const char *prefix, struct fk_bytes after,
                             struct fk_arena *arena, struct fk_bytes *page)
{
    struct fk_buf target = FK_BUF_EMPTY;
    struct fk_aws_reply reply;
    fk_buf_print(&target, "/%s?list-type=2&prefix=", bucket);
    fk_form_encode(&target, fk_bytes_text(prefix), false);
    if (after.size > 0) {
        fk_buf_print(&target, "&start-after=");
        fk_form_encode(&target, after, false);
    }
    const struct fk_aws_call call = {
        .service = FK_AWS_S3, .method = "GET", .target = fk_buf_view(&target), .idempotent = true};
    enum fk_err err = target.failed ? FK_ERR_NOMEM : fk_aws_call(deploy->aws, &call, arena, &reply);
    *page = err == FK_OK ? fk_xml_find(reply.http.body, "ListBucketResult") : FK_BYTES_NULL;
    fk_buf_deinit(&target);
    return err == FK_OK && page->data == NULL ? FK_ERR_MALFORMED : err;
}

/* DeleteObjects wants a checksum of its body. */
static bool hash_of(struct fk_bytes body, char text[HASH_TEXT_SIZE])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(body.data, body.size, hash, &size, EVP_sha256(), NULL) != 1 || size != 32) {
        return false;
    }
    return EVP_EncodeBlock((unsigned char *)text, hash, (int)size) > 0;
}

static enum fk_err delete_objects(struct fk_deploy *deploy, const char *bucket, struct fk_bytes body,
                                  struct fk_arena *arena)
{
    char target[128];
    char hash[HASH_TEXT_SIZE];
    struct fk_aws_reply reply;
    if (!hash_of(body, hash)) {
        return FK_ERR_NOMEM;
    }
    const struct fk_http_header headers[] = {
        {FK_BYTES_LITERAL("Content-Type"), FK_BYTES_LITERAL("application/xml")},
        {FK_BYTES_LITERAL("x-amz-checksum-sha256"), fk_bytes_text(hash)},
    };
    (void)snprintf(target, sizeof target, "/%s?delete=", bucket);
    const struct fk_aws_call call = {.service = FK_AWS_S3,
                                     .method = "POST",
                                     .target = fk_bytes_text(target),
                                     .headers = headers,
                                     .header_count = sizeof headers / sizeof headers[0],
                                     .body = body,
                                     .idempotent = true,
                                     .timeout_ms = DELETE_MS};
    enum fk_err err = fk_aws_call(deploy->aws, &call, arena, &reply);
    struct fk_bytes failed = err == FK_OK ? fk_xml_find(reply.http.body, "DeleteResult/Error/Message") : FK_BYTES_NULL;
    if (failed.data != NULL) {
        fk_diag_set(&deploy->diag, "S3 does not delete an object of %s: %.*s", bucket,
                    (int)fk_bytes_head(failed, 256).size, (const char *)failed.data);
        return FK_ERR_REFUSED;
    }
    return err;
}

/* Deletes what a page has, but the one kept; `after` becomes the page's last key. */
static enum fk_err delete_page(struct fk_deploy *deploy, const char *bucket, struct fk_bytes page, const char *kept,
                               struct fk_arena *arena, struct fk_buf *after, size_t *count)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_bytes last = FK_BYTES_NULL;
    struct fk_xml_element element;
    size_t before = *count;
    fk_buf_print(&body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    while (fk_xml_next(&page, &element)) {
        struct fk_bytes key = fk_xml_find(element.inner, "Key"); /* as it is escaped there, it is here */
        if (!fk_bytes_equal_text(element.name, "Contents") || key.data == NULL) {
            continue;
        }
        last = key;
        if (kept == NULL || !fk_bytes_equal_text(key, kept)) {
            fk_buf_print(&body, "<Object><Key>%.*s</Key></Object>", (int)key.size, (const char *)key.data);
            (*count)++;
        }
    }
    fk_buf_print(&body, "</Delete>");
    const char *plain = fk_xml_text(arena, last);
    fk_buf_clear(after);
    fk_buf_append(after, plain == NULL ? FK_BYTES_NULL : fk_bytes_text(plain));
    enum fk_err err = body.failed || plain == NULL || after->failed ? FK_ERR_NOMEM : FK_OK;
    if (err == FK_OK && *count > before) {
        err = delete_objects(deploy, bucket, fk_buf_view(&body), arena);
    }
    fk_buf_deinit(&body);
    return err;
}

/* Deletes all objects with the prefix but the one kept. */
static enum fk_err delete_all(struct fk_deploy *deploy, const char *bucket, const char *prefix, const char *kept,
                              size_t *count)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf after = FK_BUF_EMPTY;
    bool more = true;
    enum fk_err err = FK_OK;
    while (err == FK_OK && more) {
        struct fk_bytes page = FK_BYTES_NULL;
        fk_arena_reset(&arena);
        err = list_page(deploy, bucket, prefix, fk_buf_view(&after), &arena, &page);
        more = fk_bytes_equal_text(fk_xml_find(page, "IsTruncated"), "true");
        if (err == FK_OK) {
            err = delete_page(deploy, bucket, page, kept, &arena, &after, count);
        }
    }
    fk_buf_deinit(&after);
    fk_arena_deinit(&arena);
    return fk_query_fail(deploy, err, "removing objects of the bucket");
}

enum fk_err fk_bucket_drop_code(struct fk_deploy *deploy, const char *bucket, const char *kept_key)
{
    size_t count = 0;
    return delete_all(deploy, bucket, FK_CODE_PREFIX, kept_key, &count);
}

enum fk_err fk_bucket_empty(struct fk_deploy *deploy, const char *bucket)
{
    char target[128];
    size_t count = 0;
    bool found = false;
    (void)snprintf(target, sizeof target, "/%s", bucket);
    enum fk_err err = is_there(deploy, fk_bytes_text(target), &found);
    if (err == FK_OK && found) {
        err = delete_all(deploy, bucket, "", NULL, &count);
    }
    if (err == FK_OK && count > 0) {
        fk_deploy_say(deploy, "bucket        %s: %zu objects removed", bucket, count);
    }
    return err;
}
