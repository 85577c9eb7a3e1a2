// SPDX-License-Identifier: Apache-2.0
/* The measured units as data: src/cost/units_table.inc. */
#ifndef FK_TESTS_UNITS_TABLE_H
#define FK_TESTS_UNITS_TABLE_H

#include "base/buf.h"

/* Measures every operation of cost/units.h in both topologies, and prints the rows. */
void units_print_table(struct fk_buf *out);

#endif
