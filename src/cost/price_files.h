// SPDX-License-Identifier: Apache-2.0
/* The files of deploy/prices, built in by tools/embed.py. */
#ifndef FK_COST_PRICE_FILES_H
#define FK_COST_PRICE_FILES_H

#include "base/bytes.h"

struct fk_bytes fk_price_file_us_east_1(void);
struct fk_bytes fk_price_file_us_west_2(void);

#endif
