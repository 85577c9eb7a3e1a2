// SPDX-License-Identifier: Apache-2.0
#include "function/distributor_internal.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "function/apply.h"
#include "function/measure.h"
#include "function/pipeline.h"
#include "function/pipeline_record.h"
#include "function/settle.h"

static void fail(struct fk_decision *decision, enum fk_err err)
{
    if (decision->overlay.err == FK_OK) {
        decision->overlay.err = err;
    }
}

static struct fk_request_message message_of(const struct fk_entry *entry)
{
    return (struct fk_request_message){
        .gateway = entry->gateway, .session_id = entry->session_id, .epoch = entry->epoch, .taken = entry->taken};
}

/* --- the change --- */

/* H26: the planned change of each path is the next one of what is visible. A path without a node has no number, only a
 * creation can follow. */
static bool follows(struct fk_decision *decision, const struct fk_entry *entry)
{
    for (size_t i = 0; i < entry->path_count; i++) {
        if (entry->paths[i].counter == 0) {
            continue;
        }
        const struct fk_overlay_node *node = fk_overlay_node(&decision->overlay, entry->paths[i].path);
        size_t first = 0;
        while (first < entry->put_count && entry->puts[first].path != (int32_t)i) {
            first++;
        }
        if (node == NULL || first == entry->put_count) {
            return false;
        }
        bool next = node->record.exists ? node->record.counter + 1 == entry->paths[i].counter
                                        : entry->puts[first].kind == FK_PUT_CREATE;
        if (!next) {
            return false;
        }
    }
    return true;
}

/* True where the change gives the path other data, or takes it away with the node. */
static bool moves_data(const struct fk_entry *entry, size_t path)
{
    for (size_t i = 0; i < entry->put_count; i++) {
        if ((size_t)entry->puts[i].path == path && entry->puts[i].kind != FK_PUT_CHILDREN &&
            entry->puts[i].kind != FK_PUT_ACL) {
            return true;
        }
    }
    return false;
}

/* True where the put shows data that the change gives to its path: the puts of an entry all have the last data of their
 * path, and those before the first that gives it some show what was there before. */
static bool shows_new_data(const struct fk_entry *entry, size_t put)
{
    for (size_t i = 0; i <= put; i++) {
        enum fk_put_kind kind = entry->puts[i].kind;
        if (entry->puts[i].path == entry->puts[put].path && (kind == FK_PUT_CREATE || kind == FK_PUT_DATA)) {
            return true;
        }
    }
    return false;
}

/* The planned puts with the zxid and time of the change, and what is visible of earlier ones. */
static struct fk_change change_of(struct fk_decision *decision, const struct fk_entry *entry, int64_t zxid)
{
    struct fk_change change = {.zxid = zxid, .time_ms = decision->time_ms};
    struct fk_put *puts = (struct fk_put *)fk_arena_alloc(decision->arena, (entry->put_count + 1) * sizeof *puts);
    if (puts == NULL) {
        fail(decision, FK_ERR_NOMEM);
        return change;
    }
    for (size_t i = 0; i < entry->put_count; i++) {
        const struct fk_entry_put *put = &entry->puts[i];
        const struct fk_overlay_node *before = fk_overlay_node(&decision->overlay, put->record.node.path);
        puts[i] = (struct fk_put){.kind = put->kind, .node = put->record.node};
        if (before != NULL) {
            fk_entry_fill_node(&puts[i].node, &before->record.node, zxid, decision->time_ms);
            if (!shows_new_data(entry, i)) { /* statistics are counted here, writers do not know them */
                puts[i].node.data = before->record.node.data;
            }
        }
    }
    change.puts = puts;
    change.count = entry->put_count;
    return change;
}

static void supersede(struct fk_decision *decision, struct fk_list *superseded, const struct fk_overlay_node *node)
{
    if (!node->placed || node->record.place == FK_DATA_INLINE) {
        return;
    }
    struct fk_superseded *item = (struct fk_superseded *)fk_arena_alloc(decision->arena, sizeof *item);
    if (item == NULL) {
        fail(decision, FK_ERR_NOMEM);
        return;
    }
    *item = (struct fk_superseded){.place = node->record.place, .attempt = node->record.attempt};
    fk_list_init(&item->link);
    fk_list_append(superseded, &item->link);
}

/* Numbers the changed records, and names their data where the writer has stored it. */
static void place(struct fk_decision *decision, const struct fk_entry *entry, struct fk_list *superseded)
{
    for (size_t i = 0; i < entry->path_count; i++) {
        const struct fk_entry_put *last = fk_entry_last_put(entry, i);
        struct fk_overlay_node *node =
            last == NULL ? NULL : fk_overlay_node(&decision->overlay, last->record.node.path);
        if (node == NULL) {
            continue;
        }
        node->record.counter = entry->paths[i].counter;
        if (moves_data(entry, i)) {
            supersede(decision, superseded, node);
            node->placed = true;
            node->record.place = last->kind == FK_PUT_DELETE ? FK_DATA_INLINE : last->record.place;
            node->record.attempt = last->kind == FK_PUT_DELETE ? FK_BYTES_NULL : last->record.attempt;
        }
    }
}

/* The accepted record of a node that is gone has nothing to say once that is visible: the path is accepted as it is
 * visible. What somebody has locked keeps its lock. */
static void forget_accepted(struct fk_decision *decision, const struct fk_entry_path *path, const struct fk_key *key,
                            const struct fk_item *item)
{
    struct fk_accepted_node accepted = {.known = false};
    struct fk_buf buf = FK_BUF_EMPTY;
    enum fk_err err =
        item->stamp == 0 ? FK_OK : fk_accepted_node_read(item->value, path->path, decision->arena, &accepted);
    if (err != FK_OK) {
        fail(decision, err);
        return;
    }
    if (!accepted.known || accepted.record.counter != path->counter) {
        return;
    }
    struct fk_write write = {.kind = FK_WRITE_DELETE, .key = *key, .expected = item->stamp};
    if (accepted.lock.token != 0) {
        accepted.known = false;
        fk_accepted_node_write(&buf, &accepted);
        write.kind = FK_WRITE_PUT;
        write.value = fk_arena_copy(decision->arena, fk_buf_view(&buf));
        fail(decision, buf.failed || write.value.data == NULL ? FK_ERR_NOMEM : FK_OK);
    }
    fk_buf_deinit(&buf);
    fk_overlay_write(&decision->overlay, &write);
}

/* Those of all nodes that the change has removed, read in one call: one after the other, those of the end of a session
 * with many nodes take longer than a function may run. */
static void forget_removed(struct fk_decision *decision, const struct fk_entry *entry)
{
    struct fk_table *table = decision->overlay.ports->table;
    struct fk_key keys[FK_TABLE_GET_MAX];
    struct fk_item items[FK_TABLE_GET_MAX];
    const struct fk_entry_path *paths[FK_TABLE_GET_MAX];
    size_t count = 0;
    for (size_t i = 0; i < entry->path_count && count < FK_TABLE_GET_MAX; i++) {
        const struct fk_entry_put *last = fk_entry_last_put(entry, i);
        if (last != NULL && last->kind == FK_PUT_DELETE) {
            paths[count] = &entry->paths[i];
            keys[count] = fk_key_accepted_node(decision->arena, entry->paths[i].path);
            if (keys[count++].partition.data == NULL) {
                fail(decision, FK_ERR_NOMEM);
                return;
            }
        }
    }
    enum fk_err err = count == 0   ? FK_OK
                      : count == 1 ? fk_table_get(table, &keys[0], decision->arena, &items[0])
                                   : fk_table_get_many(table, keys, count, decision->arena, items);
    fail(decision, err);
    for (size_t i = 0; i < count && err == FK_OK; i++) {
        forget_accepted(decision, paths[i], &keys[i], &items[i]);
    }
}

/* --- quotas --- */

/* What is accepted can't be refused: of a tree that is too large the statistics begin with what the client wrote. */
static enum fk_err measure(void *context, struct fk_bytes path, struct fk_extent *extent)
{
    enum fk_err err = fk_overlay_measure((struct fk_overlay *)context, path, extent);
    return err == FK_ERR_TOO_LARGE ? FK_ERR_NOT_FOUND : err;
}

static bool makes_quota(const struct fk_change *change)
{
    struct fk_bytes target;
    for (size_t i = 0; i < change->count; i++) {
        struct fk_bytes path = change->puts[i].node.path;
        if (change->puts[i].kind == FK_PUT_CREATE &&
            (fk_quota_of_limits(path, &target) || fk_quota_of_stats(path, &target))) {
            return true;
        }
    }
    return false;
}

/* The writer has left room for some statistics; those of further quotas are not counted. */
static void leave_room(struct fk_decision *decision, struct fk_change *change)
{
    size_t room = FK_QUOTAS_OF_CHANGE((size_t)decision->overlay.options->commit_items_max);
    struct fk_put *puts = (struct fk_put *)fk_arena_alloc(decision->arena, (change->count + 1) * sizeof *puts);
    size_t kept = 0;
    if (puts == NULL) {
        fail(decision, FK_ERR_NOMEM);
        return;
    }
    for (size_t i = 0; i < change->count; i++) {
        bool stats = change->puts[i].kind == FK_PUT_STATS;
        if (!stats || room > 0) {
            puts[kept++] = change->puts[i];
            room -= stats ? 1 : 0;
        }
    }
    change->puts = puts;
    change->count = kept;
}

/* Statistics are counted in the order in which changes become visible: by nobody but the distributor. Once it has begun
 * to in a batch, it goes on, as the plan remembers what it has put. */
static void count_quotas(struct fk_decision *decision, struct fk_change *change)
{
    struct fk_plan *plan = &decision->plan;
    plan->quotas = plan->quotas || decision->overlay.zx.limits > 0;
    if (!plan->quotas && plan->count == 0 && !makes_quota(change)) {
        return;
    }
    plan->measure = measure;
    fk_plan_begin(plan, change->zxid, change->time_ms);
    fk_plan_follow(plan, change->puts, change->count);
    *change = fk_plan_change(plan);
    leave_room(decision, change);
}

/* Puts the change into the overlay; its zxid. */
static int64_t apply_change(struct fk_decision *decision, const struct fk_entry *entry, struct fk_list *superseded)
{
    int64_t zxid = fk_settle_zxid(decision);
    struct fk_change change = change_of(decision, entry, zxid);
    if (fk_decision_err(decision) != FK_OK) {
        return zxid;
    }
    count_quotas(decision, &change);
    if (fk_decision_err(decision) != FK_OK) {
        return zxid;
    }
    place(decision, entry, superseded);
    fk_apply_change(&decision->overlay, &change);
    forget_removed(decision, entry);
    return zxid;
}

/* The reply as planned, with what only is known now. Before the change is applied. */
static void fill_reply(struct fk_decision *decision, const struct fk_entry *entry, int64_t zxid)
{
    fk_buf_clear(&decision->reply);
    fk_buf_append(&decision->reply, entry->reply);
    for (size_t i = 0; i < entry->stat_count && !decision->reply.failed; i++) {
        const struct fk_overlay_node *before = fk_overlay_node(&decision->overlay, entry->stats[i].path);
        if (before != NULL) {
            fk_entry_fill_stat(decision->reply.data + entry->stats[i].offset, &before->record.node, zxid,
                               decision->time_ms);
        }
    }
}

/* --- steps --- */

static void apply_request(struct fk_decision *decision, const struct fk_entry *entry,
                          struct fk_overlay_session *session, struct fk_list *superseded)
{
    struct fk_request_message message = message_of(entry);
    if (entry->code != FK_CODE_OK) {
        FK_MARK(ERROR_DISTRIBUTED);
    }
    fill_reply(decision, entry, decision->overlay.zx.zxid + 1);
    int64_t zxid = apply_change(decision, entry, superseded);
    if (fk_decision_err(decision) == FK_OK) {
        fk_settle_request(decision, &message, entry->answered, session, (enum fk_code)entry->code, zxid);
    }
}

static void apply_chunk(struct fk_decision *decision, const struct fk_entry *entry, struct fk_overlay_session *session,
                        struct fk_list *superseded)
{
    (void)apply_change(decision, entry, superseded);
    session->record.state = FK_SESSION_CLOSING;
    session->record.last = entry->number;
    fk_overlay_put(&decision->overlay, session->item);
}

/* The session's accepted record goes with its visible one, whoever may hold its lock: nothing can be accepted any more.
 */
static void apply_end(struct fk_decision *decision, const struct fk_entry *entry, struct fk_overlay_session *session,
                      struct fk_list *superseded)
{
    struct fk_request_message message = message_of(entry);
    struct fk_write write = {.kind = FK_WRITE_DELETE,
                             .key = fk_key_accepted_session(decision->arena, entry->session_id),
                             .expected = FK_STAMP_ANY};
    if (write.key.partition.data == NULL) {
        fail(decision, FK_ERR_NOMEM);
        return;
    }
    int64_t zxid = apply_change(decision, entry, superseded);
    fk_settle_end(decision, session, zxid, entry->answered >= 0);
    fk_overlay_write(&decision->overlay, &write);
    if (entry->answered >= 0) {
        fk_settle_close(decision, &message, entry->answered, session, zxid);
    }
}

/* The epoch is raised in any case, as it was accepted. A gateway that was declared dead meanwhile has never served the
 * session: its time begins when the old owner must have let it go. */
static void apply_attach(struct fk_decision *decision, const struct fk_entry *entry, struct fk_overlay_session *session)
{
    struct fk_overlay *overlay = &decision->overlay;
    struct fk_overlay_gateway *gateway = fk_overlay_gateway(overlay, entry->gateway);
    if (gateway == NULL) {
        return;
    }
    if (!gateway->exists || !gateway->record.alive) {
        FK_MARK(ATTACHED_TO_DEAD);
        gateway->record.address = gateway->exists ? gateway->record.address : FK_BYTES_LITERAL("");
        gateway->record.alive = false;
        gateway->record.wall_ms = decision->time_ms + overlay->options->lease_ms;
        gateway->exists = true;
        fk_overlay_put(overlay, gateway->item);
    }
    const struct fk_attach_request request = {.nonce = entry->word, .timeout_ms = entry->timeout_ms};
    fk_settle_attach(decision, session, entry->gateway, &request);
}

static enum fk_verdict apply_dead(struct fk_decision *decision, const struct fk_entry *entry)
{
    uint8_t body[8];
    struct fk_request_message message = message_of(entry);
    struct fk_request_operation operation = {.op = FK_OP_GATEWAY_DEAD, .body = fk_bytes_of(body, sizeof body)};
    fk_store_u64(body, (uint64_t)entry->word);
    return fk_decide(decision, &message, &operation, 0);
}

/* A sweep's step is of no session: it is taken off the list of accepted ones in the same commit. */
static enum fk_verdict apply_sweep(struct fk_decision *decision, const struct fk_entry *entry,
                                   struct fk_list *superseded)
{
    struct fk_accepted_session sweeps;
    struct fk_item item;
    struct fk_buf buf = FK_BUF_EMPTY;
    struct fk_key key = fk_key_accepted_session(decision->arena, 0);
    if (decision->overlay.changed) {
        return FK_VERDICT_CUT; /* one a commit, and the first in it */
    }
    enum fk_err err = key.partition.data == NULL
                          ? FK_ERR_NOMEM
                          : fk_table_get(decision->overlay.ports->table, &key, decision->arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_accepted_session_read(item.value, decision->arena, &sweeps);
    }
    const struct fk_accepted_step *step =
        err == FK_OK && item.stamp != 0 ? fk_accepted_session_step(&sweeps, entry->token) : NULL;
    if (err != FK_OK || step == NULL) {
        fail(decision, err);
        return FK_VERDICT_DONE; /* another instance has done it */
    }
    if (!follows(decision, entry)) {
        fail(decision, FK_ERR_REFUSED);
        return FK_VERDICT_DONE;
    }
    sweeps.steps[step - sweeps.steps] = sweeps.steps[sweeps.count - 1];
    sweeps.count--;
    (void)apply_change(decision, entry, superseded);
    fk_accepted_session_write(&buf, &sweeps);
    struct fk_write write = {.kind = FK_WRITE_PUT,
                             .key = key,
                             .expected = item.stamp,
                             .value = fk_arena_copy(decision->arena, fk_buf_view(&buf))};
    fail(decision, buf.failed || write.value.data == NULL ? FK_ERR_NOMEM : FK_OK);
    fk_buf_deinit(&buf);
    fk_overlay_write(&decision->overlay, &write);
    return FK_VERDICT_DONE;
}

/* True where the step is visible already: this entry was delivered again. */
static bool is_visible(struct fk_decision *decision, const struct fk_entry *entry,
                       const struct fk_overlay_session *session)
{
    struct fk_request_message message = message_of(entry);
    if (!session->exists) {
        return true;
    }
    if (!fk_step_reached(entry->epoch, entry->number, session->record.epoch, session->record.last) ||
        FK_MUTANT(VISIBLE_NOT_CHECKED)) {
        return false;
    }
    const struct fk_result *result = fk_session_record_result(&session->record, entry->epoch, entry->answered);
    if (result != NULL) {
        FK_MARK(ENTRY_ANSWERED_AGAIN);
        fk_settle_answer(decision, &message, result);
    }
    return true;
}

/* Items that the entry would add to the commit at most. */
static size_t cost_of(struct fk_decision *decision, const struct fk_entry *entry)
{
    struct fk_change change = change_of(decision, entry, 0);
    size_t cost = 3; /* the session, its accepted record, a gateway */
    cost += FK_QUOTAS_OF_CHANGE((size_t)decision->overlay.options->commit_items_max);
    for (size_t i = 0; i < entry->put_count; i++) {
        cost += entry->puts[i].kind == FK_PUT_DELETE ? 1 : 0;
    }
    return fk_decision_err(decision) == FK_OK ? cost + fk_apply_cost(&decision->overlay, &change) : cost;
}

static enum fk_verdict apply_step(struct fk_decision *decision, const struct fk_entry *entry,
                                  struct fk_overlay_session *session, struct fk_list *superseded)
{
    switch (entry->kind) {
    case FK_STEP_CHUNK:
        apply_chunk(decision, entry, session, superseded);
        break;
    case FK_STEP_END:
        apply_end(decision, entry, session, superseded);
        break;
    case FK_STEP_ATTACH:
        apply_attach(decision, entry, session);
        break;
    case FK_STEP_REQUEST:
    case FK_STEP_SWEEP:
    case FK_STEP_DEAD:
    default:
        apply_request(decision, entry, session, superseded);
        break;
    }
    return FK_VERDICT_DONE;
}

enum fk_verdict fk_distributor_apply(struct fk_decision *decision, const struct fk_entry *entry,
                                     struct fk_list *superseded)
{
    struct fk_overlay *overlay = &decision->overlay;
    struct fk_overlay_session *session = NULL;
    if (entry->kind == FK_STEP_DEAD) {
        return apply_dead(decision, entry);
    }
    if (entry->kind != FK_STEP_SWEEP) {
        session = fk_overlay_session(overlay, entry->session_id);
        if (session == NULL || is_visible(decision, entry, session)) {
            return FK_VERDICT_DONE;
        }
    }
    size_t cost = cost_of(decision, entry);
    if (overlay->changed && fk_overlay_items(overlay) + cost > (size_t)overlay->options->commit_items_max) {
        FK_MARK(BATCH_CUT);
        return FK_VERDICT_CUT;
    }
    if (entry->kind == FK_STEP_SWEEP) {
        return apply_sweep(decision, entry, superseded);
    }
    if (!follows(decision, entry)) {
        fail(decision, FK_ERR_REFUSED);
        return FK_VERDICT_DONE;
    }
    return apply_step(decision, entry, session, superseded);
}
