// SPDX-License-Identifier: Apache-2.0
/* splitmix64: any seed is good, a step is a few instructions. */
#ifndef SIM_DICE_H
#define SIM_DICE_H

#include <stdint.h>

static inline uint64_t sim_mix(uint64_t word)
{
    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

static inline uint64_t sim_dice_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return sim_mix(*state);
}

/* Evenly in [0, below), by multiplication: no division, a bias of 2^-32 at most. */
static inline uint64_t sim_dice_scale(uint64_t word, uint64_t below)
{
    return (uint64_t)(((unsigned __int128)word * below) >> 64);
}

#endif
