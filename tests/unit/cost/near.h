// SPDX-License-Identifier: Apache-2.0
/* Figures that were computed by hand. */
#ifndef FK_TESTS_UNIT_COST_NEAR_H
#define FK_TESTS_UNIT_COST_NEAR_H

#include "support/test.h"

#include <math.h>

/* Equal but for the last digits of a double. */
static inline void fk_assert_near(double found, double expected)
{
    if (fabs(found - expected) > 1e-9 * fmax(1e-6, fabs(expected))) {
        fail_msg("%.12g, and %.12g was expected", found, expected);
    }
}

#endif
