// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "sim/world_internal.h"

#include <stdlib.h>

static bool before(const struct sim_due *a, const struct sim_due *b)
{
    if (a->at_ns != b->at_ns) {
        return a->at_ns < b->at_ns;
    }
    return a->tie != b->tie ? a->tie < b->tie : a->sequence < b->sequence;
}

void sim_heap_push(struct sim_heap *heap, const struct sim_due *due)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity == 0 ? 256 : heap->capacity * 2;
        heap->items = realloc(heap->items, heap->capacity * sizeof *heap->items);
        FK_ASSERT(heap->items != NULL);
    }
    size_t at = heap->count++;
    while (at > 0 && before(due, &heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = *due;
}

struct sim_due sim_heap_pop(struct sim_heap *heap)
{
    FK_ASSERT(heap->count > 0);
    struct sim_due first = heap->items[0];
    const struct sim_due last = heap->items[--heap->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && before(&heap->items[child + 1], &heap->items[child])) {
            child++;
        }
        if (!before(&heap->items[child], &last)) {
            break;
        }
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
    return first;
}
