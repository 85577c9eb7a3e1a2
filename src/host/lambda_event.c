// SPDX-License-Identifier: Apache-2.0
#include "host/lambda_event.h"

#include "base/base64.h"
#include "base/limits.h"
#include "base/log.h"
#include "host/lambda_json.h"

#include <jansson.h>

/* The text of a string in the arena; null where it is none, or without memory. */
static struct fk_bytes copy_text(const json_t *string, struct fk_arena *arena)
{
    const char *text = json_string_value(string); /* null for anything else */
    return text == NULL ? FK_BYTES_NULL : fk_arena_copy(arena, fk_bytes_of(text, json_string_length(string)));
}

/* A body that is no Base64 is no message of ours: the function drops what it gets instead, and it does not come again.
 */
static enum fk_err decode(const json_t *body, struct fk_arena *arena, struct fk_lambda_message *message)
{
    struct fk_bytes text = fk_bytes_of(json_string_value(body), json_string_length(body));
    enum fk_err err = fk_base64_read(text, arena, &message->body);
    if (err == FK_ERR_MALFORMED) {
        fk_log_with(FK_LOG_ERROR, "the body of a message is no Base64", fk_log_bytes("message", message->id));
        message->body = FK_BYTES_LITERAL("");
        err = FK_OK;
    }
    return err;
}

static enum fk_err read_record(const json_t *record, size_t index, struct fk_arena *arena,
                               struct fk_lambda_message *message, struct fk_diag *diag)
{
    const json_t *id = json_object_get(record, "messageId");
    const json_t *body = json_object_get(record, "body");
    const json_t *group = json_object_get(json_object_get(record, "attributes"), "MessageGroupId");
    if (json_string_length(id) == 0 || !json_is_string(body)) {
        fk_diag_set(diag, "Records[%zu] has no %s", index, json_string_length(id) == 0 ? "messageId" : "body");
        return FK_ERR_MALFORMED;
    }
    *message = (struct fk_lambda_message){
        .id = copy_text(id, arena), .group = json_is_string(group) ? copy_text(group, arena) : FK_BYTES_LITERAL("")};
    return message->id.data == NULL || message->group.data == NULL ? FK_ERR_NOMEM : decode(body, arena, message);
}

static enum fk_err read_records(const json_t *records, struct fk_arena *arena, struct fk_lambda_batch *batch,
                                struct fk_diag *diag)
{
    size_t count = json_array_size(records);
    if (!json_is_array(records)) {
        fk_diag_set(diag, "the event has no list Records: this function takes the events of a queue");
        return FK_ERR_MALFORMED;
    }
    if (count > FK_LAMBDA_RECORDS_MAX) {
        fk_diag_set(diag, "Records has %zu items, at most %d are taken", count, FK_LAMBDA_RECORDS_MAX);
        return FK_ERR_TOO_LARGE;
    }
    batch->messages = (struct fk_lambda_message *)fk_arena_alloc(arena, (count + 1) * sizeof *batch->messages);
    enum fk_err err = batch->messages == NULL ? FK_ERR_NOMEM : FK_OK;
    for (size_t i = 0; i < count && err == FK_OK; i++) {
        err = read_record(json_array_get(records, i), i, arena, &batch->messages[i], diag);
    }
    batch->count = err == FK_OK ? count : 0;
    return err;
}

enum fk_err fk_lambda_batch_read(struct fk_bytes event, struct fk_arena *arena, struct fk_lambda_batch *batch,
                                 struct fk_diag *diag)
{
    json_error_t error;
    *batch = (struct fk_lambda_batch){.count = 0};
    json_t *root = json_loadb((const char *)event.data, event.size, 0, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory) {
        return FK_ERR_NOMEM;
    }
    if (root == NULL) {
        fk_diag_set(diag, "the event is no JSON: %s, at byte %d of %zu", error.text, error.position, event.size);
        return FK_ERR_MALFORMED;
    }
    enum fk_err err = read_records(json_object_get(root, "Records"), arena, batch, diag);
    json_decref(root);
    return err;
}

void fk_lambda_batch_write_failures(const struct fk_lambda_batch *batch, struct fk_buf *out)
{
    json_t *failures = json_array();
    for (size_t i = 0; i < batch->count; i++) {
        const struct fk_lambda_message *message = &batch->messages[i];
        if (message->failed) {
            json_t *id = json_stringn((const char *)message->id.data, message->id.size);
            out->failed = json_array_append_new(failures, json_pack("{s:o}", "itemIdentifier", id)) != 0 || out->failed;
        }
    }
    fk_lambda_json_append(out, json_pack("{s:o}", "batchItemFailures", failures));
}
