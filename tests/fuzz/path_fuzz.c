// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: paths. A valid one splits, its parent is valid and holds it, and it is found in no other subtree. */
#include "model/path.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_bytes path = fk_bytes_of(data, size);
    struct fk_bytes parent;
    struct fk_bytes name;
    bool split = fk_path_split(path, &parent, &name);
    if (!fk_path_valid(path)) {
        return 0;
    }
    FK_ASSERT(split && path.data[0] == '/');
    FK_ASSERT(fk_path_within(path, path) && fk_path_within(path, fk_bytes_text("/")));
    if (path.size == 1) {
        return 0;
    }
    FK_ASSERT(fk_path_valid(parent) && name.size > 0);
    FK_ASSERT(memchr(name.data, '/', name.size) == NULL);
    FK_ASSERT(fk_path_within(path, parent) && !fk_path_within(parent, path));
    FK_ASSERT(parent.size == 1 || parent.size + 1 + name.size == path.size);
    FK_ASSERT(!fk_path_within(path, fk_bytes_head(path, path.size - 1)) || path.data[path.size - 2] == '/' ||
              path.size == 2);
    return 0;
}
