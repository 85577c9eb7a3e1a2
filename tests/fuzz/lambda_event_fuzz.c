// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: events of a queue. A batch that is taken has names to report by, its bodies are whole, and what is
 * written of it is JSON that names the messages that failed. */
#include "base/assert.h"
#include "base/limits.h"
#include "host/lambda_event.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failures(const struct fk_lambda_batch *batch, size_t expected)
{
    struct fk_buf out = FK_BUF_EMPTY;
    fk_lambda_batch_write_failures(batch, &out);
    FK_ASSERT(!out.failed);
    json_t *root = json_loadb((const char *)out.data, out.size, 0, NULL);
    FK_ASSERT(json_array_size(json_object_get(root, "batchItemFailures")) == expected);
    json_decref(root);
    fk_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_lambda_batch batch;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_lambda_batch_read(fk_bytes_of(data, size), &arena, &batch, &diag);
    FK_ASSERT(err == FK_OK || ((err == FK_ERR_MALFORMED || err == FK_ERR_TOO_LARGE) && diag.text[0] != '\0'));
    FK_ASSERT(batch.count <= FK_LAMBDA_RECORDS_MAX && (err == FK_OK || batch.count == 0));
    size_t failed = 0;
    for (size_t i = 0; i < batch.count; i++) {
        FK_ASSERT(batch.messages[i].id.size > 0 && batch.messages[i].group.data != NULL);
        FK_ASSERT(batch.messages[i].body.data != NULL && batch.messages[i].body.size <= size);
        batch.messages[i].failed = i % 2 == 1;
        failed += i % 2;
    }
    check_failures(&batch, failed);
    fk_arena_deinit(&arena);
    return 0;
}
