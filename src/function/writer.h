// SPDX-License-Identifier: Apache-2.0
/* The write function: validates requests against the records they touch, gives each its zxid, commits, answers.
 * Ordinary blocking code over the ports; it keeps nothing that a crash may not lose.
 *
 * This is the local topology of protocol.md: nothing is delivered twice, so results are not recorded, and one process
 * owns all sessions, so there are no epochs, stamps and event marks. */
#ifndef FK_FUNCTION_WRITER_H
#define FK_FUNCTION_WRITER_H

#include "base/arena.h"
#include "function/audit.h"
#include "function/message.h"
#include "model/quota_count.h"
#include "model/rules.h"
#include "port/channel.h"
#include "port/clock.h"
#include "port/store.h"

struct fk_writer {
    struct fk_store *store;
    struct fk_channel *channel;
    struct fk_clock *clock;
    struct fk_rules rules;          /* zeroed by init: ZooKeeper's defaults; may be set before the first run */
    struct fk_arena arena;          /* of the request at work */
    struct fk_buf body;             /* its reply */
    size_t close_max;               /* ephemeral nodes that one commit of a session's end removes at most */
    struct fk_buf answer;           /* its answer message */
    int64_t warned_ms;              /* monotonic: when a quota was last warned of */
    int64_t unwarned;               /* excesses since then */
    struct fk_quota_counts refused; /* writes, by hard quotas */
    struct fk_audit audit;          /* event NULL: no audit log */
    bool answer_lost; /* for want of memory; whoever runs the writer tells the gateway, and takes it back */
};

void fk_writer_init(struct fk_writer *writer, struct fk_store *store, struct fk_channel *channel,
                    struct fk_clock *clock);
void fk_writer_deinit(struct fk_writer *writer);

/* Decides the operations of one message from operation *done on, each in its own commit, and counts them in *done.
 * OK         all decided
 * BUSY, FULL an operation that may not be refused (the end of a session) has to wait; call again with the same *done
 * MALFORMED, VERSION  the message is not one; nothing done
 * Requests refused for want of space are answered with SYSTEM_ERROR and zxid 0, those whose body can't be read
 * with MARSHALLING_ERROR and zxid 0. */
enum fk_err fk_writer_run(struct fk_writer *writer, struct fk_bytes message, int32_t *done);

#endif
