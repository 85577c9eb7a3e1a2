// SPDX-License-Identifier: Apache-2.0
/* The commit: everything that an overlay has changed in one conditional transaction. */
#ifndef FK_FUNCTION_COMMIT_H
#define FK_FUNCTION_COMMIT_H

#include "function/overlay.h"

/* Writes the overlay's changes if nothing that was read has changed since. Large data is written before, under names
 * that nobody knows; what it replaces is the caller's to remove once all is told (fk_data_remove_replaced). REFUSED,
 * BUSY, UNKNOWN: begin anew with a new overlay; TOO_LARGE: it is more than the store takes at once; FULL, NOMEM. */
enum fk_err fk_commit(struct fk_overlay *overlay);

#endif
