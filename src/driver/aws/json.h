// SPDX-License-Identifier: Apache-2.0
/* What the drivers need besides jansson itself. */
#ifndef FK_DRIVER_AWS_JSON_H
#define FK_DRIVER_AWS_JSON_H

#include "base/buf.h"

#include <jansson.h>

/* NULL where the bytes are no JSON, have a name twice, or memory is short. Free with json_decref. */
json_t *fk_json_load(struct fk_bytes bytes);

/* The string that a member is; a view of it, null where there is none. `object` may be NULL. */
struct fk_bytes fk_json_text(const json_t *object, const char *name);

/* Appends a string with its quotes. The bytes are UTF-8. */
void fk_json_append_string(struct fk_buf *buf, struct fk_bytes bytes);

#endif
