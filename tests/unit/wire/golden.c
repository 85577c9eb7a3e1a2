// SPDX-License-Identifier: Apache-2.0
#include "wire/golden.h"

#include "base/alloc.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FRAMES_MIN = 20,
    FRAMES_MAX = 1000,
    LINE_SIZE = 64 * 1024,
};

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

static void set_kind(struct golden_frame *frame)
{
    bool connects = strstr(frame->name, "connect") != NULL;
    if (ends_with(frame->name, ".request")) {
        frame->kind = connects ? FRAME_CONNECT_REQUEST : FRAME_REQUEST;
    } else if (ends_with(frame->name, ".reply")) {
        frame->kind = connects ? FRAME_CONNECT_REPLY : FRAME_REPLY;
    } else if (ends_with(frame->name, ".event")) {
        frame->kind = FRAME_EVENT;
    } else {
        fail_msg("%s: the kind is none of request, reply, event", frame->name);
    }
}

static void load_line(struct golden_frame *frame, char *line)
{
    char *blank = strchr(line, ' ');
    if (blank == NULL || (size_t)(blank - line) >= sizeof frame->name) {
        fail_msg("no `name frame`: %.60s", line);
        return;
    }
    *blank = '\0';
    memcpy(frame->name, line, (size_t)(blank - line) + 1);
    set_kind(frame);
    frame->storage = FK_BUF_EMPTY;
    fk_test_unhex(&frame->storage, blank + 1);
    struct fk_reader reader = fk_reader_of(fk_buf_view(&frame->storage));
    frame->body = fk_read_bytes(&reader);
    assert_false(reader.failed);
    assert_int_equal(reader.left, 0);
}

/* Of a request it stands in the frame, of a reply in the request of the same label. */
static void set_op(const struct golden *golden, struct golden_frame *frame)
{
    frame->op = 0;
    if (frame->kind != FRAME_REQUEST && frame->kind != FRAME_REPLY) {
        return;
    }
    char name[sizeof frame->name + 8];
    (void)snprintf(name, sizeof name, "%.*s.request", (int)(strrchr(frame->name, '.') - frame->name), frame->name);
    struct fk_reader reader = fk_reader_of(golden_find(golden, name)->body);
    struct fk_request_header header;
    fk_read_request_header(&reader, &header);
    frame->op = header.op;
}

void golden_load(struct golden *golden)
{
    const char *path = getenv("FK_GOLDEN");
    if (path == NULL) {
        fail_msg("FK_GOLDEN does not name the file of golden frames (tests/golden/zookeeper-3.8.0.frames)");
        return;
    }
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s can't be opened", path);
        return;
    }
    static char line[LINE_SIZE];
    golden->count = 0;
    golden->frames = (struct golden_frame *)fk_alloc(FRAMES_MAX * sizeof *golden->frames);
    assert_non_null(golden->frames);
    while (golden->count < FRAMES_MAX && fgets(line, sizeof line, file) != NULL) {
        load_line(&golden->frames[golden->count++], line);
    }
    (void)fclose(file);
    assert_in_range(golden->count, FRAMES_MIN, FRAMES_MAX - 1);
    for (size_t i = 0; i < golden->count; i++) {
        set_op(golden, &golden->frames[i]);
    }
}

void golden_free(struct golden *golden)
{
    for (size_t i = 0; i < golden->count; i++) {
        fk_buf_deinit(&golden->frames[i].storage);
    }
    fk_free(golden->frames);
}

const struct golden_frame *golden_find(const struct golden *golden, const char *name)
{
    for (size_t i = 0; i < golden->count; i++) {
        if (strcmp(golden->frames[i].name, name) == 0) {
            return &golden->frames[i];
        }
    }
    fail_msg("no golden frame %s", name);
    return golden->frames;
}
