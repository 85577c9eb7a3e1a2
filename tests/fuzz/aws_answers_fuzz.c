// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: what comes from services and from strangers: answers of DynamoDB, listings of S3, frames and addresses
 * of channels, a deployment's item. What is read is whole and within its bounds, and written again it is the same. */
#include "base/assert.h"
#include "driver/aws/address.h"
#include "driver/aws/deployment.h"
#include "driver/aws/dynamodb_internal.h"
#include "driver/aws/s3_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[FK_FRAME_KEY_SIZE] = "the key of the gateway's frames";

static void check_items(struct fk_bytes body, struct fk_arena *arena)
{
    struct fk_item item = {.value = FK_BYTES_NULL};
    struct fk_item_page page;
    int64_t stamp = -1;
    if (fk_dynamodb_read_get(body, arena, &item) == FK_OK) {
        FK_ASSERT(item.stamp >= 0 && (item.stamp == 0) == (item.value.data == NULL));
        FK_ASSERT(fk_dynamodb_read_stamp(body, &stamp) == FK_OK && stamp == item.stamp);
    }
    if (fk_dynamodb_read_query(body, FK_BYTES_LITERAL("p"), arena, &page) == FK_OK) {
        size_t total = 0;
        for (size_t i = 0; i < page.count; i++) {
            FK_ASSERT(page.items[i].stamp > 0 && page.items[i].value.data != NULL &&
                      page.items[i].key.name.data != NULL);
            total += i == 0 ? 0 : page.items[i].value.size;
        }
        FK_ASSERT(total <= FK_TABLE_PAGE_SIZE_MAX);
    }
    enum fk_err reason = fk_dynamodb_read_reasons(body);
    FK_ASSERT(reason == FK_ERR_REFUSED || reason == FK_ERR_BUSY || reason == FK_ERR_TOO_LARGE || reason == FK_ERR_IO);
}

static void check_batch(struct fk_bytes body, struct fk_arena *arena)
{
    const struct fk_key stored[2] = {{FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("a")},
                                     {FK_BYTES_LITERAL("p"), FK_BYTES_LITERAL("b")}};
    struct fk_item items[2] = {{.stamp = 0}, {.stamp = 0}};
    bool wanted[2] = {true, false};
    if (fk_dynamodb_read_batch(body, stored, 2, wanted, arena, arena, items) == FK_OK) {
        FK_ASSERT(!wanted[1]);
        FK_ASSERT(items[0].stamp >= 0 && items[1].stamp >= 0);
    }
}

static void check_listing(struct fk_bytes body, struct fk_arena *arena)
{
    struct fk_s3_listing listing;
    if (fk_s3_read_listing(body, 3, arena, &listing) != FK_OK) {
        return;
    }
    FK_ASSERT(listing.count <= 3);
    for (size_t i = 0; i < listing.count; i++) {
        FK_ASSERT(listing.keys[i].data != NULL);
    }
}

static void check_name(struct fk_bytes bytes, struct fk_arena *arena)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_bytes name = fk_s3_read_name(bytes, arena);
    if (name.data != NULL) {
        fk_s3_append_name(&buf, name);
        FK_ASSERT(fk_bytes_equal(fk_buf_view(&buf), bytes));
        fk_buf_clear(&buf);
    }
    fk_s3_append_name(&buf, bytes);
    FK_ASSERT(fk_bytes_equal(fk_s3_read_name(fk_buf_view(&buf), arena), bytes));
    fk_buf_deinit(&buf);
}

static void check_frame(struct fk_bytes bytes)
{
    struct fk_bytes message;
    if (bytes.size >= FK_FRAME_HEAD_SIZE) {
        FK_ASSERT(fk_frame_size(bytes.data, 7) <=
                  FK_CHANNEL_MESSAGE_SIZE_MAX + FK_FRAME_HEAD_SIZE + FK_FRAME_TAIL_SIZE);
    }
    FK_ASSERT(fk_frame_read(bytes, key, 7, &message) != FK_OK); /* nobody guesses a MAC */
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_frame_append(&buf, key, 7, bytes);
    FK_ASSERT(fk_frame_read(fk_buf_view(&buf), key, 7, &message) == FK_OK && fk_bytes_equal(message, bytes));
    fk_buf_deinit(&buf);
}

static void check_address(struct fk_bytes bytes)
{
    struct fk_address address;
    if (fk_address_read(bytes, &address) == FK_OK) {
        struct fk_buf buf = FK_BUF_EMPTY;
        fk_address_append(&buf, &address);
        FK_ASSERT(fk_bytes_equal(fk_buf_view(&buf), bytes));
        fk_buf_deinit(&buf);
    }
}

static void check_deployment(struct fk_bytes bytes)
{
    struct fk_deployment deployment;
    struct fk_deployment again;
    FK_ASSERT(fk_deployment_init(&deployment, "a", NULL) == FK_OK && fk_deployment_init(&again, "a", NULL) == FK_OK);
    if (fk_deployment_read(bytes, &deployment, NULL) == FK_OK) {
        struct fk_buf buf = FK_BUF_EMPTY;
        fk_deployment_write(&buf, &deployment);
        FK_ASSERT(fk_deployment_read(fk_buf_view(&buf), &again, NULL) == FK_OK);
        FK_ASSERT(strcmp(again.requests, deployment.requests) == 0);
        fk_buf_deinit(&buf);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_bytes bytes = fk_bytes_of(data, size);
    check_items(bytes, &arena);
    check_batch(bytes, &arena);
    check_listing(bytes, &arena);
    check_name(bytes, &arena);
    check_frame(bytes);
    check_address(bytes);
    check_deployment(bytes);
    fk_arena_deinit(&arena);
    return 0;
}
