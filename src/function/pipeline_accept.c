// SPDX-License-Identifier: Apache-2.0
#include "function/pipeline_accept.h"

#include "base/mark.h"
#include "base/mutant.h"

enum {
    TRIES_MAX = 6,
};

/* What the attempt has locked, read at (nearly) one moment: the session first, then the paths; of an attach the new
 * owner behind them. */
struct accept {
    const struct fk_cloud_options *options;
    const struct fk_ports *ports;
    struct fk_arena *arena;
    const struct fk_entry *entry;
    const struct fk_session_record *visible;
    enum fk_accepter accepter;
    struct fk_key keys[FK_TABLE_GET_MAX];
    struct fk_item items[FK_TABLE_GET_MAX];
    size_t count;
    struct fk_accepted_session session;
    struct fk_buf bytes;
    size_t ends[FK_TABLE_GET_MAX];
    struct fk_write writes[FK_TABLE_GET_MAX];
};

static bool make_keys(struct accept *accept)
{
    const struct fk_entry *entry = accept->entry;
    accept->count = 0;
    accept->keys[accept->count++] = fk_key_accepted_session(accept->arena, entry->session_id);
    for (size_t i = 0; i < entry->path_count; i++) {
        accept->keys[accept->count++] = fk_key_accepted_node(accept->arena, entry->paths[i].path);
    }
    if (entry->kind == FK_STEP_ATTACH) {
        accept->keys[accept->count++] = fk_key_gateway(accept->arena, entry->gateway);
    }
    for (size_t i = 0; i < accept->count; i++) {
        if (accept->keys[i].partition.data == NULL) {
            return false;
        }
    }
    return true;
}

/* Reads the first `count` items, and the session's record of them. */
static enum fk_err read_items(struct accept *accept, size_t count)
{
    enum fk_err err = fk_table_get_many(accept->ports->table, accept->keys, count, accept->arena, accept->items);
    accept->session = (struct fk_accepted_session){.epoch = 0};
    return err == FK_OK && accept->items[0].stamp != 0
               ? fk_accepted_session_read(accept->items[0].value, accept->arena, &accept->session)
               : err;
}

static bool is_accepted(const struct accept *accept)
{
    return fk_accepted_session_step(&accept->session, accept->entry->token) != NULL;
}

static bool tokens_ignored(const struct accept *accept)
{
    return FK_MUTANT(ACCEPT_WITHOUT_TOKENS) ||
           (FK_MUTANT(ACCEPT_FOR_ANY_WRITER) && accept->accepter == FK_ACCEPTER_DISTRIBUTOR);
}

/* True where the attempt may be accepted as of this reading: all its tokens are there, and the step is not decided. */
static enum fk_err may_accept(struct accept *accept, bool *may)
{
    const struct fk_entry *entry = accept->entry;
    *may = accept->items[0].stamp != 0 && (accept->session.lock.token == entry->token || tokens_ignored(accept)) &&
           accept->session.state != FK_ACCEPTED_OVER;
    if (entry->kind != FK_STEP_SWEEP) {
        *may &= FK_MUTANT(DECIDED_AGAIN) ||
                !fk_step_reached(entry->epoch, entry->number, accept->session.epoch, accept->session.last);
    }
    for (size_t i = 0; *may && i < entry->path_count; i++) {
        struct fk_accepted_node accepted = {.lock = {.token = 0}};
        const struct fk_item *item = &accept->items[1 + i];
        if (item->stamp != 0) {
            enum fk_err err = fk_accepted_node_read(item->value, entry->paths[i].path, accept->arena, &accepted);
            if (err != FK_OK) {
                return err;
            }
        }
        *may = accepted.lock.token == entry->token || tokens_ignored(accept) ||
               (FK_MUTANT(ERRORS_WITHOUT_TOKENS) && entry->put_count == 0);
    }
    if (*may && entry->kind == FK_STEP_ATTACH && !FK_MUTANT(ATTACH_UNFENCED)) {
        struct fk_gateway_record gateway = {.alive = false};
        const struct fk_item *item = &accept->items[accept->count - 1];
        enum fk_err err = item->stamp == 0 ? FK_OK : fk_gateway_record_read(item->value, &gateway);
        *may = gateway.alive;
        return err;
    }
    return FK_OK;
}

/* --- the transaction --- */

/* H24: the new step behind those that are not visible yet. */
static bool add_step(struct accept *accept, struct fk_accepted_session *session)
{
    const struct fk_entry *entry = accept->entry;
    size_t kept = 0;
    struct fk_accepted_step *steps =
        (struct fk_accepted_step *)fk_arena_alloc(accept->arena, (session->count + 1) * sizeof *steps);
    struct fk_bytes *paths = (struct fk_bytes *)fk_arena_alloc(accept->arena, (entry->put_count + 1) * sizeof *paths);
    if (steps == NULL || paths == NULL) {
        return false;
    }
    for (size_t i = 0; i < session->count && !FK_MUTANT(ONE_ACCEPTED_STEP); i++) {
        const struct fk_accepted_step *step = &session->steps[i];
        if (accept->visible == NULL ||
            !fk_step_reached(step->epoch, step->number, accept->visible->epoch, accept->visible->last)) {
            steps[kept++] = *step;
        }
    }
    steps[kept] = (struct fk_accepted_step){
        .epoch = entry->epoch, .number = entry->number, .token = entry->token, .paths = paths};
    for (size_t i = 0; i < entry->put_count; i++) {
        const struct fk_node *node = &entry->puts[i].record.node;
        if (entry->puts[i].kind == FK_PUT_CREATE && fk_owner_session(node->ephemeral_owner) == entry->session_id &&
            entry->session_id != 0) {
            paths[steps[kept].count++] = node->path;
        }
    }
    session->steps = steps;
    session->count = kept + 1;
    return true;
}

static enum fk_err put_session(struct accept *accept)
{
    struct fk_accepted_session session = accept->session;
    const struct fk_entry *entry = accept->entry;
    session.lock = (struct fk_lock){.token = 0};
    if (entry->kind != FK_STEP_SWEEP) {
        session.epoch = entry->epoch;
        session.last = entry->number;
    }
    if (entry->kind == FK_STEP_CHUNK) {
        session.state = FK_ACCEPTED_CLOSING;
        session.cursor = entry->cursor;
    } else if (entry->kind == FK_STEP_END) {
        session.state = FK_ACCEPTED_OVER;
    }
    if (!add_step(accept, &session)) {
        return FK_ERR_NOMEM;
    }
    fk_accepted_session_write(&accept->bytes, &session);
    accept->writes[0] = (struct fk_write){.kind = FK_WRITE_PUT};
    return FK_OK;
}

/* The record after the change, or as it was, without the lock. */
static enum fk_err put_node(struct accept *accept, size_t i)
{
    const struct fk_entry *entry = accept->entry;
    const struct fk_item *item = &accept->items[1 + i];
    const struct fk_entry_put *put = fk_entry_last_put(entry, i);
    struct fk_accepted_node accepted = {.known = false};
    if (put == NULL && item->stamp != 0) {
        enum fk_err err = fk_accepted_node_read(item->value, entry->paths[i].path, accept->arena, &accepted);
        if (err != FK_OK) {
            return err;
        }
    } else if (put != NULL) {
        accepted.known = true;
        accepted.record = put->record;
        accepted.record.exists = put->kind != FK_PUT_DELETE;
        accepted.record.counter = entry->paths[i].counter;
        accepted.record.node.czxid = accepted.record.node.mzxid = accepted.record.node.pzxid = 0;
    }
    accepted.lock = (struct fk_lock){.token = 0};
    if (accepted.known) {
        fk_accepted_node_write(&accept->bytes, &accepted);
    }
    accept->writes[1 + i] = (struct fk_write){.kind = accepted.known ? FK_WRITE_PUT : FK_WRITE_DELETE};
    return FK_OK;
}

static enum fk_err build(struct accept *accept)
{
    fk_buf_clear(&accept->bytes);
    enum fk_err err = put_session(accept);
    accept->ends[0] = accept->bytes.size;
    for (size_t i = 0; err == FK_OK && i < accept->entry->path_count; i++) {
        err = put_node(accept, i);
        accept->ends[1 + i] = accept->bytes.size;
    }
    if (accept->entry->kind == FK_STEP_ATTACH) {
        accept->writes[accept->count - 1] = (struct fk_write){.kind = FK_WRITE_CHECK};
        accept->ends[accept->count - 1] = accept->bytes.size;
    }
    if (err != FK_OK || accept->bytes.failed) {
        return err != FK_OK ? err : FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < accept->count; i++) {
        size_t start = i == 0 ? 0 : accept->ends[i - 1];
        accept->writes[i].key = accept->keys[i];
        accept->writes[i].expected = accept->items[i].stamp;
        if (accept->writes[i].kind == FK_WRITE_PUT) {
            accept->writes[i].value = fk_bytes_of(accept->bytes.data + start, accept->ends[i] - start);
        }
    }
    return FK_OK;
}

static enum fk_err accept_once(struct accept *accept, enum fk_fate *fate)
{
    bool may = false;
    enum fk_err err = read_items(accept, accept->count);
    if (err != FK_OK || is_accepted(accept)) {
        *fate = err == FK_OK ? FK_FATE_ACCEPTED : FK_FATE_UNDECIDED;
        return err;
    }
    err = may_accept(accept, &may);
    if (err == FK_OK && !may) {
        /* The items are no snapshot: it may have been accepted, and its locks freed, between two of them. A token that
         * is gone does not come back, so what the session says now is the last word. */
        err = read_items(accept, 1);
        *fate = err != FK_OK ? FK_FATE_UNDECIDED : is_accepted(accept) ? FK_FATE_ACCEPTED : FK_FATE_LOST;
        return err;
    }
    if (err == FK_OK) {
        err = build(accept);
    }
    if (err == FK_OK) {
        err = fk_table_write(accept->ports->table, accept->writes, accept->count);
        if (err == FK_ERR_UNKNOWN) {
            FK_MARK(ACCEPT_UNKNOWN);
            err = FK_MUTANT(ACCEPT_UNKNOWN_IS_DONE) ? FK_OK : err;
        }
    }
    if (err == FK_OK) {
        *fate = FK_FATE_ACCEPTED;
        if (accept->accepter == FK_ACCEPTER_DISTRIBUTOR) {
            FK_MARK(ACCEPTED_ON_BEHALF);
        }
    }
    return err;
}

enum fk_err fk_accept(const struct fk_cloud_options *options, const struct fk_ports *ports, struct fk_arena *arena,
                      const struct fk_entry *entry, const struct fk_session_record *visible, enum fk_accepter accepter,
                      enum fk_fate *fate)
{
    struct fk_backoff backoff = {.clock = ports->clock, .random = ports->random};
    struct accept *accept = (struct accept *)fk_arena_alloc(arena, sizeof *accept);
    *fate = FK_FATE_UNDECIDED;
    if (accept == NULL) {
        return FK_ERR_NOMEM;
    }
    memset(accept, 0, sizeof *accept);
    accept->options = options;
    accept->ports = ports;
    accept->arena = arena;
    accept->entry = entry;
    accept->visible = visible;
    accept->accepter = accepter;
    enum fk_err err = entry->path_count + 2 > FK_TABLE_GET_MAX ? FK_ERR_MALFORMED
                      : make_keys(accept)                      ? FK_ERR_BUSY
                                                               : FK_ERR_NOMEM;
    for (int i = 0; i < TRIES_MAX && (err == FK_ERR_BUSY || err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN); i++) {
        if (i > 0) {
            fk_backoff_wait(&backoff);
        }
        err = accept_once(accept, fate);
    }
    fk_buf_deinit(&accept->bytes);
    return err;
}
