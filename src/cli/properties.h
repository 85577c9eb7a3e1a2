// SPDX-License-Identifier: Apache-2.0
/* Java properties files (java.util.Properties.load): comments, continued lines, escapes; values trimmed at the end, as
 * QuorumPeerConfig does. */
#ifndef FK_CLI_PROPERTIES_H
#define FK_CLI_PROPERTIES_H

#include "base/buf.h"
#include "base/err.h"

/* Where a setting stands, for messages: a file and line, or "-D" and 0. */
struct fk_place {
    const char *name;
    int line;
};

/* One setting; an error ends the reading. */
typedef enum fk_err (*fk_property_fn)(void *context, const struct fk_place *place, const char *key, const char *value,
                                      struct fk_diag *diag);

/* Calls back with each setting of a text. USAGE: it has a NUL byte; NOMEM. */
enum fk_err fk_properties_parse(struct fk_bytes text, const char *name, fk_property_fn callback, void *context,
                                struct fk_diag *diag);

/* The same from a file. IO: it can't be read; USAGE: it is larger than a configuration can be. */
enum fk_err fk_properties_load(const char *path, fk_property_fn callback, void *context, struct fk_diag *diag);

/* Appends "NAME:LINE: " or "NAME: ". */
void fk_place_print(const struct fk_place *place, struct fk_buf *out);

#endif
