// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions that do nothing but ping at a third of their timeout, evenly spread over time as those of independent
 * clients are. What is measured is the server's CPU time.
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static int64_t period_ns(const struct zkraw_client *client)
{
    return (int64_t)client->session.timeout_ms * 1000000 / 3;
}

static void ping(struct load_run *run, struct zkraw_client *client, unsigned index)
{
    struct zkraw_reply reply;
    int64_t sent_ns = process_clock_ns();
    zkraw_put_ping(&client->out);
    if (zkraw_client_send(client) != 0 || zkraw_client_receive(client, &reply) != 0) {
        load_fail("session %u: %s", index, client->error);
    }
    if (reply.xid != ZKRAW_XID_PING || reply.err != 0 || reply.body.cursor != reply.body.end) {
        load_fail("session %u: xid %d, error %d where the answer of a ping was expected", index, reply.xid, reply.err);
    }
    run->verified++;
    run->operations++;
    histogram_add(&run->latency, process_clock_ns() - sent_ns);
}

static void wait_until(int64_t time_ns)
{
    int64_t left_ns = 0;
    while ((left_ns = time_ns - process_clock_ns()) > 0) {
        struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
        (void)ppoll(NULL, 0, &left, NULL);
    }
}

/* Pings each session in its turn until end_ns; turn is kept over calls. */
static void ping_until(struct load_run *run, struct zkraw_client *clients, int64_t end_ns, uint64_t *turn)
{
    unsigned count = run->options.connections > 0 ? run->options.connections : 1;
    int64_t step_ns = period_ns(&clients[0]) / count;
    int64_t next_ns = process_clock_ns();
    while (next_ns < end_ns) {
        wait_until(next_ns);
        ping(run, &clients[*turn % count], (unsigned)(*turn % count));
        (*turn)++;
        next_ns += step_ns;
    }
    wait_until(end_ns);
}

void load_idle_run(struct load_run *run)
{
    unsigned count = run->options.connections;
    struct zkraw_client *clients = load_alloc(count, sizeof *clients);
    uint64_t turn = 0;
    for (unsigned i = 0; i < count; i++) {
        load_client_open(run, &clients[i]);
    }
    ping_until(run, clients, process_clock_ns() + (int64_t)(run->options.warmup_seconds * 1e9), &turn);
    run->operations = 0;
    run->latency = (struct histogram){0};
    run->from = process_sample_take(run->options.pid);
    ping_until(run, clients, run->from.time_ns + (int64_t)(run->options.seconds * 1e9), &turn);
    run->to = process_sample_take(run->options.pid);
    run->rss_bytes = run->options.pid == 0 ? -1 : process_rss_bytes(run->options.pid);
    for (unsigned i = 0; i < count; i++) {
        if (zkraw_client_close(&clients[i]) != 0) {
            load_fail("session %u: %s", i, clients[i].error);
        }
    }
    free(clients);
}
