// SPDX-License-Identifier: Apache-2.0
/* From a link to the element that holds it. */
#ifndef FK_BASE_CONTAINER_H
#define FK_BASE_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

/* The struct `type` whose `member` is at `pointer`; drops const, as a link says nothing about its element. */
#define FK_CONTAINER_OF(pointer, type, member) ((type *)((uintptr_t)(pointer)-offsetof(type, member)))

#endif
