// SPDX-License-Identifier: Apache-2.0
#include "driver/local/checkpoint_row.h"

#include "base/crc32c.h"
#include "wire/jute.h"

enum {
    /* Six longs, four ints and the sizes of path, acl and data. */
    FIXED_SIZE = 6 * 8 + 4 * 4 + 3 * 4,
    COLUMN_PATH = 0,
    COLUMN_CRC = 1,
    COLUMN_CZXID = 2,
    COLUMN_VERSION = 8,
    COLUMN_ACL = 12,
    COLUMN_DATA = 13,
};

static uint32_t size_mark(struct fk_bytes bytes)
{
    return bytes.data == NULL ? UINT32_MAX : (uint32_t)bytes.size;
}

static uint32_t node_crc(const struct fk_node *node)
{
    const int64_t longs[6] = {node->czxid,    node->mzxid,    node->pzxid,
                              node->ctime_ms, node->mtime_ms, node->ephemeral_owner};
    const uint32_t ints[7] = {(uint32_t)node->version,      (uint32_t)node->aversion, (uint32_t)node->created_children,
                              (uint32_t)node->num_children, size_mark(node->path),    size_mark(node->acl),
                              size_mark(node->data)};
    uint8_t fixed[FIXED_SIZE];
    uint8_t *at = fixed;
    for (size_t i = 0; i < 6; i++, at += 8) {
        fk_store_u64(at, (uint64_t)longs[i]);
    }
    for (size_t i = 0; i < 7; i++, at += 4) {
        fk_store_u32(at, ints[i]);
    }
    uint32_t crc = fk_crc32c(0, fk_bytes_of(fixed, sizeof fixed));
    crc = fk_crc32c(crc, node->path);
    crc = fk_crc32c(crc, node->acl);
    return fk_crc32c(crc, node->data);
}

/* SQLite takes a NULL pointer for the value NULL, whatever the size. */
static void bind_bytes(sqlite3_stmt *statement, int index, struct fk_bytes bytes)
{
    if (bytes.data == NULL) {
        (void)sqlite3_bind_null(statement, index);
    } else {
        (void)sqlite3_bind_blob64(statement, index, bytes.data, bytes.size, SQLITE_STATIC);
    }
}

static struct fk_bytes column_bytes(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) {
        return FK_BYTES_NULL;
    }
    const void *data = sqlite3_column_blob(statement, column);
    int size = sqlite3_column_bytes(statement, column);
    return data == NULL ? fk_bytes_of("", 0) : fk_bytes_of(data, (size_t)size);
}

uint32_t fk_row_bind_node(sqlite3_stmt *statement, const struct fk_node *node)
{
    struct fk_node row = *node;
    if (fk_bytes_equal(row.acl, FK_ACL_OPEN)) {
        row.acl = FK_BYTES_NULL;
    }
    const uint32_t crc = node_crc(&row);
    const int64_t longs[6] = {row.czxid, row.mzxid, row.pzxid, row.ctime_ms, row.mtime_ms, row.ephemeral_owner};
    const int32_t ints[4] = {row.version, row.aversion, row.created_children, row.num_children};
    (void)sqlite3_bind_text64(statement, COLUMN_PATH + 1, (const char *)row.path.data, row.path.size, SQLITE_STATIC,
                              SQLITE_UTF8);
    (void)sqlite3_bind_int64(statement, COLUMN_CRC + 1, crc);
    for (int i = 0; i < 6; i++) {
        (void)sqlite3_bind_int64(statement, COLUMN_CZXID + 1 + i, longs[i]);
    }
    for (int i = 0; i < 4; i++) {
        (void)sqlite3_bind_int(statement, COLUMN_VERSION + 1 + i, ints[i]);
    }
    bind_bytes(statement, COLUMN_ACL + 1, row.acl);
    bind_bytes(statement, COLUMN_DATA + 1, row.data);
    return crc;
}

bool fk_row_read_node(sqlite3_stmt *statement, struct fk_node *node)
{
    int64_t longs[6];
    int32_t ints[4];
    for (int i = 0; i < 6; i++) {
        longs[i] = sqlite3_column_int64(statement, COLUMN_CZXID + i);
    }
    for (int i = 0; i < 4; i++) {
        ints[i] = sqlite3_column_int(statement, COLUMN_VERSION + i);
    }
    *node = (struct fk_node){
        .path = column_bytes(statement, COLUMN_PATH),
        .data = column_bytes(statement, COLUMN_DATA),
        .acl = column_bytes(statement, COLUMN_ACL),
        .czxid = longs[0],
        .mzxid = longs[1],
        .pzxid = longs[2],
        .ctime_ms = longs[3],
        .mtime_ms = longs[4],
        .ephemeral_owner = longs[5],
        .version = ints[0],
        .aversion = ints[1],
        .created_children = ints[2],
        .num_children = ints[3],
    };
    bool right = sqlite3_column_int64(statement, COLUMN_CRC) == node_crc(node) && node->path.size > 0;
    if (node->acl.data == NULL) {
        node->acl = FK_ACL_OPEN;
    }
    return right;
}

static uint32_t session_crc(const struct fk_session *session)
{
    uint8_t fixed[12];
    fk_store_u64(fixed, (uint64_t)session->id);
    fk_store_u32(fixed + 8, (uint32_t)session->timeout_ms);
    uint32_t crc = fk_crc32c(0, fk_bytes_of(fixed, sizeof fixed));
    return fk_crc32c(crc, fk_bytes_of(session->password, sizeof session->password));
}

uint32_t fk_row_bind_session(sqlite3_stmt *statement, const struct fk_session *session)
{
    const uint32_t crc = session_crc(session);
    (void)sqlite3_bind_int64(statement, 1, session->id);
    (void)sqlite3_bind_int64(statement, 2, crc);
    (void)sqlite3_bind_int(statement, 3, session->timeout_ms);
    bind_bytes(statement, 4, fk_bytes_of(session->password, sizeof session->password));
    return crc;
}

bool fk_row_read_session(sqlite3_stmt *statement, struct fk_session *session)
{
    struct fk_bytes password = column_bytes(statement, 3);
    *session =
        (struct fk_session){.id = sqlite3_column_int64(statement, 0), .timeout_ms = sqlite3_column_int(statement, 2)};
    if (password.size != sizeof session->password) {
        return false;
    }
    memcpy(session->password, password.data, sizeof session->password);
    return sqlite3_column_int64(statement, 1) == session_crc(session);
}

/* The rows of meta. */
enum {
    META_POSITION = 1,
    META_DIGEST = 2, /* its position is the digest */
};

static uint32_t meta_crc(int64_t position, int64_t zxid, uint32_t chain)
{
    uint8_t fixed[20];
    fk_store_u64(fixed, (uint64_t)position);
    fk_store_u64(fixed + 8, (uint64_t)zxid);
    fk_store_u32(fixed + 16, chain);
    return fk_crc32c(0, fk_bytes_of(fixed, sizeof fixed));
}

static enum fk_err write_meta_row(struct fk_checkpoint *checkpoint, int id, int64_t position, int64_t zxid,
                                  uint32_t chain, struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    enum fk_err err = fk_checkpoint_prepare(
        checkpoint, "INSERT OR REPLACE INTO meta(id, crc, position, chain, zxid) VALUES(?1, ?2, ?3, ?4, ?5)",
        &statement, diag);
    if (err != FK_OK) {
        return err;
    }
    (void)sqlite3_bind_int(statement, 1, id);
    (void)sqlite3_bind_int64(statement, 2, meta_crc(position, zxid, chain));
    (void)sqlite3_bind_int64(statement, 3, position);
    (void)sqlite3_bind_int64(statement, 4, chain);
    (void)sqlite3_bind_int64(statement, 5, zxid);
    if (sqlite3_step(statement) != SQLITE_DONE) {
        err = fk_checkpoint_fail(checkpoint, "write", diag);
    }
    (void)sqlite3_finalize(statement);
    return err;
}

enum fk_err fk_checkpoint_write_meta(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    enum fk_err err = write_meta_row(checkpoint, META_DIGEST, (int64_t)checkpoint->digest, 0, 0, diag);
    return err != FK_OK ? err
                        : write_meta_row(checkpoint, META_POSITION, checkpoint->position, checkpoint->zxid,
                                         checkpoint->chain, diag);
}

/* One row; *found tells whether it is there. */
static enum fk_err read_meta_row(struct fk_checkpoint *checkpoint, int id, struct fk_checkpoint_meta *meta, bool *found,
                                 struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    enum fk_err err = fk_checkpoint_prepare(checkpoint, "SELECT crc, position, chain, zxid FROM meta WHERE id = ?1",
                                            &statement, diag);
    if (err != FK_OK) {
        return err;
    }
    (void)sqlite3_bind_int(statement, 1, id);
    int result = sqlite3_step(statement);
    *found = result == SQLITE_ROW;
    if (*found) {
        meta->position = sqlite3_column_int64(statement, 1);
        meta->chain = (uint32_t)sqlite3_column_int64(statement, 2);
        meta->zxid = sqlite3_column_int64(statement, 3);
    }
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        err = fk_checkpoint_fail(checkpoint, "read", diag);
    } else if (*found && sqlite3_column_int64(statement, 0) != meta_crc(meta->position, meta->zxid, meta->chain)) {
        fk_diag_set(diag, "%s is damaged: row %d in table meta has a wrong checksum", checkpoint->path, id);
        err = FK_ERR_DAMAGED;
    }
    (void)sqlite3_finalize(statement);
    return err;
}

/* A checkpoint of a version that wrote no digest gets that of its rows. */
static enum fk_err sum_rows(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    sqlite3_stmt *statement = NULL;
    enum fk_err err = fk_checkpoint_prepare(
        checkpoint, "SELECT (SELECT coalesce(sum(crc), 0) FROM nodes) + (SELECT coalesce(sum(crc), 0) FROM sessions)",
        &statement, diag);
    if (err == FK_OK && sqlite3_step(statement) == SQLITE_ROW) {
        checkpoint->digest = (uint64_t)sqlite3_column_int64(statement, 0);
    } else if (err == FK_OK) {
        err = fk_checkpoint_fail(checkpoint, "read", diag);
    }
    (void)sqlite3_finalize(statement);
    return err;
}

enum fk_err fk_checkpoint_read_meta(struct fk_checkpoint *checkpoint, struct fk_diag *diag)
{
    struct fk_checkpoint_meta meta;
    bool found = false;
    enum fk_err err = read_meta_row(checkpoint, META_POSITION, &meta, &found, diag);
    if (err == FK_OK && !found) {
        fk_diag_set(diag, "%s is damaged: row %d in table meta is missing", checkpoint->path, META_POSITION);
        err = FK_ERR_DAMAGED;
    }
    if (err == FK_OK) {
        checkpoint->position = meta.position;
        checkpoint->chain = meta.chain;
        checkpoint->zxid = meta.zxid;
    }
    if (err == FK_OK) {
        err = read_meta_row(checkpoint, META_DIGEST, &meta, &found, diag);
    }
    if (err == FK_OK && !found) {
        return sum_rows(checkpoint, diag);
    }
    checkpoint->digest = err == FK_OK ? (uint64_t)meta.position : 0;
    return err;
}
