// SPDX-License-Identifier: Apache-2.0
#include "sim/gateway_host.h"

#include "base/alloc.h"
#include "gateway/cloud.h"
#include "sim/function_host.h"
#include "sim/own.h"

#include <stdio.h>

enum {
    WEATHER_MS = 1000, /* how often the plan is asked for crashes, stops and jumps of the clock */
};

/* One life of the process; kept until the host goes, because ports outlive their tasks. */
struct life {
    struct life *before;
    struct sim_gateway_host *host;
    struct sim_process *process;
    struct fk_gateway *gateway;
    struct sim_ports ports;
    struct fk_list peers; /* of struct peer */
};

struct sim_gateway_host {
    struct sim_world *world;
    struct sim_gateway_host_options options;
    struct life *life; /* newest first; the first one runs where `up` */
    int starts;
    bool up;
    bool silent; /* the next end of the process is that of its machine */
    bool healed;
    bool leaving;
};

/* A job at work in a task. */
struct work {
    struct life *life;
    struct fk_job *job;
};

/* The server's end of a link; memory of the process. */
struct peer {
    struct fk_list of_life;
    struct life *life;
    struct sim_link *link;
    struct fk_conn *conn;
};

static void pump(struct life *life);
static void start(struct sim_gateway_host *host);

/* --- jobs --- */

static void work_run(void *context)
{
    struct work work = *(struct work *)context;
    struct life *life = work.life;
    fk_free(context);
    sim_label(fk_job_label(work.job));
    fk_cloud_job_run(work.job, &life->host->options.options, &life->ports.ports);
    fk_gateway_job_done(life->gateway, work.job);
    pump(life);
}

static void start_jobs(struct life *life)
{
    struct fk_job *job = NULL;
    while ((job = fk_gateway_take_job(life->gateway)) != NULL) {
        struct work *work = (struct work *)fk_alloc(sizeof *work);
        *work = (struct work){.life = life, .job = job};
        sim_spawn(life->process, work_run, work);
    }
}

/* --- connections --- */

/* The gateway may send requests of a connection whose reply is held back: the epoch is taken where it is known first.
 */
static void record_epochs(const struct life *life)
{
    for (struct fk_list *at = life->peers.next; at != &life->peers; at = at->next) {
        const struct peer *peer = FK_CONTAINER_OF(at, struct peer, of_life);
        int64_t session = fk_conn_session_id(peer->conn);
        int64_t epoch = fk_conn_epoch(peer->conn);
        if (sim_link_tag(peer->link) != 0 && session != 0 && epoch != 0) {
            sim_history_epoch(life->host->options.history, sim_link_tag(peer->link), session, epoch);
            sim_link_set_tag(peer->link, 0);
        }
    }
}

static void flush_conn(struct life *life, struct fk_conn *conn)
{
    struct peer *peer = (struct peer *)fk_conn_socket(conn);
    struct sim_link *link = peer->link;
    struct fk_buf *out = fk_conn_output(conn);
    sim_link_pause(link, SIM_SERVER, !fk_conn_wants_input(conn) && !fk_conn_closing(conn));
    if (fk_buf_left(out) > 0) {
        size_t taken = sim_link_send(link, SIM_SERVER, fk_buf_view(out));
        fk_buf_consume(out, taken);
        if (taken > 0) {
            fk_gateway_sent(life->gateway, conn);
        }
    }
    if (fk_buf_left(out) == 0 && fk_conn_closing(conn)) {
        sim_link_close(link, SIM_SERVER);
        fk_gateway_gone(life->gateway, conn);
        fk_list_remove(&peer->of_life);
        fk_free(peer);
    }
}

/* A core that serves nobody any more: declared dead, or it has handed over. */
static void restart_dead(void *context)
{
    struct sim_gateway_host *host = (struct sim_gateway_host *)context;
    if (host->up && fk_cloud_gateway_dead(host->life->gateway)) {
        sim_process_kill(host->life->process);
    }
}

/* Everything that the core wants done, after each event that was given to it. */
static void pump(struct life *life)
{
    struct sim_gateway_host *host = life->host;
    struct fk_conn *conn = NULL;
    record_epochs(life);
    start_jobs(life);
    while ((conn = fk_gateway_take_output(life->gateway)) != NULL) {
        flush_conn(life, conn);
        start_jobs(life);
    }
    if (fk_cloud_gateway_dead(life->gateway)) {
        sim_at(host->world, NULL, sim_now_ns(host->world), restart_dead, host);
    }
}

static void on_bytes(void *owner, struct sim_link *link, struct fk_bytes bytes)
{
    struct peer *peer = (struct peer *)owner;
    (void)link;
    fk_gateway_input(peer->life->gateway, peer->conn, bytes);
    pump(peer->life);
}

static void on_room(void *owner, struct sim_link *link)
{
    struct peer *peer = (struct peer *)owner;
    struct life *life = peer->life;
    (void)link;
    flush_conn(life, peer->conn);
    pump(life);
}

static void on_gone(void *owner, struct sim_link *link)
{
    struct peer *peer = (struct peer *)owner;
    struct life *life = peer->life;
    sim_link_close(link, SIM_SERVER);
    fk_gateway_gone(life->gateway, peer->conn);
    fk_list_remove(&peer->of_life);
    fk_free(peer);
    pump(life);
}

static bool on_accept(void *owner, struct sim_link *link, struct sim_endpoint *end)
{
    struct life *life = (struct life *)owner;
    struct peer *peer = (struct peer *)fk_alloc_zero(sizeof *peer);
    *peer = (struct peer){.life = life, .link = link};
    peer->conn = fk_gateway_open(life->gateway, FK_BYTES_LITERAL("127.0.0.1"), 0, peer);
    if (peer->conn == NULL) {
        fk_free(peer);
        return false;
    }
    fk_list_append(&life->peers, &peer->of_life);
    *end = (struct sim_endpoint){
        .process = life->process, .owner = peer, .bytes = on_bytes, .room = on_room, .gone = on_gone};
    return true;
}

/* --- time, messages --- */

static void on_tick(void *context)
{
    struct life *life = (struct life *)context;
    struct sim_world *world = life->host->world;
    fk_gateway_tick(life->gateway);
    pump(life);
    sim_at(world, life->process, sim_now_ns(world) + fk_gateway_tick_ms(life->gateway) * SIM_MS, on_tick, life);
}

/* The mailbox calls as the world. */
static void on_message(void *context, struct fk_bytes message)
{
    struct life *life = (struct life *)context;
    struct sim_process *owner = sim_memory_of(life->process);
    fk_gateway_answer(life->gateway, message);
    pump(life);
    (void)sim_memory_of(owner);
}

static void crash(void *context)
{
    struct sim_gateway_host *host = (struct sim_gateway_host *)context;
    if (host->up) {
        sim_process_kill(host->life->process);
    }
}

/* What happens to whole processes. */
static void on_weather(void *context)
{
    struct life *life = (struct life *)context;
    struct sim_world *world = life->host->world;
    struct sim_fault fault =
        sim_fault_labelled(sim_cloud_faults(life->host->options.cloud), SIM_ROLE_GATEWAY, "", SIM_CALL_PROCESS_TICK,
                           SIM_FAULT_BIT(CRASH) | SIM_FAULT_BIT(SUSPEND) | SIM_FAULT_BIT(FREEZE) | SIM_FAULT_BIT(JUMP));
    if (fault.kind == SIM_FAULT_CRASH) {
        sim_at(world, NULL, sim_now_ns(world), crash, life->host);
    } else if (fault.kind == SIM_FAULT_SUSPEND || fault.kind == SIM_FAULT_FREEZE) {
        sim_process_suspend(life->process, fault.argument * SIM_MS, fault.kind == SIM_FAULT_FREEZE);
    } else if (fault.kind == SIM_FAULT_JUMP) {
        sim_process_jump(life->process, fault.argument);
    }
    sim_at(world, life->process, sim_now_ns(world) + WEATHER_MS * SIM_MS, on_weather, life);
}

/* --- lives --- */

static void restart(void *context)
{
    struct sim_gateway_host *host = (struct sim_gateway_host *)context;
    if (!host->up && !host->leaving) {
        start(host);
    }
}

static void on_end(void *context)
{
    struct life *life = (struct life *)context;
    struct sim_gateway_host *host = life->host;
    host->up = false;
    life->gateway = NULL;
    sim_trace(host->world, "gateway %d down", host->options.port);
    sim_net_unlisten(host->options.net, host->options.port, host->silent);
    if (host->leaving) {
        return;
    }
    uint64_t most = host->healed ? 1 : (uint64_t)(host->options.restart_max_ms * SIM_MS);
    sim_at(host->world, NULL, sim_now_ns(host->world) + 1 + (int64_t)sim_below(host->world, SIM_DICE_SCHEDULE, most),
           restart, host);
}

static void draw_clock(struct life *life)
{
    struct sim_fault fault = sim_fault_labelled(sim_cloud_faults(life->host->options.cloud), SIM_ROLE_GATEWAY, "",
                                                SIM_CALL_PROCESS_START, SIM_FAULT_BIT(SKEW) | SIM_FAULT_BIT(DRIFT));
    sim_start_clock(life->process, &fault);
}

static struct fk_gateway *make_gateway(struct life *life)
{
    const struct sim_gateway_host_options *options = &life->host->options;
    struct fk_gateway_options gateway = {.tick_ms = 2000,
                                         .session_timeout_min_ms = options->session_timeout_min_ms,
                                         .session_timeout_max_ms = options->session_timeout_max_ms};
    struct sim_process *owner = sim_memory_of(life->process);
    struct fk_gateway *made = fk_cloud_gateway_new(&gateway, &options->options, sim_process_clock(life->process),
                                                   sim_process_random(life->process));
    (void)sim_memory_of(owner);
    return made;
}

static void start(struct sim_gateway_host *host)
{
    char name[32];
    struct life *life = SIM_OWN_NEW(struct life);
    life->before = host->life;
    life->host = host;
    fk_list_init(&life->peers);
    host->life = life;
    host->silent = sim_chance(host->world, SIM_DICE_SCHEDULE, host->healed ? 0 : 200000);
    (void)snprintf(name, sizeof name, "gateway/%d.%d", host->options.port, ++host->starts);
    life->process = sim_process_new(host->world, name);
    draw_clock(life);
    sim_ports_init(&life->ports, host->options.cloud, life->process, SIM_ROLE_GATEWAY);
    life->gateway = make_gateway(life);
    host->up = true;
    sim_process_at_end(life->process, on_end, life);
    int64_t id = fk_cloud_gateway_id(life->gateway);
    sim_trace(host->world, "gateway %d up as %016llx", host->options.port, (unsigned long long)id);
    sim_cloud_mailbox(host->options.cloud, id, life->process, on_message, life);
    sim_net_listen(host->options.net, host->options.port, life->process, id, on_accept, life);
    int64_t now = sim_now_ns(host->world);
    sim_at(host->world, life->process, now, on_tick, life);
    sim_at(host->world, life->process, now + WEATHER_MS * SIM_MS, on_weather, life);
}

struct sim_gateway_host *sim_gateway_host_new(struct sim_world *world, const struct sim_gateway_host_options *options)
{
    struct sim_gateway_host *host = SIM_OWN_NEW(struct sim_gateway_host);
    host->world = world;
    host->options = *options;
    start(host);
    return host;
}

void sim_gateway_host_crash(struct sim_gateway_host *host, bool silent)
{
    if (host->up) {
        host->silent = silent;
        sim_process_kill(host->life->process);
    }
}

static void retire(void *context)
{
    struct life *life = (struct life *)context;
    fk_cloud_gateway_leave(life->gateway);
    pump(life);
}

void sim_gateway_host_do(struct sim_gateway_host *host, const char *verb, int64_t ms)
{
    if (strcmp(verb, "retire") == 0) {
        if (host->up) {
            sim_at(host->world, host->life->process, sim_now_ns(host->world), retire, host->life);
        }
    } else if (strcmp(verb, "suspend") != 0) {
        sim_gateway_host_crash(host, strcmp(verb, "vanish") == 0);
    } else if (host->up) {
        sim_process_suspend(host->life->process, ms * SIM_MS, false);
    }
}

void sim_gateway_host_heal(struct sim_gateway_host *host)
{
    host->healed = true;
    host->silent = false;
    restart(host);
}

int64_t sim_gateway_host_id(const struct sim_gateway_host *host)
{
    return host->up ? fk_cloud_gateway_id(host->life->gateway) : 0;
}

struct sim_process *sim_gateway_host_process(const struct sim_gateway_host *host)
{
    return host->up ? host->life->process : NULL;
}

int sim_gateway_host_starts(const struct sim_gateway_host *host)
{
    return host->starts;
}

void sim_gateway_host_free(struct sim_gateway_host *host)
{
    host->leaving = true;
    sim_gateway_host_crash(host, true);
    while (host->life != NULL) {
        struct life *life = host->life;
        host->life = life->before;
        sim_own_free(life);
    }
    sim_own_free(host);
}
