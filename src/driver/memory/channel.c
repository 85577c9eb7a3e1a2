// SPDX-License-Identifier: Apache-2.0
#include "driver/memory/channel.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/list.h"
#include "base/map.h"

struct message {
    struct fk_list link;
    size_t size;
    uint8_t bytes[];
};

struct mailbox {
    struct fk_map_entry entry;
    int64_t gateway;
    struct fk_list messages; /* oldest first */
};

struct memory_channel {
    struct fk_channel base;
    struct fk_map mailboxes;
};

static struct memory_channel *memory(struct fk_channel *channel)
{
    return FK_CONTAINER_OF(channel, struct memory_channel, base);
}

static struct mailbox *mailbox_of(const struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct mailbox, entry);
}

static struct message *message_of(const struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct message, link);
}

static uint64_t hash_of(int64_t gateway)
{
    return fk_bytes_hash(fk_bytes_of(&gateway, sizeof gateway));
}

static bool mailbox_matches(const struct fk_map_entry *entry, const void *key)
{
    const int64_t *gateway = (const int64_t *)key;
    return mailbox_of(entry)->gateway == *gateway;
}

static struct mailbox *find(struct fk_channel *channel, int64_t gateway)
{
    struct fk_map_entry *entry = fk_map_get(&memory(channel)->mailboxes, hash_of(gateway), mailbox_matches, &gateway);
    return entry == NULL ? NULL : mailbox_of(entry);
}

static void mailbox_free(struct mailbox *mailbox)
{
    struct fk_list *link = NULL;
    while ((link = fk_list_take(&mailbox->messages)) != NULL) {
        fk_free(message_of(link));
    }
    fk_free(mailbox);
}

enum fk_err fk_memory_channel_listen(struct fk_channel *channel, int64_t gateway)
{
    FK_ASSERT(find(channel, gateway) == NULL);
    struct mailbox *mailbox = (struct mailbox *)fk_alloc(sizeof *mailbox);
    if (mailbox == NULL) {
        return FK_ERR_NOMEM;
    }
    mailbox->gateway = gateway;
    fk_list_init(&mailbox->messages);
    fk_map_add(&memory(channel)->mailboxes, &mailbox->entry, hash_of(gateway));
    return FK_OK;
}

void fk_memory_channel_leave(struct fk_channel *channel, int64_t gateway)
{
    struct mailbox *mailbox = find(channel, gateway);
    if (mailbox != NULL) {
        fk_map_remove(&memory(channel)->mailboxes, &mailbox->entry);
        mailbox_free(mailbox);
    }
}

bool fk_memory_channel_peek(struct fk_channel *channel, int64_t gateway, struct fk_bytes *bytes)
{
    const struct mailbox *mailbox = find(channel, gateway);
    if (mailbox == NULL || fk_list_empty(&mailbox->messages)) {
        return false;
    }
    const struct message *message = message_of(mailbox->messages.next);
    *bytes = fk_bytes_of(message->bytes, message->size);
    return true;
}

void fk_memory_channel_done(struct fk_channel *channel, int64_t gateway)
{
    struct mailbox *mailbox = find(channel, gateway);
    FK_ASSERT(mailbox != NULL);
    struct fk_list *link = fk_list_take(&mailbox->messages);
    FK_ASSERT(link != NULL);
    fk_free(message_of(link));
}

static enum fk_err channel_notify(struct fk_channel *channel, int64_t gateway, struct fk_bytes bytes,
                                  int64_t after_zxid)
{
    struct mailbox *mailbox = find(channel, gateway);
    (void)after_zxid; /* the commit came first, and is durable */
    if (mailbox == NULL) {
        return FK_OK;
    }
    struct message *message = (struct message *)fk_alloc(sizeof *message + bytes.size);
    if (message == NULL) {
        return FK_ERR_NOMEM;
    }
    message->size = bytes.size;
    if (bytes.size > 0) {
        memcpy(message->bytes, bytes.data, bytes.size);
    }
    fk_list_append(&mailbox->messages, &message->link);
    return FK_OK;
}

static void channel_free(struct fk_channel *channel)
{
    struct fk_map *mailboxes = &memory(channel)->mailboxes;
    struct fk_map_entry *entry = fk_map_next(mailboxes, NULL);
    while (entry != NULL) {
        struct fk_map_entry *next = fk_map_next(mailboxes, entry);
        mailbox_free(mailbox_of(entry));
        entry = next;
    }
    fk_map_deinit(mailboxes);
    fk_free(memory(channel));
}

static const struct fk_channel_ops memory_channel_ops = {
    .name = "memory", .notify = channel_notify, .free = channel_free};

struct fk_channel *fk_memory_channel_new(void)
{
    struct memory_channel *channel = (struct memory_channel *)fk_alloc(sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    channel->base.ops = &memory_channel_ops;
    fk_map_init(&channel->mailboxes);
    return &channel->base;
}
