// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: messages between gateways and functions, and the records of the cloud's table. Input: a byte that
 * chooses the codec, the encoding. What was understood is written again; that must be understood, and be written the
 * same once more. */
#include "function/bundle.h"
#include "function/message.h"
#include "function/pipeline_entry.h"
#include "function/pipeline_record.h"
#include "function/record.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads a value and, where it is one, writes it again. */
typedef enum fk_err (*again_fn)(struct fk_bytes value, struct fk_arena *arena, struct fk_buf *out);

#define AGAIN(name, type, read_call, write_call)                                                                       \
    static enum fk_err again_##name(struct fk_bytes value, struct fk_arena *arena, struct fk_buf *out)                 \
    {                                                                                                                  \
        struct type record;                                                                                            \
        (void)arena;                                                                                                   \
        enum fk_err err = read_call;                                                                                   \
        if (err == FK_OK) {                                                                                            \
            write_call;                                                                                                \
        }                                                                                                              \
        return err;                                                                                                    \
    }

AGAIN(zx, fk_zx_record, fk_zx_record_read(value, arena, &record), fk_zx_record_write(out, &record))
AGAIN(node, fk_node_record, fk_node_record_read(value, fk_bytes_text("/a"), arena, &record),
      fk_node_record_write(out, &record))
AGAIN(session, fk_session_record, fk_session_record_read(value, arena, &record), fk_session_record_write(out, &record))
AGAIN(ephemerals, fk_ephemerals_record, fk_ephemerals_record_read(value, arena, &record),
      fk_ephemerals_record_write(out, &record))
AGAIN(gateway, fk_gateway_record, fk_gateway_record_read(value, &record), fk_gateway_record_write(out, &record))
AGAIN(observation, fk_observation_record, fk_observation_record_read(value, &record),
      fk_observation_record_write(out, &record))
AGAIN(recursive, fk_recursive_record, fk_recursive_record_read(value, arena, &record),
      fk_recursive_record_write(out, &record))
AGAIN(events, fk_events_record, fk_events_record_read(value, arena, &record), fk_events_record_write(out, &record))
AGAIN(accepted_node, fk_accepted_node, fk_accepted_node_read(value, fk_bytes_text("/a"), arena, &record),
      fk_accepted_node_write(out, &record))
AGAIN(accepted_session, fk_accepted_session, fk_accepted_session_read(value, arena, &record),
      fk_accepted_session_write(out, &record))
AGAIN(answer, fk_answer_message, fk_answer_message_read(value, &record), fk_answer_message_write(out, &record))
AGAIN(notice, fk_bytes, fk_events_message_read(value, &record), fk_events_message_write(out, record))

/* Without the count, which grows with each operation added. */
static enum fk_err again_request(struct fk_bytes value, struct fk_arena *arena, struct fk_buf *out)
{
    struct fk_reader reader = fk_reader_of(value);
    struct fk_request_message message;
    (void)arena;
    enum fk_err err = fk_request_message_read(&reader, &message);
    if (err != FK_OK) {
        return err;
    }
    int32_t count = message.count;
    fk_request_message_begin(out, &message);
    for (int32_t i = 0; i < count && err == FK_OK; i++) {
        struct fk_request_operation operation;
        err = fk_request_message_next(&reader, &operation);
        if (err == FK_OK) {
            fk_request_message_add(out, &operation);
        }
    }
    return err;
}

static enum fk_err again_many(struct fk_bytes value, struct fk_arena *arena, struct fk_buf *out)
{
    struct fk_reader reader;
    struct fk_bytes message;
    (void)arena;
    enum fk_err err = fk_many_message_read(value, &reader);
    if (err == FK_OK) {
        fk_many_message_begin(out);
        while (fk_many_message_next(&reader, &message)) {
            fk_many_message_add(out, message);
        }
    }
    return err;
}

static enum fk_err again_bundle(struct fk_bytes value, struct fk_arena *arena, struct fk_buf *out)
{
    struct fk_unbundled unbundled;
    (void)arena;
    enum fk_err err = fk_unbundle(&unbundled, &value, 1);
    if (err == FK_OK && unbundled.owner == NULL) {
        err = FK_ERR_MALFORMED; /* none */
    } else if (err == FK_OK) {
        fk_bundle_begin(out);
        for (size_t i = 0; i < unbundled.count; i++) {
            fk_bundle_add(out, unbundled.messages[i]);
        }
    }
    fk_unbundled_close(&unbundled);
    return err;
}

static enum fk_err again_entry(struct fk_bytes value, struct fk_arena *arena, struct fk_buf *out)
{
    struct fk_entry entry;
    (void)out;
    return fk_entry_read(value, arena, &entry);
}

static const again_fn codecs[] = {
    again_zx,        again_node,   again_session,       again_ephemerals,       again_gateway, again_observation,
    again_recursive, again_events, again_accepted_node, again_accepted_session, again_answer,  again_notice,
    again_request,   again_entry,  again_many,          again_bundle,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf first = FK_BUF_EMPTY;
    struct fk_buf second = FK_BUF_EMPTY;
    if (size == 0) {
        return 0;
    }
    again_fn again = codecs[data[0] % (sizeof codecs / sizeof codecs[0])];
    enum fk_err err = again(fk_bytes_of(data + 1, size - 1), &arena, &first);
    FK_ASSERT(err == FK_OK || err == FK_ERR_MALFORMED || err == FK_ERR_DAMAGED || err == FK_ERR_VERSION);
    if (err == FK_OK && again != again_entry) {
        err = again(fk_buf_view(&first), &arena, &second);
        FK_ASSERT(err == FK_OK);
        FK_ASSERT(fk_bytes_equal(fk_buf_view(&first), fk_buf_view(&second)));
    }
    fk_buf_deinit(&first);
    fk_buf_deinit(&second);
    fk_arena_deinit(&arena);
    return 0;
}
