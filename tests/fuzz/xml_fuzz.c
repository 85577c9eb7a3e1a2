// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: the scan of AWS's XML. What is found lies within the document and in front of what is left; a text is
 * never longer than what it was made of. */
#include "base/assert.h"
#include "deploy/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct fk_arena *arena, struct fk_bytes xml, int depth)
{
    struct fk_bytes rest = xml;
    struct fk_xml_element element;
    while (fk_xml_next(&rest, &element)) {
        FK_ASSERT(element.inner.data >= xml.data && element.inner.data + element.inner.size <= xml.data + xml.size);
        FK_ASSERT(rest.data >= element.inner.data + element.inner.size || rest.size == 0);
        const char *text = fk_xml_text(arena, element.inner);
        FK_ASSERT(text != NULL && strlen(text) <= element.inner.size);
        if (depth < 8) {
            walk(arena, element.inner, depth + 1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    walk(&arena, fk_bytes_of(data, size), 0);
    (void)fk_xml_find(fk_bytes_of(data, size), "a/b/c");
    fk_arena_deinit(&arena);
    return 0;
}
