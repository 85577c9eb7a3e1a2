// SPDX-License-Identifier: Apache-2.0
/* What clients asked for, counted as the table of units (cost/units.h) tells operations apart: by operation and by size
 * class, in all, by minute of the last hour, and by session. It says nothing of money: whoever has prices puts them to
 * the numbers, with what the table says of a class's amount.
 *
 * Plain numbers of the gateway's thread. Nothing is allocated: a session has one struct fk_tally_session, the gateway
 * one struct fk_tally. An operation counts when it is answered. */
#ifndef FK_GATEWAY_TALLY_H
#define FK_GATEWAY_TALLY_H

#include "base/bytes.h"
#include "cost/units.h"

enum {
    FK_TALLY_CLASSES = 12,
    FK_TALLY_CELLS = FK_COST_OP_COUNT * FK_TALLY_CLASSES,
    FK_TALLY_MINUTES = 60, /* that are kept */
    FK_TALLY_MINUTE_MS = 60 * 1000,
};

/* Of one session, as long as it lives here: the units that its requests used by the table. */
struct fk_tally_session {
    int64_t requests;
    int64_t read_units;
    int64_t write_units;
    int64_t queue_requests;
    int64_t channel_requests;
    int64_t invocations;
    int64_t blob_puts;
    int64_t blob_gets;
};

struct fk_tally {
    int64_t counts[FK_TALLY_CELLS];
    uint32_t minutes[FK_TALLY_MINUTES][FK_TALLY_CELLS]; /* a ring; the running one is not in it */
    int64_t begun[FK_TALLY_CELLS];                      /* what the counts were when the running minute began */
    int64_t minute_ms;                                  /* monotonic: when that was */
    uint32_t next;                                      /* place in the ring of the minute that ends next */
    uint32_t count;                                     /* minutes in the ring */
    const struct fk_tally_session *weights;             /* of FK_TALLY_CELLS; NULL: sessions are not summed */
};

/* `weights`: what one operation of each cell adds to its session (fk_tally_weigh), borrowed, or NULL. */
void fk_tally_init(struct fk_tally *tally, const struct fk_tally_session *weights, int64_t now_ms);

/* Fills `weights` from the table. */
void fk_tally_weigh(struct fk_tally_session weights[FK_TALLY_CELLS], bool pipeline);

/* One operation; `amount` as FK_COST_OP_TABLE says. `session` may be NULL: nobody's. */
void fk_tally_add(struct fk_tally *tally, struct fk_tally_session *session, enum fk_cost_op op, size_t amount);

/* What all operations since the beginning used by the table; zeros where there are no weights. */
struct fk_tally_session fk_tally_total(const struct fk_tally *tally);

/* A write, as it is taken: its answer comes much later. */
struct fk_tally_write {
    uint8_t op;      /* enum fk_cost_op */
    uint32_t amount; /* of a multi: known from its answer */
};

/* `ephemerals`: nodes of its session, which a closeSession ends. */
struct fk_tally_write fk_tally_write_of(int32_t opcode, struct fk_bytes body, int32_t ephemerals);
/* It was answered. */
void fk_tally_wrote(struct fk_tally *tally, struct fk_tally_session *session, const struct fk_tally_write *write,
                    int32_t code, struct fk_bytes reply);

/* A change that somebody here has watched for, whoever made it: it is told, acknowledged and trimmed. */
void fk_tally_watched(struct fk_tally *tally);
/* A session expired that has so many ephemeral nodes; what they use is that of a session closed with them. */
void fk_tally_expired(struct fk_tally *tally, int32_t ephemerals);

struct fk_tally_read {
    int32_t opcode;
    int32_t code;
    struct fk_bytes request; /* its body */
    struct fk_bytes reply;
    struct fk_bytes actions; /* as struct fk_job has them */
    bool watch;              /* it sets one, the first here on its path */
};
void fk_tally_read(struct fk_tally *tally, struct fk_tally_session *session, const struct fk_tally_read *read);

/* Time has passed: minutes end. */
void fk_tally_tick(struct fk_tally *tally, int64_t now_ms);

/* What was asked for in one minute: 0 is the running one, then those before it; false: so many are not kept. */
bool fk_tally_minute(const struct fk_tally *tally, uint32_t ago, int64_t counts[FK_TALLY_CELLS]);
/* Seconds of the running minute so far. */
int64_t fk_tally_running_ms(const struct fk_tally *tally, int64_t now_ms);

/* The amount that stands for a class of an operation: the largest in it. 0: the operation has one class only. */
size_t fk_tally_amount(enum fk_cost_op op, size_t size_class);

#endif
