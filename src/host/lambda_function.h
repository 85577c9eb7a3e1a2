// SPDX-License-Identifier: Apache-2.0
/* The functions as Lambda calls them: events in, answers out, over ports that somebody else makes. */
#ifndef FK_HOST_LAMBDA_FUNCTION_H
#define FK_HOST_LAMBDA_FUNCTION_H

#include "function/cloud.h"
#include "host/lambda.h"
#include "host/lambda_event.h"
#include "host/metered.h"

enum fk_lambda_kind {
    FK_LAMBDA_WRITER,      /* of the requests' queue: single hop, or the pipeline's writers */
    FK_LAMBDA_DISTRIBUTOR, /* of the pipeline's second queue */
    FK_LAMBDA_HEARTBEAT,   /* full sweeps, by a schedule */
    FK_LAMBDA_WATCH,       /* sends events again that were not acknowledged, and nothing else that costs */
};

/* Reads writer, distributor, heartbeat or watch; false for anything else. */
bool fk_lambda_kind_parse(const char *text, enum fk_lambda_kind *kind);

/* What only the deployment at hand can do; each may be NULL. An error is logged, and the next sweep tries again. */
struct fk_lambda_hooks {
    /* Switches the schedule of the heartbeat on or off. */
    enum fk_err (*set_schedule)(void *context, bool enabled);
    /* Removes what dead gateways left behind outside the ports: queues. Called now and then. */
    enum fk_err (*collect)(void *context);
    void *context;
};

/* What was used and is not in the log yet. */
struct fk_lambda_used {
    struct fk_units units;
    int64_t invocations;
    int64_t due_ms; /* monotonic: when it goes there; 0: at once */
};

struct fk_lambda_function {
    enum fk_lambda_kind kind;
    struct fk_cloud_options options;
    const struct fk_ports *ports;
    struct fk_metered *metered; /* whose ports these are: what invocations used is logged; NULL: nobody counts */
    struct fk_lambda_hooks hooks;
    struct fk_lambda_used used;
};

/* An fk_lambda_fn: the context is a struct fk_lambda_function. What its ports used goes to the log: of each invocation
 * at level debug; their sum at level info, where the last one is a minute old, so that a busy function does not pay for
 * a line with each write. */
bool fk_lambda_run(void *context, const struct fk_invocation *invocation, struct fk_arena *arena, struct fk_buf *out,
                   struct fk_lambda_error *error);

#endif
