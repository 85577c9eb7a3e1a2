// SPDX-License-Identifier: Apache-2.0
/* Seeded design bugs. In the build for `make mutants` (-DFK_MUTANTS) one of them can be switched on at run time, to see
 * that the simulator finds it; everywhere else FK_MUTANT is the constant false and costs nothing. Each stands where the
 * rule stands that it breaks. */
#ifndef FK_BASE_MUTANT_H
#define FK_BASE_MUTANT_H

/*    name                     what the mutant does instead of the rule */
#define FK_MUTANT_TABLE(X)                                                                                             \
    X(NONE, "the code as it is")                                                                                       \
    X(ERRORS_NOT_RECORDED, "H2: errors are answered without a commit")                                                 \
    X(ONE_RESULT, "H1: the session record keeps one result")                                                           \
    X(TAKEN_WHEN_SENT, "H1: a gateway says that it has the answers to all that it sent")                               \
    X(NUMBERS_NOT_DENSE, "H3: a gap in the numbers is not noticed")                                                    \
    X(ZXID_READ_LAST, "H4: the zxid record is read after the others")                                                  \
    X(EARLY_READS_TRUSTED, "H4: what was read beside the zxid record is not looked at again before the commit")        \
    X(UNKNOWN_IS_REFUSED, "H6: an unknown commit is taken for a failed one and answered")                              \
    X(UNKNOWN_IS_DONE, "H6: an unknown commit is taken for an applied one")                                            \
    X(NO_ZXID_CONDITION, "C1: commits are not conditional on the zxid")                                                \
    X(NO_STAMP_CONDITION, "H5: commits are not conditional on the records' stamps")                                    \
    X(PEND_OWN_EVENTS_ONLY, "H11: pend names only the events of the record's own commit")                              \
    X(SETTLED_FOR_GOOD, "H11: who has once applied its events is in no pend any more")                                 \
    X(EVENTS_NOT_COMMITTED, "H7: events are only sent, not part of the commit")                                        \
    X(CHUNKS_ONE_ZXID, "H8: the chunks of a session's end share one zxid")                                             \
    X(NO_EPOCH_FENCE, "H9: requests of an older epoch are decided")                                                    \
    X(ATTACH_UNFENCED, "H9: an attach needs neither the epoch it expects nor a live gateway")                          \
    X(SESSION_GONE_NOT_TOLD, "H22: the owner is not told that its session is gone")                                    \
    X(SESSION_NOT_CHECKED, "C8: requests of sessions that are gone or closing are decided")                            \
    X(EXPIRE_ANY_EPOCH, "H21: a session's end is not conditional on the epoch that was seen")                          \
    X(DEAD_WITHOUT_COUNTER, "H21: a gateway is declared dead although its counter has moved")                          \
    X(DEAD_WITHOUT_GENERATION, "H20: declaring a gateway dead does not raise the generation")                          \
    X(ANSWER_BEFORE_COMMIT, "R3: answers leave before the commit")                                                     \
    X(SKIP_FAILED, "R5: after a failed commit the function goes on with the next message")                             \
    X(FIRED_NOT_REMOVED, "C5: a one-shot watch is kept when it fires, with the gateway and in the record")             \
    X(EVENT_BEFORE_COMMIT, "C5: events leave before the commit")                                                       \
    X(COMMIT_IN_PARTS, "C10: a commit is written in two transactions")                                                 \
    X(CREATE_NOT_FENCED, "H9: a session's creation is tried again while the try before may still come")                \
    X(GONE_IS_CLOSED, "C15: whatever takes a session away answers its closeSession")                                   \
    X(OBSERVED_TOO_EARLY, "H21: a counter's time is that before it was read")                                          \
    X(DEAD_TOO_EARLY, "H21: a gateway is declared dead inside its lease")                                              \
    X(TRIM_UNACKED, "H13: events are trimmed before they are applied")                                                 \
    X(SWEEP_BLIND, "a container or TTL node is removed whatever became of it since the sweep saw it")                  \
    X(ORPHAN_NOT_FENCED, "data is swept up whose writer may still commit")                                             \
    X(RECURSIVE_NOT_READ, "recursive subscriptions are not looked at")                                                 \
    X(ANSWERS_NOT_HELD, "H13: a write's answer does not wait for the events up to it")                                 \
    X(READS_NOT_HELD, "H11: a read's reply does not wait for the events up to it")                                     \
    X(NEWEST_ZXID_IN_REPLIES, "H17: replies to reads name the gateway's newest zxid")                                  \
    X(REPLIES_WITHOUT_FLOOR, "H17: replies to reads name the record's zxid only")                                      \
    X(LOCAL_WATCH_UNCHECKED, "H14: a watch stays local though the record does not list the gateway")                   \
    X(REGISTER_AFTER_READ, "H14: a watch is registered after the read, not with it")                                   \
    X(NOT_READ_AGAIN, "H14: a read is not repeated for an event that came meanwhile")                                  \
    X(EVENTS_PASS_READS, "H16: events do not wait for the read in flight")                                             \
    X(EVENTS_PASS_WRITES, "H16: events do not wait for unanswered writes")                                             \
    X(READ_BEFORE_ANSWER, "H15: a read starts while earlier writes are unanswered")                                    \
    X(WRITE_BEFORE_REPLY, "H15: a write is sent while an earlier read is in flight")                                   \
    X(CHILDREN_NOT_CHECKED, "H18: a list of children is not compared with the parent's record")                        \
    X(MISSING_WITHOUT_PARENT, "H12: a missing node is told without the record of its parent")                          \
    X(LEASE_NOT_CHECKED, "H21: a gateway sends after its lease is over")                                               \
    X(GENERATION_NOT_CHECKED, "H20: a newer generation is not looked into")                                            \
    X(NO_LEASE_NO_GENERATION, "H20, H21: neither lease nor generation is looked into")                                 \
    X(PREV_NOT_CHECKED, "H13: events are applied though one before them is missing")                                   \
    X(ACKED_NOT_APPLIED, "H13: a gateway acknowledges events that it only heard of")                                   \
    X(EVENTS_BEFORE_CATCH_UP, "H19: queued events go before those that setWatches missed")                             \
    X(EPOCH_NOT_IN_ANSWERS, "H9: answers are matched without their epoch")                                             \
    X(SEND_NOT_REPEATED, "H3: the next message goes though the outcome of the one before is unknown")                  \
    X(MISSED_EVENTS_NOT_FETCHED, "H13: missing events are not fetched")                                                \
    X(SYNC_NOT_HELD, "C4: sync does not wait for the events up to it")                                                 \
    X(UNSUBSCRIBE_RACE, "H14: a subscription is removed whoever registers meanwhile")                                  \
    X(REPLAY_OFF_BY_ONE, "recovery leaves out the first frame behind the checkpoint")                                  \
    X(ACK_BEFORE_SYNC, "what is written counts as durable before it is synced")                                        \
    X(ERRORS_NOT_DURABLE, "H29: errors are answered before their zxid is durable")                                     \
    X(NO_FRAME_CHAIN, "H28: frames that were cut may line up again")                                                   \
    X(DAMAGE_IS_TORN, "H27: damage of synced frames is taken for a torn tail")                                         \
    X(TORN_IS_DAMAGE, "H27: a torn tail before any good frame is taken for damage")                                    \
    X(CHECKPOINT_NOT_SYNCED, "H30: segments go before the checkpoint is durable")                                      \
    X(POSITION_APART, "the checkpoint's position is not part of its transaction")                                      \
    X(SYNC_RETRIED, "a sync that failed is tried again, and believed")                                                 \
    X(RENAME_NOT_SYNCED, "a segment is used before its name is durable")                                               \
    X(TAIL_NOT_SYNCED, "what a start reads is shown without being synced")                                             \
    X(TAIL_NOT_WRITTEN, "a start trusts the page cache after a failed sync")                                           \
    X(SEGMENT_LEFT_EARLY, "the log goes on in the next segment before this one is synced")                             \
    X(SEGMENT_GONE_EARLY, "H30: segments go before the checkpoint has them")                                           \
    X(READ_UNCHECKED, "data that the checkpoint reads a second time is not checked")                                   \
    X(REFUSAL_CHANGES, "a start that refuses a checkpoint moves its WAL all the same")                                 \
    X(TOKEN_OF_SECONDS, "R1: the token of a lock is the time in seconds")                                              \
    X(LOCKS_WITHOUT_ORDER, "R12: some writers lock in the reverse order")                                              \
    X(ACCEPT_WITHOUT_TOKENS, "R2: accepting trusts in the time of the locks and does not look at their tokens")        \
    X(ACCEPT_FOR_ANY_WRITER, "H25: the distributor accepts attempts that have lost their locks")                       \
    X(ACCEPT_UNKNOWN_IS_DONE, "H25: an attempt is taken for accepted though that is unknown")                          \
    X(ERRORS_BY_WRITER, "H23: the writer answers errors")                                                              \
    X(ERRORS_WITHOUT_TOKENS, "H23: an error is accepted though the locks under it are lost")                           \
    X(ONE_ACCEPTED_STEP, "H24: only the last accepted attempt of a session is known")                                  \
    X(PUSH_AFTER_ACCEPT, "H25: an attempt is accepted before it is pushed")                                            \
    X(PUSH_NOT_REPEATED, "H25: a push of unknown outcome is not repeated")                                             \
    X(DONE_WHEN_PUSHED, "H25: a writer is done when it has pushed")                                                    \
    X(DECIDED_AGAIN, "H25: a writer does not look whether a request is decided")                                       \
    X(VISIBLE_NOT_CHECKED, "H25: the distributor does not look whether an entry is visible")                           \
    X(UNDECIDED_PASSED, "H26: the distributor passes an entry whose fate it does not know")

enum fk_mutant {
#define FK_MUTANT_ROW(name, text) FK_MUTANT_##name,
    FK_MUTANT_TABLE(FK_MUTANT_ROW)
#undef FK_MUTANT_ROW
    FK_MUTANT_COUNT
};

#ifdef FK_MUTANTS
extern enum fk_mutant fk_mutant_now; /* set once, before anything runs */
#    define FK_MUTANT(name) (fk_mutant_now == FK_MUTANT_##name)
#else
#    define FK_MUTANT(name) (FK_MUTANT_##name == FK_MUTANT_COUNT)
#endif

#endif
