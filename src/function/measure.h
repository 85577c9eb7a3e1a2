// SPDX-License-Identifier: Apache-2.0
/* The extent of a tree, for the statistics of a new quota. */
#ifndef FK_FUNCTION_MEASURE_H
#define FK_FUNCTION_MEASURE_H

#include "function/overlay.h"
#include "model/quota.h"

/* What is under a path, itself included, as the overlay's commit would leave it so far. TOO_LARGE above
 * FK_CLOUD_COUNT_MAX nodes; port errors. */
enum fk_err fk_overlay_measure(struct fk_overlay *overlay, struct fk_bytes path, struct fk_extent *extent);

#endif
