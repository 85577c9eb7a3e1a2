// SPDX-License-Identifier: Apache-2.0
/* The threads of a gateway's jobs, over a cloud in memory: the lease has its own, others are started as they are
 * needed, what was not begun comes back. */
#include "host/workers.h"

#include "gateway/inspect.h"
#include "host/posix_clock.h"
#include "memory_cloud.h"
#include "support/test.h"

#include <pthread.h>

enum {
    WAIT_MS = 20000,
    SWEEP_MS = 1,
};

struct wakes {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
};

static struct wakes wakes = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void wake(void *context)
{
    (void)context;
    (void)pthread_mutex_lock(&wakes.lock);
    wakes.count++;
    (void)pthread_cond_signal(&wakes.changed);
    (void)pthread_mutex_unlock(&wakes.lock);
}

static struct fk_job *wait_done(struct fk_workers *workers)
{
    struct fk_job *job = fk_workers_take_done(workers);
    while (job == NULL) {
        (void)pthread_mutex_lock(&wakes.lock);
        while (wakes.count == 0) {
            (void)pthread_cond_wait(&wakes.changed, &wakes.lock);
        }
        wakes.count = 0;
        (void)pthread_mutex_unlock(&wakes.lock);
        job = fk_workers_take_done(workers);
    }
    return job;
}

struct world {
    struct fk_cloud_options options;
    struct memory_cloud *cloud;
    struct fk_port_source source;
    struct fk_gateway *gateway;
    struct fk_workers *workers;
};

static void open_world(struct world *world, int64_t delay_ms)
{
    const struct fk_gateway_options gateway = {
        .tick_ms = 2000, .session_timeout_min_ms = 4000, .session_timeout_max_ms = 40000};
    world->options = fk_cloud_defaults();
    world->options.period_ms = SWEEP_MS;
    world->options.look_ms = SWEEP_MS;
    world->cloud = memory_cloud_new(&world->options, delay_ms);
    world->source = memory_cloud_source(world->cloud);
    world->gateway = fk_cloud_gateway_new(&gateway, &world->options, fk_posix_clock(), fk_posix_random());
    const struct fk_workers_options options = {
        .cloud = &world->options, .source = &world->source, .threads_max = 2, .wake = wake};
    world->workers = fk_workers_new(&options);
    assert_non_null(world->gateway);
    assert_non_null(world->workers);
}

static void close_world(struct world *world)
{
    struct fk_job *job = NULL;
    fk_cloud_gateway_end(world->gateway);
    assert_true(fk_workers_stop(world->workers, WAIT_MS));
    while ((job = fk_workers_take_done(world->workers)) != NULL) {
        fk_gateway_job_done(world->gateway, job);
    }
    fk_workers_free(world->workers);
    fk_gateway_free(world->gateway);
    memory_cloud_free(world->cloud);
}

static void test_the_lease_is_taken_on_a_thread_of_its_own(void **state)
{
    (void)state;
    struct world world;
    size_t threads = 0;
    size_t waiting = 0;
    open_world(&world, 0);
    struct fk_job *job = fk_gateway_take_job(world.gateway);
    assert_int_equal(fk_job_lane(job), FK_LANE_LEASE);
    fk_workers_add(world.workers, job);
    job = wait_done(world.workers);
    assert_int_equal(fk_job_error(job), FK_OK);
    fk_gateway_job_done(world.gateway, job);
    assert_null(fk_gateway_unready(world.gateway));
    fk_workers_count(world.workers, &threads, &waiting);
    assert_int_equal(threads, 1);
    assert_int_equal(waiting, 0);
    close_world(&world);
}

static void test_a_failure_goes_back_to_the_core(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, 0);
    memory_cloud_break(world.cloud, true);
    fk_workers_add(world.workers, fk_gateway_take_job(world.gateway));
    struct fk_job *job = wait_done(world.workers);
    assert_int_equal(fk_job_error(job), FK_ERR_BUSY);
    fk_gateway_job_done(world.gateway, job);
    assert_non_null(fk_gateway_unready(world.gateway));
    memory_cloud_break(world.cloud, false);
    close_world(&world);
}

static void test_a_sweep_has_another_thread(void **state)
{
    (void)state;
    struct world world;
    size_t threads = 0;
    size_t waiting = 0;
    open_world(&world, 1);
    fk_workers_add(world.workers, fk_gateway_take_job(world.gateway));
    fk_gateway_job_done(world.gateway, wait_done(world.workers));
    fk_clock_pause_ms(fk_posix_clock(), 2 * SWEEP_MS);
    fk_gateway_tick(world.gateway);
    struct fk_job *job = NULL;
    while ((job = fk_gateway_take_job(world.gateway)) != NULL) {
        fk_workers_add(world.workers, job);
    }
    fk_workers_count(world.workers, &threads, &waiting);
    assert_int_equal(threads, 2);
    close_world(&world); /* whatever was not begun comes back */
}

/* Each thread has a meter; what a job used comes to the core with it, also where it failed. */
static void test_what_jobs_used_is_added_up(void **state)
{
    (void)state;
    struct world world;
    open_world(&world, 0);
    const struct fk_meter *meter = fk_inspect_meter(world.gateway);
    memory_cloud_break(world.cloud, true);
    fk_workers_add(world.workers, fk_gateway_take_job(world.gateway));
    fk_gateway_job_done(world.gateway, wait_done(world.workers));
    assert_true(meter->all.table_failed > 0);
    assert_int_equal(meter->all.write_units, 0); /* who is refused pays nothing */
    memory_cloud_break(world.cloud, false);
    fk_gateway_tick(world.gateway);
    fk_workers_add(world.workers, fk_gateway_take_job(world.gateway));
    fk_gateway_job_done(world.gateway, wait_done(world.workers));
    const struct fk_units *renewal = fk_meter_units(meter, "renew");
    assert_non_null(renewal);
    assert_true(renewal->write_units > 0);
    assert_true(renewal->read_units > 0);
    assert_memory_equal(renewal, &meter->all, sizeof meter->all); /* nothing else was at work */
    fk_cloud_gateway_received(world.gateway, 3, 2);
    fk_cloud_gateway_received(world.gateway, 1, 0);
    int64_t receives = 0;
    int64_t deletes = 0;
    fk_inspect_channel(world.gateway, &receives, &deletes);
    assert_int_equal(receives, 4);
    assert_int_equal(deletes, 2);
    close_world(&world);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(test_the_lease_is_taken_on_a_thread_of_its_own),
    FK_TEST(test_a_failure_goes_back_to_the_core),
    FK_TEST(test_a_sweep_has_another_thread),
    FK_TEST(test_what_jobs_used_is_added_up),
};

FK_TEST_MAIN(tests)
