// SPDX-License-Identifier: Apache-2.0
#include "host/sweeper.h"

#include "base/log.h"
#include "driver/local/store.h"
#include "function/message.h"

void fk_sweeper_init(struct fk_sweeper *sweeper, const struct fk_sweeper_options *options, struct fk_store *store,
                     struct fk_queue *queue, struct fk_clock *clock)
{
    int64_t now_ms = fk_clock_monotonic_ms(clock);
    *sweeper = (struct fk_sweeper){.options = *options,
                                   .store = store,
                                   .queue = queue,
                                   .clock = clock,
                                   .last_ms = now_ms,
                                   .pass_ms = now_ms + options->interval_ms,
                                   .offset_ms = fk_clock_wall_ms(clock) - now_ms};
}

static void notice_jump(struct fk_sweeper *sweeper, int64_t now_ms, int64_t wall_ms)
{
    int64_t jump_ms = wall_ms - now_ms - sweeper->offset_ms;
    if (jump_ms >= -FK_SWEEPER_JUMP_MS && jump_ms <= FK_SWEEPER_JUMP_MS) {
        return;
    }
    sweeper->offset_ms += jump_ms;
    if (jump_ms > 0) {
        sweeper->jumped = true;
        sweeper->jumped_ms = now_ms;
    }
    if (fk_local_store_swept(sweeper->store) > 0) {
        fk_log(FK_LOG_WARN, "the wall clock jumped by %lld ms: TTL nodes live longer", (long long)jump_ms);
    }
}

/* What a tick has saved up is spent soon, or lost: ends shall not come in a mass. */
static void earn(struct fk_sweeper *sweeper, int64_t elapsed_ms)
{
    int64_t earned = elapsed_ms < FK_SWEEPER_MINUTE_MS ? elapsed_ms * sweeper->options.per_minute
                                                       : (int64_t)FK_SWEEPER_MINUTE_MS * sweeper->options.per_minute;
    int64_t most = earned > FK_SWEEPER_MINUTE_MS ? earned : FK_SWEEPER_MINUTE_MS;
    sweeper->credit += earned;
    sweeper->credit = sweeper->credit > most ? most : sweeper->credit;
}

static bool is_due(const struct fk_sweeper *sweeper, const struct fk_node *node, int64_t now_ms, int64_t wall_ms)
{
    int64_t age_ms = wall_ms - node->mtime_ms;
    if (sweeper->jumped && age_ms > now_ms - sweeper->jumped_ms) {
        age_ms = now_ms - sweeper->jumped_ms;
    }
    return node->path.data != NULL && fk_node_due_at_age(node, age_ms, sweeper->options.never_used_ms);
}

/* Number and session are 0: nobody waits for the answer. */
static bool request_end(struct fk_sweeper *sweeper, const struct fk_node *node)
{
    struct fk_buf body = FK_BUF_EMPTY;
    struct fk_buf message = FK_BUF_EMPTY;
    struct fk_stat stat;
    fk_node_stat(node, &stat);
    fk_write_sweep_request(
        &body, &(struct fk_sweep_request){.path = node->path, .version = stat.version, .cversion = stat.cversion});
    fk_request_message_begin(&message, &(struct fk_request_message){.ids = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_request_message_add(&message,
                           &(struct fk_request_operation){.op = FK_OP_SWEEP_NODE, .body = fk_buf_view(&body)});
    bool sent = !body.failed && !message.failed && fk_queue_send(sweeper->queue, 0, 0, fk_buf_view(&message)) == FK_OK;
    fk_buf_deinit(&body);
    fk_buf_deinit(&message);
    return sent;
}

/* The next nodes of a pass; what could not be asked for is left to the next one. */
static bool look(struct fk_sweeper *sweeper, int64_t now_ms, int64_t wall_ms)
{
    bool sent = false;
    struct fk_node node;
    for (int i = 0; i < FK_SWEEPER_LOOKS_MAX && sweeper->left > 0 && sweeper->credit >= FK_SWEEPER_MINUTE_MS; i++) {
        if (!fk_local_store_next_swept(sweeper->store, &node)) {
            sweeper->left = 0;
            return sent;
        }
        sweeper->left--;
        if (!is_due(sweeper, &node, now_ms, wall_ms)) {
            continue;
        }
        if (!request_end(sweeper, &node)) {
            return sent;
        }
        sent = true;
        sweeper->credit -= FK_SWEEPER_MINUTE_MS;
    }
    return sent;
}

bool fk_sweeper_tick(struct fk_sweeper *sweeper)
{
    if (sweeper->options.interval_ms == 0) {
        return false;
    }
    int64_t now_ms = fk_clock_monotonic_ms(sweeper->clock);
    int64_t wall_ms = fk_clock_wall_ms(sweeper->clock);
    notice_jump(sweeper, now_ms, wall_ms);
    earn(sweeper, now_ms - sweeper->last_ms);
    sweeper->last_ms = now_ms;
    if (sweeper->left == 0 && now_ms >= sweeper->pass_ms) {
        sweeper->left = fk_local_store_swept(sweeper->store);
        sweeper->pass_ms = now_ms + sweeper->options.interval_ms;
    }
    return look(sweeper, now_ms, wall_ms);
}
