// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/channel.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/container.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "driver/aws/address.h"
#include "driver/aws/json.h"
#include "driver/aws/sqs.h"
#include "driver/aws/tcp_sender.h"

enum {
    /* Gateways whose addresses are kept, 700 bytes each and perhaps a connection: the one that was not used for longest
     * makes room. */
    PEERS_MAX = 256,
    SEND_MS = 2000, /* of one attempt at a queue: what comes later is fetched before */
    BUFFER_KEPT = 64 * 1024,
};

struct fk_aws_channel_counts fk_aws_channel_counts;

struct peer {
    struct fk_map_entry entry;
    struct fk_list link; /* the one used last at the end */
    int64_t gateway;
    struct fk_address address;
    struct fk_tcp_sender tcp;
};

struct aws_channel {
    struct fk_channel base;
    struct fk_aws *aws;
    struct fk_table *table;
    fk_address_fn find;
    struct fk_clock *clock;
    struct fk_map peers;
    struct fk_list order;
    struct fk_buf frame;
    struct fk_buf request;
    struct fk_arena scratch; /* of one message */
};

static struct aws_channel *aws_channel(struct fk_channel *channel)
{
    return FK_CONTAINER_OF(channel, struct aws_channel, base);
}

/* --- gateways --- */

static struct peer *peer_of(const struct fk_map_entry *entry)
{
    return FK_CONTAINER_OF(entry, struct peer, entry);
}

static bool peer_matches(const struct fk_map_entry *entry, const void *key)
{
    const int64_t *gateway = (const int64_t *)key;
    return peer_of(entry)->gateway == *gateway;
}

static uint64_t hash_of(int64_t gateway)
{
    return fk_bytes_hash(fk_bytes_of(&gateway, sizeof gateway));
}

static void forget(struct aws_channel *channel, struct peer *peer)
{
    fk_map_remove(&channel->peers, &peer->entry);
    fk_list_remove(&peer->link);
    fk_tcp_sender_close(&peer->tcp);
    fk_free(peer);
}

static struct peer *add_peer(struct aws_channel *channel, int64_t gateway, const struct fk_address *address)
{
    struct peer *peer = (struct peer *)fk_alloc(sizeof *peer);
    if (peer == NULL) {
        return NULL;
    }
    if (channel->peers.count >= PEERS_MAX) {
        forget(channel, FK_CONTAINER_OF(channel->order.next, struct peer, link));
    }
    *peer = (struct peer){.gateway = gateway, .address = *address, .tcp = FK_TCP_SENDER_CLOSED};
    fk_map_add(&channel->peers, &peer->entry, hash_of(gateway));
    fk_list_init(&peer->link);
    fk_list_append(&channel->order, &peer->link);
    return peer;
}

/* NULL where there is no way to it. */
static struct peer *find_peer(struct aws_channel *channel, int64_t gateway)
{
    struct fk_map_entry *entry = fk_map_get(&channel->peers, hash_of(gateway), peer_matches, &gateway);
    if (entry != NULL) {
        struct peer *peer = peer_of(entry);
        fk_list_remove(&peer->link);
        fk_list_append(&channel->order, &peer->link);
        return peer;
    }
    struct fk_address address;
    struct fk_bytes text = FK_BYTES_NULL;
    enum fk_err err = channel->find(channel->table, gateway, &channel->scratch, &text);
    if (err == FK_OK) {
        err = fk_address_read(text, &address);
    }
    return err == FK_OK ? add_peer(channel, gateway, &address) : NULL;
}

/* --- messages --- */

static enum fk_err send_sqs(struct aws_channel *channel, struct peer *peer)
{
    struct fk_aws_reply reply;
    struct fk_buf *request = &channel->request;
    fk_buf_clear(request);
    fk_buf_append(request, FK_BYTES_LITERAL("{\"QueueUrl\":"));
    fk_json_append_string(request, fk_bytes_text(peer->address.way));
    fk_buf_append(request, FK_BYTES_LITERAL(",\"MessageBody\":\""));
    fk_base64_append(request, fk_buf_view(&channel->frame));
    fk_buf_append(request, FK_BYTES_LITERAL("\"}"));
    if (request->failed) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err =
        fk_sqs_call(channel->aws, "SendMessage", fk_buf_view(request), true, SEND_MS, &channel->scratch, &reply);
    fk_buf_trim(request, BUFFER_KEPT);
    return err;
}

static enum fk_err send_frame(struct aws_channel *channel, struct peer *peer)
{
    if (peer->address.kind == FK_ADDRESS_SQS) {
        return send_sqs(channel, peer);
    }
    return fk_tcp_sender_send(&peer->tcp, channel->clock, peer->address.way, fk_buf_view(&channel->frame));
}

static void lost(int64_t gateway, const char *why)
{
    (void)atomic_fetch_add(&fk_aws_channel_counts.lost, 1);
    fk_log_with(FK_LOG_DEBUG, "a message to a gateway was lost", fk_log_id("gateway", gateway),
                fk_log_text("why", why));
}

static enum fk_err channel_notify(struct fk_channel *base, int64_t gateway, struct fk_bytes message, int64_t after_zxid)
{
    struct aws_channel *channel = aws_channel(base);
    (void)after_zxid; /* the commit came first, and is durable */
    if (message.size > FK_CHANNEL_MESSAGE_SIZE_MAX) {
        lost(gateway, "it is too large");
        return FK_OK;
    }
    fk_arena_reset(&channel->scratch);
    struct peer *peer = find_peer(channel, gateway);
    if (peer == NULL) {
        lost(gateway, "its address is not known");
        return FK_OK;
    }
    fk_buf_clear(&channel->frame);
    fk_frame_append(&channel->frame, peer->address.key, gateway, message);
    enum fk_err err = channel->frame.failed ? FK_ERR_NOMEM : send_frame(channel, peer);
    fk_buf_clear(&channel->frame);
    fk_buf_trim(&channel->frame, BUFFER_KEPT);
    if (err == FK_OK) {
        (void)atomic_fetch_add(&fk_aws_channel_counts.sent, 1);
        return FK_OK;
    }
    lost(gateway, fk_err_text(err));
    if (err == FK_ERR_NOMEM) {
        return err;
    }
    if (peer->address.kind == FK_ADDRESS_SQS || err != FK_ERR_BUSY) {
        forget(channel, peer); /* a listener that can't be reached keeps its pause */
    }
    return FK_OK;
}

static void channel_free(struct fk_channel *base)
{
    struct aws_channel *channel = aws_channel(base);
    while (!fk_list_empty(&channel->order)) {
        forget(channel, FK_CONTAINER_OF(channel->order.next, struct peer, link));
    }
    fk_map_deinit(&channel->peers);
    fk_buf_deinit(&channel->frame);
    fk_buf_deinit(&channel->request);
    fk_arena_deinit(&channel->scratch);
    fk_free(channel);
}

static const struct fk_channel_ops aws_channel_ops = {.name = "aws", .notify = channel_notify, .free = channel_free};

struct fk_channel *fk_aws_channel_new(struct fk_aws *aws, struct fk_table *table, fk_address_fn find,
                                      struct fk_clock *clock)
{
    struct aws_channel *channel = (struct aws_channel *)fk_alloc(sizeof *channel);
    if (channel == NULL) {
        return NULL;
    }
    *channel = (struct aws_channel){.base = {.ops = &aws_channel_ops},
                                    .aws = aws,
                                    .table = table,
                                    .find = find,
                                    .clock = clock,
                                    .frame = FK_BUF_EMPTY,
                                    .request = FK_BUF_EMPTY,
                                    .scratch = FK_ARENA_EMPTY};
    fk_map_init(&channel->peers);
    fk_list_init(&channel->order);
    return &channel->base;
}
