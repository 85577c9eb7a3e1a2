// SPDX-License-Identifier: Apache-2.0
/* Two cloud gateways over the memory drivers, with the write function, the channel and clients around them. Nothing
 * happens by itself: cloud_settle runs what is not held, until there is nothing left to do. Jobs can be held by their
 * label, so that a test decides what happens while one is at work. */
#ifndef FK_TESTS_UNIT_GATEWAY_CLOUD_WORLD_H
#define FK_TESTS_UNIT_GATEWAY_CLOUD_WORLD_H

#include "driver/memory/clock.h"
#include "function/message.h"
#include "function/record.h"
#include "gateway/cloud.h"
#include "peer.h"

enum {
    GATEWAYS = 2,
    HELD_JOBS = 32,
    CLOUD_PEERS = 8,
    CLOUD_TICK_MS = 2000,
};

/* A table that does what the test says with the calls of gateways, then what the real one does. */
struct fault_table {
    struct fk_table base;
    struct fk_table *inner;
    enum fk_err fail_writes; /* FK_OK: none fails */
    bool applied;            /* a failing write has its effect all the same */
    int count;               /* how many calls fail, from the next on */
    enum fk_err fail_reads;
    void (*before_write)(void); /* called once, before the next write */
    void (*before_list)(void);
    void (*before_read)(void);
    int reads_first; /* reads before that one */
};

struct fault_queue {
    struct fk_queue base;
    struct fk_queue *inner;
    enum fk_err fail;
    bool applied;
    int count;
    int sends; /* so far */
};

struct cloud_gateway {
    struct fk_gateway *gateway;
    int64_t id;
    const char *hold[4]; /* labels of jobs that do not run */
    struct fk_job *held[HELD_JOBS];
    bool held_ran[HELD_JOBS]; /* over the ports, already */
    size_t held_count;
    bool hold_channel;
};

struct cloud_world {
    struct fk_arena arena;
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct fault_table table;
    struct fault_queue queue;
    struct fk_ports ports;    /* of functions */
    struct fk_ports gateways; /* of gateways: with the faults */
    struct fk_cloud_options options;
    struct fk_gateway_options gateway_options;
    struct cloud_gateway at[GATEWAYS];
    struct peer peers[CLOUD_PEERS];
    bool hold_function;
    bool drop_messages;   /* the channel loses everything */
    bool repeat_messages; /* it delivers everything twice */
};

extern struct cloud_world cloud;

int cloud_setup(void **state);
int cloud_teardown(void **state);
#define CLOUD_TEST(function) cmocka_unit_test_setup_teardown(function, cloud_setup, cloud_teardown)

/* A new gateway in the place of one without clients; jobs with this label are held from the start. */
void cloud_restart(size_t gateway, const char *label);

void cloud_settle(void);
/* Time passes with the ticks of the gateways. */
void cloud_pass_ms(int64_t ms);
/* Holds jobs with this label on a gateway; cloud_go runs those held and holds no more of them. */
void cloud_hold(size_t gateway, const char *label);
void cloud_go(size_t gateway, const char *label);
size_t cloud_held(size_t gateway, const char *label);
/* The held jobs run over the ports now; cloud_go gives them back later. */
void cloud_run_held(size_t gateway, const char *label);
/* Forgets what is in the mailbox of a gateway. */
void cloud_lose_messages(size_t gateway);
/* One invocation of the function over what is in the queue. */
void cloud_run_function(void);
/* A write of a session that no gateway here knows, straight into the function; what it notifies waits in the channel.
 * */
void cloud_commit(int32_t op, const char *path, const char *data);

struct fk_session_record cloud_session(int64_t id, bool *exists);
struct fk_node_record cloud_node(const char *path, bool *exists);
struct fk_zx_record cloud_zx(void);

/* A client of a gateway with a new session, or with an old one. */
struct peer *cloud_peer(size_t gateway);
/* Hangs up and gives the slot back. */
void cloud_leave(struct peer *peer);
struct peer *cloud_connect(size_t gateway, struct fk_connect_response *response);
struct peer *cloud_hello(size_t gateway, const struct fk_connect_response *session, int64_t last_zxid);

#endif
