// SPDX-License-Identifier: Apache-2.0
/* What an invocation has to tell once its commit is durable: answers to requests, and events to gateways. Both may get
 * lost: results are in the session's record, events in the store. */
#ifndef FK_FUNCTION_OUTCOME_H
#define FK_FUNCTION_OUTCOME_H

#include "function/message.h"
#include "function/overlay.h"

struct fk_outcome {
    struct fk_list link;
    int64_t gateway;
    struct fk_answer_message answer; /* body in the arena */
};

/* Remembers an answer for `gateway`, in the overlay's arena. False without memory. */
bool fk_outcome_add(struct fk_list *outcomes, struct fk_arena *arena, int64_t gateway,
                    const struct fk_answer_message *answer);

/* Sends the events of the overlay and the answers, by zxid: to each gateway the events of a change before its answer.
 * What one gateway gets travels in one message, as long as that stays small. */
void fk_outcome_send(const struct fk_overlay *overlay, const struct fk_list *outcomes);

/* Sends one answer. */
void fk_outcome_send_answer(const struct fk_ports *ports, int64_t gateway, const struct fk_answer_message *answer);

/* Sends the events of one gateway again or for the first time. */
void fk_outcome_send_events(const struct fk_ports *ports, int64_t zxid, const struct fk_gateway_events *events);

#endif
