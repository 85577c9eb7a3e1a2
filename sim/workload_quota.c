// SPDX-License-Identifier: Apache-2.0
/* Quotas of directories come and go among the actions of a run. */
#include "sim/dice.h"
#include "sim/workload_internal.h"

#include <stdio.h>

enum {
    QUOTA_PER_MILLION = 40000,
    PIECES = 3,
};

static const char *const NAMES[PIECES] = {"", "/zookeeper_limits", "/zookeeper_stats"};

static void piece_path(const char *directory, size_t piece, char path[SIM_PATH_MAX])
{
    (void)snprintf(path, SIM_PATH_MAX, "/zookeeper/quota%.32s%s", directory, NAMES[piece]);
}

/* A piece of the quota of a directory: its place, its limits, its statistics. */
static void create_piece(struct sim_actor *actor, const char *directory, size_t piece)
{
    static const char *const limits[] = {"count=3,bytes=-1=;countHardLimit=12",
                                         "count=-1,bytes=100=;byteHardLimit=1000", "count=5,bytes=-1"};
    char path[SIM_PATH_MAX];
    piece_path(directory, piece, path);
    const char *data = limits[sim_actor_below(actor, sizeof limits / sizeof *limits)];
    sim_body_create(&actor->body, path, fk_bytes_text(piece == 1 ? data : ""), FK_ACL_OPEN, 0);
}

static void set_whole(struct sim_actor *actor, const char *directory)
{
    for (size_t piece = 0; piece < PIECES; piece++) {
        sim_body_multi_next(&actor->body, FK_OP_CREATE);
        create_piece(actor, directory, piece);
    }
    sim_body_multi_end(&actor->body);
    sim_actor_send(actor, FK_OP_MULTI);
}

static void remove_piece(struct sim_actor *actor, const char *directory, size_t piece)
{
    char path[SIM_PATH_MAX];
    piece_path(directory, piece, path);
    sim_body_version(&actor->body, path, -1);
    sim_actor_send(actor, FK_OP_DELETE);
}

static void read_stats(struct sim_actor *actor, const char *directory)
{
    char path[SIM_PATH_MAX];
    piece_path(directory, 2, path);
    sim_body_read(&actor->body, path, sim_actor_chance(actor, 300000));
    sim_actor_send(actor, FK_OP_GET_DATA);
}

bool sim_actor_quota(struct sim_actor *actor)
{
    char directory[SIM_PATH_MAX];
    uint64_t dice = actor->dice;
    actor->dice = sim_mix(dice + UINT64_C(0x1f83d9abfb41bd6b)); /* its own: without it the actions stay as they are */
    if (!sim_actor_chance(actor, QUOTA_PER_MILLION)) {
        actor->dice = dice;
        return false;
    }
    actor->doing = "a quota";
    fk_buf_clear(&actor->body);
    sim_actor_directory(actor, directory);
    uint64_t kind = sim_actor_below(actor, 10);
    if (kind < 4) {
        set_whole(actor, directory);
    } else if (kind < 6) {
        create_piece(actor, directory, (size_t)sim_actor_below(actor, PIECES));
        sim_actor_send(actor, FK_OP_CREATE);
    } else if (kind < 8) {
        remove_piece(actor, directory, 1 + (size_t)sim_actor_below(actor, 2));
    } else {
        read_stats(actor, directory);
    }
    return true;
}
