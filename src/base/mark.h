// SPDX-License-Identifier: Apache-2.0
/* Rare situations, counted where the code handles them: the simulator shows that it reaches each of them, and a server
 * can tell how often it met them. */
#ifndef FK_BASE_MARK_H
#define FK_BASE_MARK_H

#include <stdatomic.h>
#include <stdint.h>

/*    name                     the situation */
#define FK_MARK_TABLE(X)                                                                                               \
    X(COMMIT_REFUSED, "a commit was refused: somebody else committed first")                                           \
    X(COMMIT_UNKNOWN, "the outcome of a commit was unknown")                                                           \
    X(ANSWERED_FROM_RING, "a request delivered again was answered from its record")                                    \
    X(GAP_DROPPED, "a request behind a gap in the numbers was dropped")                                                \
    X(OLD_EPOCH_DROPPED, "a request of an older epoch was dropped")

enum fk_mark {
#define FK_MARK_ROW(name, text) FK_MARK_##name,
    FK_MARK_TABLE(FK_MARK_ROW)
#undef FK_MARK_ROW
    FK_MARK_COUNT
};

extern _Atomic uint64_t fk_marks[FK_MARK_COUNT];

/* Text of a mark; never NULL. */
const char *fk_mark_text(enum fk_mark mark);

#define FK_MARK(name) ((void)atomic_fetch_add_explicit(&fk_marks[FK_MARK_##name], 1, memory_order_relaxed))

#endif
