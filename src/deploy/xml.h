// SPDX-License-Identifier: Apache-2.0
/* A bounded scan of the XML that AWS's query services answer with: elements and their texts, no attributes, no entities
 * but the predefined and numeric ones. Nothing is copied: what is found are views of the document. */
#ifndef FK_DEPLOY_XML_H
#define FK_DEPLOY_XML_H

#include "base/arena.h"
#include "base/bytes.h"

struct fk_xml_element {
    struct fk_bytes name;
    struct fk_bytes inner; /* between its tags; empty for <name/> */
};

/* The next element that stands directly in `rest`, which goes on behind it; false where there is none, or where the
 * document is cut or does not nest. */
bool fk_xml_next(struct fk_bytes *rest, struct fk_xml_element *element);

/* What stands inside the element that `path` ("Stacks/member") leads to, always by the first of a name; null where
 * there is none. */
struct fk_bytes fk_xml_find(struct fk_bytes xml, const char *path);

/* The text of an element that holds no others, entities resolved, NUL-terminated in the arena; "" where `inner` is
 * null, NULL without memory. */
const char *fk_xml_text(struct fk_arena *arena, struct fk_bytes inner);

/* fk_xml_text of fk_xml_find. */
const char *fk_xml_find_text(struct fk_arena *arena, struct fk_bytes xml, const char *path);

#endif
