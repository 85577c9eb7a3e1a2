// SPDX-License-Identifier: Apache-2.0
#include "host/workers.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/list.h"
#include "base/log.h"
#include "gateway/read.h"
#include "host/metered.h"
#include "host/posix_clock.h"
#include "host/thread.h"

enum {
    OPEN_AGAIN_MS = 100,
};

struct worker {
    struct fk_list idle; /* in the workers' idle, the last one that was at work behind the others */
    struct fk_workers *workers;
    pthread_cond_t woken;
    struct fk_thread thread;
    bool lease; /* the thread of that lane */
};

struct fk_workers {
    struct fk_workers_options options;
    pthread_mutex_t lock; /* of everything below */
    struct fk_list lanes[FK_LANES];
    struct fk_list done;
    struct fk_list idle;
    struct worker *workers; /* the first is the lease's */
    size_t count;
    size_t waiting;
    bool stopping;
};

struct fk_workers *fk_workers_new(const struct fk_workers_options *options)
{
    struct fk_workers *workers = (struct fk_workers *)fk_alloc_zero(sizeof *workers);
    struct worker *all = (struct worker *)fk_alloc_zero((options->threads_max + 1) * sizeof *all);
    if (workers == NULL || all == NULL) {
        fk_free(workers);
        fk_free(all);
        return NULL;
    }
    workers->options = *options;
    workers->workers = all;
    (void)pthread_mutex_init(&workers->lock, NULL);
    for (size_t i = 0; i < FK_LANES; i++) {
        fk_list_init(&workers->lanes[i]);
    }
    fk_list_init(&workers->done);
    fk_list_init(&workers->idle);
    return workers;
}

/* Under the lock. */
static struct fk_job *take(struct fk_workers *workers, bool lease)
{
    size_t first = lease ? FK_LANE_LEASE : FK_LANE_LEASE + 1;
    size_t behind = lease ? FK_LANE_LEASE + 1 : FK_LANES;
    for (size_t i = first; i < behind; i++) {
        struct fk_list *link = fk_list_take(&workers->lanes[i]);
        if (link != NULL) {
            workers->waiting--;
            return FK_CONTAINER_OF(link, struct fk_job, link);
        }
    }
    return NULL;
}

static struct fk_job *wait_for_job(struct worker *worker)
{
    struct fk_workers *workers = worker->workers;
    struct fk_job *job = NULL;
    (void)pthread_mutex_lock(&workers->lock);
    while (!workers->stopping && (job = take(workers, worker->lease)) == NULL) {
        if (!worker->lease && fk_list_empty(&worker->idle)) {
            fk_list_append(&workers->idle, &worker->idle);
        }
        (void)pthread_cond_wait(&worker->woken, &workers->lock);
    }
    fk_list_remove(&worker->idle);
    (void)pthread_mutex_unlock(&workers->lock);
    return job;
}

static void put_done(struct fk_workers *workers, struct fk_job *job)
{
    (void)pthread_mutex_lock(&workers->lock);
    bool first = fk_list_empty(&workers->done);
    fk_list_append(&workers->done, &job->link);
    (void)pthread_mutex_unlock(&workers->lock);
    if (first) { /* the others are found with it */
        workers->options.wake(workers->options.context);
    }
}

/* The core tries again what may be tried again; operators are told. */
static void tell_failure(const struct fk_workers *workers, const struct fk_job *job, const struct fk_ports *ports)
{
    const struct fk_port_source *source = workers->options.source;
    const char *detail = source->error == NULL ? NULL : source->error(source->context, ports);
    enum fk_err err = fk_job_error(job);
    if (err != FK_OK) {
        fk_log_with(FK_LOG_WARN, "a job failed", fk_log_text("job", fk_job_label(job)),
                    fk_log_text("error", fk_err_text(err)), fk_log_text("detail", detail == NULL ? "" : detail));
    }
}

/* Opens ports and their meters. */
static const struct fk_ports *try_open(const struct fk_port_source *source, struct fk_metered *metered)
{
    const struct fk_ports *ports = source->open(source->context);
    if (ports != NULL && !fk_metered_init(metered, ports)) {
        source->close(source->context, ports);
        return NULL;
    }
    return ports;
}

static const struct fk_ports *open_ports(struct fk_workers *workers, struct fk_metered *metered)
{
    const struct fk_ports *ports = try_open(workers->options.source, metered);
    while (ports == NULL) {
        fk_clock_pause_ms(fk_posix_clock(), OPEN_AGAIN_MS);
        ports = try_open(workers->options.source, metered);
    }
    return ports;
}

/* The thread's own meter says what the job used; the job takes that to the core. */
static void run_job(const struct fk_workers *workers, struct fk_job *job, struct fk_metered *metered)
{
    fk_cloud_job_run(job, workers->options.cloud, &metered->ports);
    const struct fk_units used = fk_metered_take(metered);
    fk_job_set_used(job, &used);
}

static void run(void *context)
{
    struct worker *worker = (struct worker *)context;
    struct fk_workers *workers = worker->workers;
    const struct fk_port_source *source = workers->options.source;
    const struct fk_ports *ports = NULL;
    struct fk_metered metered;
    struct fk_job *job = NULL;
    while ((job = wait_for_job(worker)) != NULL) {
        ports = ports == NULL ? open_ports(workers, &metered) : ports;
        run_job(workers, job, &metered);
        tell_failure(workers, job, ports);
        put_done(workers, job);
    }
    if (ports != NULL) {
        fk_metered_deinit(&metered);
        source->close(source->context, ports);
    }
}

/* Under the lock. If the system gives none, those that there are go on. */
static void add_worker(struct fk_workers *workers)
{
    struct worker *worker = &workers->workers[workers->count];
    *worker = (struct worker){.workers = workers, .lease = workers->count == 0};
    fk_list_init(&worker->idle);
    (void)pthread_cond_init(&worker->woken, NULL);
    if (fk_thread_start(&worker->thread, run, worker)) {
        workers->count++;
        return;
    }
    (void)pthread_cond_destroy(&worker->woken);
    fk_log(FK_LOG_ERROR, "no thread could be started; there are %zu", workers->count);
}

void fk_workers_add(struct fk_workers *workers, struct fk_job *job)
{
    enum fk_job_lane lane = fk_job_lane(job);
    (void)pthread_mutex_lock(&workers->lock);
    fk_list_append(&workers->lanes[lane], &job->link);
    workers->waiting++;
    if (workers->count == 0) {
        add_worker(workers); /* the lease's: there is no gateway without */
    }
    if (lane == FK_LANE_LEASE) {
        (void)pthread_cond_signal(&workers->workers[0].woken);
    } else if (!fk_list_empty(&workers->idle)) {
        struct worker *worker = FK_CONTAINER_OF(workers->idle.prev, struct worker, idle);
        fk_list_remove(&worker->idle);
        (void)pthread_cond_signal(&worker->woken);
    } else if (workers->count <= workers->options.threads_max) {
        add_worker(workers);
    }
    (void)pthread_mutex_unlock(&workers->lock);
}

struct fk_job *fk_workers_take_done(struct fk_workers *workers)
{
    (void)pthread_mutex_lock(&workers->lock);
    struct fk_list *link = fk_list_take(&workers->done);
    (void)pthread_mutex_unlock(&workers->lock);
    return link == NULL ? NULL : FK_CONTAINER_OF(link, struct fk_job, link);
}

void fk_workers_count(struct fk_workers *workers, size_t *threads, size_t *waiting)
{
    (void)pthread_mutex_lock(&workers->lock);
    *threads = workers->count;
    *waiting = workers->waiting;
    (void)pthread_mutex_unlock(&workers->lock);
}

bool fk_workers_stop(struct fk_workers *workers, int64_t wait_ms)
{
    int64_t until_ms = fk_clock_monotonic_ms(fk_posix_clock()) + wait_ms;
    (void)pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    for (size_t i = 0; i < workers->count; i++) {
        (void)pthread_cond_signal(&workers->workers[i].woken);
    }
    (void)pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->count; i++) {
        if (!fk_thread_join(&workers->workers[i].thread, until_ms)) {
            return false;
        }
        (void)pthread_cond_destroy(&workers->workers[i].woken);
    }
    workers->count = 0;
    for (size_t i = 0; i < FK_LANES; i++) {
        struct fk_list *link = NULL;
        while ((link = fk_list_take(&workers->lanes[i])) != NULL) {
            fk_list_append(&workers->done, link);
        }
    }
    return true;
}

void fk_workers_free(struct fk_workers *workers)
{
    if (workers != NULL) {
        (void)pthread_mutex_destroy(&workers->lock);
        fk_free(workers->workers);
        fk_free(workers);
    }
}
