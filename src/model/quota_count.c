// SPDX-License-Identifier: Apache-2.0
#include "model/quota_count.h"

#include <string.h>

/* ZK: PathUtils.getTopNamespace. */
static struct fk_bytes top_of(struct fk_bytes path)
{
    struct fk_bytes rest = fk_bytes_tail(path, path.size > 0 ? 1 : 0);
    const uint8_t *slash = rest.size == 0 ? NULL : (const uint8_t *)memchr(rest.data, '/', rest.size);
    return slash == NULL ? rest : fk_bytes_head(rest, (size_t)(slash - rest.data));
}

void fk_quota_count(struct fk_quota_counts *counts, struct fk_bytes path)
{
    struct fk_bytes name = top_of(path);
    if (name.size == 0 || name.size > FK_QUOTA_NAMESPACE_SIZE_MAX) {
        return;
    }
    size_t at = 0;
    while (at < counts->size && !fk_bytes_equal_text(name, counts->items[at].name)) {
        at++;
    }
    if (at == FK_QUOTA_NAMESPACES_MAX) {
        return;
    }
    if (at == counts->size) {
        memcpy(counts->items[at].name, name.data, name.size);
        counts->items[at].name[name.size] = '\0';
        counts->size++;
    }
    counts->items[at].count++;
}

void fk_quota_counts_print(const struct fk_quota_counts *counts, struct fk_buf *out)
{
    for (size_t i = 0; i < counts->size; i++) {
        fk_buf_print(out, "zk_%s_quota_exceeded_error_per_namespace\t%lld\n", counts->items[i].name,
                     (long long)counts->items[i].count);
    }
}
