// SPDX-License-Identifier: Apache-2.0
#include "sim/check_internal.h"

void check_rebuild(struct check *check)
{
    check->first_zxid = check->history->first_zxid;
    check->last_zxid = check->first_zxid;
}
