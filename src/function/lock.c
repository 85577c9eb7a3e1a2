// SPDX-License-Identifier: Apache-2.0
#include "function/lock.h"

#include "base/mark.h"
#include "base/mutant.h"

enum {
    LOCKS_FIRST = 8,
};

void fk_locks_init(struct fk_locks *locks, const struct fk_cloud_options *options, const struct fk_ports *ports,
                   struct fk_arena *arena, int64_t session_id, int64_t give_up_ms)
{
    *locks = (struct fk_locks){
        .options = options, .ports = ports, .arena = arena, .session_id = session_id, .give_up_ms = give_up_ms};
    while (locks->token == 0) {
        fk_random_fill(ports->random, (uint8_t *)&locks->token, sizeof locks->token);
    }
    if (FK_MUTANT(TOKEN_OF_SECONDS)) {
        locks->token = 1 + fk_clock_wall_ms(ports->clock) / 1000;
    }
}

struct fk_lock fk_locks_lock(const struct fk_locks *locks)
{
    return (struct fk_lock){.token = locks->token,
                            .session_id = locks->session_id,
                            .until_ms = fk_clock_wall_ms(locks->ports->clock) + locks->options->lock_ms};
}

/* --- the sorted set --- */

static size_t position(const struct fk_locks *locks, struct fk_bytes path)
{
    size_t low = 0;
    size_t high = locks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fk_bytes_compare(locks->items[middle].path, path) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct fk_locked *fk_locks_find(const struct fk_locks *locks, struct fk_bytes path)
{
    size_t at = position(locks, path);
    return at < locks->count && fk_bytes_equal(locks->items[at].path, path) ? &locks->items[at] : NULL;
}

static struct fk_locked *insert(struct fk_locks *locks, struct fk_bytes path)
{
    size_t at = position(locks, path);
    if (locks->count == locks->capacity) {
        size_t capacity = locks->capacity == 0 ? LOCKS_FIRST : 2 * locks->capacity;
        struct fk_locked *items = (struct fk_locked *)fk_arena_alloc(locks->arena, capacity * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        if (locks->count > 0) {
            memcpy(items, locks->items, locks->count * sizeof *items);
        }
        locks->items = items;
        locks->capacity = capacity;
    }
    memmove(locks->items + at + 1, locks->items + at, (locks->count - at) * sizeof *locks->items);
    locks->items[at] = (struct fk_locked){.path = path, .record = {.node = {.path = path}}};
    locks->count++;
    return &locks->items[at];
}

/* --- one lock --- */

/* True where the record may be locked now. A holder of the same session is an attempt that is over: its session's group
 * runs one at a time, and whoever locks the session has fenced it already. */
static bool is_free(const struct fk_locks *locks, const struct fk_lock *lock)
{
    if (lock->token == 0 || lock->token == locks->token) {
        return true;
    }
    if (lock->session_id == locks->session_id) {
        FK_MARK(LOCK_OF_EARLIER_ATTEMPT);
        return true;
    }
    /* A time that no clock within the bound can have written is of a clock that is wrong: nobody waits for it. */
    int64_t left_ms = lock->until_ms - fk_clock_wall_ms(locks->ports->clock);
    int64_t skew_ms = locks->options->skew_ms;
    bool over = left_ms < -skew_ms || left_ms > locks->options->lock_ms + skew_ms;
    if (over) {
        FK_MARK(LOCK_TAKEN_OVER);
    }
    return over;
}

/* A path on its way to be locked. */
struct candidate {
    struct fk_bytes path;
    struct fk_item item;
    struct fk_accepted_node accepted;
};

/* The items of `count` keys, in one call. */
static enum fk_err read_items(const struct fk_locks *locks, struct fk_key *keys, struct fk_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (keys[i].partition.data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    return fk_table_get_many(locks->ports->table, keys, count, locks->arena, items);
}

/* The items of the candidates as they were read ahead; false where one was not. */
static bool take_ahead(const struct fk_read_ahead *ahead, const struct candidate *candidates, struct fk_item *items,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < ahead->count && !fk_bytes_equal(ahead->paths[at], candidates[i].path)) {
            at++;
        }
        if (at == ahead->count) {
            return false;
        }
        items[i] = ahead->items[at];
    }
    return true;
}

static enum fk_err read_accepted(const struct fk_locks *locks, const struct fk_read_ahead *ahead,
                                 struct candidate *candidates, size_t count)
{
    struct fk_key keys[FK_TABLE_GET_MAX];
    struct fk_item items[FK_TABLE_GET_MAX];
    for (size_t i = 0; i < count; i++) {
        keys[i] = fk_key_accepted_node(locks->arena, candidates[i].path);
    }
    enum fk_err err = take_ahead(ahead, candidates, items, count) ? FK_OK : read_items(locks, keys, items, count);
    for (size_t i = 0; err == FK_OK && i < count; i++) {
        struct candidate *candidate = &candidates[i];
        candidate->item = items[i];
        candidate->item.key = keys[i];
        candidate->accepted = (struct fk_accepted_node){.known = false};
        if (items[i].stamp != 0) {
            err = fk_accepted_node_read(items[i].value, candidate->path, locks->arena, &candidate->accepted);
        }
    }
    return err;
}

/* Writes the lock (of token 0: none) into the records that do not have it, all at once. A record that is nothing but
 * its lock goes with it. */
static enum fk_err write_locks(const struct fk_locks *locks, struct candidate *candidates, size_t count,
                               const struct fk_lock *lock)
{
    struct fk_write writes[FK_TABLE_WRITE_MAX];
    size_t ends[FK_TABLE_WRITE_MAX];
    struct fk_buf buf = FK_BUF_EMPTY;
    size_t written = 0;
    for (size_t i = 0; i < count; i++) {
        struct candidate *candidate = &candidates[i];
        bool kept = candidate->accepted.known || lock->token != 0;
        candidate->accepted.lock = *lock;
        if (kept) {
            fk_accepted_node_write(&buf, &candidate->accepted);
        }
        ends[written] = buf.size;
        writes[written++] = (struct fk_write){.kind = kept ? FK_WRITE_PUT : FK_WRITE_DELETE,
                                              .key = candidate->item.key,
                                              .expected = candidate->item.stamp};
    }
    for (size_t i = 0; i < written && !buf.failed; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        if (writes[i].kind == FK_WRITE_PUT) {
            writes[i].value = fk_bytes_of(buf.data + start, ends[i] - start);
        }
    }
    enum fk_err err = buf.failed ? FK_ERR_NOMEM : fk_table_write(locks->ports->table, writes, written);
    fk_buf_deinit(&buf);
    return err;
}

/* Their accepted state is the visible one, and stays so while the locks are held: it is read now. */
static enum fk_err read_visible(const struct fk_locks *locks, const struct candidate *candidates, size_t count)
{
    struct fk_key keys[FK_TABLE_GET_MAX];
    struct fk_item items[FK_TABLE_GET_MAX];
    struct fk_locked *locked[FK_TABLE_GET_MAX];
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        if (!candidates[i].accepted.known) {
            keys[wanted] = fk_key_node(locks->arena, candidates[i].path);
            locked[wanted++] = fk_locks_find(locks, candidates[i].path);
        }
    }
    enum fk_err err = wanted == 0 ? FK_OK : read_items(locks, keys, items, wanted);
    for (size_t i = 0; err == FK_OK && i < wanted; i++) {
        if (items[i].stamp != 0) {
            err = fk_node_record_read(items[i].value, locked[i]->path, locks->arena, &locked[i]->record);
        }
    }
    return err;
}

/* How many of the candidates in front may be locked now. */
static size_t free_front(const struct fk_locks *locks, struct candidate *candidates, size_t count)
{
    size_t front = 0;
    while (front < count && is_free(locks, &candidates[front].accepted.lock)) {
        front++;
    }
    return front;
}

static bool all_mine(const struct fk_locks *locks, const struct candidate *candidates, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].accepted.lock.token != locks->token || FK_MUTANT(TOKEN_OF_SECONDS)) {
            return false;
        }
    }
    return true;
}

/* Locks as many of the candidates as are free in front of the first that is not: *locked of them, at once. */
static enum fk_err lock_front(struct fk_locks *locks, struct candidate *candidates, size_t count, size_t *locked)
{
    size_t front = 0;
    struct fk_read_ahead ahead = locks->ahead;
    locks->ahead.count = 0; /* what was refused once is read again */
    *locked = 0;
    enum fk_err err = read_accepted(locks, &ahead, candidates, count);
    if (err == FK_OK) {
        front = free_front(locks, candidates, count);
    }
    if (err == FK_OK && front == 0) {
        FK_MARK(LOCK_BUSY);
        return FK_ERR_BUSY;
    }
    if (err == FK_OK && !all_mine(locks, candidates, front)) {
        struct fk_lock lock = fk_locks_lock(locks);
        err = write_locks(locks, candidates, front, &lock); /* unknown: the next reading shows whether it is ours */
    }
    if (err != FK_OK) {
        return err;
    }
    for (size_t i = 0; i < front; i++) {
        struct fk_locked *added = insert(locks, candidates[i].path);
        if (added == NULL) {
            return FK_ERR_NOMEM;
        }
        added->record = candidates[i].accepted.record;
    }
    err = read_visible(locks, candidates, front);
    *locked = front;
    return err;
}

static bool is_transient(enum fk_err err)
{
    return err == FK_ERR_BUSY || err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN;
}

enum fk_err fk_locks_take(struct fk_locks *locks, const struct fk_bytes *paths, size_t count)
{
    struct fk_backoff backoff = {.clock = locks->ports->clock, .random = locks->ports->random};
    bool reverse = FK_MUTANT(LOCKS_WITHOUT_ORDER) && locks->token % 2 != 0;
    struct candidate *candidates = (struct candidate *)fk_arena_alloc(locks->arena, (count + 1) * sizeof *candidates);
    if (candidates == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        candidates[i] = (struct candidate){.path = paths[reverse ? count - 1 - i : i]};
    }
    size_t done = 0;
    while (done < count) {
        size_t locked = 0;
        enum fk_err err =
            lock_front(locks, candidates + done, FK_MUTANT(LOCKS_WITHOUT_ORDER) ? 1 : count - done, &locked);
        done += locked;
        if (err == FK_OK) {
            continue;
        }
        if (!is_transient(err)) {
            return err;
        }
        if (locked > 0 || fk_clock_monotonic_ms(locks->ports->clock) >= locks->give_up_ms) {
            return FK_ERR_BUSY;
        }
        fk_backoff_wait(&backoff);
    }
    return FK_OK;
}

enum fk_err fk_locks_try(struct fk_locks *locks, const struct fk_bytes *paths, size_t count)
{
    struct candidate *candidates = (struct candidate *)fk_arena_alloc(locks->arena, (count + 1) * sizeof *candidates);
    size_t locked = 0;
    if (candidates == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        candidates[i] = (struct candidate){.path = fk_arena_copy(locks->arena, paths[i])};
        if (candidates[i].path.data == NULL) {
            return FK_ERR_NOMEM;
        }
    }
    enum fk_err err = count == 0 ? FK_OK : lock_front(locks, candidates, count, &locked);
    if (is_transient(err) || (err == FK_OK && locked < count)) {
        FK_MARK(LOCKS_BEGUN_ANEW);
        return FK_ERR_BUSY;
    }
    return err;
}

/* --- the end --- */

/* Those of the candidates that are still locked by this token, in front. */
static size_t keep_mine(const struct fk_locks *locks, struct candidate *candidates, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].item.stamp != 0 && candidates[i].accepted.lock.token == locks->token) {
            candidates[kept++] = candidates[i];
        }
    }
    return kept;
}

void fk_locks_release(const struct fk_locks *locks)
{
    struct candidate *candidates =
        (struct candidate *)fk_arena_alloc(locks->arena, (locks->count + 1) * sizeof *candidates);
    if (candidates == NULL || locks->count == 0) {
        return;
    }
    for (size_t i = 0; i < locks->count; i++) {
        candidates[i] = (struct candidate){.path = locks->items[i].path};
    }
    if (read_accepted(locks, &(struct fk_read_ahead){.count = 0}, candidates, locks->count) != FK_OK) {
        return;
    }
    size_t mine = keep_mine(locks, candidates, locks->count);
    if (mine > 0) {
        (void)!write_locks(locks, candidates, mine, &(struct fk_lock){.token = 0});
    }
}
