// SPDX-License-Identifier: Apache-2.0
#include "function/bootstrap.h"

#include "function/record.h"
#include "model/tree.h"

/* Encodes the records one behind the other; `ends` tells where each ends. */
static void encode(struct fk_buf *buf, size_t ends[FK_TREE_FIRST_NODES + 1])
{
    fk_zx_record_write(buf, &(struct fk_zx_record){.zxid = 0});
    ends[0] = buf->size;
    for (size_t i = 0; i < FK_TREE_FIRST_NODES; i++) {
        struct fk_node_record record = {.node = fk_tree_first_node(i), .exists = true};
        fk_node_record_write(buf, &record);
        ends[i + 1] = buf->size;
    }
}

static enum fk_err write_all(const struct fk_ports *ports, struct fk_arena *arena, const struct fk_buf *buf,
                             const size_t ends[FK_TREE_FIRST_NODES + 1])
{
    struct fk_write writes[FK_TREE_FIRST_NODES + 1];
    size_t start = 0;
    for (size_t i = 0; i < FK_TREE_FIRST_NODES + 1; i++) {
        struct fk_key key = i == 0 ? fk_key_zx() : fk_key_node(arena, fk_tree_first_node(i - 1).path);
        if (key.partition.data == NULL) {
            return FK_ERR_NOMEM;
        }
        writes[i] = (struct fk_write){
            .kind = FK_WRITE_PUT, .key = key, .expected = 0, .value = fk_bytes_of(buf->data + start, ends[i] - start)};
        start = ends[i];
    }
    enum fk_err err = fk_table_write(ports->table, writes, FK_TREE_FIRST_NODES + 1);
    return err == FK_ERR_REFUSED ? FK_OK : err; /* somebody else has done it */
}

enum fk_err fk_cloud_bootstrap(const struct fk_ports *ports)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    enum fk_err err = fk_table_get(ports->table, &key, &arena, &item);
    if (err == FK_OK && item.stamp == 0) {
        size_t ends[FK_TREE_FIRST_NODES + 1];
        encode(&buf, ends);
        err = buf.failed ? FK_ERR_NOMEM : write_all(ports, &arena, &buf, ends);
    }
    fk_buf_deinit(&buf);
    fk_arena_deinit(&arena);
    return err;
}
