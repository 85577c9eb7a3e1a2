// SPDX-License-Identifier: Apache-2.0
/* Rules for paths (org.apache.zookeeper.common.PathUtils). */
#ifndef FK_MODEL_PATH_H
#define FK_MODEL_PATH_H

#include "base/bytes.h"

/* True for a path that a write may name: starts with '/', does not end with one (but "/" itself), no empty, "." or ".."
 * component, valid UTF-8 without U+0000-001F, U+007F-009F, U+D800-F8FF (which excludes all characters beyond the basic
 * plane, as Java sees them as surrogates) and U+FFF0-FFFF. */
bool fk_path_valid(struct fk_bytes path);

/* Splits at the last '/': the parent ("/" for children of the root) and the name. False where there is no '/' or the
 * path has a NUL, which ZooKeeper refuses before it looks at the parent. */
bool fk_path_split(struct fk_bytes path, struct fk_bytes *parent, struct fk_bytes *name);

/* True where `path` is in the subtree of `ancestor`, which counts itself. Both are valid paths. */
bool fk_path_within(struct fk_bytes path, struct fk_bytes ancestor);

/* "" is an alias of "/". */
struct fk_bytes fk_path_alias(struct fk_bytes path);

#endif
