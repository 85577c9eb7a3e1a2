// SPDX-License-Identifier: Apache-2.0
#include "memory_cloud.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "driver/memory/blob.h"
#include "driver/memory/channel.h"
#include "driver/memory/queue.h"
#include "driver/memory/table.h"
#include "function/distributor.h"
#include "function/pipeline.h"
#include "function/single_hop.h"
#include "function/sweep.h"
#include "host/posix_clock.h"

#include <pthread.h>
#include <time.h>

enum {
    FUNCTIONS = 3, /* at work at once, of each queue */
    GROUPS_MAX = 16,
    VISIBILITY_MS = 30000,
    AGAIN_MS = 10,
    SWEEP_MS = 1000,    /* of the heartbeat function; a deployment has it once a minute */
    LOOK_NS = 20000000, /* waits end by themselves: visibility timeouts have nobody who tells of them */
};

typedef enum fk_err (*function_run)(const struct fk_cloud_options *options, const struct fk_ports *ports,
                                    const struct fk_bytes *messages, size_t count, size_t *done);

/* What takes messages of one queue. */
struct function {
    struct memory_cloud *cloud;
    struct fk_queue *queue;
    function_run run;
    pthread_t thread;
};

struct memory_cloud {
    struct fk_cloud_options options;
    int64_t delay_ms;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t changed;
    struct fk_table *table;
    struct fk_blobs *blobs;
    struct fk_queue *queue;
    struct fk_queue *distributor;
    struct fk_channel *channel;
    bool stopping;
    bool broken;
    struct function functions[2 * FUNCTIONS];
    size_t function_count;
    pthread_t schedule;
    bool scheduled; /* the first gateway switches the schedule on, as it does in a deployment */
};

struct shared_table {
    struct fk_table base;
    struct memory_cloud *cloud;
};
struct shared_blobs {
    struct fk_blobs base;
    struct memory_cloud *cloud;
};
struct shared_queue {
    struct fk_queue base;
    struct memory_cloud *cloud;
    struct fk_queue *queue;
};
struct shared_channel {
    struct fk_channel base;
    struct memory_cloud *cloud;
};

struct shared_ports {
    struct fk_ports ports;
    struct shared_table table;
    struct shared_blobs blobs;
    struct shared_queue queue;
    struct shared_queue distributor;
    struct shared_channel channel;
};

struct memory_mailbox {
    struct fk_mailbox base;
    struct memory_cloud *cloud;
    int64_t gateway;
};

/* The call takes its time, then it has the cloud for itself; BUSY where that is broken, and nothing is locked. */
static enum fk_err enter(struct memory_cloud *cloud)
{
    if (cloud->delay_ms > 0) {
        fk_clock_pause_ms(fk_posix_clock(), cloud->delay_ms);
    }
    (void)pthread_mutex_lock(&cloud->lock);
    if (cloud->broken) {
        (void)pthread_mutex_unlock(&cloud->lock);
        return FK_ERR_BUSY;
    }
    return FK_OK;
}

static enum fk_err leave(struct memory_cloud *cloud, enum fk_err err)
{
    (void)pthread_mutex_unlock(&cloud->lock);
    return err;
}

/* --- ports --- */

static struct memory_cloud *of_table(struct fk_table *table)
{
    return FK_CONTAINER_OF(table, struct shared_table, base)->cloud;
}

static enum fk_err get_many(struct fk_table *table, const struct fk_key *keys, size_t count, struct fk_arena *arena,
                            struct fk_item *items)
{
    struct memory_cloud *cloud = of_table(table);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_table_get_many(cloud->table, keys, count, arena, items));
}

static enum fk_err list_items(struct fk_table *table, struct fk_bytes partition, struct fk_bytes after, size_t limit,
                              struct fk_arena *arena, struct fk_item_page *page)
{
    struct memory_cloud *cloud = of_table(table);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_table_list(cloud->table, partition, after, limit, arena, page));
}

static enum fk_err write_items(struct fk_table *table, const struct fk_write *writes, size_t count)
{
    struct memory_cloud *cloud = of_table(table);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_table_write(cloud->table, writes, count));
}

static struct memory_cloud *of_blobs(struct fk_blobs *blobs)
{
    return FK_CONTAINER_OF(blobs, struct shared_blobs, base)->cloud;
}

static enum fk_err put_blob(struct fk_blobs *blobs, struct fk_bytes name, struct fk_bytes bytes)
{
    struct memory_cloud *cloud = of_blobs(blobs);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_blob_put(cloud->blobs, name, bytes));
}

static enum fk_err get_blob(struct fk_blobs *blobs, struct fk_bytes name, struct fk_arena *arena,
                            struct fk_bytes *bytes)
{
    struct memory_cloud *cloud = of_blobs(blobs);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_blob_get(cloud->blobs, name, arena, bytes));
}

static enum fk_err remove_blob(struct fk_blobs *blobs, struct fk_bytes name)
{
    struct memory_cloud *cloud = of_blobs(blobs);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_blob_remove(cloud->blobs, name));
}

static enum fk_err list_blobs(struct fk_blobs *blobs, struct fk_bytes after, size_t limit, struct fk_arena *arena,
                              struct fk_blob_page *page)
{
    struct memory_cloud *cloud = of_blobs(blobs);
    enum fk_err err = enter(cloud);
    return err != FK_OK ? err : leave(cloud, fk_blob_list(cloud->blobs, after, limit, arena, page));
}

static enum fk_err send_message(struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                                struct fk_bytes message)
{
    struct shared_queue *shared = FK_CONTAINER_OF(queue, struct shared_queue, base);
    enum fk_err err = enter(shared->cloud);
    if (err != FK_OK) {
        return err;
    }
    err = fk_queue_send(shared->queue, group, deduplication_id, message);
    (void)pthread_cond_broadcast(&shared->cloud->changed);
    return leave(shared->cloud, err);
}

static enum fk_err notify(struct fk_channel *channel, int64_t gateway, struct fk_bytes message, int64_t after_zxid)
{
    struct memory_cloud *cloud = FK_CONTAINER_OF(channel, struct shared_channel, base)->cloud;
    enum fk_err err = enter(cloud);
    if (err != FK_OK) {
        return err;
    }
    err = fk_channel_notify(cloud->channel, gateway, message, after_zxid);
    (void)pthread_cond_broadcast(&cloud->changed);
    return leave(cloud, err);
}

static const struct fk_table_ops table_ops = {
    .name = "shared memory", .get_many = get_many, .list = list_items, .write = write_items};
static const struct fk_blob_ops blob_ops = {
    .name = "shared memory", .put = put_blob, .get = get_blob, .remove = remove_blob, .list = list_blobs};
static const struct fk_queue_ops queue_ops = {.name = "shared memory", .send = send_message};
static const struct fk_channel_ops channel_ops = {.name = "shared memory", .notify = notify};

static void init_ports(struct shared_ports *shared, struct memory_cloud *cloud)
{
    *shared = (struct shared_ports){
        .table = {{&table_ops}, cloud},
        .blobs = {{&blob_ops}, cloud},
        .queue = {{&queue_ops}, cloud, cloud->queue},
        .distributor = {{&queue_ops}, cloud, cloud->distributor},
        .channel = {{&channel_ops}, cloud},
    };
    shared->ports = (struct fk_ports){.table = &shared->table.base,
                                      .blobs = &shared->blobs.base,
                                      .queue = &shared->queue.base,
                                      .distributor = &shared->distributor.base,
                                      .channel = &shared->channel.base,
                                      .clock = fk_posix_clock(),
                                      .random = fk_posix_random()};
}

static const struct fk_ports *open_ports(void *context)
{
    struct shared_ports *shared = (struct shared_ports *)fk_alloc(sizeof *shared);
    if (shared == NULL) {
        return NULL;
    }
    init_ports(shared, (struct memory_cloud *)context);
    return &shared->ports;
}

static void close_ports(void *context, const struct fk_ports *ports)
{
    (void)context;
    fk_free((struct shared_ports *)(uintptr_t)FK_CONTAINER_OF(ports, struct shared_ports, ports));
}

struct fk_port_source memory_cloud_source(struct memory_cloud *cloud)
{
    return (struct fk_port_source){.context = cloud, .open = open_ports, .close = close_ports};
}

/* --- mailboxes --- */

/* Under the lock. */
static void wait_for_change(struct memory_cloud *cloud)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_cond_timedwait(&cloud->changed, &cloud->lock, &until);
}

static enum fk_err receive(struct fk_mailbox *mailbox, fk_mailbox_take_fn take, void *context)
{
    struct memory_mailbox *own = FK_CONTAINER_OF(mailbox, struct memory_mailbox, base);
    struct memory_cloud *cloud = own->cloud;
    struct fk_bytes message;
    (void)pthread_mutex_lock(&cloud->lock);
    if (!fk_memory_channel_peek(cloud->channel, own->gateway, &message)) {
        wait_for_change(cloud);
    }
    while (fk_memory_channel_peek(cloud->channel, own->gateway, &message)) {
        take(context, message);
        fk_memory_channel_done(cloud->channel, own->gateway);
    }
    return leave(cloud, FK_OK);
}

static void leave_mailbox(struct fk_mailbox *mailbox)
{
    struct memory_mailbox *own = FK_CONTAINER_OF(mailbox, struct memory_mailbox, base);
    (void)pthread_mutex_lock(&own->cloud->lock);
    fk_memory_channel_leave(own->cloud->channel, own->gateway);
    (void)pthread_mutex_unlock(&own->cloud->lock);
}

static void free_mailbox(struct fk_mailbox *mailbox)
{
    fk_free(FK_CONTAINER_OF(mailbox, struct memory_mailbox, base));
}

enum fk_err memory_cloud_mailbox(void *context, int64_t gateway, struct fk_mailbox **out, struct fk_diag *diag)
{
    static const struct fk_mailbox_ops ops = {
        .name = "memory", .receive = receive, .leave = leave_mailbox, .free = free_mailbox};
    struct memory_cloud *cloud = (struct memory_cloud *)context;
    struct memory_mailbox *mailbox = (struct memory_mailbox *)fk_alloc(sizeof *mailbox);
    (void)diag;
    if (mailbox == NULL) {
        return FK_ERR_NOMEM;
    }
    *mailbox = (struct memory_mailbox){
        .base = {.ops = &ops, .address = FK_BYTES_LITERAL("memory")}, .cloud = cloud, .gateway = gateway};
    *out = &mailbox->base;
    (void)pthread_mutex_lock(&cloud->lock);
    cloud->scheduled = true;
    return leave(cloud, fk_memory_channel_listen(cloud->channel, gateway));
}

/* --- functions --- */

struct batch {
    struct fk_arena arena;
    struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
    struct fk_bytes messages[FK_QUEUE_BATCH_MAX];
    size_t count;
};

/* Waits for messages; false at the end. */
static bool receive_batch(struct function *function, struct batch *batch)
{
    struct memory_cloud *cloud = function->cloud;
    int64_t groups[GROUPS_MAX];
    batch->count = 0;
    (void)pthread_mutex_lock(&cloud->lock);
    while (!cloud->stopping && batch->count == 0) {
        size_t ready = fk_memory_queue_ready(function->queue, groups, GROUPS_MAX);
        if (ready == 0) {
            wait_for_change(cloud);
        } else {
            enum fk_err err = fk_memory_queue_receive(function->queue, groups[0], FK_QUEUE_BATCH_MAX, VISIBILITY_MS,
                                                      &batch->arena, batch->deliveries, &batch->count);
            FK_ASSERT(err == FK_OK);
        }
    }
    bool stopping = cloud->stopping;
    (void)pthread_mutex_unlock(&cloud->lock);
    for (size_t i = 0; i < batch->count; i++) {
        batch->messages[i] = batch->deliveries[i].body;
    }
    return !stopping;
}

static void settle_batch(struct function *function, const struct batch *batch, size_t done, enum fk_err err)
{
    struct memory_cloud *cloud = function->cloud;
    (void)pthread_mutex_lock(&cloud->lock);
    for (size_t i = 0; i < batch->count; i++) {
        if (i < done) {
            (void)fk_memory_queue_delete(function->queue, batch->deliveries[i].receipt);
        } else {
            (void)fk_memory_queue_hide(function->queue, batch->deliveries[i].receipt, err == FK_OK ? 0 : AGAIN_MS);
        }
    }
    (void)pthread_cond_broadcast(&cloud->changed);
    (void)pthread_mutex_unlock(&cloud->lock);
}

static void *run_function(void *context)
{
    struct function *function = (struct function *)context;
    struct shared_ports shared;
    struct batch batch = {.arena = FK_ARENA_EMPTY};
    init_ports(&shared, function->cloud);
    while (receive_batch(function, &batch)) {
        size_t done = 0;
        enum fk_err err = function->run(&function->cloud->options, &shared.ports, batch.messages, batch.count, &done);
        settle_batch(function, &batch, done, err);
        fk_arena_reset(&batch.arena);
    }
    fk_arena_deinit(&batch.arena);
    return NULL;
}

static void start_function(struct memory_cloud *cloud, struct fk_queue *queue, function_run run)
{
    struct function *function = &cloud->functions[cloud->function_count++];
    *function = (struct function){.cloud = cloud, .queue = queue, .run = run};
    int status = pthread_create(&function->thread, NULL, run_function, function);
    FK_ASSERT(status == 0);
}

/* The heartbeat function, on its schedule. Errors end one run of it; the next one begins anew. */
static void *run_schedule(void *context)
{
    struct memory_cloud *cloud = (struct memory_cloud *)context;
    struct shared_ports shared;
    struct fk_sweep_result result;
    int64_t due_ms = 0;
    init_ports(&shared, cloud);
    (void)pthread_mutex_lock(&cloud->lock);
    while (!cloud->stopping) {
        int64_t now_ms = fk_clock_monotonic_ms(fk_posix_clock());
        if (!cloud->scheduled || now_ms < due_ms) {
            wait_for_change(cloud);
            continue;
        }
        due_ms = now_ms + SWEEP_MS;
        (void)pthread_mutex_unlock(&cloud->lock);
        (void)!fk_sweep_run(&cloud->options, &shared.ports, &result);
        (void)pthread_mutex_lock(&cloud->lock);
    }
    (void)pthread_mutex_unlock(&cloud->lock);
    return NULL;
}

struct memory_cloud *memory_cloud_new(const struct fk_cloud_options *options, int64_t delay_ms)
{
    struct memory_cloud *cloud = (struct memory_cloud *)fk_alloc_zero(sizeof *cloud);
    FK_ASSERT(cloud != NULL);
    cloud->options = *options;
    cloud->delay_ms = delay_ms;
    (void)pthread_mutex_init(&cloud->lock, NULL);
    (void)pthread_cond_init(&cloud->changed, NULL);
    cloud->table = fk_memory_table_new();
    cloud->blobs = fk_memory_blobs_new();
    cloud->queue = fk_memory_queue_new(fk_posix_clock());
    cloud->distributor = fk_memory_queue_new(fk_posix_clock());
    cloud->channel = fk_memory_channel_new();
    FK_ASSERT(cloud->table != NULL && cloud->blobs != NULL && cloud->queue != NULL && cloud->distributor != NULL &&
              cloud->channel != NULL);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        start_function(cloud, cloud->queue, options->pipeline ? fk_pipeline_writer_run : fk_single_hop_run);
        if (options->pipeline) {
            start_function(cloud, cloud->distributor, fk_distributor_run);
        }
    }
    int status = pthread_create(&cloud->schedule, NULL, run_schedule, cloud);
    FK_ASSERT(status == 0);
    return cloud;
}

void memory_cloud_break(struct memory_cloud *cloud, bool broken)
{
    (void)pthread_mutex_lock(&cloud->lock);
    cloud->broken = broken;
    (void)pthread_mutex_unlock(&cloud->lock);
}

void memory_cloud_free(struct memory_cloud *cloud)
{
    (void)pthread_mutex_lock(&cloud->lock);
    cloud->stopping = true;
    (void)pthread_cond_broadcast(&cloud->changed);
    (void)pthread_mutex_unlock(&cloud->lock);
    for (size_t i = 0; i < cloud->function_count; i++) {
        (void)pthread_join(cloud->functions[i].thread, NULL);
    }
    (void)pthread_join(cloud->schedule, NULL);
    fk_table_free(cloud->table);
    fk_blobs_free(cloud->blobs);
    fk_queue_free(cloud->queue);
    fk_queue_free(cloud->distributor);
    fk_channel_free(cloud->channel);
    (void)pthread_cond_destroy(&cloud->changed);
    (void)pthread_mutex_destroy(&cloud->lock);
    fk_free(cloud);
}
