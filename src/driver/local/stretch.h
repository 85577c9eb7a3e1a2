// SPDX-License-Identifier: Apache-2.0
/* A stretch of the log, reduced to what it does to each record: the checkpoint writes a record once, however often the
 * log does. Data and ACLs are not copied, the stretch remembers where in the log they stand. */
#ifndef FK_DRIVER_LOCAL_STRETCH_H
#define FK_DRIVER_LOCAL_STRETCH_H

#include "base/arena.h"
#include "base/map.h"
#include "model/change.h"

enum fk_stretch_base {
    FK_STRETCH_UPDATE,  /* changes a row that is there */
    FK_STRETCH_REPLACE, /* is a whole row */
    FK_STRETCH_DELETE,
};

enum fk_stretch_part {
    FK_STRETCH_DATA = 1,
    FK_STRETCH_ACL = 2,
    FK_STRETCH_CHILDREN = 4,
    FK_STRETCH_STATS = 8, /* the data alone */
};

/* Bytes in the log. */
struct fk_stretch_place {
    int64_t position;
    uint32_t size;
    uint32_t crc; /* they are read a second time, and nobody checks their frame then */
    bool absent;  /* data: null; acl: the open one */
};

struct fk_stretch_node {
    struct fk_map_entry entry;
    enum fk_stretch_base base;
    unsigned parts; /* fk_stretch_part of what changed; all of them for REPLACE */
    struct fk_stretch_place data;
    struct fk_stretch_place acl;
    struct fk_node node; /* path in a slab; of the rest what base and parts name; data and acl are not set */
};

struct fk_stretch_session {
    struct fk_map_entry entry;
    bool ended;
    struct fk_session session;
};

struct fk_stretch_slab;

struct fk_stretch {
    struct fk_map nodes;
    struct fk_map sessions;
    struct fk_stretch_slab *slabs; /* what the maps hold */
    struct fk_arena scratch;       /* of the frame that is being added */
    int64_t zxid;                  /* of the last change; 0: none */
};

void fk_stretch_init(struct fk_stretch *stretch);
void fk_stretch_deinit(struct fk_stretch *stretch);

/* Adds the changes of one frame, whose payload starts at a position of the log. MALFORMED, NOMEM: the stretch is of no
 * use any more. */
enum fk_err fk_stretch_add(struct fk_stretch *stretch, struct fk_bytes payload, int64_t position);

/* Records in the stretch. */
static inline size_t fk_stretch_count(const struct fk_stretch *stretch)
{
    return stretch->nodes.count + stretch->sessions.count;
}

/* The nodes sorted by path (parents before children), in the stretch's memory; NULL without memory. */
struct fk_stretch_node **fk_stretch_sort(struct fk_stretch *stretch);

#endif
