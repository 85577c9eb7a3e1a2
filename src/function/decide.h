// SPDX-License-Identifier: Apache-2.0
/* What becomes of one message on the overlay: the rules of protocol.md section 1, step 2 of the function. */
#ifndef FK_FUNCTION_DECIDE_H
#define FK_FUNCTION_DECIDE_H

#include "function/message.h"
#include "function/outcome.h"
#include "function/overlay.h"
#include "model/plan.h"

/* A batch being decided: one overlay, one plan, what will be told after the commit. */
struct fk_decision {
    struct fk_overlay overlay;
    struct fk_plan plan;
    struct fk_list outcomes;
    struct fk_buf reply; /* of the request at work */
    struct fk_arena *arena;
    int64_t time_ms;
    bool warned;       /* of a quota */
    bool refuse_large; /* what the store refused as too large alone gets -8 */
    size_t chunk_max;  /* ephemeral nodes that one chunk of a session's end removes at most */
};

enum fk_verdict {
    FK_VERDICT_DONE,  /* decided, or dropped for good */
    FK_VERDICT_CUT,   /* does not fit the commit any more: commit, then begin with this one */
    FK_VERDICT_AGAIN, /* a part of it is decided: commit, then the same one again */
};

void fk_decision_init(struct fk_decision *decision, const struct fk_cloud_options *options,
                      const struct fk_ports *ports, struct fk_arena *arena);
void fk_decision_deinit(struct fk_decision *decision);

/* Decides one operation of a message. After it, decision->overlay.err and plan.err say whether anything failed. */
enum fk_verdict fk_decide(struct fk_decision *decision, const struct fk_request_message *message,
                          const struct fk_request_operation *operation, int64_t number);

/* The first error met; FK_OK. */
enum fk_err fk_decision_err(const struct fk_decision *decision);

#endif
