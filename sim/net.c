// SPDX-License-Identifier: Apache-2.0
#include "sim/net.h"

#include "sim/own.h"

enum {
    WINDOW = 64 * 1024,
    WINDOW_SLOW = 2 * 1024,
    SPLIT_MAX = 4, /* segments of one send that is cut */
    TINY_MAX = 64, /* a send of one-byte segments has that many of them, then the rest in one */
};

enum segment_kind {
    SEGMENT_OPEN,
    SEGMENT_BYTES,
    SEGMENT_END,
};

struct segment {
    struct fk_list link;
    enum segment_kind kind;
    size_t size;
    uint8_t bytes[];
};

/* One direction of a link, named by who receives. */
struct stream {
    struct sim_link *link;
    enum sim_end to;
    struct fk_list segments; /* on their way, oldest first */
    size_t size;             /* their bytes */
    size_t waiting;          /* arrivals that came while the receiver was paused */
    int64_t last_ns;         /* arrival of the newest */
    bool lost;               /* nothing arrives any more */
    bool ended;              /* nothing more is sent */
    bool paused;             /* by the receiver */
    bool stalled;            /* by a fault */
    bool full;               /* the sender was refused bytes */
};

struct sim_link {
    struct sim_net *net;
    struct sim_link *next; /* opened before this one */
    int number;
    int port;
    uint32_t tag;
    struct stream streams[2]; /* by receiver */
    struct sim_endpoint ends[2];
    bool open[2]; /* the end hears */
    bool tiny;
    int64_t slow_ms; /* 0: as fast as any */
};

struct listener {
    struct sim_process *process;
    int64_t id;
    sim_accept_fn accept;
    void *owner;
    bool up;
};

struct sim_net {
    struct sim_world *world;
    struct sim_net_options options;
    struct listener listeners[SIM_NET_LISTENERS_MAX];
    struct sim_link *links; /* newest first */
    int count;
};

struct sim_net *sim_net_new(struct sim_world *world, const struct sim_net_options *options)
{
    struct sim_net *net = SIM_OWN_NEW(struct sim_net);
    net->world = world;
    net->options = *options;
    return net;
}

static void stream_drop(struct stream *stream)
{
    struct fk_list *link = NULL;
    while ((link = fk_list_take(&stream->segments)) != NULL) {
        sim_own_free(FK_CONTAINER_OF(link, struct segment, link));
    }
    stream->size = 0;
    stream->waiting = 0;
}

void sim_net_free(struct sim_net *net)
{
    if (net == NULL) {
        return;
    }
    while (net->links != NULL) {
        struct sim_link *link = net->links;
        net->links = link->next;
        stream_drop(&link->streams[SIM_CLIENT]);
        stream_drop(&link->streams[SIM_SERVER]);
        sim_own_free(link);
    }
    sim_own_free(net);
}

void sim_net_heal(struct sim_net *net)
{
    for (struct sim_link *link = net->links; link != NULL; link = link->next) {
        link->tiny = false;
        link->slow_ms = 0;
    }
}

int sim_link_number(const struct sim_link *link)
{
    return link->number;
}

int sim_link_port(const struct sim_link *link)
{
    return link->port;
}

void sim_link_set_tag(struct sim_link *link, uint32_t tag)
{
    link->tag = tag;
}

uint32_t sim_link_tag(const struct sim_link *link)
{
    return link->tag;
}

int sim_net_links(const struct sim_net *net)
{
    return net->count;
}

struct sim_link *sim_net_link(const struct sim_net *net, int number)
{
    struct sim_link *link = net->links;
    while (link != NULL && link->number != number) {
        link = link->next;
    }
    return link;
}

/* --- arrivals --- */

static void end_gone(struct sim_link *link, enum sim_end end)
{
    if (link->open[end]) {
        link->open[end] = false;
        link->ends[end].gone(link->ends[end].owner, link);
    }
}

static void arrive_open(struct sim_link *link)
{
    struct listener *listener = &link->net->listeners[link->port];
    link->open[SIM_SERVER] = listener->up && listener->accept(listener->owner, link, &link->ends[SIM_SERVER]);
    if (!link->open[SIM_SERVER]) {
        sim_link_close(link, SIM_SERVER);
    }
}

static void give_room(struct stream *stream)
{
    enum sim_end from = stream->to == SIM_CLIENT ? SIM_SERVER : SIM_CLIENT;
    struct sim_link *link = stream->link;
    if (stream->full && stream->size < WINDOW / 2 && link->open[from]) {
        stream->full = false;
        link->ends[from].room(link->ends[from].owner, link);
    }
}

static void room_call(void *context)
{
    give_room((struct stream *)context);
}

/* Each arrival takes the oldest segment, so that equal times cannot turn the order round. */
static void arrive(void *context)
{
    struct stream *stream = (struct stream *)context;
    struct sim_link *link = stream->link;
    if (stream->lost) {
        return;
    }
    if (stream->paused || stream->stalled) {
        stream->waiting++;
        return;
    }
    struct fk_list *item = fk_list_take(&stream->segments);
    if (item == NULL) {
        return;
    }
    struct segment *segment = FK_CONTAINER_OF(item, struct segment, link);
    stream->size -= segment->size;
    if (segment->kind == SEGMENT_OPEN) {
        arrive_open(link);
    } else if (segment->kind == SEGMENT_END) {
        end_gone(link, stream->to);
    } else if (link->open[stream->to]) {
        link->ends[stream->to].bytes(link->ends[stream->to].owner, link, fk_bytes_of(segment->bytes, segment->size));
    }
    sim_own_free(segment);
    if (stream->full) {
        enum sim_end from = stream->to == SIM_CLIENT ? SIM_SERVER : SIM_CLIENT;
        sim_at(link->net->world, link->ends[from].process, sim_now_ns(link->net->world), room_call, stream);
    }
}

/* --- sending --- */

static void post(struct stream *stream, enum segment_kind kind, struct fk_bytes bytes)
{
    struct sim_link *link = stream->link;
    struct sim_net *net = link->net;
    const struct sim_net_options *options = &net->options;
    struct segment *segment = (struct segment *)sim_own_take(sizeof *segment + bytes.size);
    segment->kind = kind;
    segment->size = bytes.size;
    if (bytes.size > 0) {
        memcpy(segment->bytes, bytes.data, bytes.size);
    }
    uint64_t spread = (uint64_t)(options->latency_max_ns - options->latency_min_ns) + 1;
    int64_t due =
        sim_now_ns(net->world) + options->latency_min_ns + (int64_t)sim_below(net->world, SIM_DICE_SCHEDULE, spread);
    if (link->slow_ms > 0) {
        due += (int64_t)sim_below(net->world, SIM_DICE_SCHEDULE, (uint64_t)(link->slow_ms * SIM_MS));
    }
    stream->last_ns = due > stream->last_ns ? due : stream->last_ns;
    stream->size += bytes.size;
    fk_list_append(&stream->segments, &segment->link);
    sim_at(net->world, link->ends[stream->to].process, stream->last_ns, arrive, stream);
}

/* Size of the next segment of `left` bytes. */
static size_t cut(struct sim_net *net, const struct sim_link *link, bool tiny, bool split, size_t left, size_t piece)
{
    if (left > 1 && (tiny || link->tiny) && piece < TINY_MAX) {
        return 1;
    }
    if (left > 1 && split && piece < SPLIT_MAX) {
        return 1 + (size_t)sim_below(net->world, SIM_DICE_SCHEDULE, left);
    }
    return left;
}

size_t sim_link_send(struct sim_link *link, enum sim_end end, struct fk_bytes bytes)
{
    struct sim_net *net = link->net;
    struct stream *stream = &link->streams[end == SIM_CLIENT ? SIM_SERVER : SIM_CLIENT];
    if (net->options.faults != NULL && link->open[end]) {
        struct sim_fault fault =
            sim_fault_labelled(net->options.faults, end == SIM_CLIENT ? SIM_ROLE_CLIENT : SIM_ROLE_GATEWAY, "",
                               SIM_CALL_NET_DATA, SIM_NET_FAULTS);
        sim_link_break(link, fault.kind, fault.argument);
    }
    if (stream->ended || stream->lost) {
        return bytes.size; /* the socket takes it, nobody gets it */
    }
    size_t window = link->slow_ms > 0 ? WINDOW_SLOW : WINDOW;
    size_t room = stream->size < window ? window - stream->size : 0;
    size_t taken = bytes.size < room ? bytes.size : room;
    stream->full = taken < bytes.size;
    bool tiny = sim_chance(net->world, SIM_DICE_SCHEDULE, net->options.tiny_per_million);
    bool split = sim_chance(net->world, SIM_DICE_SCHEDULE, net->options.split_per_million);
    size_t done = 0;
    for (size_t piece = 0; done < taken; piece++) {
        size_t size = cut(net, link, tiny, split, taken - done, piece);
        post(stream, SEGMENT_BYTES, fk_bytes_of(bytes.data + done, size));
        done += size;
    }
    return taken;
}

void sim_link_close(struct sim_link *link, enum sim_end end)
{
    struct stream *stream = &link->streams[end == SIM_CLIENT ? SIM_SERVER : SIM_CLIENT];
    link->open[end] = false;
    if (!stream->ended && !stream->lost) {
        stream->ended = true;
        post(stream, SEGMENT_END, FK_BYTES_NULL);
    }
}

/* What waited arrives now, where nothing holds it any more. */
static void stream_release(struct stream *stream)
{
    struct sim_link *link = stream->link;
    while (!stream->paused && !stream->stalled && stream->waiting > 0) {
        stream->waiting--;
        sim_at(link->net->world, link->ends[stream->to].process, sim_now_ns(link->net->world), arrive, stream);
    }
}

void sim_link_pause(struct sim_link *link, enum sim_end end, bool paused)
{
    link->streams[end].paused = paused;
    stream_release(&link->streams[end]);
}

/* --- faults --- */

/* What is on its way to this end is lost; the end hears of the reset, or of nothing. */
static void stream_break(struct stream *stream, bool told)
{
    if (stream->lost) {
        return;
    }
    stream_drop(stream);
    stream->ended = true;
    if (told) {
        post(stream, SEGMENT_END, FK_BYTES_NULL);
    } else {
        stream->lost = true;
    }
}

static void stall_end(void *context)
{
    struct stream *stream = (struct stream *)context;
    stream->stalled = false;
    stream_release(stream);
}

static void stall(struct stream *stream, int64_t ms)
{
    struct sim_net *net = stream->link->net;
    stream->stalled = true;
    sim_at(net->world, NULL, sim_now_ns(net->world) + ms * SIM_MS, stall_end, stream);
}

/* What is on its way is lost in both directions; ends hear of the reset, or of nothing. */
static void link_break(struct sim_link *link, bool client_told, bool server_told)
{
    stream_break(&link->streams[SIM_CLIENT], client_told);
    stream_break(&link->streams[SIM_SERVER], server_told);
}

void sim_link_break(struct sim_link *link, enum sim_fault_kind kind, int64_t argument)
{
    uint64_t bit = UINT64_C(1) << kind;
    if ((bit & SIM_NET_FAULTS) == 0) {
        return;
    }
    sim_trace(link->net->world, "net %d %s %lld", link->number, sim_fault_text(kind), (long long)argument);
    if (bit == SIM_FAULT_BIT(STALL)) {
        stall(&link->streams[SIM_CLIENT], argument);
        stall(&link->streams[SIM_SERVER], argument);
    } else if (bit == SIM_FAULT_BIT(TINY)) {
        link->tiny = true;
    } else if (bit == SIM_FAULT_BIT(SLOW)) {
        link->slow_ms = argument > 0 ? argument : 1;
    } else if (bit == SIM_FAULT_BIT(DEAF)) {
        stream_break(&link->streams[SIM_CLIENT], false);
    } else {
        bool reset = bit == SIM_FAULT_BIT(RESET);
        link_break(link, reset || bit == SIM_FAULT_BIT(HALF_CLIENT), reset || bit == SIM_FAULT_BIT(HALF_SERVER));
    }
}

/* --- opening --- */

void sim_net_listen(struct sim_net *net, int port, struct sim_process *process, int64_t id, sim_accept_fn accept,
                    void *owner)
{
    net->listeners[port] =
        (struct listener){.process = process, .id = id, .accept = accept, .owner = owner, .up = true};
}

int64_t sim_net_listener(const struct sim_net *net, int port)
{
    return net->listeners[port].up ? net->listeners[port].id : 0;
}

void sim_net_unlisten(struct sim_net *net, int port, bool silent)
{
    net->listeners[port].up = false;
    net->listeners[port].process = NULL;
    for (struct sim_link *link = net->links; link != NULL; link = link->next) {
        if (link->port == port && (link->open[SIM_SERVER] || !link->streams[SIM_CLIENT].ended)) {
            link->open[SIM_SERVER] = false;
            stream_break(&link->streams[SIM_SERVER], false);
            stream_break(&link->streams[SIM_CLIENT], !silent);
        }
    }
}

struct sim_link *sim_net_connect(struct sim_net *net, int port, const struct sim_endpoint *client)
{
    struct sim_link *link = SIM_OWN_NEW(struct sim_link);
    link->net = net;
    link->next = net->links;
    net->links = link;
    link->number = ++net->count;
    link->port = port;
    link->ends[SIM_CLIENT] = *client;
    link->ends[SIM_SERVER].process = net->listeners[port].process;
    link->open[SIM_CLIENT] = true;
    for (int end = SIM_CLIENT; end <= SIM_SERVER; end++) {
        link->streams[end].link = link;
        link->streams[end].to = (enum sim_end)end;
        fk_list_init(&link->streams[end].segments);
    }
    if (net->listeners[port].up) {
        post(&link->streams[SIM_SERVER], SEGMENT_OPEN, FK_BYTES_NULL);
    } else {
        stream_break(&link->streams[SIM_CLIENT], true);
        stream_break(&link->streams[SIM_SERVER], false);
    }
    return link;
}
