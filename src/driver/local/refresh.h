// SPDX-License-Identifier: Apache-2.0
/* After a sync that failed, the system takes what it could not write for clean (fsyncgate): it can be read until the
 * power goes, and no later sync writes it. A process that starts on such a file must write what it trusts again. */
#ifndef FK_DRIVER_LOCAL_REFRESH_H
#define FK_DRIVER_LOCAL_REFRESH_H

#include "port/file.h"

/* Writes a whole file again, as it is read, and syncs it. OK where there is none. */
enum fk_err fk_file_refresh(struct fk_files *files, const char *name, struct fk_diag *diag);

#endif
