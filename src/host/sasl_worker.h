// SPDX-License-Identifier: Apache-2.0
/* Runs the steps of SASL exchanges that may wait (Kerberos) on a thread, one after the other, beside the loop. */
#ifndef FK_HOST_SASL_WORKER_H
#define FK_HOST_SASL_WORKER_H

#include "gateway/gateway.h"

#include <uv.h>

struct fk_sasl_worker {
    uv_loop_t *loop;
    struct fk_gateway *gateway;
    void (*progress)(void *context); /* a step is done: there may be output */
    void *context;
    uv_work_t work;
    struct fk_sasl_job *job; /* on the thread, or NULL */
};

/* Starts the next step where none is at work. Call it after the gateway got input. */
void fk_sasl_worker_run(struct fk_sasl_worker *worker);

#endif
