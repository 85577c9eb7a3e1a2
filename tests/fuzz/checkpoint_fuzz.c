// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: opening and loading a checkpoint that is not what was written. Input: patches of an offset (2 bytes), a
 * length byte, so many bytes, over a good checkpoint; a length of 0 cuts the file there. What loads is a tree, and
 * where it does not, the message names the file. */
#include "driver/local/checkpoint.h"
#include "driver/local/vfs.h"
#include "driver/memory/clock.h"
#include "driver/memory/file.h"

#include "base/assert.h"

static const char name[] = "checkpoint.sqlite";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One directory in memory, as SQLite sees it. */
struct place {
    struct fk_memory_disk *disk;
    struct fk_files *files;
    struct fk_vfs *vfs;
    struct fk_memory_clock clock;
    struct fk_memory_random random;
};

static void place_open(struct place *place)
{
    fk_memory_clock_init(&place->clock, 1700000000000);
    fk_memory_random_init(&place->random, 1);
    place->disk = fk_memory_disk_new();
    place->files = fk_memory_files_new(place->disk);
    place->vfs = fk_vfs_new(place->files, &place->clock.base, &place->random.base);
    FK_ASSERT(place->vfs != NULL);
}

static void place_close(struct place *place)
{
    fk_vfs_free(place->vfs);
    place->files->ops->free(place->files);
    fk_memory_disk_free(place->disk);
}

/* The bytes of a good one, made once. */
static struct fk_bytes good(void)
{
    static struct fk_buf bytes = FK_BUF_EMPTY;
    struct place place;
    struct fk_checkpoint *checkpoint = NULL;
    struct fk_diag diag = {.text = ""};
    if (fk_buf_left(&bytes) > 0) {
        return fk_buf_view(&bytes);
    }
    place_open(&place);
    enum fk_err err = fk_checkpoint_open(place.vfs, name, FK_CHECKPOINT_CREATE, &checkpoint, &diag);
    FK_ASSERT(err == FK_OK);
    fk_checkpoint_trust(checkpoint);
    err = fk_checkpoint_settle(checkpoint, &diag);
    FK_ASSERT(err == FK_OK);
    fk_checkpoint_close(checkpoint);
    fk_buf_append(&bytes, fk_memory_disk_look(place.disk, name));
    FK_ASSERT(fk_buf_left(&bytes) > 0);
    place_close(&place);
    return fk_buf_view(&bytes);
}

static void put_file(struct place *place, struct fk_bytes bytes)
{
    struct fk_file *file = NULL;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = place->files->ops->open(place->files, name, FK_OPEN_CREATE, &file, &diag);
    FK_ASSERT(err == FK_OK);
    err = file->ops->write(file, 0, bytes, &diag);
    FK_ASSERT(err == FK_OK);
    file->ops->close(file);
}

static void patch(struct fk_buf *file, struct fk_bytes left)
{
    while (left.size >= 3) {
        size_t offset = (size_t)(left.data[0] << 8 | left.data[1]);
        struct fk_bytes bytes = fk_bytes_head(fk_bytes_tail(left, 3), left.data[2]);
        if (left.data[2] == 0 && offset < file->size) {
            file->size = offset;
        }
        for (size_t i = 0; i < bytes.size && offset + i < file->size; i++) {
            file->data[offset + i] = bytes.data[i];
        }
        left = fk_bytes_tail(left, 3 + bytes.size);
    }
}

static enum fk_err take_node(void *context, const struct fk_node *node)
{
    FK_ASSERT(node->path.size > 0);
    (*(size_t *)context)++;
    return FK_OK;
}

static enum fk_err take_session(void *context, const struct fk_session *session)
{
    (void)context;
    (void)session;
    return FK_OK;
}

static enum fk_err take_zxid(void *context, int64_t zxid)
{
    (void)context;
    (void)zxid;
    return FK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t nodes = 0;
    const struct fk_engine_sink sink = {
        .context = &nodes, .node = take_node, .session = take_session, .zxid = take_zxid};
    struct place place;
    struct fk_buf file = FK_BUF_EMPTY;
    struct fk_checkpoint *checkpoint = NULL;
    struct fk_diag diag = {.text = ""};
    fk_buf_append(&file, good());
    patch(&file, fk_bytes_of(data, size));
    place_open(&place);
    put_file(&place, fk_buf_view(&file));
    enum fk_err err = fk_checkpoint_open(place.vfs, name, FK_CHECKPOINT_WRITE, &checkpoint, &diag);
    if (err == FK_OK) {
        err = fk_checkpoint_load(checkpoint, &sink, &diag);
        FK_ASSERT(err != FK_OK || nodes > 0);
        fk_checkpoint_close(checkpoint);
    }
    FK_ASSERT(err == FK_OK || err == FK_ERR_NOT_FOUND || diag.text[0] != '\0');
    place_close(&place);
    fk_buf_deinit(&file);
    return 0;
}
