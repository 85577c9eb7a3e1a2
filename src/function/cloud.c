// SPDX-License-Identifier: Apache-2.0
#include "function/cloud.h"

#include "base/limits.h"

enum {
    PAUSE_MS_MIN = 10,
    PAUSE_MS_MAX = 1000,
};

struct fk_cloud_options fk_cloud_defaults(void)
{
    return (struct fk_cloud_options){
        .pipeline = false,
        .period_ms = 7500,
        .lease_ms = 17000,
        .look_ms = 5000,
        .hold_ms = 200,
        .skew_ms = 1000,
        .answer_ms = 1000,
        .lock_ms = 10000,
        .function_ms = 20000,
        .commit_items_max = FK_TABLE_WRITE_MAX,
        .message_size_max = FK_MESSAGE_SIZE_MAX,
        .inline_size_max = FK_INLINE_ITEM_SIZE_MAX,
        .pend_unread_max = FK_PEND_UNREAD_MAX,
        .item_size_max = 8 * 1024,
        .orphan_sweeps = 60,
        .session_sweeps = 10,
    };
}

/* The longest pause of a try; `tries` may be anything that its owner counted up. */
static int64_t ceiling_ms(int32_t tries)
{
    int64_t ceiling = PAUSE_MS_MIN;
    for (int32_t i = 0; i < tries && ceiling < PAUSE_MS_MAX; i++) {
        ceiling *= 2;
    }
    return ceiling < PAUSE_MS_MAX ? ceiling : PAUSE_MS_MAX;
}

void fk_backoff_wait(struct fk_backoff *backoff)
{
    uint8_t dice[4];
    fk_random_fill(backoff->random, dice, sizeof dice);
    uint32_t number = (uint32_t)dice[0] << 24 | (uint32_t)dice[1] << 16 | (uint32_t)dice[2] << 8 | dice[3];
    int64_t ceiling = ceiling_ms(backoff->tries);
    if (ceiling < PAUSE_MS_MAX) {
        backoff->tries++;
    }
    fk_clock_pause_ms(backoff->clock, 1 + (int64_t)number % ceiling);
}
