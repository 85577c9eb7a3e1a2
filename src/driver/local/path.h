// SPDX-License-Identifier: Apache-2.0
/* Names of files, as text. */
#ifndef FK_DRIVER_LOCAL_PATH_H
#define FK_DRIVER_LOCAL_PATH_H

#include "base/alloc.h"

#include <stdio.h>
#include <string.h>

/* "directory/name", or a copy of the directory where the name is empty; the caller frees it (fk_free). NULL without
 * memory. */
static inline char *fk_path_join(const char *directory, const char *name)
{
    size_t size = strlen(directory) + strlen(name) + 2;
    char *path = (char *)fk_alloc(size);
    if (path != NULL) {
        (void)snprintf(path, size, "%s%s%s", directory, name[0] == '\0' ? "" : "/", name);
    }
    return path;
}

#endif
