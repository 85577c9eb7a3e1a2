// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/port_internal.h"

/* A message that is sent when its sender no longer waits. */
struct late_send {
    struct sim_cloud *cloud;
    enum sim_queue queue;
    int64_t group;
    int64_t deduplication_id;
    size_t size;
    uint8_t bytes[];
};

static enum fk_err send_now(struct sim_cloud *cloud, enum sim_queue queue, int64_t group, int64_t deduplication_id,
                            struct fk_bytes message)
{
    enum fk_err err = fk_queue_send(cloud->queues[queue], group, deduplication_id, message);
    if (err == FK_OK && cloud->on_message != NULL) {
        cloud->on_message(cloud->on_message_context, SIM_CALL_QUEUE_SEND, group, message);
    }
    if (err == FK_OK && cloud->on_send[queue] != NULL) {
        cloud->on_send[queue](cloud->on_send_context[queue]);
    }
    return err;
}

static void apply_late(void *context)
{
    struct late_send *late = context;
    enum fk_err err =
        send_now(late->cloud, late->queue, late->group, late->deduplication_id, fk_bytes_of(late->bytes, late->size));
    sim_trace(late->cloud->world, "queue.send of %zu bytes, late -> %d", late->size, (int)err);
    fk_free(late);
}

static void send_later(struct sim_ports *ports, const struct sim_fault *fault, enum sim_queue queue, int64_t group,
                       int64_t deduplication_id, struct fk_bytes message)
{
    struct late_send *late = fk_alloc(sizeof *late + message.size);
    FK_ASSERT(late != NULL);
    *late = (struct late_send){.cloud = ports->cloud,
                               .queue = queue,
                               .group = group,
                               .deduplication_id = deduplication_id,
                               .size = message.size};
    memcpy(late->bytes, message.data, message.size);
    sim_at(ports->cloud->world, NULL, sim_call_later_ns(ports, fault), apply_late, late);
}

static enum fk_err send_message(struct sim_ports *ports, enum sim_queue queue, int64_t group, int64_t deduplication_id,
                                struct fk_bytes message)
{
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_QUEUE, SIM_CALL_QUEUE_SEND, SIM_KINDS_WRITE, &fault, &err)) {
        return err;
    }
    struct sim_process *before = sim_memory_of(NULL);
    if (fault.kind == SIM_FAULT_UNKNOWN_LATER) {
        send_later(ports, &fault, queue, group, deduplication_id, message);
        err = FK_ERR_UNKNOWN;
    } else {
        err = send_now(ports->cloud, queue, group, deduplication_id, message);
    }
    (void)sim_memory_of(before);
    sim_trace(ports->cloud->world, "queue.send to %s, group %lld, %zu bytes -> %d",
              queue == SIM_QUEUE_REQUESTS ? "requests" : "distributor", (long long)group, message.size, (int)err);
    return sim_call_end(ports, &fault, err);
}

static enum fk_err send_request(struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                                struct fk_bytes message)
{
    struct sim_ports *ports = FK_CONTAINER_OF(queue, struct sim_ports, queues[SIM_QUEUE_REQUESTS]);
    return send_message(ports, SIM_QUEUE_REQUESTS, group, deduplication_id, message);
}

static enum fk_err send_planned(struct fk_queue *queue, int64_t group, int64_t deduplication_id,
                                struct fk_bytes message)
{
    struct sim_ports *ports = FK_CONTAINER_OF(queue, struct sim_ports, queues[SIM_QUEUE_DISTRIBUTOR]);
    return send_message(ports, SIM_QUEUE_DISTRIBUTOR, group, deduplication_id, message);
}

static void free_queue(struct fk_queue *queue)
{
    (void)queue; /* the world frees it */
}

const struct fk_queue_ops sim_requests_ops = {.name = "sim", .send = send_request, .free = free_queue};
const struct fk_queue_ops sim_distributor_ops = {.name = "sim", .send = send_planned, .free = free_queue};
