// SPDX-License-Identifier: Apache-2.0
/* Changes as bytes: the payload of log frames. One payload holds any number of changes, one after the other. Jute
 * encoding: change: long zxid, long time_ms, int count, puts put:    byte kind, then CREATE       ustring path, buffer
 * data, vector acl (-1 = open ACL), long owner  (czxid = mzxid = pzxid = zxid) DATA         ustring path, buffer data,
 * int version                       (mzxid = zxid, mtime = time) ACL          ustring path, vector acl (-1 = open ACL),
 * int aversion CHILDREN     ustring path, int created_children, int num_children          (pzxid = zxid) DELETE ustring
 * path SESSION      long id, int timeout_ms, 16 bytes password SESSION_END  long id STATS ustring
 * path, buffer data Values that follow from the
 * change's zxid and time are not repeated. */
#ifndef FK_DRIVER_LOCAL_CODEC_H
#define FK_DRIVER_LOCAL_CODEC_H

#include "base/arena.h"
#include "model/change.h"

/* Upper bound of the encoded size of a change. */
size_t fk_change_size(const struct fk_change *change);

void fk_change_write(struct fk_buf *buf, const struct fk_change *change);

/* Reads the next change; its puts are in the arena, its views point into the payload. Of a node put only the fields
 * named above are set (with czxid, mzxid, pzxid, ctime_ms, mtime_ms where they follow from the change), the rest is
 * zero. MALFORMED where the bytes are no change; NOMEM. */
enum fk_err fk_change_read(struct fk_reader *reader, struct fk_arena *arena, struct fk_change *change);

#endif
