// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: the log's reader over a segment of any content. Input: steps of a byte (what), a length byte, so many
 * bytes: raw bytes, or a frame made of them whose CRC is right though its header need not be, or one that is good in
 * every way. The reader gives the good frames in front, in order, and then a judgement. */
#include "driver/local/log_reader.h"
#include "driver/memory/file.h"

#include "base/assert.h"

enum {
    SEGMENT_SIZE = 16 * 1024,
    SEED = 99,
    STEP_RAW = 0,
    STEP_ODD = 1, /* header fields from the bytes, CRC right */
    STEPS = 4,    /* the rest: good */
    FIELDS_SIZE = 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct content {
    struct fk_buf bytes;
    int64_t position; /* of the next frame */
    uint32_t chain;
    size_t good; /* frames in front that must be read */
    bool broken;
};

static void add_frame(struct content *content, struct fk_bytes payload, bool odd)
{
    uint8_t fields[FIELDS_SIZE] = {0};
    size_t at = content->bytes.size;
    uint8_t *header = fk_buf_reserve(&content->bytes, FK_FRAME_HEADER_SIZE + payload.size);
    FK_ASSERT(header != NULL);
    int64_t position = content->position;
    uint32_t chain = content->chain;
    if (odd && payload.size >= FIELDS_SIZE) {
        memcpy(fields, payload.data, FIELDS_SIZE);
        position += (int8_t)fields[0];
        chain ^= fields[1] & 1U;
    }
    fk_frame_begin(header, fields[2] % 8 == 1 ? FK_FRAME_SWITCH : FK_FRAME_DATA, payload.size, position);
    memcpy(header + FK_FRAME_HEADER_SIZE, payload.data, payload.size);
    content->bytes.size = at + FK_FRAME_HEADER_SIZE + payload.size;
    content->chain = fk_frame_seal(header, SEED, chain, fields[3] % 4 == 1 ? content->position : 0);
    content->position += FK_FRAME_HEADER_SIZE + (int64_t)payload.size;
    content->broken = content->broken || odd;
    content->good += content->broken ? 0 : 1;
}

static void fill(struct content *content, struct fk_bytes left)
{
    while (left.size >= 2 && content->bytes.size < SEGMENT_SIZE / 2) {
        unsigned step = left.data[0] % STEPS;
        struct fk_bytes bytes = fk_bytes_head(fk_bytes_tail(left, 2), left.data[1]);
        if (step == STEP_RAW) {
            fk_buf_append(&content->bytes, bytes);
            content->position += (int64_t)bytes.size;
            content->broken = true;
        } else {
            add_frame(content, bytes, step == STEP_ODD);
        }
        left = fk_bytes_tail(left, 2 + bytes.size);
    }
}

static void read_all(struct fk_files *files, const struct content *content)
{
    struct fk_log_reader reader;
    struct fk_log_tail tail;
    struct fk_frame frame;
    struct fk_bytes payload;
    struct fk_diag diag = {.text = ""};
    int64_t last = -1;
    size_t count = 0;
    enum fk_err err = fk_log_reader_open(&reader, files, FK_OPEN_READ, 0, 0, &diag);
    FK_ASSERT(err == FK_OK);
    while ((err = fk_log_reader_next(&reader, &frame, &payload, &diag)) == FK_OK) {
        FK_ASSERT(frame.position > last && frame.payload_size == payload.size);
        last = frame.position;
        count++;
    }
    FK_ASSERT(count >= content->good);
    FK_ASSERT(err == FK_ERR_NOT_FOUND || (err == FK_ERR_DAMAGED && diag.text[0] != '\0'));
    if (err == FK_ERR_NOT_FOUND) {
        err = fk_log_reader_judge(&reader, &tail, &diag);
        FK_ASSERT(err == FK_OK || err == FK_ERR_DAMAGED);
    }
    fk_log_reader_close(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content content = {.bytes = FK_BUF_EMPTY, .position = FK_SEGMENT_HEADER_SIZE};
    struct fk_segment segment;
    struct fk_diag diag = {.text = ""};
    char name[FK_SEGMENT_NAME_SIZE];
    struct fk_memory_disk *disk = fk_memory_disk_new();
    struct fk_files *files = fk_memory_files_new(disk);
    enum fk_err err = fk_segment_create(files, 0, SEGMENT_SIZE, SEED, false, &segment, &diag);
    FK_ASSERT(err == FK_OK);
    fk_segment_close(&segment);
    fill(&content, fk_bytes_of(data, size));
    fk_segment_name(0, name);
    fk_memory_disk_damage(disk, name, FK_SEGMENT_HEADER_SIZE, fk_buf_view(&content.bytes));
    read_all(files, &content);
    files->ops->free(files);
    fk_memory_disk_free(disk);
    fk_buf_deinit(&content.bytes);
    return 0;
}
