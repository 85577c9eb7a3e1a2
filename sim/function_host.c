// SPDX-License-Identifier: Apache-2.0
#include "sim/function_host.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buf.h"
#include "driver/memory/queue.h"
#include "function/message.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    GROUPS_MAX = 32,
    BATCH_MAX = FK_QUEUE_BATCH_MAX + 1, /* and one that a fault puts in front */
};

struct sim_function_host {
    struct sim_world *world;
    struct sim_function_host_options options;
    struct fk_queue *queue;
    const char *label;
    int64_t poll_ns; /* when the next poll is due; INT64_MAX: none */
    int64_t overload_until_ns;
    uint64_t invocations;
    size_t running;
};

/* One batch on its way through one invocation. */
struct invocation {
    struct sim_function_host *host;
    struct sim_process *process;
    struct sim_ports ports;
    struct fk_arena arena;
    struct fk_delivery deliveries[FK_QUEUE_BATCH_MAX];
    size_t delivered;
    struct fk_bytes messages[BATCH_MAX];
    size_t count;
    size_t in_front; /* messages that are in no queue */
    size_t delete_max;
    bool owns; /* its receipts are the ones to delete by */
    bool returned;
    size_t done;
    enum fk_err err;
};

static void poll_at(struct sim_function_host *host, int64_t at_ns);

/* --- one invocation --- */

static void run_function(void *context)
{
    struct invocation *invocation = context;
    const struct sim_function_host_options *options = &invocation->host->options;
    invocation->err = options->run(options->options, &invocation->ports.ports, invocation->messages, invocation->count,
                                   &invocation->done);
    invocation->returned = true;
}

/* Deletes what is done and returns the rest. */
static void settle(struct invocation *invocation)
{
    struct sim_function_host *host = invocation->host;
    size_t done = invocation->done < invocation->in_front ? 0 : invocation->done - invocation->in_front;
    done = done < invocation->delete_max ? done : invocation->delete_max;
    for (size_t i = 0; i < invocation->delivered; i++) {
        struct fk_receipt receipt = invocation->deliveries[i].receipt;
        if (i < done) {
            (void)fk_memory_queue_delete(host->queue, receipt);
        } else {
            (void)fk_memory_queue_hide(host->queue, receipt, invocation->err == FK_OK ? 0 : 10);
        }
    }
}

static void free_invocation(struct invocation *invocation)
{
    fk_arena_deinit(&invocation->arena);
    fk_free(invocation);
}

/* The process has ended or was killed. What a killed one had comes again after the visibility timeout. */
static void ended(void *context)
{
    struct invocation *invocation = context;
    struct sim_function_host *host = invocation->host;
    sim_trace(host->world, "%s: %zu of %zu done, error %d, %s", sim_process_name(invocation->process), invocation->done,
              invocation->count, (int)invocation->err, invocation->returned ? "returned" : "crashed");
    if (invocation->returned && invocation->owns && invocation->delete_max > 0) {
        settle(invocation);
    }
    host->running--;
    free_invocation(invocation);
    poll_at(host, sim_now_ns(host->world));
}

/* Looks for the end of the function, in its own process; the task cannot end the process that it belongs to. */
static void end_process(void *context)
{
    sim_process_end(context);
}

static void run_and_end(void *context)
{
    struct invocation *invocation = context;
    run_function(invocation);
    struct sim_world *world = invocation->host->world;
    sim_at(world, NULL, sim_now_ns(world) + (int64_t)sim_below(world, SIM_DICE_SCHEDULE, 2 * SIM_MS), end_process,
           invocation->process);
}

void sim_start_clock(struct sim_process *process, const struct sim_fault *fault)
{
    if (fault->kind == SIM_FAULT_SKEW) {
        sim_process_set_clock(process, fault->argument, 0);
    } else if (fault->kind == SIM_FAULT_DRIFT) {
        sim_process_set_clock(process, 0, (int32_t)fault->argument);
    }
}

static void start(void *context)
{
    struct invocation *invocation = context;
    struct sim_function_host *host = invocation->host;
    char name[40];
    (void)snprintf(name, sizeof name, "%s/%" PRIu64, host->options.role == SIM_ROLE_FUNCTION ? "function" : host->label,
                   ++host->invocations);
    invocation->process = sim_process_new(host->world, name);
    struct sim_fault fault = sim_fault_labelled(sim_cloud_faults(host->options.cloud), host->options.role, "",
                                                SIM_CALL_PROCESS_START, SIM_FAULT_BIT(SKEW) | SIM_FAULT_BIT(DRIFT));
    sim_start_clock(invocation->process, &fault);
    sim_ports_init(&invocation->ports, host->options.cloud, invocation->process, host->options.role);
    sim_process_at_end(invocation->process, ended, invocation);
    sim_trace(host->world, "%s gets %zu messages", name, invocation->count);
    sim_spawn(invocation->process, run_and_end, invocation);
}

/* --- batches --- */

static struct invocation *new_invocation(struct sim_function_host *host)
{
    struct invocation *invocation = fk_alloc_zero(sizeof *invocation);
    FK_ASSERT(invocation != NULL);
    invocation->host = host;
    invocation->owns = true;
    invocation->delete_max = SIZE_MAX;
    host->running++;
    return invocation;
}

/* The same messages once more; nothing is deleted after it. */
static void start_copy(const struct invocation *first, int64_t delay_ms)
{
    struct sim_function_host *host = first->host;
    struct invocation *copy = new_invocation(host);
    copy->owns = false;
    copy->count = first->count;
    for (size_t i = 0; i < first->count; i++) {
        copy->messages[i] = fk_arena_copy(&copy->arena, first->messages[i]);
        FK_ASSERT(copy->messages[i].data != NULL);
    }
    sim_at(host->world, NULL, sim_now_ns(host->world) + delay_ms * SIM_MS, start, copy);
}

static struct fk_bytes garbage(struct sim_function_host *host, struct fk_arena *arena)
{
    size_t size = 1 + sim_below(host->world, SIM_DICE_FAULTS, 60);
    uint8_t *bytes = fk_arena_alloc(arena, size);
    FK_ASSERT(bytes != NULL);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)sim_dice(host->world, SIM_DICE_FAULTS);
    }
    return fk_bytes_of(bytes, size);
}

/* As the first message, but for the format in front of it. */
static struct fk_bytes newer(struct fk_arena *arena, struct fk_bytes message)
{
    struct fk_buf format = FK_BUF_EMPTY;
    fk_write_i32(&format, FK_MESSAGE_FORMAT_NEWEST + 1);
    fk_buf_append(&format, fk_bytes_tail(message, format.size));
    struct fk_bytes copy = fk_arena_copy(arena, fk_buf_view(&format));
    FK_ASSERT(!format.failed && copy.data != NULL);
    fk_buf_deinit(&format);
    return copy;
}

static void put_in_front(struct invocation *invocation, struct fk_bytes message)
{
    memmove(invocation->messages + 1, invocation->messages, invocation->count * sizeof *invocation->messages);
    invocation->messages[0] = message;
    invocation->count++;
    invocation->in_front = 1;
}

/* The first message was given up by the queue: nobody sees it any more. */
static void bury_first(struct invocation *invocation)
{
    (void)fk_memory_queue_delete(invocation->host->queue, invocation->deliveries[0].receipt);
    invocation->delivered--;
    invocation->count--;
    memmove(invocation->deliveries, invocation->deliveries + 1, invocation->delivered * sizeof *invocation->deliveries);
    memmove(invocation->messages, invocation->messages + 1, invocation->count * sizeof *invocation->messages);
}

static void start_faulty(struct invocation *invocation, const struct sim_fault *fault)
{
    struct sim_function_host *host = invocation->host;
    int64_t delay_ms = 0;
    switch ((int)fault->kind) {
    case SIM_FAULT_LATE:
        delay_ms = fault->argument;
        break;
    case SIM_FAULT_CONCURRENT:
    case SIM_FAULT_DUPLICATE:
    case SIM_FAULT_REDELIVER:
        start_copy(invocation, fault->argument);
        break;
    case SIM_FAULT_PARTIAL:
        invocation->delete_max = fault->argument < 0 ? 0 : (size_t)fault->argument;
        break;
    case SIM_FAULT_LOST_DELETE:
        invocation->delete_max = 0;
        break;
    case SIM_FAULT_TIMEOUT:
        for (size_t i = 0; i < invocation->delivered; i++) {
            (void)fk_memory_queue_hide(host->queue, invocation->deliveries[i].receipt, 0);
        }
        break;
    case SIM_FAULT_POISON:
        put_in_front(invocation, garbage(host, &invocation->arena));
        break;
    case SIM_FAULT_NEWER:
        put_in_front(invocation, newer(&invocation->arena, invocation->messages[0]));
        break;
    case SIM_FAULT_DEAD_LETTER:
        bury_first(invocation);
        break;
    default:
        break;
    }
    if (invocation->count == 0) {
        host->running--;
        free_invocation(invocation);
        poll_at(host, sim_now_ns(host->world));
        return;
    }
    sim_at(host->world, NULL, sim_now_ns(host->world) + delay_ms * SIM_MS, start, invocation);
}

/* What the distributor's queue holds was accepted, so that no dead letters are possible there: that queue is to be kept
 * without one. */
static struct sim_fault fate(struct sim_function_host *host)
{
    uint64_t allowed = SIM_FAULT_BIT(LATE) | SIM_FAULT_BIT(CONCURRENT) | SIM_FAULT_BIT(DUPLICATE) |
                       SIM_FAULT_BIT(REDELIVER) | SIM_FAULT_BIT(PARTIAL) | SIM_FAULT_BIT(LOST_DELETE) |
                       SIM_FAULT_BIT(TIMEOUT) | SIM_FAULT_BIT(POISON) | SIM_FAULT_BIT(NEWER) | SIM_FAULT_BIT(OVERLOAD);
    if (host->options.queue == SIM_QUEUE_REQUESTS) {
        allowed |= SIM_FAULT_BIT(DEAD_LETTER);
    }
    return sim_fault_labelled(sim_cloud_faults(host->options.cloud), SIM_ROLE_QUEUE, host->label,
                              SIM_CALL_QUEUE_DELIVER, allowed);
}

static void serve(struct sim_function_host *host, int64_t group)
{
    struct sim_fault fault = fate(host);
    if (fault.kind == SIM_FAULT_OVERLOAD) {
        host->overload_until_ns = sim_now_ns(host->world) + fault.argument * SIM_MS;
        return;
    }
    struct invocation *invocation = new_invocation(host);
    size_t max = 1 + sim_below(host->world, SIM_DICE_SCHEDULE, host->options.batch_max);
    enum fk_err err = fk_memory_queue_receive(host->queue, group, max, host->options.visibility_ms, &invocation->arena,
                                              invocation->deliveries, &invocation->delivered);
    FK_ASSERT(err == FK_OK && invocation->delivered > 0);
    for (size_t i = 0; i < invocation->delivered; i++) {
        invocation->messages[i] = invocation->deliveries[i].body;
    }
    invocation->count = invocation->delivered;
    start_faulty(invocation, &fault);
}

/* --- polling --- */

static void poll(void *context)
{
    struct sim_function_host *host = context;
    int64_t now = sim_now_ns(host->world);
    if (host->poll_ns > now) {
        return; /* a poll that was moved */
    }
    host->poll_ns = INT64_MAX;
    int64_t groups[GROUPS_MAX];
    size_t count = 0;
    if (now >= host->overload_until_ns) {
        count = fk_memory_queue_ready(host->queue, groups, GROUPS_MAX);
    }
    for (size_t i = 0; i < count && i < GROUPS_MAX && now >= host->overload_until_ns; i++) {
        serve(host, groups[i]);
    }
    int64_t ready_ms = fk_memory_queue_ready_ms(host->queue);
    if (ready_ms != INT64_MAX) {
        int64_t ready_ns = now + (ready_ms - sim_cloud_queue_ms(host->options.cloud)) * SIM_MS;
        ready_ns = ready_ns > now ? ready_ns : now + SIM_MS;
        poll_at(host, ready_ns > host->overload_until_ns ? ready_ns : host->overload_until_ns);
    }
}

static void poll_at(struct sim_function_host *host, int64_t at_ns)
{
    int64_t at = at_ns + (int64_t)sim_below(host->world, SIM_DICE_SCHEDULE, 3 * SIM_MS);
    if (at < host->poll_ns) {
        host->poll_ns = at;
        sim_at(host->world, NULL, at, poll, host);
    }
}

static void on_send(void *context)
{
    struct sim_function_host *host = context;
    poll_at(host, sim_now_ns(host->world));
}

struct sim_function_host *sim_function_host_new(struct sim_world *world,
                                                const struct sim_function_host_options *options)
{
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_function_host *host = fk_alloc_zero(sizeof *host);
    FK_ASSERT(host != NULL);
    host->world = world;
    host->options = *options;
    host->queue = sim_cloud_queue(options->cloud, options->queue);
    host->label = options->queue == SIM_QUEUE_REQUESTS ? "requests" : "distributor";
    host->poll_ns = INT64_MAX;
    sim_cloud_on_send(options->cloud, options->queue, on_send, host);
    (void)sim_memory_of(before);
    return host;
}

bool sim_function_host_idle(const struct sim_function_host *host)
{
    return host->running == 0 && fk_memory_queue_count(host->queue) == 0;
}

uint64_t sim_function_host_invocations(const struct sim_function_host *host)
{
    return host->invocations;
}
