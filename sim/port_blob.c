// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/port_internal.h"

static struct sim_ports *ports_of(struct fk_blobs *blobs)
{
    return FK_CONTAINER_OF(blobs, struct sim_ports, blobs);
}

/* A put or a removal whose effect comes when its caller no longer waits. */
struct late_blob {
    struct sim_cloud *cloud;
    struct fk_arena arena;
    struct fk_bytes name;
    struct fk_bytes bytes; /* null: a removal */
};

static void apply_late(void *context)
{
    struct late_blob *late = context;
    enum fk_err err = late->bytes.data != NULL ? fk_blob_put(late->cloud->blobs, late->name, late->bytes)
                                               : fk_blob_remove(late->cloud->blobs, late->name);
    sim_trace(late->cloud->world, "blob change, late -> %d", (int)err);
    fk_arena_deinit(&late->arena);
    fk_free(late);
}

static void change_later(struct sim_ports *ports, const struct sim_fault *fault, struct fk_bytes name,
                         struct fk_bytes bytes)
{
    struct late_blob *late = fk_alloc_zero(sizeof *late);
    FK_ASSERT(late != NULL);
    late->cloud = ports->cloud;
    late->name = fk_arena_copy(&late->arena, name);
    late->bytes = fk_arena_copy(&late->arena, bytes);
    FK_ASSERT(late->name.data != NULL && (late->bytes.data != NULL || bytes.data == NULL));
    sim_at(ports->cloud->world, NULL, sim_call_later_ns(ports, fault), apply_late, late);
}

/* bytes.data == NULL: a removal. */
static enum fk_err change(struct fk_blobs *blobs, enum sim_call call, uint64_t allowed, struct fk_bytes name,
                          struct fk_bytes bytes)
{
    struct sim_ports *ports = ports_of(blobs);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_BLOB, call, allowed, &fault, &err)) {
        return err;
    }
    struct sim_process *before = sim_memory_of(NULL);
    if (fault.kind == SIM_FAULT_UNKNOWN_LATER) {
        change_later(ports, &fault, name, bytes);
        err = FK_ERR_UNKNOWN;
    } else if (bytes.data != NULL) {
        err = fk_blob_put(ports->cloud->blobs, name, bytes);
    } else {
        err = fk_blob_remove(ports->cloud->blobs, name);
    }
    (void)sim_memory_of(before);
    sim_trace(ports->cloud->world, "%s %.*s, %zu bytes -> %d", call == SIM_CALL_BLOB_PUT ? "blob.put" : "blob.remove",
              (int)name.size, (const char *)name.data, bytes.size, (int)err);
    return sim_call_end(ports, &fault, err);
}

static enum fk_err put(struct fk_blobs *blobs, struct fk_bytes name, struct fk_bytes bytes)
{
    FK_ASSERT(bytes.data != NULL);
    return change(blobs, SIM_CALL_BLOB_PUT, SIM_KINDS_WRITE | SIM_FAULT_BIT(FULL), name, bytes);
}

static enum fk_err remove_blob(struct fk_blobs *blobs, struct fk_bytes name)
{
    return change(blobs, SIM_CALL_BLOB_REMOVE, SIM_KINDS_WRITE, name, FK_BYTES_NULL);
}

static enum fk_err get(struct fk_blobs *blobs, struct fk_bytes name, struct fk_arena *arena, struct fk_bytes *bytes)
{
    struct sim_ports *ports = ports_of(blobs);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_BLOB, SIM_CALL_BLOB_GET, SIM_KINDS_READ, &fault, &err)) {
        return err;
    }
    err = fk_blob_get(ports->cloud->blobs, name, arena, bytes);
    sim_trace(ports->cloud->world, "blob.get %.*s -> %d", (int)name.size, (const char *)name.data, (int)err);
    return sim_call_end(ports, &fault, err);
}

static enum fk_err list(struct fk_blobs *blobs, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                        struct fk_blob_page *page)
{
    struct sim_ports *ports = ports_of(blobs);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_BLOB, SIM_CALL_BLOB_LIST, SIM_KINDS_READ, &fault, &err)) {
        return err;
    }
    err = fk_blob_list(ports->cloud->blobs, after, limit, arena, page);
    sim_trace(ports->cloud->world, "blob.list -> %d, %zu names", (int)err, err == FK_OK ? page->count : 0);
    return sim_call_end(ports, &fault, err);
}

static void free_blobs(struct fk_blobs *blobs)
{
    (void)blobs; /* the world frees them */
}

const struct fk_blob_ops sim_blob_ops = {
    .name = "sim", .put = put, .get = get, .remove = remove_blob, .list = list, .free = free_blobs};
