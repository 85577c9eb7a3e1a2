// SPDX-License-Identifier: Apache-2.0
/* What a decision leaves in the overlay, whoever took it: the write function of the single-hop topology (decide.c), or
 * a writer of the pipeline, whose distributor makes it visible (distributor.c). */
#ifndef FK_FUNCTION_SETTLE_H
#define FK_FUNCTION_SETTLE_H

#include "function/decide.h"

/* The zxid of the change that is settled now. */
int64_t fk_settle_zxid(struct fk_decision *decision);

/* The fate of a request: recorded in the commit of its effect, answered after it. The body of its reply is in
 * decision->reply. */
void fk_settle_request(struct fk_decision *decision, const struct fk_request_message *message, int64_t number,
                       struct fk_overlay_session *session, enum fk_code code, int64_t zxid);

/* Answers a request from a result, or with "session expired". */
void fk_settle_answer(struct fk_decision *decision, const struct fk_request_message *message,
                      const struct fk_result *result);
void fk_settle_expired(struct fk_decision *decision, const struct fk_request_message *message, int64_t number);

/* The session is gone, and its owner hears of it; `closed`: by its own request. */
void fk_settle_end(struct fk_decision *decision, struct fk_overlay_session *session, int64_t zxid, bool closed);

/* Answers the request that closed a session. Its record is gone, and its result with it: should this answer get lost,
 * the event says the same. */
void fk_settle_close(struct fk_decision *decision, const struct fk_request_message *message, int64_t number,
                     const struct fk_overlay_session *session, int64_t zxid);

/* The session gets a new owner and the next epoch; both owners hear of it. */
void fk_settle_attach(struct fk_decision *decision, struct fk_overlay_session *session, int64_t gateway,
                      const struct fk_attach_request *request);
void fk_settle_tell_attached(struct fk_decision *decision, const struct fk_overlay_session *session);

#endif
