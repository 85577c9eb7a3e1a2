// SPDX-License-Identifier: Apache-2.0
/* What the parts of the distributor share: distributor.c (batches, fates, commits), distributor_apply.c (what an
 * accepted entry does to the visible state). */
#ifndef FK_FUNCTION_DISTRIBUTOR_INTERNAL_H
#define FK_FUNCTION_DISTRIBUTOR_INTERNAL_H

#include "function/decide.h"
#include "function/pipeline_entry.h"

/* Data that a later change of the same commit replaces: no record ever names it. */
struct fk_superseded {
    struct fk_list link;
    enum fk_data_place place;
    struct fk_bytes attempt;
};

/* Makes an accepted entry part of the commit. CUT: it does not fit it any more, or must begin one. The decision's
 * error, REFUSED where the entry does not follow on the visible state (H26). */
enum fk_verdict fk_distributor_apply(struct fk_decision *decision, const struct fk_entry *entry,
                                     struct fk_list *superseded);

#endif
