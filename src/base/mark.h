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
    X(OLD_EPOCH_DROPPED, "a request of an older epoch was dropped")                                                    \
    X(CLOSING_DROPPED, "a request of a closing session was dropped")                                                   \
    X(EXPIRED_ANSWERED, "a request of a session that is gone was answered expired")                                    \
    X(ATTACH_REPEATED, "an attach came again and was recognised")                                                      \
    X(ATTACH_STALE, "an attach came too late: another one was first, or its gateway is dead")                          \
    X(EXPIRE_STALE, "the end of a session was dropped: it had moved on meanwhile")                                     \
    X(DEAD_STALE, "a gateway was not declared dead: it had renewed meanwhile")                                         \
    X(GATEWAY_DECLARED_DEAD, "a gateway was declared dead")                                                            \
    X(CLOSE_IN_CHUNKS, "a session's end took more than one commit")                                                    \
    X(BATCH_CUT, "a batch was cut at the size of a transaction")                                                       \
    X(MULTI_TOO_LARGE, "a multi was refused: larger than a transaction")                                               \
    X(FUNCTION_OUT_OF_TIME, "a function gave its messages back for want of time")                                      \
    X(MESSAGE_UNREADABLE, "a message that could not be read was dropped")                                              \
    X(MESSAGE_NEWER, "a message of newer code was left for newer code")

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
