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
    locks->items[at] = (struct fk_locked){.path = path};
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
    bool over = fk_clock_wall_ms(locks->ports->clock) > lock->until_ms + locks->options->skew_ms;
    if (over) {
        FK_MARK(LOCK_TAKEN_OVER);
    }
    return over;
}

static enum fk_err write_locked(const struct fk_locks *locks, const struct fk_item *item,
                                struct fk_accepted_node *accepted)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    accepted->lock = fk_locks_lock(locks);
    fk_accepted_node_write(&buf, accepted);
    struct fk_write write = {
        .kind = FK_WRITE_PUT, .key = item->key, .expected = item->stamp, .value = fk_buf_view(&buf)};
    enum fk_err err = buf.failed ? FK_ERR_NOMEM : fk_table_write(locks->ports->table, &write, 1);
    fk_buf_deinit(&buf);
    return err;
}

static enum fk_err read_accepted(const struct fk_locks *locks, struct fk_bytes path, struct fk_item *item,
                                 struct fk_accepted_node *accepted)
{
    struct fk_key key = fk_key_accepted_node(locks->arena, path);
    *accepted = (struct fk_accepted_node){.record = {.node = {.path = path}}};
    if (key.partition.data == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_table_get(locks->ports->table, &key, locks->arena, item);
    if (err == FK_OK && item->stamp != 0) {
        err = fk_accepted_node_read(item->value, path, locks->arena, accepted);
    }
    item->key = key;
    return err;
}

/* The accepted state is the visible one, and stays so while the lock is held: read it now. */
static enum fk_err read_visible(const struct fk_locks *locks, struct fk_locked *locked)
{
    struct fk_key key = fk_key_node(locks->arena, locked->path);
    struct fk_item item;
    if (key.partition.data == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err = fk_table_get(locks->ports->table, &key, locks->arena, &item);
    return err == FK_OK && item.stamp != 0
               ? fk_node_record_read(item.value, locked->path, locks->arena, &locked->record)
               : err;
}

static enum fk_err lock_once(struct fk_locks *locks, struct fk_bytes path)
{
    struct fk_accepted_node accepted;
    struct fk_item item;
    enum fk_err err = read_accepted(locks, path, &item, &accepted);
    if (err == FK_OK && !is_free(locks, &accepted.lock)) {
        FK_MARK(LOCK_BUSY);
        return FK_ERR_BUSY;
    }
    if (err == FK_OK && (accepted.lock.token != locks->token || FK_MUTANT(TOKEN_OF_SECONDS))) {
        err = write_locked(locks, &item, &accepted); /* unknown: the next reading shows whether it is ours */
    }
    if (err != FK_OK) {
        return err;
    }
    struct fk_locked *locked = insert(locks, path);
    if (locked == NULL) {
        return FK_ERR_NOMEM;
    }
    locked->record = accepted.record;
    return accepted.known ? FK_OK : read_visible(locks, locked);
}

static bool is_transient(enum fk_err err)
{
    return err == FK_ERR_BUSY || err == FK_ERR_REFUSED || err == FK_ERR_UNKNOWN;
}

static enum fk_err lock_waiting(struct fk_locks *locks, struct fk_bytes path)
{
    struct fk_backoff backoff = {.clock = locks->ports->clock, .random = locks->ports->random};
    size_t before = locks->count;
    for (;;) {
        enum fk_err err = lock_once(locks, path);
        locks->count = err == FK_OK ? locks->count : before;
        if (!is_transient(err)) {
            return err;
        }
        if (fk_clock_monotonic_ms(locks->ports->clock) >= locks->give_up_ms) {
            return FK_ERR_BUSY;
        }
        fk_backoff_wait(&backoff);
    }
}

enum fk_err fk_locks_take(struct fk_locks *locks, const struct fk_bytes *paths, size_t count)
{
    enum fk_err err = FK_OK;
    for (size_t i = 0; i < count && err == FK_OK; i++) {
        err = lock_waiting(locks,
                           FK_MUTANT(LOCKS_WITHOUT_ORDER) && locks->token % 2 != 0 ? paths[count - 1 - i] : paths[i]);
    }
    return err;
}

enum fk_err fk_locks_try(struct fk_locks *locks, struct fk_bytes path)
{
    struct fk_bytes copy = fk_arena_copy(locks->arena, path);
    enum fk_err err = copy.data == NULL ? FK_ERR_NOMEM : lock_once(locks, copy);
    if (is_transient(err)) {
        FK_MARK(LOCKS_BEGUN_ANEW);
        return FK_ERR_BUSY;
    }
    return err;
}

/* --- the end --- */

static void release_one(const struct fk_locks *locks, struct fk_bytes path)
{
    struct fk_accepted_node accepted;
    struct fk_item item;
    struct fk_buf buf = FK_BUF_EMPTY;
    if (read_accepted(locks, path, &item, &accepted) != FK_OK || item.stamp == 0 ||
        accepted.lock.token != locks->token) {
        return;
    }
    struct fk_write write = {.kind = FK_WRITE_DELETE, .key = item.key, .expected = item.stamp};
    if (accepted.known) {
        accepted.lock = (struct fk_lock){.token = 0};
        fk_accepted_node_write(&buf, &accepted);
        write.kind = FK_WRITE_PUT;
        write.value = fk_buf_view(&buf);
    }
    if (!buf.failed) {
        (void)!fk_table_write(locks->ports->table, &write, 1);
    }
    fk_buf_deinit(&buf);
}

void fk_locks_release(const struct fk_locks *locks)
{
    for (size_t i = 0; i < locks->count; i++) {
        release_one(locks, locks->items[i].path);
    }
}
