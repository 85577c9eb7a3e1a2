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
    X(EARLY_READ_CHANGED, "what was read beside the zxid record had changed before the commit")                        \
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
    X(CREATE_FENCED, "a session's creation was unknown: fenced before it was tried again")                             \
    X(GATEWAY_SEEN_SILENT, "a sweep found a gateway whose counter stands still")                                       \
    X(SWEEP_EARLY, "a gateway swept before its time, because something was due")                                       \
    X(GATEWAY_FORGOTTEN, "a dead gateway that owned nothing any more was forgotten")                                   \
    X(SESSION_OF_DEAD_GATEWAY_ENDED,                                                                                   \
      "a sweep asked for the end of a session that was closing or had lost its gateway")                               \
    X(EVENTS_SENT_AGAIN, "a sweep sent events again")                                                                  \
    X(EVENTS_TRIMMED, "events that all had applied were removed")                                                      \
    X(DUE_NODE_CHANGED, "a container or TTL node was not due any more when its end was decided")                       \
    X(DUE_NODE_FOUND, "a sweep found a container or TTL node that was due")                                            \
    X(ORPHAN_REMOVED, "data that no record names was removed")                                                         \
    X(CLOSE_IN_CHUNKS, "a session's end took more than one commit")                                                    \
    X(BATCH_CUT, "a batch was cut at the size of a transaction")                                                       \
    X(MULTI_TOO_LARGE, "a multi was refused: larger than a transaction")                                               \
    X(FUNCTION_OUT_OF_TIME, "a function gave its messages back for want of time")                                      \
    X(MESSAGE_UNREADABLE, "a message that could not be read was dropped")                                              \
    X(MESSAGE_NEWER, "a message of newer code was left for newer code")                                                \
    X(BUNDLE_OPENED, "a message held the requests of several sessions")                                                \
    X(MESSAGE_STORED, "a request message went by way of a blob")                                                       \
    X(STORED_MESSAGE_GONE, "the blob of a message was gone: the message was decided")                                  \
    X(REPLY_HELD, "a read's reply was held for events that had not come")                                              \
    X(ANSWER_HELD, "a write's answer was held for events that had not come")                                           \
    X(EVENTS_MISSING, "an event came before the one it follows")                                                       \
    X(EVENTS_FETCHED, "missing events were fetched")                                                                   \
    X(EVENT_REPEATED, "an event came that was applied already")                                                        \
    X(ANSWERED_FROM_SESSION, "an answer was taken from the session's record")                                          \
    X(EVENT_BEHIND_WRITES, "an event waited until the writes before it were known")                                    \
    X(READ_AGAIN, "a read was repeated: an event came meanwhile")                                                      \
    X(REGISTER_REFUSED, "registering a watch was refused: the record had changed")                                     \
    X(UNSUBSCRIBED, "a subscription that nobody needed any more was removed")                                          \
    X(UNSUBSCRIBE_GAVE_WAY, "a subscription was kept: somebody needs it meanwhile")                                    \
    X(CHILDREN_AGAIN, "children were listed again: one of them had been deleted meanwhile")                            \
    X(CHILD_TOO_NEW, "a child was left out of a list: it is newer than what the parent's record shows")                \
    X(READ_GIVEN_UP, "a read was answered with a timeout: what it reads changed each time")                            \
    X(MISSING_AGAIN, "a missing node was looked for again: its parent had changed")                                    \
    X(DATA_GONE, "the data of a record was gone: the record was read again")                                           \
    X(GENERATION_ALIVE, "a newer generation was met, and the gateway is alive")                                        \
    X(GENERATION_DEAD, "a newer generation was met, and the gateway is dead")                                          \
    X(RENEWAL_DEAD, "a renewal found that the gateway was declared dead")                                              \
    X(RENEWAL_UNKNOWN, "a renewal was unknown")                                                                        \
    X(LEASE_OVER, "a gateway had something to send and its lease was over")                                            \
    X(EPOCH_MOVED, "a connection was dropped: its session had moved on")                                               \
    X(SESSION_GONE_EVENT, "a connection was dropped by the event that its session is gone")                            \
    X(CLOSE_BY_EVENT, "a closeSession was answered by the event that the session is gone")                             \
    X(ATTACH_LOST, "an attach lost against another one")                                                               \
    X(ATTACH_WITHOUT_CLIENT, "a session was attached or created whose client had gone")                                \
    X(ATTACH_WRONG_PASSWORD, "an attach was refused: wrong password")                                                  \
    X(CLIENT_AHEAD, "a client was refused: it has seen a later state")                                                 \
    X(EXPIRY_SENT, "the end of a silent session was sent")                                                             \
    X(SEND_UNKNOWN, "a request message was sent again: the outcome was unknown")                                       \
    X(GAVE_UP_ANSWER, "a connection was dropped: an answer did not come for long")                                     \
    X(LOCK_BUSY, "a writer met a lock of another session")                                                             \
    X(LOCK_TAKEN_OVER, "a lock was taken over: its time was over")                                                     \
    X(LOCK_OF_EARLIER_ATTEMPT, "a lock of an earlier attempt of the session was replaced")                             \
    X(LOCKS_BEGUN_ANEW, "a writer began anew to lock in order: it had found one more path")                            \
    X(TOKENS_LOST, "a writer had lost its locks when it came to accept")                                               \
    X(ALREADY_ACCEPTED, "a request came again that was accepted and not visible yet")                                  \
    X(PUSH_UNKNOWN, "an entry was pushed again: the outcome was unknown")                                              \
    X(ACCEPT_UNKNOWN, "the outcome of accepting was unknown")                                                          \
    X(ACCEPTED_ON_BEHALF, "the distributor accepted an attempt on behalf of its writer")                               \
    X(ATTEMPT_DISCARDED, "the distributor discarded an attempt that had lost its locks")                               \
    X(ENTRY_ANSWERED_AGAIN, "an entry delivered again was answered from the session's record")                         \
    X(ERROR_DISTRIBUTED, "the distributor recorded and answered an error of a writer")                                 \
    X(ATTACHED_TO_DEAD, "an accepted attach became visible after its gateway was declared dead")

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
