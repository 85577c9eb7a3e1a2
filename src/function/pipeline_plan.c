// SPDX-License-Identifier: Apache-2.0
/* What an operation does to the accepted state: locks, the pure planner, and the entry for the distributor. */
#include "function/pipeline_internal.h"

#include "base/mark.h"
#include "function/data.h"
#include "model/path.h"

enum {
    COST_FIXED = 4,   /* of a visible commit: zxid, events, the session, its accepted record; and FK_QUOTAS_OF_CHANGE */
    ACCEPT_FIXED = 2, /* of accepting, and of a refusal too, besides the locked paths: both records of the session */
};

/* --- paths --- */

size_t fk_writer_sort(struct fk_bytes *paths, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct fk_bytes path = paths[i];
        size_t at = kept;
        while (at > 0 && fk_bytes_compare(paths[at - 1], path) > 0) {
            at--;
        }
        if (at > 0 && fk_bytes_equal(paths[at - 1], path)) {
            continue;
        }
        memmove(paths + at + 1, paths + at, (kept - at) * sizeof *paths);
        paths[at] = path;
        kept++;
    }
    return kept;
}

static size_t items_max(const struct fk_writer_try *attempt)
{
    return (size_t)attempt->job->options->commit_items_max;
}

enum fk_err fk_writer_lock(struct fk_writer_try *attempt, const struct fk_bytes *paths, size_t count)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_bytes *all = (struct fk_bytes *)fk_arena_alloc(job->arena, (count + job->extra_count + 1) * sizeof *all);
    if (all == NULL) {
        return FK_ERR_NOMEM;
    }
    if (count > 0) {
        memcpy(all, paths, count * sizeof *all);
    }
    if (job->extra_count > 0) {
        memcpy(all + count, job->extras, job->extra_count * sizeof *all);
    }
    size_t sorted = fk_writer_sort(all, count + job->extra_count);
    if (sorted + ACCEPT_FIXED > items_max(attempt)) {
        attempt->too_many = true;
        return FK_OK;
    }
    return fk_locks_take(&attempt->locks, all, sorted);
}

/* The next try locks this path in its place of the order. */
static enum fk_err remember_extra(struct fk_writer_job *job, struct fk_bytes path)
{
    struct fk_bytes *extras = (struct fk_bytes *)fk_arena_alloc(job->arena, (job->extra_count + 1) * sizeof *extras);
    struct fk_bytes copy = fk_arena_copy(job->arena, path);
    if (extras == NULL || copy.data == NULL) {
        return FK_ERR_NOMEM;
    }
    if (job->extra_count > 0) {
        memcpy(extras, job->extras, job->extra_count * sizeof *extras);
    }
    extras[job->extra_count++] = copy;
    job->extras = extras;
    return FK_ERR_BUSY;
}

enum fk_err fk_writer_lookup(void *context, struct fk_bytes path, struct fk_node *node)
{
    struct fk_writer_try *attempt = (struct fk_writer_try *)context;
    if (!fk_path_valid(path)) { /* the planner asks for parents before it has looked at a path */
        return FK_ERR_NOT_FOUND;
    }
    struct fk_locked *locked = fk_locks_find(&attempt->locks, path);
    if (locked == NULL) { /* of a sequential node, whose parent had to be read first */
        if (attempt->locks.count + 1 + ACCEPT_FIXED > items_max(attempt)) {
            attempt->too_many = true;
            return FK_ERR_TOO_LARGE;
        }
        enum fk_err err = fk_locks_try(&attempt->locks, &path, 1);
        if (err != FK_OK) {
            return err == FK_ERR_BUSY ? remember_extra(attempt->job, path) : err;
        }
        locked = fk_locks_find(&attempt->locks, path);
    }
    *node = locked->record.node;
    return locked->record.exists ? FK_OK : FK_ERR_NOT_FOUND;
}

struct collected {
    struct fk_bytes *paths;
    size_t count;
    size_t capacity;
    struct fk_arena *arena;
    bool failed;
};

static void collect(void *context, struct fk_bytes path)
{
    struct collected *collected = (struct collected *)context;
    if (collected->count == collected->capacity) {
        size_t capacity = 2 * collected->capacity + 8;
        struct fk_bytes *paths = (struct fk_bytes *)fk_arena_alloc(collected->arena, capacity * sizeof *paths);
        if (paths == NULL) {
            collected->failed = true;
            return;
        }
        if (collected->count > 0) {
            memcpy(paths, collected->paths, collected->count * sizeof *paths);
        }
        collected->paths = paths;
        collected->capacity = capacity;
    }
    collected->paths[collected->count++] = path;
}

/* --- cost --- */

static bool seen_before(const struct fk_change *change, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (change->puts[j].kind <= FK_PUT_DELETE &&
            fk_bytes_equal(change->puts[j].node.path, change->puts[i].node.path)) {
            return true;
        }
    }
    return false;
}

/* The record of a deletion, of a list of ephemeral nodes and of a due node come on top; an upper bound. */
size_t fk_writer_cost(const struct fk_writer_try *attempt)
{
    struct fk_change change = fk_plan_change(&attempt->plan);
    size_t cost = COST_FIXED + FK_QUOTAS_OF_CHANGE(items_max(attempt));
    int64_t owner = 0; /* the last one counted: those of one session stand together in its end */
    for (size_t i = 0; i < change.count; i++) {
        const struct fk_put *put = &change.puts[i];
        if (put->kind > FK_PUT_DELETE) {
            continue;
        }
        cost += seen_before(&change, i) ? 0 : 1;
        cost += put->kind == FK_PUT_DELETE ? 1 : 0;
        if ((put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DELETE) && put->node.ephemeral_owner != 0 &&
            (put->node.ephemeral_owner != owner || fk_owner_session(owner) == 0)) {
            cost++;
            owner = put->node.ephemeral_owner;
        }
    }
    size_t accept = attempt->locks.count + ACCEPT_FIXED;
    return cost > accept ? cost : accept;
}

/* --- ephemeral nodes --- */

static enum fk_err read_visible_ephemerals(struct fk_writer_try *attempt, struct fk_ephemerals_record *record)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_key key = fk_key_ephemerals(job->arena, job->message->session_id);
    struct fk_item item;
    *record = (struct fk_ephemerals_record){.count = 0};
    if (key.partition.data == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_table_get(job->ports->table, &key, job->arena, &item);
    return err == FK_OK && item.stamp != 0 ? fk_ephemerals_record_read(item.value, job->arena, record) : err;
}

/* The session is locked: what is not in its accepted steps is visible, and read after that. */
enum fk_err fk_writer_ephemerals(struct fk_writer_try *attempt, struct fk_bytes **paths, size_t *count)
{
    struct collected collected = {.arena = attempt->job->arena};
    struct fk_ephemerals_record record;
    enum fk_err err = read_visible_ephemerals(attempt, &record);
    for (size_t i = 0; err == FK_OK && i < record.count; i++) {
        collect(&collected, record.paths[i]);
    }
    for (size_t i = 0; err == FK_OK && i < attempt->session.count; i++) {
        for (size_t j = 0; j < attempt->session.steps[i].count; j++) {
            collect(&collected, attempt->session.steps[i].paths[j]);
        }
    }
    *count = collected.count == 0 ? 0 : fk_writer_sort(collected.paths, collected.count);
    *paths = collected.paths;
    return collected.failed ? FK_ERR_NOMEM : err;
}

/* A session can't own more ephemeral nodes than one item lists. */
static enum fk_err ephemerals_fit(struct fk_writer_try *attempt, bool *fit)
{
    struct fk_change change = fk_plan_change(&attempt->plan);
    struct fk_bytes *paths = NULL;
    size_t count = 0;
    size_t size = 0;
    *fit = true;
    for (size_t i = 0; i < change.count; i++) {
        const struct fk_put *put = &change.puts[i];
        if (put->kind == FK_PUT_CREATE && fk_owner_session(put->node.ephemeral_owner) != 0) {
            size += put->node.path.size;
        }
    }
    enum fk_err err = size == 0 ? FK_OK : fk_writer_ephemerals(attempt, &paths, &count);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        size += paths[i].size;
    }
    *fit = size <= FK_EPHEMERALS_SIZE_MAX;
    return err;
}

/* --- the entry --- */

/* The last put of the path that gives it data; NULL: its data stays as it is, or it is gone. */
static const struct fk_put *data_put(const struct fk_change *change, struct fk_bytes path)
{
    for (size_t i = change->count; i > 0; i--) {
        const struct fk_put *put = &change->puts[i - 1];
        if (put->kind > FK_PUT_DELETE || !fk_bytes_equal(put->node.path, path)) {
            continue;
        }
        if (put->kind == FK_PUT_DELETE) {
            return NULL;
        }
        if (put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DATA) {
            return put;
        }
    }
    return NULL;
}

/* Where the data of a changed path is after the change: in locked->record. */
static enum fk_err place_data(struct fk_writer_try *attempt, const struct fk_change *change, struct fk_locked *locked)
{
    struct fk_writer_job *job = attempt->job;
    const struct fk_put *put = data_put(change, locked->path);
    if (put == NULL) {
        return FK_OK;
    }
    locked->record.node.path = locked->path;
    locked->record.node.data = put->node.data;
    enum fk_err err = fk_data_place(job->options, job->ports, job->arena, locked->record.counter + 1, &locked->record);
    if (locked->record.place != FK_DATA_INLINE) {
        attempt->stored[attempt->stored_count++] = &locked->record;
    }
    return err;
}

static bool is_changed(const struct fk_change *change, struct fk_bytes path)
{
    for (size_t i = 0; i < change->count; i++) {
        if (change->puts[i].kind <= FK_PUT_DELETE && fk_bytes_equal(change->puts[i].node.path, path)) {
            return true;
        }
    }
    return false;
}

static enum fk_err fill_paths(struct fk_writer_try *attempt, const struct fk_change *change)
{
    struct fk_entry *entry = &attempt->entry;
    enum fk_err err = FK_OK;
    for (size_t i = 0; err == FK_OK && i < attempt->locks.count; i++) {
        struct fk_locked *locked = &attempt->locks.items[i];
        bool changed = is_changed(change, locked->path);
        entry->paths[i].path = locked->path;
        entry->paths[i].counter = changed ? locked->record.counter + 1 : 0;
        err = changed ? place_data(attempt, change, locked) : FK_OK;
    }
    entry->path_count = attempt->locks.count;
    return err;
}

static void fill_puts(struct fk_writer_try *attempt, const struct fk_change *change)
{
    struct fk_entry *entry = &attempt->entry;
    for (size_t i = 0; i < change->count; i++) {
        const struct fk_put *put = &change->puts[i];
        if (put->kind > FK_PUT_DELETE) {
            continue;
        }
        const struct fk_locked *locked = fk_locks_find(&attempt->locks, put->node.path);
        struct fk_entry_put *added = &entry->puts[entry->put_count++];
        *added = (struct fk_entry_put){.kind = put->kind, .path = (int32_t)(locked - attempt->locks.items)};
        added->record.node = put->node;
        added->record.node.data = locked->record.node.data;
        added->record.exists = true;
        added->record.place = locked->record.place;
        added->record.attempt = locked->record.attempt;
    }
}

enum fk_err fk_writer_fill(struct fk_writer_try *attempt)
{
    struct fk_entry *entry = &attempt->entry;
    struct fk_arena *arena = attempt->job->arena;
    struct fk_change change = fk_plan_change(&attempt->plan);
    size_t locks = attempt->locks.count + 1;
    entry->token = attempt->locks.token;
    entry->paths = (struct fk_entry_path *)fk_arena_alloc(arena, locks * sizeof *entry->paths);
    entry->puts = (struct fk_entry_put *)fk_arena_alloc(arena, (change.count + 1) * sizeof *entry->puts);
    attempt->stored = (const struct fk_node_record **)fk_arena_alloc(arena, locks * sizeof *attempt->stored);
    if (entry->paths == NULL || entry->puts == NULL || attempt->stored == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fill_paths(attempt, &change);
    if (err == FK_OK) {
        fill_puts(attempt, &change);
    }
    return err;
}

/* --- requests --- */

/* What no single commit can hold gets a definite, recorded refusal (ADR 0007). */
static enum fk_code refuse(struct fk_writer_try *attempt)
{
    FK_MARK(MULTI_TOO_LARGE);
    fk_plan_rollback(&attempt->plan);
    fk_buf_clear(&attempt->reply);
    return FK_CODE_BAD_ARGUMENTS;
}

/* What quotas are kept in is read as it is visible, and not locked: every write below a quota would wait for it. As in
 * ZooKeeper, whose limits are looked at before what is under way is counted. */
static enum fk_err quota_lookup(void *context, struct fk_bytes path, struct fk_node *node)
{
    const struct fk_writer_job *job = ((struct fk_writer_try *)context)->job;
    struct fk_key key = fk_key_node(job->arena, path);
    struct fk_node_record record = {.exists = false};
    struct fk_item item;
    enum fk_err err =
        key.partition.data == NULL ? FK_ERR_NOMEM : fk_table_get(job->ports->table, &key, job->arena, &item);
    if (err == FK_OK && item.stamp != 0) {
        err = fk_node_record_read(item.value, path, job->arena, &record);
    }
    *node = record.node;
    if (err != FK_OK || !record.exists || record.place == FK_DATA_INLINE) {
        return err == FK_OK && !record.exists ? FK_ERR_NOT_FOUND : err;
    }
    err = fk_data_read(job->ports, &record, job->arena, &node->data);
    return err == FK_ERR_NOT_FOUND ? FK_ERR_BUSY : err; /* the record is not the newest any more */
}

/* The distributor counts. */
static enum fk_err measure(void *context, struct fk_bytes path, struct fk_extent *extent)
{
    (void)context;
    (void)path;
    (void)extent;
    return FK_ERR_NOT_FOUND;
}

static struct fk_caller caller_of(const struct fk_writer_job *job)
{
    return (struct fk_caller){
        .session_id = job->message->session_id, .ids = job->message->ids, .rules = &job->options->rules};
}

struct foresight {
    const struct fk_writer_try *attempt;
    struct collected missing;
};

/* Locks nothing: what is not locked is taken to be missing, as a new sequential node is. */
static enum fk_err foresee(void *context, struct fk_bytes path, struct fk_node *node)
{
    struct foresight *foresight = (struct foresight *)context;
    const struct fk_locked *locked = fk_path_valid(path) ? fk_locks_find(&foresight->attempt->locks, path) : NULL;
    if (locked != NULL) {
        *node = locked->record.node;
        return locked->record.exists ? FK_OK : FK_ERR_NOT_FOUND;
    }
    if (fk_path_valid(path)) {
        struct fk_bytes copy = fk_arena_copy(foresight->missing.arena, path);
        foresight->missing.failed |= copy.data == NULL;
        collect(&foresight->missing, copy);
    }
    return FK_ERR_NOT_FOUND;
}

/* Locks the sequential nodes of a multi, whose names a plan of the locked parents tells, in one transaction: one after
 * the other many of them take longer than a lock lives, and a try that never ends is never answered. Nobody else wants
 * them for long while their parents are locked: where one is held, the next try looks again. */
static enum fk_err lock_foreseen(struct fk_writer_try *attempt)
{
    const struct fk_writer_job *job = attempt->job;
    struct foresight foresight = {.attempt = attempt, .missing = {.arena = job->arena}};
    struct collected *missing = &foresight.missing;
    struct fk_caller caller = caller_of(job);
    struct fk_buf reply = FK_BUF_EMPTY;
    struct fk_plan plan;
    fk_plan_init(&plan, job->arena, foresee, &foresight);
    plan.rules = &job->options->rules;
    fk_plan_begin(&plan, FK_ZXID_PLANNED, fk_clock_wall_ms(job->ports->clock));
    (void)fk_plan_operation(&plan, &caller, job->operation->op, job->operation->body, &reply);
    enum fk_err err = missing->failed || reply.failed ? FK_ERR_NOMEM : plan.err;
    fk_plan_deinit(&plan);
    fk_buf_deinit(&reply);
    if (err != FK_OK || missing->count == 0) {
        return err;
    }
    size_t count = fk_writer_sort(missing->paths, missing->count);
    if (attempt->locks.count + count + ACCEPT_FIXED > items_max(attempt)) {
        attempt->too_many = true;
        return FK_OK;
    }
    return fk_locks_try(&attempt->locks, missing->paths, count);
}

static enum fk_err plan_operation(struct fk_writer_try *attempt, enum fk_code *code)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_caller caller = caller_of(job);
    bool fit = true;
    attempt->plan.quotas = attempt->quotas;
    attempt->plan.quota_lookup = quota_lookup;
    attempt->plan.measure = attempt->quotas ? measure : NULL;
    *code = fk_plan_operation(&attempt->plan, &caller, job->operation->op, job->operation->body, &attempt->reply);
    if (attempt->too_many) {
        attempt->plan.err = FK_OK;
        *code = refuse(attempt);
        return FK_OK;
    }
    if (attempt->plan.err != FK_OK || attempt->reply.failed) {
        return attempt->reply.failed ? FK_ERR_NOMEM : attempt->plan.err;
    }
    enum fk_err err = ephemerals_fit(attempt, &fit);
    if (err == FK_OK &&
        (!fit || fk_writer_cost(attempt) > items_max(attempt) || attempt->reply.size > FK_RESULT_SIZE_MAX)) {
        *code = refuse(attempt);
    }
    return err;
}

enum fk_err fk_writer_plan_request(struct fk_writer_try *attempt)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_entry *entry = &attempt->entry;
    struct collected collected = {.arena = job->arena};
    enum fk_code code = FK_CODE_OK;
    fk_plan_paths(job->operation->op, job->operation->body, collect, &collected);
    enum fk_err err = collected.failed    ? FK_ERR_NOMEM
                      : job->refuse_large ? FK_OK
                                          : fk_writer_lock(attempt, collected.paths, collected.count);
    if (err == FK_OK && job->operation->op == FK_OP_MULTI && !job->refuse_large && !attempt->too_many) {
        err = lock_foreseen(attempt);
    }
    if (err != FK_OK) {
        return err;
    }
    fk_plan_begin(&attempt->plan, FK_ZXID_PLANNED, fk_clock_wall_ms(job->ports->clock));
    if (job->refuse_large || attempt->too_many) {
        code = refuse(attempt);
    } else {
        err = plan_operation(attempt, &code);
    }
    if (err == FK_OK) {
        err = fk_writer_fill(attempt);
    }
    entry->kind = FK_STEP_REQUEST;
    entry->code = (int32_t)code;
    entry->answered = job->number;
    entry->taken = job->message->taken;
    entry->reply = code == FK_CODE_OK ? fk_buf_view(&attempt->reply) : FK_BYTES_NULL;
    return err == FK_OK && code == FK_CODE_OK
               ? fk_entry_find_stats(entry, job->operation->op, job->operation->body, job->arena)
               : err;
}

enum fk_err fk_writer_plan_sweep(struct fk_writer_try *attempt, bool *due)
{
    struct fk_writer_job *job = attempt->job;
    struct fk_reader reader = fk_reader_of(job->operation->body);
    struct fk_sweep_request request;
    struct fk_bytes paths[2];
    struct fk_bytes name;
    *due = false;
    fk_read_sweep_request(&reader, &request);
    if (reader.failed || !fk_path_valid(request.path) || !fk_path_split(request.path, &paths[0], &name)) {
        FK_MARK(MESSAGE_UNREADABLE);
        return FK_OK;
    }
    paths[1] = request.path;
    enum fk_err err = fk_writer_lock(attempt, paths, 2);
    if (err != FK_OK) {
        return err;
    }
    fk_plan_begin(&attempt->plan, FK_ZXID_PLANNED, fk_clock_wall_ms(job->ports->clock));
    enum fk_code code = fk_plan_sweep_node(&attempt->plan, request.path, request.version, request.cversion);
    *due = attempt->plan.err == FK_OK && code == FK_CODE_OK;
    attempt->entry.kind = FK_STEP_SWEEP;
    attempt->entry.answered = -1;
    return *due ? fk_writer_fill(attempt) : attempt->plan.err;
}
