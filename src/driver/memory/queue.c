// SPDX-License-Identifier: Apache-2.0
/* Each message stands in the list of the queue and in that of its group, both in the order of sending, and in a map by
 * its sequence number. Time is looked at in each call: what is due by then (retention, the deduplication window) is
 * dropped first. */
#include "driver/memory/queue.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/container.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"

/* A group that has messages. */
struct group {
    struct fk_map_entry entry;
    int64_t id;
    struct fk_list messages;
};

struct message {
    struct fk_list link;
    struct fk_list group_link;
    struct fk_map_entry entry;
    struct group *group;
    int64_t sequence;
    int64_t deduplication_id;
    int64_t sent_ms;
    int64_t visible_ms; /* hidden before */
    int64_t received_ms;
    int32_t deliveries;
    size_t size;
    uint8_t bytes[];
};

/* A deduplication id whose window is open. */
struct sent {
    struct fk_list link;
    struct fk_map_entry entry;
    int64_t id;
    int64_t sent_ms;
};

struct memory_queue {
    struct fk_queue base;
    struct fk_clock *clock;
    struct fk_list messages;
    struct fk_map by_sequence;
    struct fk_map groups;
    struct fk_list sent;
    struct fk_map sent_by_id;
    int64_t last_sequence;
};

static struct memory_queue *memory(struct fk_queue *queue)
{
    return FK_CONTAINER_OF(queue, struct memory_queue, base);
}

static struct message *message_of(const struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct message, link);
}

static struct message *message_in_group(const struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct message, group_link);
}

static struct group *group_of(const struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct group, entry);
}

static uint64_t hash_of(int64_t number)
{
    return fk_bytes_hash(fk_bytes_of(&number, sizeof number));
}

static bool message_matches(const struct fk_map_entry *entry, const void *key)
{
    const int64_t *sequence = (const int64_t *)key;
    return FK_CONTAINER_OF(entry, struct message, entry)->sequence == *sequence;
}

static bool group_matches(const struct fk_map_entry *entry, const void *key)
{
    const int64_t *id = (const int64_t *)key;
    return group_of(entry)->id == *id;
}

static bool sent_matches(const struct fk_map_entry *entry, const void *key)
{
    const int64_t *id = (const int64_t *)key;
    return FK_CONTAINER_OF(entry, struct sent, entry)->id == *id;
}

static struct group *find_group(const struct memory_queue *queue, int64_t id)
{
    struct fk_map_entry *entry = fk_map_get(&queue->groups, hash_of(id), group_matches, &id);
    return entry == NULL ? NULL : group_of(entry);
}

static void drop_message(struct memory_queue *queue, struct message *message)
{
    struct group *group = message->group;
    fk_list_remove(&message->link);
    fk_list_remove(&message->group_link);
    fk_map_remove(&queue->by_sequence, &message->entry);
    fk_free(message);
    if (fk_list_empty(&group->messages)) {
        fk_map_remove(&queue->groups, &group->entry);
        fk_free(group);
    }
}

static void drop_sent(struct memory_queue *queue, struct sent *sent)
{
    fk_list_remove(&sent->link);
    fk_map_remove(&queue->sent_by_id, &sent->entry);
    fk_free(sent);
}

/* The present time, with everything gone that is over by now. */
static int64_t pass_time(struct memory_queue *queue)
{
    int64_t now = fk_clock_monotonic_ms(queue->clock);
    while (!fk_list_empty(&queue->messages) &&
           message_of(queue->messages.next)->sent_ms + FK_QUEUE_RETENTION_MS <= now) {
        drop_message(queue, message_of(queue->messages.next));
    }
    while (!fk_list_empty(&queue->sent)) {
        struct sent *sent = FK_CONTAINER_OF(queue->sent.next, struct sent, link);
        if (sent->sent_ms + FK_QUEUE_DEDUPLICATION_MS > now) {
            break;
        }
        drop_sent(queue, sent);
    }
    return now;
}

/* --- sending --- */

/* The group of this id, which may be new. NULL without memory. */
static struct group *group_need(struct memory_queue *queue, int64_t id)
{
    struct group *group = find_group(queue, id);
    if (group != NULL) {
        return group;
    }
    group = (struct group *)fk_alloc(sizeof *group);
    if (group == NULL) {
        return NULL;
    }
    group->id = id;
    fk_list_init(&group->messages);
    fk_map_add(&queue->groups, &group->entry, hash_of(id));
    return group;
}

static struct message *message_new(struct fk_bytes body)
{
    struct message *message = (struct message *)fk_alloc(sizeof *message + body.size);
    if (message != NULL) {
        message->size = body.size;
        memcpy(message->bytes, body.data, body.size);
    }
    return message;
}

static void append(struct memory_queue *queue, struct group *group, struct message *message)
{
    message->group = group;
    message->sequence = ++queue->last_sequence;
    message->deliveries = 0;
    fk_list_append(&queue->messages, &message->link);
    fk_list_append(&group->messages, &message->group_link);
    fk_map_add(&queue->by_sequence, &message->entry, hash_of(message->sequence));
}

static enum fk_err queue_send(struct fk_queue *base, int64_t group_id, int64_t deduplication_id, struct fk_bytes body)
{
    struct memory_queue *queue = memory(base);
    int64_t now = pass_time(queue);
    FK_ASSERT(body.size > 0);
    if (body.size > FK_QUEUE_BODY_SIZE_MAX) {
        return FK_ERR_TOO_LARGE;
    }
    if (fk_map_get(&queue->sent_by_id, hash_of(deduplication_id), sent_matches, &deduplication_id) != NULL) {
        return FK_OK;
    }
    struct message *message = message_new(body);
    struct sent *sent = (struct sent *)fk_alloc(sizeof *sent);
    struct group *group = message == NULL || sent == NULL ? NULL : group_need(queue, group_id);
    if (group == NULL) {
        fk_free(message);
        fk_free(sent);
        return FK_ERR_NOMEM;
    }
    message->deduplication_id = deduplication_id;
    message->sent_ms = now;
    message->visible_ms = now;
    message->received_ms = now;
    append(queue, group, message);
    sent->id = deduplication_id;
    sent->sent_ms = now;
    fk_list_append(&queue->sent, &sent->link);
    fk_map_add(&queue->sent_by_id, &sent->entry, hash_of(deduplication_id));
    return FK_OK;
}

/* --- receiving --- */

/* When the last hidden message of a group becomes visible; the past, where none is hidden. Only the first ones of a
 * group can be: they are of one delivery. */
static int64_t group_ready_ms(const struct group *group)
{
    int64_t ready_ms = INT64_MIN;
    size_t looked = 0;
    const struct fk_list *link = group->messages.next;
    for (; link != &group->messages && looked < FK_QUEUE_BATCH_MAX; link = link->next, looked++) {
        int64_t visible_ms = message_in_group(link)->visible_ms;
        ready_ms = visible_ms > ready_ms ? visible_ms : ready_ms;
    }
    return ready_ms;
}

/* The next message after `link` that is the first one of its group; NULL at the end. */
static const struct message *next_first(const struct memory_queue *queue, const struct fk_list *link)
{
    for (link = link->next; link != &queue->messages; link = link->next) {
        const struct message *message = message_of(link);
        if (message->group->messages.next == &message->group_link) {
            return message;
        }
    }
    return NULL;
}

size_t fk_memory_queue_ready(struct fk_queue *base, int64_t *groups, size_t max)
{
    struct memory_queue *queue = memory(base);
    int64_t now = pass_time(queue);
    size_t left = queue->groups.count; /* a long tail behind the first messages is not walked */
    size_t count = 0;
    const struct fk_list *link = &queue->messages;
    for (; left > 0 && count < max; left--) {
        const struct message *message = next_first(queue, link);
        FK_ASSERT(message != NULL);
        if (group_ready_ms(message->group) <= now) {
            groups[count++] = message->group->id;
        }
        link = &message->link;
    }
    return count;
}

int64_t fk_memory_queue_ready_ms(struct fk_queue *base)
{
    struct memory_queue *queue = memory(base);
    int64_t ready_ms = INT64_MAX;
    (void)pass_time(queue);
    struct fk_map_entry *entry = NULL;
    while ((entry = fk_map_next(&queue->groups, entry)) != NULL) { /* the smallest: the order does not matter */
        int64_t group_ms = group_ready_ms(group_of(entry));
        ready_ms = group_ms < ready_ms ? group_ms : ready_ms;
    }
    return ready_ms;
}

/* Copies the first messages of the group into the arena. */
static enum fk_err copy_bodies(const struct group *group, size_t max, struct fk_arena *arena,
                               struct fk_delivery *deliveries, size_t *count)
{
    *count = 0;
    for (const struct fk_list *link = group->messages.next; link != &group->messages && *count < max;
         link = link->next) {
        const struct message *message = message_in_group(link);
        struct fk_delivery *delivery = &deliveries[*count];
        delivery->receipt = (struct fk_receipt){message->sequence, message->deliveries + 1};
        delivery->group = group->id;
        delivery->deduplication_id = message->deduplication_id;
        delivery->body = fk_arena_copy(arena, fk_bytes_of(message->bytes, message->size));
        if (delivery->body.data == NULL) {
            *count = 0;
            return FK_ERR_NOMEM;
        }
        ++*count;
    }
    return FK_OK;
}

enum fk_err fk_memory_queue_receive(struct fk_queue *base, int64_t group_id, size_t max, int64_t visibility_ms,
                                    struct fk_arena *arena, struct fk_delivery *deliveries, size_t *count)
{
    struct memory_queue *queue = memory(base);
    int64_t now = pass_time(queue);
    FK_ASSERT(max > 0 && max <= FK_QUEUE_BATCH_MAX);
    FK_ASSERT(visibility_ms >= 0 && visibility_ms <= FK_QUEUE_VISIBILITY_MAX_MS);
    const struct group *group = find_group(queue, group_id);
    *count = 0;
    if (group == NULL || group_ready_ms(group) > now) {
        return FK_OK;
    }
    enum fk_err err = copy_bodies(group, max, arena, deliveries, count);
    struct fk_list *link = group->messages.next;
    for (size_t i = 0; i < *count; i++, link = link->next) {
        message_in_group(link)->deliveries++;
        message_in_group(link)->visible_ms = now + visibility_ms;
        message_in_group(link)->received_ms = now;
    }
    return err;
}

/* The message that a valid receipt names, or NULL. */
static struct message *find_hidden(struct memory_queue *queue, struct fk_receipt receipt, int64_t now)
{
    struct fk_map_entry *entry =
        fk_map_get(&queue->by_sequence, hash_of(receipt.sequence), message_matches, &receipt.sequence);
    if (entry == NULL) {
        return NULL;
    }
    struct message *message = FK_CONTAINER_OF(entry, struct message, entry);
    return message->deliveries == receipt.delivery && message->visible_ms > now ? message : NULL;
}

bool fk_memory_queue_delete(struct fk_queue *base, struct fk_receipt receipt)
{
    struct memory_queue *queue = memory(base);
    struct message *message = find_hidden(queue, receipt, pass_time(queue));
    if (message != NULL) {
        drop_message(queue, message);
    }
    return message != NULL;
}

bool fk_memory_queue_hide(struct fk_queue *base, struct fk_receipt receipt, int64_t visibility_ms)
{
    struct memory_queue *queue = memory(base);
    FK_ASSERT(visibility_ms >= 0 && visibility_ms <= FK_QUEUE_VISIBILITY_MAX_MS);
    int64_t now = pass_time(queue);
    struct message *message = find_hidden(queue, receipt, now);
    if (message == NULL || now + visibility_ms > message->received_ms + FK_QUEUE_VISIBILITY_MAX_MS) {
        return false;
    }
    message->visible_ms = now + visibility_ms;
    return true;
}

size_t fk_memory_queue_count(struct fk_queue *base)
{
    (void)pass_time(memory(base));
    return memory(base)->by_sequence.count;
}

static void queue_free(struct fk_queue *base)
{
    struct memory_queue *queue = memory(base);
    while (!fk_list_empty(&queue->messages)) {
        drop_message(queue, message_of(queue->messages.next));
    }
    while (!fk_list_empty(&queue->sent)) {
        drop_sent(queue, FK_CONTAINER_OF(queue->sent.next, struct sent, link));
    }
    fk_map_deinit(&queue->by_sequence);
    fk_map_deinit(&queue->groups);
    fk_map_deinit(&queue->sent_by_id);
    fk_free(queue);
}

static const struct fk_queue_ops memory_queue_ops = {.name = "memory", .send = queue_send, .free = queue_free};

struct fk_queue *fk_memory_queue_new(struct fk_clock *clock)
{
    struct memory_queue *queue = (struct memory_queue *)fk_alloc_zero(sizeof *queue);
    if (queue == NULL) {
        return NULL;
    }
    queue->base.ops = &memory_queue_ops;
    queue->clock = clock;
    fk_list_init(&queue->messages);
    fk_list_init(&queue->sent);
    fk_map_init(&queue->by_sequence);
    fk_map_init(&queue->groups);
    fk_map_init(&queue->sent_by_id);
    return &queue->base;
}
