// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/s3.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/base64.h"
#include "base/container.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "base/log.h"
#include "driver/aws/s3_internal.h"

enum {
    CRC_SIZE = 4,
    CALL_MS = 20000, /* objects have a megabyte and more */
    /* Pages without a name of ours that one call of list looks at. */
    PAGES_MAX = 10,
};

struct s3 {
    struct fk_blobs base;
    struct fk_aws *aws;
    struct fk_buf target;
    struct fk_arena scratch; /* of one call of the port */
    const char *prefix;
    const char *bucket;
    char text[];
};

static struct s3 *s3(struct fk_blobs *blobs)
{
    return FK_CONTAINER_OF(blobs, struct s3, base);
}

/* "/bucket" */
static void begin(struct s3 *blobs)
{
    fk_arena_reset(&blobs->scratch);
    fk_buf_clear(&blobs->target);
    fk_buf_append(&blobs->target, FK_BYTES_LITERAL("/"));
    fk_buf_append(&blobs->target, fk_bytes_text(blobs->bucket));
}

static void append_key(struct fk_buf *buf, const struct s3 *blobs, struct fk_bytes name, bool path)
{
    struct fk_buf key = FK_BUF_EMPTY;
    fk_buf_append(&key, fk_bytes_text(blobs->prefix));
    fk_s3_append_name(&key, name);
    fk_s3_append_encoded(buf, fk_buf_view(&key), path);
    buf->failed = buf->failed || key.failed;
    fk_buf_deinit(&key);
}

static void object_target(struct s3 *blobs, struct fk_bytes name)
{
    FK_ASSERT(name.size > 0 && name.size <= FK_BLOB_NAME_SIZE_MAX);
    begin(blobs);
    fk_buf_append(&blobs->target, FK_BYTES_LITERAL("/"));
    append_key(&blobs->target, blobs, name, true);
}

static enum fk_err call(struct s3 *blobs, const char *method, const struct fk_http_header *headers, size_t count,
                        struct fk_bytes body, struct fk_arena *arena, struct fk_aws_reply *reply)
{
    const struct fk_aws_call request = {.service = FK_AWS_S3,
                                        .method = method,
                                        .target = fk_buf_view(&blobs->target),
                                        .headers = headers,
                                        .header_count = count,
                                        .body = body,
                                        .idempotent = true,
                                        .timeout_ms = CALL_MS};
    if (blobs->target.failed) {
        return FK_ERR_NOMEM;
    }
    return fk_aws_call(blobs->aws, &request, arena, reply);
}

/* Outcomes that the port has no name for. */
static enum fk_err outcome(struct s3 *blobs, enum fk_err err)
{
    switch ((int)err) {
    case FK_OK:
    case FK_ERR_BUSY:
    case FK_ERR_UNKNOWN:
    case FK_ERR_FULL:
    case FK_ERR_NOMEM:
        return err;
    case FK_ERR_TOO_LARGE:
    case FK_ERR_MALFORMED:
        return FK_ERR_UNKNOWN;
    default:
        fk_log(FK_LOG_ERROR, "S3 bucket %s: %s", blobs->bucket, fk_aws_diag(blobs->aws));
        return FK_ERR_IO;
    }
}

/* As S3's headers have it: the CRC's bytes, highest first, in base64. */
static void append_crc(struct fk_buf *buf, struct fk_bytes bytes)
{
    uint32_t crc = fk_crc32c(0, bytes);
    const uint8_t big[CRC_SIZE] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc};
    fk_base64_append(buf, fk_bytes_of(big, CRC_SIZE));
}

static enum fk_err s3_put(struct fk_blobs *base, struct fk_bytes name, struct fk_bytes bytes)
{
    struct s3 *blobs = s3(base);
    struct fk_aws_reply reply = {.error = ""};
    struct fk_buf crc = FK_BUF_EMPTY;
    object_target(blobs, name);
    append_crc(&crc, bytes);
    const struct fk_http_header headers[] = {
        {FK_BYTES_LITERAL("If-None-Match"), FK_BYTES_LITERAL("*")},
        {FK_BYTES_LITERAL("x-amz-checksum-crc32c"), fk_buf_view(&crc)},
    };
    enum fk_err err = crc.failed ? FK_ERR_NOMEM : call(blobs, "PUT", headers, 2, bytes, &blobs->scratch, &reply);
    fk_buf_deinit(&crc);
    if (reply.http.status == 412) {
        return FK_OK; /* it is there: nobody puts other bytes under the same name */
    }
    if (reply.http.status == 409) {
        return FK_ERR_BUSY; /* another put of it is under way */
    }
    return outcome(blobs, err == FK_ERR_NOMEM && reply.http.status != 0 ? FK_ERR_UNKNOWN : err);
}

/* Whether an object is what was put; one that came without a checksum was put by somebody else, or to a store that
 * keeps none. */
static bool is_whole(const struct fk_aws_reply *reply)
{
    struct fk_bytes sent = fk_http_answer_header(&reply->http, "x-amz-checksum-crc32c");
    struct fk_buf crc = FK_BUF_EMPTY;
    append_crc(&crc, reply->http.body);
    bool whole = sent.data == NULL || fk_bytes_equal(sent, fk_buf_view(&crc));
    fk_buf_deinit(&crc);
    return whole;
}

static enum fk_err s3_get(struct fk_blobs *base, struct fk_bytes name, struct fk_arena *arena, struct fk_bytes *bytes)
{
    struct s3 *blobs = s3(base);
    struct fk_aws_reply reply = {.error = ""};
    static const uint8_t empty[1];
    object_target(blobs, name);
    const struct fk_http_header headers[] = {
        {FK_BYTES_LITERAL("x-amz-checksum-mode"), FK_BYTES_LITERAL("ENABLED")},
    };
    enum fk_err err = call(blobs, "GET", headers, 1, FK_BYTES_NULL, arena, &reply);
    if (reply.http.status == 404 && strcmp(reply.error, "NoSuchBucket") != 0) {
        return FK_ERR_NOT_FOUND;
    }
    if (err != FK_OK) {
        return outcome(blobs, err);
    }
    if (!is_whole(&reply)) {
        fk_log(FK_LOG_ERROR, "S3 bucket %s: an object is damaged: its checksum is another one", blobs->bucket);
        return FK_ERR_UNKNOWN; /* perhaps on the way only: reading again may help */
    }
    *bytes = reply.http.body.data == NULL ? fk_bytes_of(empty, 0) : reply.http.body;
    return FK_OK;
}

static enum fk_err s3_remove(struct fk_blobs *base, struct fk_bytes name)
{
    struct s3 *blobs = s3(base);
    struct fk_aws_reply reply = {.error = ""};
    object_target(blobs, name);
    enum fk_err err = call(blobs, "DELETE", NULL, 0, FK_BYTES_NULL, &blobs->scratch, &reply);
    if (reply.http.status == 404 && strcmp(reply.error, "NoSuchBucket") != 0) {
        return FK_OK;
    }
    return outcome(blobs, err == FK_ERR_NOMEM ? FK_ERR_BUSY : err);
}

/* The parameters stand in the order in which they are signed. `after` is a key. */
static void list_target(struct s3 *blobs, struct fk_bytes after, size_t limit)
{
    begin(blobs);
    fk_buf_print(&blobs->target, "?encoding-type=url&list-type=2&max-keys=%zu&prefix=", limit);
    fk_s3_append_encoded(&blobs->target, fk_bytes_text(blobs->prefix), false);
    if (after.size > 0) {
        fk_buf_append(&blobs->target, FK_BYTES_LITERAL("&start-after="));
        fk_s3_append_encoded(&blobs->target, after, false);
    }
}

/* The names that the keys stand for; whatever else is in the bucket is passed over. */
static enum fk_err take_names(const struct s3 *blobs, const struct fk_s3_listing *listing, struct fk_arena *arena,
                              struct fk_blob_page *page)
{
    struct fk_bytes prefix = fk_bytes_text(blobs->prefix);
    page->names = (struct fk_bytes *)fk_arena_alloc(arena, (listing->count + 1) * sizeof *page->names);
    if (page->names == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < listing->count; i++) {
        struct fk_bytes key = listing->keys[i];
        if (!fk_bytes_equal(fk_bytes_head(key, prefix.size), prefix)) {
            continue;
        }
        struct fk_bytes name = fk_s3_read_name(fk_bytes_tail(key, prefix.size), arena);
        if (name.data != NULL && name.size > 0) {
            page->names[page->count++] = name;
        }
    }
    return FK_OK;
}

static enum fk_err list_page(struct s3 *blobs, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                             struct fk_s3_listing *listing, struct fk_blob_page *page)
{
    struct fk_aws_reply reply = {.error = ""};
    list_target(blobs, after, limit);
    enum fk_err err = call(blobs, "GET", NULL, 0, FK_BYTES_NULL, &blobs->scratch, &reply);
    if (err == FK_OK) {
        err = fk_s3_read_listing(reply.http.body, limit, arena, listing);
    }
    if (err != FK_OK) {
        return outcome(blobs, err);
    }
    return take_names(blobs, listing, arena, page);
}

static enum fk_err s3_list(struct fk_blobs *base, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                           struct fk_blob_page *page)
{
    struct s3 *blobs = s3(base);
    struct fk_s3_listing listing = {.count = 0};
    struct fk_buf from = FK_BUF_EMPTY;
    enum fk_err err = FK_OK;
    *page = (struct fk_blob_page){.names = NULL, .count = 0, .more = false};
    if (after.size > 0) {
        fk_buf_append(&from, fk_bytes_text(blobs->prefix));
        fk_s3_append_name(&from, after);
    }
    for (int pages = 0; err == FK_OK && page->count == 0 && pages < PAGES_MAX; pages++) {
        err = from.failed ? FK_ERR_NOMEM
                          : list_page(blobs, fk_buf_view(&from), limit < FK_BLOB_PAGE_MAX ? limit : FK_BLOB_PAGE_MAX,
                                      arena, &listing, page);
        page->more = err == FK_OK && listing.truncated && listing.count > 0;
        if (!page->more) {
            break;
        }
        fk_buf_clear(&from);
        fk_buf_append(&from, listing.keys[listing.count - 1]);
    }
    fk_buf_deinit(&from);
    return err;
}

static void s3_free(struct fk_blobs *base)
{
    struct s3 *blobs = s3(base);
    fk_buf_deinit(&blobs->target);
    fk_arena_deinit(&blobs->scratch);
    fk_free(blobs);
}

static const struct fk_blob_ops s3_ops = {
    .name = "s3", .put = s3_put, .get = s3_get, .remove = s3_remove, .list = s3_list, .free = s3_free};

struct fk_blobs *fk_s3_blobs_new(struct fk_aws *aws, const char *bucket, const char *prefix)
{
    size_t bucket_size = strlen(bucket) + 1;
    size_t prefix_size = strlen(prefix) + 1;
    FK_ASSERT(prefix_size <= FK_S3_PREFIX_SIZE_MAX + 1);
    struct s3 *blobs = (struct s3 *)fk_alloc(sizeof *blobs + bucket_size + prefix_size);
    if (blobs == NULL) {
        return NULL;
    }
    *blobs = (struct s3){.base = {.ops = &s3_ops}, .aws = aws, .target = FK_BUF_EMPTY, .scratch = FK_ARENA_EMPTY};
    blobs->bucket = memcpy(blobs->text, bucket, bucket_size);
    blobs->prefix = memcpy(blobs->text + bucket_size, prefix, prefix_size);
    return &blobs->base;
}
