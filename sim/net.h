// SPDX-License-Identifier: Apache-2.0
/* Simulated TCP between clients and gateways: each link is two ordered streams of bytes, cut into segments at random,
 * each with a latency of its own. A link can be reset, cut on one side only, go silent, get slow. Nothing here is the
 * memory of a simulated process: what is on its way outlives who sent it.
 *
 * Links are numbered from 1 in the order in which they were opened: fault plans name them by that. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "sim/fault.h"
#include "sim/world.h"

struct sim_net;
struct sim_link;

enum {
    SIM_NET_LISTENERS_MAX = 8,
};

enum sim_end {
    SIM_CLIENT,
    SIM_SERVER,
};

/* Who is at one end. The calls run in `process`, in no task. */
struct sim_endpoint {
    struct sim_process *process;
    void *owner;
    void (*bytes)(void *owner, struct sim_link *link, struct fk_bytes bytes);
    /* Bytes that were sent have left: there is room for more. */
    void (*room)(void *owner, struct sim_link *link);
    /* The stream has ended or was reset; nothing more comes, nothing may be sent. */
    void (*gone)(void *owner, struct sim_link *link);
};

#define SIM_NET_FAULTS                                                                                                 \
    (SIM_FAULT_BIT(RESET) | SIM_FAULT_BIT(HALF_CLIENT) | SIM_FAULT_BIT(HALF_SERVER) | SIM_FAULT_BIT(BLACKHOLE) |       \
     SIM_FAULT_BIT(DEAF) | SIM_FAULT_BIT(STALL) | SIM_FAULT_BIT(SLOW) | SIM_FAULT_BIT(TINY))

struct sim_net_options {
    int64_t latency_min_ns;
    int64_t latency_max_ns;
    uint32_t split_per_million; /* sends that are cut into several segments */
    uint32_t tiny_per_million;  /* sends that are cut into segments of one byte */
    struct sim_faults *faults;  /* asked at each send; NULL: none */
};

struct sim_net *sim_net_new(struct sim_world *world, const struct sim_net_options *options);
/* After the last event of the world. */
void sim_net_free(struct sim_net *net);
/* What is slow becomes fast again; links that are broken stay so. */
void sim_net_heal(struct sim_net *net);

/* A server listens at `port` (from 0); `accept` fills the server's end, false refuses. It runs in `process`. `id` is
 * what the server calls itself. */
typedef bool (*sim_accept_fn)(void *owner, struct sim_link *link, struct sim_endpoint *end);
void sim_net_listen(struct sim_net *net, int port, struct sim_process *process, int64_t id, sim_accept_fn accept,
                    void *owner);
/* 0: nobody listens there. */
int64_t sim_net_listener(const struct sim_net *net, int port);
/* The server is gone: its links are reset, or (silent) just say nothing any more; connecting is refused. */
void sim_net_unlisten(struct sim_net *net, int port, bool silent);

/* Opens a link; bytes may be sent at once. `gone` comes where nobody listens. */
struct sim_link *sim_net_connect(struct sim_net *net, int port, const struct sim_endpoint *client);

/* Gives how many bytes it took; the rest when there is room. */
size_t sim_link_send(struct sim_link *link, enum sim_end end, struct fk_bytes bytes);
/* This end sends no more and hears no more; the other end gets what was sent, then the end. */
void sim_link_close(struct sim_link *link, enum sim_end end);
/* Nothing is given to this end until it is resumed. */
void sim_link_pause(struct sim_link *link, enum sim_end end, bool paused);
/* The faults of a network (F12): one of SIM_NET_FAULTS, now. Others do nothing. */
void sim_link_break(struct sim_link *link, enum sim_fault_kind kind, int64_t argument);

int sim_link_number(const struct sim_link *link);
int sim_link_port(const struct sim_link *link);
/* A number that both ends can see: that of the connection in the history. */
void sim_link_set_tag(struct sim_link *link, uint32_t tag);
uint32_t sim_link_tag(const struct sim_link *link);
/* The link with this number; NULL: none yet. */
struct sim_link *sim_net_link(const struct sim_net *net, int number);
int sim_net_links(const struct sim_net *net);

#endif
