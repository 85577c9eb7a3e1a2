// SPDX-License-Identifier: Apache-2.0
#include "function/outcome.h"

bool fk_outcome_add(struct fk_list *outcomes, struct fk_arena *arena, int64_t gateway,
                    const struct fk_answer_message *answer)
{
    struct fk_outcome *outcome = (struct fk_outcome *)fk_arena_alloc(arena, sizeof *outcome);
    if (outcome == NULL) {
        return false;
    }
    *outcome = (struct fk_outcome){.gateway = gateway, .answer = *answer};
    if (answer->body.data != NULL) {
        outcome->answer.body = fk_arena_copy(arena, answer->body);
        if (outcome->answer.body.data == NULL) {
            return false;
        }
    }
    fk_list_init(&outcome->link);
    fk_list_append(outcomes, &outcome->link);
    return true;
}

/* Lost where there is no memory or no way: see the head of outcome.h. */
static void notify(const struct fk_ports *ports, int64_t gateway, struct fk_buf *message, int64_t zxid)
{
    if (!message->failed) {
        (void)!fk_channel_notify(ports->channel, gateway, fk_buf_view(message), zxid);
    }
    fk_buf_deinit(message);
}

static void write_events(struct fk_buf *message, int64_t zxid, const struct fk_gateway_events *events)
{
    struct fk_buf encoded = FK_BUF_EMPTY;
    struct fk_gateway_events one = *events;
    struct fk_events_record record = {.zxid = zxid, .gateways = &one, .count = 1};
    fk_events_record_write(&encoded, &record);
    if (!encoded.failed) {
        fk_events_message_write(message, fk_buf_view(&encoded));
    }
    message->failed |= encoded.failed;
    fk_buf_deinit(&encoded);
}

void fk_outcome_send_events(const struct fk_ports *ports, int64_t zxid, const struct fk_gateway_events *events)
{
    struct fk_buf message = FK_BUF_EMPTY;
    write_events(&message, zxid, events);
    notify(ports, events->gateway, &message, zxid);
}

void fk_outcome_send_answer(const struct fk_ports *ports, int64_t gateway, const struct fk_answer_message *answer)
{
    struct fk_buf message = FK_BUF_EMPTY;
    fk_answer_message_write(&message, answer);
    notify(ports, gateway, &message, answer->zxid);
}

/* --- what a commit has to tell, by gateway --- */

struct post {
    struct fk_list link;
    int64_t gateway;
    int64_t zxid;          /* of the newest that it holds */
    struct fk_buf message; /* of many; where it holds one, that one is sent */
    size_t front;          /* bytes before the first one's */
    size_t count;
};

static void send_post(const struct fk_ports *ports, struct post *post)
{
    struct fk_bytes message = fk_buf_view(&post->message);
    if (!post->message.failed && post->count > 0) {
        message = post->count == 1 ? fk_bytes_tail(message, post->front) : message;
        (void)!fk_channel_notify(ports->channel, post->gateway, message, post->zxid);
    }
    fk_buf_deinit(&post->message);
    post->count = 0;
}

/* NULL without memory. */
static struct post *post_of(const struct fk_overlay *overlay, struct fk_list *posts, int64_t gateway)
{
    for (struct fk_list *link = posts->next; link != posts; link = link->next) {
        struct post *post = FK_CONTAINER_OF(link, struct post, link);
        if (post->gateway == gateway) {
            return post;
        }
    }
    struct post *post = (struct post *)fk_arena_alloc(overlay->arena, sizeof *post);
    if (post != NULL) {
        *post = (struct post){.gateway = gateway, .message = FK_BUF_EMPTY};
        fk_list_init(&post->link);
        fk_list_append(posts, &post->link);
    }
    return post;
}

static void add_to_post(const struct fk_overlay *overlay, struct fk_list *posts, int64_t gateway, int64_t zxid,
                        struct fk_buf *notice)
{
    struct post *post = notice->failed ? NULL : post_of(overlay, posts, gateway);
    if (post != NULL) {
        if (post->count > 0 && post->message.size + notice->size > FK_NOTICES_SIZE_MAX) {
            send_post(overlay->ports, post);
        }
        if (post->count == 0) {
            fk_many_message_begin(&post->message);
            post->front = post->message.size + 4; /* and the length of the first */
        }
        fk_many_message_add(&post->message, fk_buf_view(notice));
        post->zxid = zxid;
        post->count++;
    }
    fk_buf_deinit(notice);
}

static void add_change(const struct fk_overlay *overlay, struct fk_list *posts, const struct fk_overlay_events *events)
{
    for (size_t i = 0; i < events->record.count; i++) {
        struct fk_buf notice = FK_BUF_EMPTY;
        write_events(&notice, events->record.zxid, &events->record.gateways[i]);
        add_to_post(overlay, posts, events->record.gateways[i].gateway, events->record.zxid, &notice);
    }
}

void fk_outcome_send(const struct fk_overlay *overlay, const struct fk_list *outcomes)
{
    struct fk_list posts;
    const struct fk_list *event = overlay->events.next;
    fk_list_init(&posts);
    for (const struct fk_list *link = outcomes->next; link != outcomes; link = link->next) {
        const struct fk_outcome *outcome = FK_CONTAINER_OF(link, struct fk_outcome, link);
        struct fk_buf notice = FK_BUF_EMPTY;
        while (event != &overlay->events &&
               FK_CONTAINER_OF(event, struct fk_overlay_events, link)->record.zxid <= outcome->answer.zxid) {
            add_change(overlay, &posts, FK_CONTAINER_OF(event, struct fk_overlay_events, link));
            event = event->next;
        }
        fk_answer_message_write(&notice, &outcome->answer);
        add_to_post(overlay, &posts, outcome->gateway, outcome->answer.zxid, &notice);
    }
    for (; event != &overlay->events; event = event->next) {
        add_change(overlay, &posts, FK_CONTAINER_OF(event, struct fk_overlay_events, link));
    }
    for (struct fk_list *link = posts.next; link != &posts; link = link->next) {
        send_post(overlay->ports, FK_CONTAINER_OF(link, struct post, link));
    }
}
