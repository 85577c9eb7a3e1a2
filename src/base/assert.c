// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void fk_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "faaskeeper: bug: %s does not hold (%s:%d)\n", condition, file, line);
    abort();
}
