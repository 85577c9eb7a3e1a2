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

void fk_outcome_send_events(const struct fk_ports *ports, int64_t zxid, const struct fk_gateway_events *events)
{
    struct fk_buf message = FK_BUF_EMPTY;
    struct fk_buf encoded = FK_BUF_EMPTY;
    struct fk_gateway_events one = *events;
    struct fk_events_record record = {.zxid = zxid, .gateways = &one, .count = 1};
    fk_events_record_write(&encoded, &record);
    if (!encoded.failed) {
        fk_events_message_write(&message, fk_buf_view(&encoded));
        notify(ports, events->gateway, &message, zxid);
    }
    fk_buf_deinit(&encoded);
}

void fk_outcome_send_answer(const struct fk_ports *ports, int64_t gateway, const struct fk_answer_message *answer)
{
    struct fk_buf message = FK_BUF_EMPTY;
    fk_answer_message_write(&message, answer);
    notify(ports, gateway, &message, answer->zxid);
}

static void send_change(const struct fk_overlay *overlay, const struct fk_overlay_events *events)
{
    for (size_t i = 0; i < events->record.count; i++) {
        fk_outcome_send_events(overlay->ports, events->record.zxid, &events->record.gateways[i]);
    }
}

void fk_outcome_send(const struct fk_overlay *overlay, const struct fk_list *outcomes)
{
    const struct fk_list *event = overlay->events.next;
    for (const struct fk_list *link = outcomes->next; link != outcomes; link = link->next) {
        const struct fk_outcome *outcome = FK_CONTAINER_OF(link, struct fk_outcome, link);
        while (event != &overlay->events &&
               FK_CONTAINER_OF(event, struct fk_overlay_events, link)->record.zxid <= outcome->answer.zxid) {
            send_change(overlay, FK_CONTAINER_OF(event, struct fk_overlay_events, link));
            event = event->next;
        }
        fk_outcome_send_answer(overlay->ports, outcome->gateway, &outcome->answer);
    }
    for (; event != &overlay->events; event = event->next) {
        send_change(overlay, FK_CONTAINER_OF(event, struct fk_overlay_events, link));
    }
}
