// SPDX-License-Identifier: Apache-2.0
/* The files ~/.aws/config and ~/.aws/credentials: sections of settings, some of which have settings below them. */
#ifndef FK_DRIVER_AWS_SHARED_FILE_H
#define FK_DRIVER_AWS_SHARED_FILE_H

#include "base/bytes.h"

/* The value of a key of the section "kind name", or "name" where kind is "": the last one that is not empty; null where
 * there is none. `outer`: the key stands, indented, below this one; or "". The section "default" may be written
 * without its kind. */
struct fk_bytes fk_shared_file_get(struct fk_bytes text, const char *kind, const char *name, const char *outer,
                                   const char *key);

bool fk_shared_file_has_section(struct fk_bytes text, const char *kind, const char *name);

#endif
