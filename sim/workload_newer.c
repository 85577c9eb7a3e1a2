// SPDX-License-Identifier: Apache-2.0
/* Operations of ZooKeeper 3.6 and later, mixed into the actions of a run. */
#include "sim/dice.h"
#include "sim/workload_internal.h"

enum {
    NEWER_PER_MILLION = 200000,
    PARTS_MAX = 6,
};

static void multi_read(struct sim_actor *actor)
{
    struct fk_buf *body = &actor->body;
    uint64_t parts = 1 + sim_actor_below(actor, PARTS_MAX);
    char path[SIM_PATH_MAX];
    for (uint64_t i = 0; i < parts; i++) {
        bool data = sim_actor_chance(actor, 700000);
        if (sim_actor_chance(actor, 200000)) {
            sim_actor_directory(actor, path);
        } else {
            sim_actor_path(actor, path);
        }
        sim_body_multi_next(body, data ? FK_OP_GET_DATA : FK_OP_GET_CHILDREN);
        sim_body_read(body, path, false);
    }
    sim_body_multi_end(body);
    sim_actor_send(actor, FK_OP_MULTI_READ);
}

/* A path that the client may well watch: half of them are directories. */
static void remove_watches(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    if (sim_actor_chance(actor, 500000)) {
        sim_actor_directory(actor, path);
    } else {
        sim_actor_path(actor, path);
    }
    sim_body_add_watch(&actor->body, path, 1 + (int32_t)sim_actor_below(actor, FK_WATCHER_RECURSIVE));
    sim_actor_send(actor, sim_actor_chance(actor, 800000) ? FK_OP_REMOVE_WATCHES : FK_OP_CHECK_WATCHES);
}

static void add_watch(struct sim_actor *actor)
{
    char path[SIM_PATH_MAX];
    sim_actor_directory(actor, path);
    sim_body_add_watch(&actor->body, path, (int32_t)sim_actor_below(actor, 2));
    sim_actor_send(actor, FK_OP_ADD_WATCH);
}

static void about_paths(struct sim_actor *actor, int32_t op)
{
    char path[SIM_PATH_MAX];
    sim_actor_directory(actor, path);
    sim_body_path(&actor->body, op == FK_OP_GET_EPHEMERALS && sim_actor_chance(actor, 500000) ? "/" : path);
    sim_actor_send(actor, op);
}

bool sim_actor_newer(struct sim_actor *actor)
{
    uint64_t dice = actor->dice;
    actor->dice = sim_mix(dice + UINT64_C(0x3c6ef372fe94f82b)); /* its own: without it the actions stay as they are */
    if (!sim_actor_chance(actor, NEWER_PER_MILLION)) {
        actor->dice = dice;
        return false;
    }
    actor->doing = "an operation of 3.6 or later";
    fk_buf_clear(&actor->body);
    uint64_t kind = sim_actor_below(actor, 10);
    if (kind < 4) {
        multi_read(actor);
    } else if (kind < 6) {
        remove_watches(actor);
    } else if (kind < 7) {
        add_watch(actor);
    } else if (kind < 9) {
        about_paths(actor, kind == 7 ? FK_OP_GET_EPHEMERALS : FK_OP_GET_ALL_CHILDREN_NUMBER);
    } else {
        sim_actor_send(actor, FK_OP_WHO_AM_I);
    }
    return true;
}
