// SPDX-License-Identifier: Apache-2.0
/* Reading a whole checkpoint, with its checks. */
#include "base/container.h"
#include "base/map.h"
#include "driver/local/checkpoint_row.h"

#include <inttypes.h>
#include <stdio.h>

/* A node that says it has children. */
struct parent {
    struct fk_map_entry entry;
    struct fk_bytes path;
    int32_t expected;
    int32_t found;
};

/* The parents met so far; leaves need no entry, so this stays small. */
struct family {
    struct fk_map parents;
    struct fk_arena arena;
};

static struct parent *parent_of(struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct parent, entry);
}

static bool path_matches(const struct fk_map_entry *entry, const void *key)
{
    return fk_bytes_equal(FK_CONTAINER_OF(entry, struct parent, entry)->path, *(const struct fk_bytes *)key);
}

/* Path of the parent of "/a/b" is "/a", of "/a" is "/". */
static struct fk_bytes parent_path(struct fk_bytes path)
{
    size_t size = path.size;
    while (size > 1 && path.data[size - 1] != '/') {
        size--;
    }
    return fk_bytes_head(path, size > 1 ? size - 1 : size);
}

static enum fk_err damaged(const struct fk_checkpoint *checkpoint, const char *table, struct fk_bytes row,
                           const char *what, struct fk_diag *diag)
{
    fk_diag_set(diag, "%s is damaged: table %s, row %.*s: %s", checkpoint->path, table,
                (int)(row.size < 256 ? row.size : 256), (const char *)row.data, what);
    return FK_ERR_DAMAGED;
}

/* Notes a node and counts it at its parent; false where the parent is missing. */
static enum fk_err join_family(struct family *family, const struct fk_node *node, bool *orphan)
{
    *orphan = false;
    if (node->path.size > 1) {
        struct fk_bytes path = parent_path(node->path);
        struct fk_map_entry *entry = fk_map_get(&family->parents, fk_bytes_hash(path), path_matches, &path);
        *orphan = entry == NULL;
        if (entry != NULL) {
            parent_of(entry)->found++;
        }
    }
    if (node->num_children == 0) {
        return FK_OK;
    }
    struct parent *parent = (struct parent *)fk_arena_alloc(&family->arena, sizeof *parent);
    if (parent == NULL) {
        return FK_ERR_NOMEM;
    }
    *parent = (struct parent){.path = fk_arena_copy(&family->arena, node->path), .expected = node->num_children};
    if (parent->path.data == NULL) {
        return FK_ERR_NOMEM;
    }
    fk_map_add(&family->parents, &parent->entry, fk_bytes_hash(parent->path));
    return FK_OK;
}

static enum fk_err load_node(struct fk_checkpoint *checkpoint, sqlite3_stmt *statement, struct family *family,
                             const struct fk_engine_sink *sink, struct fk_diag *diag)
{
    struct fk_node node;
    bool orphan = false;
    bool right = fk_row_read_node(statement, &node);
    if (!right || node.path.data == NULL || node.path.data[0] != '/') {
        return damaged(checkpoint, "nodes", node.path.data == NULL ? fk_bytes_text("NULL") : node.path,
                       "wrong checksum", diag);
    }
    enum fk_err err = join_family(family, &node, &orphan);
    if (err == FK_OK && orphan) {
        return damaged(checkpoint, "nodes", node.path, "its parent is missing or says that it has no children", diag);
    }
    if (err == FK_OK) {
        err = sink->node(sink->context, &node);
    }
    return err == FK_ERR_DAMAGED ? damaged(checkpoint, "nodes", node.path, "it does not fit the other rows", diag)
                                 : err;
}

static enum fk_err check_family(const struct fk_checkpoint *checkpoint, struct family *family, struct fk_diag *diag)
{
    struct fk_bytes root = fk_bytes_text("/");
    if (fk_map_get(&family->parents, fk_bytes_hash(root), path_matches, &root) == NULL) {
        return damaged(checkpoint, "nodes", root, "it is missing", diag);
    }
    for (struct fk_map_entry *entry = fk_map_next(&family->parents, NULL); entry != NULL;
         entry = fk_map_next(&family->parents, entry)) {
        const struct parent *parent = parent_of(entry);
        if (parent->found != parent->expected) {
            char text[96];
            (void)snprintf(text, sizeof text, "it says that it has %" PRId32 " children, but %" PRId32 " are there",
                           parent->expected, parent->found);
            return damaged(checkpoint, "nodes", parent->path, text, diag);
        }
    }
    return FK_OK;
}

static enum fk_err load_nodes(struct fk_checkpoint *checkpoint, const struct fk_engine_sink *sink, uint64_t *digest,
                              struct fk_diag *diag)
{
    struct family family = {.arena = FK_ARENA_EMPTY};
    sqlite3_stmt *statement = NULL;
    fk_map_init(&family.parents);
    enum fk_err err =
        fk_checkpoint_prepare(checkpoint, "SELECT " FK_ROW_COLUMNS " FROM nodes ORDER BY path", &statement, diag);
    int result = SQLITE_DONE;
    while (err == FK_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        *digest += (uint64_t)sqlite3_column_int64(statement, 1);
        err = load_node(checkpoint, statement, &family, sink, diag);
    }
    if (err == FK_OK && result != SQLITE_DONE) {
        err = fk_checkpoint_fail(checkpoint, "read", diag);
    }
    if (err == FK_OK) {
        err = check_family(checkpoint, &family, diag);
    }
    (void)sqlite3_finalize(statement);
    fk_map_deinit(&family.parents);
    fk_arena_deinit(&family.arena);
    return err;
}

static enum fk_err load_sessions(struct fk_checkpoint *checkpoint, const struct fk_engine_sink *sink, uint64_t *digest,
                                 struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    enum fk_err err =
        fk_checkpoint_prepare(checkpoint, "SELECT id, crc, timeout_ms, password FROM sessions", &statement, diag);
    int result = SQLITE_DONE;
    while (err == FK_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct fk_session session;
        *digest += (uint64_t)sqlite3_column_int64(statement, 1);
        bool right = fk_row_read_session(statement, &session);
        err = right ? sink->session(sink->context, &session) : FK_ERR_DAMAGED;
        if (err == FK_ERR_DAMAGED) {
            char id[24];
            (void)snprintf(id, sizeof id, "%" PRId64, session.id);
            err = damaged(checkpoint, "sessions", fk_bytes_text(id), "wrong checksum", diag);
        }
    }
    if (err == FK_OK && result != SQLITE_DONE) {
        err = fk_checkpoint_fail(checkpoint, "read", diag);
    }
    (void)sqlite3_finalize(statement);
    return err;
}

enum fk_err fk_checkpoint_load(struct fk_checkpoint *checkpoint, const struct fk_engine_sink *sink,
                               struct fk_diag *diag)
{
    uint64_t digest = 0;
    enum fk_err err = load_sessions(checkpoint, sink, &digest, diag);
    if (err == FK_OK) {
        err = load_nodes(checkpoint, sink, &digest, diag);
    }
    if (err == FK_OK && digest != checkpoint->digest) {
        fk_diag_set(diag, "%s is damaged: a row in table nodes or sessions is missing or is an old one",
                    checkpoint->path);
        err = FK_ERR_DAMAGED;
    }
    (void)sqlite3_db_release_memory(checkpoint->db);
    return err == FK_OK ? sink->zxid(sink->context, checkpoint->zxid) : err;
}
