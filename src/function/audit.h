// SPDX-License-Identifier: Apache-2.0
/* What ZooKeeper's audit log tells of: every decided write, and the ephemeral nodes that end with their session. Which
 * they are, with which fields, follows ZooKeeper's AuditHelper. */
#ifndef FK_FUNCTION_AUDIT_H
#define FK_FUNCTION_AUDIT_H

#include "function/message.h"
#include "model/change.h"

struct fk_audit_event {
    int64_t after_zxid; /* it holds once this zxid is durable */
    int64_t session_id;
    struct fk_bytes ids;   /* of the caller, encoded vector<Id>; null: the server itself did it */
    const char *operation; /* ZooKeeper's name */
    struct fk_bytes path;  /* null: none */
    const char *mode;      /* of a created node; NULL: none */
    struct fk_bytes acl;   /* encoded vector<ACL>; null: none */
    bool success;
};

struct fk_audit {
    void (*event)(void *context, const struct fk_audit_event *event);
    void *context;
};

/* A request was decided; `reply` is what stands behind the reply's header. */
void fk_audit_request(const struct fk_audit *audit, int64_t after_zxid, const struct fk_request_message *message,
                      const struct fk_request_operation *operation, enum fk_code code, struct fk_bytes reply);
/* The end of a session was committed, or a piece of it. */
void fk_audit_session_end(const struct fk_audit *audit, int64_t session_id, const struct fk_change *change);

#endif
