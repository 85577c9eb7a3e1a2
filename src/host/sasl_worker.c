// SPDX-License-Identifier: Apache-2.0
#include "host/sasl_worker.h"

#include "base/assert.h"

static void on_thread(uv_work_t *work)
{
    fk_sasl_job_run(((struct fk_sasl_worker *)work->data)->job);
}

static void on_done(uv_work_t *work, int status)
{
    struct fk_sasl_worker *worker = (struct fk_sasl_worker *)work->data;
    struct fk_sasl_job *job = worker->job;
    FK_ASSERT(status == 0); /* nobody cancels it */
    worker->job = NULL;
    fk_gateway_sasl_done(worker->gateway, job);
    fk_sasl_worker_run(worker);
    worker->progress(worker->context);
}

void fk_sasl_worker_run(struct fk_sasl_worker *worker)
{
    if (worker->job != NULL) {
        return;
    }
    worker->job = fk_gateway_take_sasl(worker->gateway);
    if (worker->job != NULL) {
        worker->work.data = worker;
        int status = uv_queue_work(worker->loop, &worker->work, on_thread, on_done);
        FK_ASSERT(status == 0); /* fails without a function only */
    }
}
