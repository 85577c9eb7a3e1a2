// SPDX-License-Identifier: Apache-2.0
/* Each message travels on its own: they overtake each other even without a fault. */
#include "base/alloc.h"
#include "base/assert.h"
#include "sim/port_internal.h"

struct letter {
    struct sim_cloud *cloud;
    int64_t gateway;
    size_t size;
    uint8_t bytes[];
};

static struct sim_mailbox *mailbox_of(struct sim_cloud *cloud, int64_t gateway)
{
    for (struct fk_list *link = cloud->mailboxes.next; link != &cloud->mailboxes; link = link->next) {
        struct sim_mailbox *mailbox = FK_CONTAINER_OF(link, struct sim_mailbox, link);
        if (mailbox->gateway == gateway) {
            return mailbox;
        }
    }
    return NULL;
}

static void close_mailbox(void *context)
{
    struct sim_mailbox *mailbox = context;
    fk_list_remove(&mailbox->link);
    fk_free(mailbox);
}

void sim_cloud_mailbox(struct sim_cloud *cloud, int64_t gateway, struct sim_process *process, sim_mail_fn call,
                       void *context)
{
    struct sim_process *before = sim_memory_of(NULL);
    struct sim_mailbox *mailbox = fk_alloc_zero(sizeof *mailbox);
    FK_ASSERT(mailbox != NULL);
    *mailbox = (struct sim_mailbox){.gateway = gateway, .process = process, .call = call, .context = context};
    fk_list_append(&cloud->mailboxes, &mailbox->link);
    sim_process_at_end(process, close_mailbox, mailbox);
    (void)sim_memory_of(before);
}

static void open_letter(const struct letter *letter)
{
    const struct sim_mailbox *mailbox = mailbox_of(letter->cloud, letter->gateway);
    if (mailbox == NULL) {
        return;
    }
    struct sim_process *before = sim_memory_of(mailbox->process);
    mailbox->call(mailbox->context, fk_bytes_of(letter->bytes, letter->size));
    (void)sim_memory_of(before);
}

/* A suspended gateway finds its letters when it goes on. */
static void deliver(void *context)
{
    struct letter *letter = context;
    const struct sim_mailbox *mailbox = mailbox_of(letter->cloud, letter->gateway);
    int64_t until = mailbox == NULL ? 0 : sim_process_suspended_until(mailbox->process);
    if (until > sim_now_ns(letter->cloud->world)) {
        sim_at(letter->cloud->world, NULL, until, deliver, letter);
        return;
    }
    open_letter(letter);
    fk_free(letter);
}

static void post(struct sim_cloud *cloud, int64_t gateway, struct fk_bytes message, int64_t delay_ms)
{
    struct letter *letter = fk_alloc(sizeof *letter + message.size);
    FK_ASSERT(letter != NULL);
    *letter = (struct letter){.cloud = cloud, .gateway = gateway, .size = message.size};
    memcpy(letter->bytes, message.data, message.size);
    int64_t latency = (int64_t)sim_below(cloud->world, SIM_DICE_SCHEDULE, (uint64_t)cloud->latency_ns + 1);
    int64_t at = cloud->arrival != NULL ? cloud->arrival(cloud->decorate_context, message.size)
                                        : sim_now_ns(cloud->world) + latency;
    sim_at(cloud->world, NULL, at + delay_ms * SIM_MS, deliver, letter);
}

static enum fk_err notify(struct fk_channel *channel, int64_t gateway, struct fk_bytes message, int64_t after_zxid)
{
    struct sim_ports *ports = FK_CONTAINER_OF(channel, struct sim_ports, channel);
    const uint64_t allowed = SIM_FAULT_BIT(CRASH_BEFORE) | SIM_FAULT_BIT(CRASH_AFTER) | SIM_FAULT_BIT(BUSY) |
                             SIM_FAULT_BIT(DELAY) | SIM_FAULT_BIT(ZOMBIE) | SIM_FAULT_BIT(LOST) |
                             SIM_FAULT_BIT(DUPLICATE) | SIM_FAULT_BIT(LATE);
    struct sim_fault fault;
    enum fk_err err;
    if (!sim_call_begin(ports, SIM_SERVICE_CHANNEL, SIM_CALL_CHANNEL_NOTIFY, allowed, &fault, &err)) {
        return err;
    }
    if (ports->cloud->on_message != NULL) {
        ports->cloud->on_message(ports->cloud->on_message_context, SIM_CALL_CHANNEL_NOTIFY, gateway, message);
    }
    struct sim_process *before = sim_memory_of(NULL);
    if (fault.kind != SIM_FAULT_LOST) {
        post(ports->cloud, gateway, message, fault.kind == SIM_FAULT_LATE ? fault.argument : 0);
    }
    if (fault.kind == SIM_FAULT_DUPLICATE) {
        post(ports->cloud, gateway, message, fault.argument);
    }
    (void)sim_memory_of(before);
    sim_trace(ports->cloud->world, "channel.notify %016llx, after zxid %lld, %zu bytes", (unsigned long long)gateway,
              (long long)after_zxid, message.size);
    return sim_call_end(ports, &fault, FK_OK);
}

static void free_channel(struct fk_channel *channel)
{
    (void)channel; /* the world frees what is on its way */
}

const struct fk_channel_ops sim_channel_ops = {.name = "sim", .notify = notify, .free = free_channel};
