// SPDX-License-Identifier: Apache-2.0
#include "gateway/watch.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/mutant.h"

enum {
    KINDS = 4,
    ONE_SHOT = FK_WATCH_DATA | FK_WATCH_CHILD,
};

struct watched_path {
    struct fk_map_entry entry;
    struct fk_list watches;
    size_t data_count; /* watches that hear of the node */
    size_t child_count;
    size_t persistent_count; /* recursive ones included */
    size_t size;
    uint8_t path[];
};

struct watch {
    struct fk_map_entry entry;
    struct fk_list in_path;
    struct fk_list in_watcher;
    struct watched_path *path;
    struct fk_watcher *watcher;
    unsigned kinds;
    int64_t setpoints[KINDS]; /* by bit of the kind */
};

/* Key of a watch. */
struct watch_key {
    const struct watched_path *path;
    const struct fk_watcher *watcher;
};

void fk_watch_table_init(struct fk_watch_table *table)
{
    fk_map_init(&table->paths);
    fk_map_init(&table->watches);
    table->count = 0;
    table->recursive = 0;
    table->paths_size = 0;
    table->fired = 0;
    table->limits = (struct fk_watch_limits){.watches = FK_WATCHES_MAX,
                                             .paths_size = FK_WATCH_PATHS_SIZE_MAX,
                                             .watches_of_one = FK_WATCHER_WATCHES_MAX,
                                             .paths_size_of_one = FK_WATCHER_PATHS_SIZE_MAX};
}

void fk_watch_table_deinit(struct fk_watch_table *table)
{
    FK_ASSERT(table->count == 0 && table->paths.count == 0);
    fk_map_deinit(&table->paths);
    fk_map_deinit(&table->watches);
}

void fk_watcher_init(struct fk_watcher *watcher)
{
    fk_list_init(&watcher->watches);
    watcher->count = 0;
    watcher->paths_size = 0;
    watcher->fired = 0;
}

/* Paths are hashed component by component, so that the hashes of all ancestors come with that of a path: looking for
 * recursive watches above it takes time that grows with its length, not with the square of it. */
static uint64_t hash_next(struct fk_bytes *left, uint64_t hash)
{
    const uint8_t *slash = (const uint8_t *)memchr(left->data, '/', left->size);
    size_t size = slash == NULL ? left->size : (size_t)(slash - left->data);
    hash = fk_hash_join(hash, fk_bytes_hash(fk_bytes_head(*left, size)));
    *left = slash == NULL ? FK_BYTES_NULL : fk_bytes_tail(*left, size + 1);
    return hash;
}

static uint64_t path_hash(struct fk_bytes path)
{
    bool ends_with_slash = path.size > 0 && path.data[path.size - 1] == '/';
    uint64_t hash = 0;
    while (path.size > 0) {
        hash = hash_next(&path, hash);
    }
    return ends_with_slash ? fk_hash_join(hash, 0) : hash;
}

static bool path_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct watched_path *path = FK_CONTAINER_OF(entry, struct watched_path, entry);
    return fk_bytes_equal(fk_bytes_of(path->path, path->size), *(const struct fk_bytes *)key);
}

static struct watched_path *find_hashed(const struct fk_watch_table *table, struct fk_bytes path, uint64_t hash)
{
    struct fk_map_entry *entry = fk_map_get(&table->paths, hash, path_matches, &path);
    return entry == NULL ? NULL : FK_CONTAINER_OF(entry, struct watched_path, entry);
}

static struct watched_path *find_path(const struct fk_watch_table *table, struct fk_bytes path)
{
    return table->paths.count == 0 ? NULL : find_hashed(table, path, path_hash(path));
}

static struct watched_path *path_new(struct fk_watch_table *table, struct fk_bytes bytes)
{
    struct watched_path *path = (struct watched_path *)fk_alloc(sizeof *path + bytes.size);
    if (path != NULL) {
        fk_list_init(&path->watches);
        path->data_count = 0;
        path->child_count = 0;
        path->persistent_count = 0;
        path->size = bytes.size;
        memcpy(path->path, bytes.data, bytes.size);
        fk_map_add(&table->paths, &path->entry, path_hash(bytes));
        table->paths_size += bytes.size;
    }
    return path;
}

static void path_release(struct fk_watch_table *table, struct watched_path *path)
{
    if (fk_list_empty(&path->watches)) {
        table->paths_size -= path->size;
        fk_map_remove(&table->paths, &path->entry);
        fk_free(path);
    }
}

static bool watch_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct watch *watch = FK_CONTAINER_OF(entry, struct watch, entry);
    const struct watch_key *wanted = (const struct watch_key *)key;
    return watch->path == wanted->path && watch->watcher == wanted->watcher;
}

static uint64_t key_hash(const struct watch_key *key)
{
    return fk_bytes_hash(fk_bytes_of(key, sizeof *key));
}

/* Adds (sign 1) or takes away (sign -1) watches of these kinds. */
static void count_kinds(struct fk_watch_table *table, struct watch *watch, unsigned kinds, int sign)
{
    struct watched_path *path = watch->path;
    size_t data = (kinds & FK_WATCH_DATA) != 0 ? 1 : 0;
    size_t child = (kinds & FK_WATCH_CHILD) != 0 ? 1 : 0;
    size_t recursive = (kinds & FK_WATCH_RECURSIVE) != 0 ? 1 : 0;
    size_t persistent = ((kinds & FK_WATCH_PERSISTENT) != 0 ? 1 : 0) + recursive;
    size_t all = data + child + persistent;
    path->data_count += sign > 0 ? data : -data;
    path->child_count += sign > 0 ? child : -child;
    path->persistent_count += sign > 0 ? persistent : -persistent;
    table->recursive += sign > 0 ? recursive : -recursive;
    table->count += sign > 0 ? all : -all;
    watch->watcher->count += sign > 0 ? all : -all;
}

static struct watch *watch_new(struct fk_watch_table *table, struct watched_path *path, struct fk_watcher *watcher)
{
    struct watch_key key = {.path = path, .watcher = watcher};
    struct watch *watch = (struct watch *)fk_alloc(sizeof *watch);
    if (watch != NULL) {
        *watch = (struct watch){.path = path, .watcher = watcher};
        fk_list_init(&watch->in_path);
        fk_list_init(&watch->in_watcher);
        fk_list_append(&path->watches, &watch->in_path);
        fk_list_append(&watcher->watches, &watch->in_watcher);
        watcher->paths_size += path->size;
        fk_map_add(&table->watches, &watch->entry, key_hash(&key));
    }
    return watch;
}

static void set_points(struct watch *watch, unsigned kinds, int64_t setpoint)
{
    for (unsigned bit = 0; bit < KINDS; bit++) {
        if ((kinds & (1U << bit)) != 0) {
            watch->setpoints[bit] = setpoint;
        }
    }
}

static struct watch *find_watch(const struct fk_watch_table *table, const struct fk_watcher *watcher,
                                const struct watched_path *path)
{
    struct watch_key key = {.path = path, .watcher = watcher};
    struct fk_map_entry *entry = path == NULL ? NULL : fk_map_get(&table->watches, key_hash(&key), watch_matches, &key);
    return entry == NULL ? NULL : FK_CONTAINER_OF(entry, struct watch, entry);
}

/* Whether watches of these kinds are within the limits; path and watch NULL: there is none yet. */
static bool room_for(const struct fk_watch_table *table, const struct fk_watcher *watcher,
                     const struct watched_path *path, const struct watch *watch, struct fk_bytes bytes, unsigned kinds)
{
    const struct fk_watch_limits *limits = &table->limits;
    size_t more = (size_t)__builtin_popcount(watch == NULL ? kinds : kinds & ~watch->kinds);
    size_t size_of_one = watch == NULL ? bytes.size : 0;
    size_t size_of_all = path == NULL ? bytes.size : 0;
    return more == 0 || (table->count + more <= limits->watches && watcher->count + more <= limits->watches_of_one &&
                         table->paths_size + size_of_all <= limits->paths_size &&
                         watcher->paths_size + size_of_one <= limits->paths_size_of_one);
}

enum fk_err fk_watch_add(struct fk_watch_table *table, struct fk_watcher *watcher, struct fk_bytes bytes,
                         unsigned kinds, int64_t setpoint)
{
    struct watched_path *path = find_path(table, bytes);
    struct watch *watch = find_watch(table, watcher, path);
    if (!room_for(table, watcher, path, watch, bytes, kinds)) {
        return FK_ERR_FULL;
    }
    if (path == NULL) {
        path = path_new(table, bytes);
    }
    if (path == NULL) {
        return FK_ERR_NOMEM;
    }
    if (watch == NULL) {
        watch = watch_new(table, path, watcher);
    }
    if (watch == NULL) {
        path_release(table, path);
        return FK_ERR_NOMEM;
    }
    count_kinds(table, watch, kinds & ~watch->kinds, 1);
    set_points(watch, kinds & ~watch->kinds, setpoint);
    watch->kinds |= kinds;
    return FK_OK;
}

static void watch_free(struct fk_watch_table *table, struct watch *watch)
{
    count_kinds(table, watch, watch->kinds, -1);
    watch->watcher->paths_size -= watch->path->size;
    fk_list_remove(&watch->in_path);
    fk_list_remove(&watch->in_watcher);
    fk_map_remove(&table->watches, &watch->entry);
    fk_free(watch);
}

unsigned fk_watch_of(const struct fk_watch_table *table, const struct fk_watcher *watcher, struct fk_bytes path)
{
    const struct watch *watch = find_watch(table, watcher, find_path(table, path));
    return watch == NULL ? 0 : watch->kinds;
}

unsigned fk_watch_remove(struct fk_watch_table *table, struct fk_watcher *watcher, struct fk_bytes bytes,
                         unsigned kinds)
{
    struct watched_path *path = find_path(table, bytes);
    struct watch *watch = find_watch(table, watcher, path);
    unsigned removed = watch == NULL ? 0 : watch->kinds & kinds;
    if (removed == 0) {
        return 0;
    }
    count_kinds(table, watch, removed, -1);
    watch->kinds &= ~removed;
    if (watch->kinds == 0) {
        watch_free(table, watch);
        path_release(table, path);
    }
    return removed;
}

void fk_watch_remove_all(struct fk_watch_table *table, struct fk_watcher *watcher)
{
    while (!fk_list_empty(&watcher->watches)) {
        struct watch *watch = FK_CONTAINER_OF(watcher->watches.next, struct watch, in_watcher);
        struct watched_path *path = watch->path;
        watch_free(table, watch);
        path_release(table, path);
    }
}

bool fk_watch_heard(const struct fk_watch_table *table, const struct fk_event *event)
{
    if (table->recursive > 0) {
        return true;
    }
    const struct watched_path *path = find_path(table, event->path);
    if (path == NULL) {
        return false;
    }
    return ((event->kinds & FK_WATCH_DATA) != 0 && path->data_count > 0) ||
           ((event->kinds & FK_WATCH_CHILD) != 0 && path->child_count > 0) || path->persistent_count > 0;
}

unsigned fk_watch_kinds(const struct fk_watch_table *table, struct fk_bytes bytes)
{
    const struct watched_path *path = find_path(table, bytes);
    unsigned kinds = 0;
    if (path == NULL) {
        return 0;
    }
    for (struct fk_list *link = path->watches.next; link != &path->watches; link = link->next) {
        kinds |= FK_CONTAINER_OF(link, struct watch, in_path)->kinds;
    }
    return kinds;
}

/* An event on its way to the watches of one path. */
struct firing {
    const struct fk_event *event;
    int64_t zxid;
    fk_watch_fire_fn fire;
    void *context;
};

/* The watch's kinds that hear the event: `kinds`, but for those that were set on a later state. */
static unsigned heard_kinds(const struct watch *watch, unsigned kinds, int64_t zxid)
{
    unsigned heard = 0;
    kinds &= watch->kinds;
    for (unsigned bit = 0; kinds >> bit != 0; bit++) {
        if ((kinds & (1U << bit)) != 0 && watch->setpoints[bit] < zxid) {
            heard |= 1U << bit;
        }
    }
    return heard;
}

static void fire_path(struct fk_watch_table *table, struct watched_path *path, unsigned kinds,
                      const struct firing *firing)
{
    struct fk_list *link = path->watches.next;
    while (link != &path->watches) {
        struct watch *watch = FK_CONTAINER_OF(link, struct watch, in_path);
        struct fk_watcher *watcher = watch->watcher;
        unsigned heard = heard_kinds(watch, kinds, firing->zxid);
        link = link->next;
        if (heard == 0) {
            continue;
        }
        unsigned used = FK_MUTANT(FIRED_NOT_REMOVED) ? 0 : heard & ONE_SHOT;
        count_kinds(table, watch, used, -1);
        watch->kinds &= ~used;
        if (watch->kinds == 0) {
            watch_free(table, watch);
        }
        if (watcher->fired != table->fired) {
            watcher->fired = table->fired;
            firing->fire(firing->context, watcher, firing->event);
        }
    }
    path_release(table, path);
}

static void fire_at(struct fk_watch_table *table, struct watched_path *path, struct fk_bytes at,
                    const struct firing *firing)
{
    const struct fk_event *event = firing->event;
    if (path != NULL) {
        fire_path(table, path, fk_watch_heard_kinds(event->type, event->kinds, event->path, at), firing);
    }
}

/* Recursive watches above the event's path, from the root down. */
static void fire_above(struct fk_watch_table *table, const struct firing *firing)
{
    struct fk_bytes path = firing->event->path;
    struct fk_bytes root = FK_BYTES_LITERAL("/");
    struct fk_bytes left = path;
    uint64_t hash = hash_next(&left, 0); /* what stands before the first slash: nothing */
    if (path.size <= 1) {
        return;
    }
    fire_at(table, find_path(table, root), root, firing);
    while (table->recursive > 0) {
        hash = hash_next(&left, hash);
        if (left.size == 0) {
            return; /* the path itself */
        }
        struct fk_bytes at = fk_bytes_head(path, path.size - left.size - 1);
        fire_at(table, find_hashed(table, at, hash), at, firing);
    }
}

void fk_watch_fire(struct fk_watch_table *table, const struct fk_event *event, int64_t zxid, fk_watch_fire_fn fire,
                   void *context)
{
    struct firing firing = {.event = event, .zxid = zxid, .fire = fire, .context = context};
    table->fired++;
    fire_at(table, find_path(table, event->path), event->path, &firing);
    if (table->recursive > 0) {
        fire_above(table, &firing);
    }
}

size_t fk_watch_paths(const struct fk_watch_table *table)
{
    return table->paths.count;
}

void fk_watch_each(const struct fk_watch_table *table, fk_watch_each_fn each, void *context)
{
    for (struct fk_map_entry *entry = fk_map_next(&table->paths, NULL); entry != NULL;
         entry = fk_map_next(&table->paths, entry)) {
        const struct watched_path *path = FK_CONTAINER_OF(entry, struct watched_path, entry);
        for (struct fk_list *link = path->watches.next; link != &path->watches; link = link->next) {
            const struct watch *watch = FK_CONTAINER_OF(link, struct watch, in_path);
            if (!each(context, watch->watcher, fk_bytes_of(path->path, path->size))) {
                return;
            }
        }
    }
}

bool fk_watcher_each(const struct fk_watcher *watcher, fk_watch_each_fn each, void *context)
{
    for (struct fk_list *link = watcher->watches.next; link != &watcher->watches; link = link->next) {
        const struct watch *watch = FK_CONTAINER_OF(link, struct watch, in_watcher);
        if (!each(context, watcher, fk_bytes_of(watch->path->path, watch->path->size))) {
            return false;
        }
    }
    return true;
}
