// SPDX-License-Identifier: Apache-2.0
/* The table of watches: which connections watch which paths, for data or children, once, or for good and the subtree
 * too (addWatch). */
#ifndef FK_GATEWAY_WATCH_H
#define FK_GATEWAY_WATCH_H

#include "base/err.h"
#include "base/list.h"
#include "base/map.h"
#include "model/event.h"

/* Bounds of a table (limits.h); tests lower them. */
struct fk_watch_limits {
    size_t watches;
    size_t paths_size;
    size_t watches_of_one;
    size_t paths_size_of_one;
};

struct fk_watch_table {
    struct fk_map paths;
    struct fk_map watches; /* by path and watcher */
    size_t count;          /* watches, each kind counted apart */
    size_t recursive;      /* of them, recursive ones */
    size_t paths_size;     /* bytes of paths */
    uint64_t fired;        /* events so far */
    struct fk_watch_limits limits;
};

/* Who watches: embedded in a connection. */
struct fk_watcher {
    struct fk_list watches;
    size_t count;      /* as the table's */
    size_t paths_size; /* of all its watches */
    uint64_t fired;    /* the table's count at the last event heard: each watcher hears an event once */
};

void fk_watch_table_init(struct fk_watch_table *table);
/* All watchers must be gone. */
void fk_watch_table_deinit(struct fk_watch_table *table);

void fk_watcher_init(struct fk_watcher *watcher);

/* Sets watches of some kinds (mask); one that is there already stays as it is. They hear events of a zxid above
 * `setpoint`. NOMEM; FULL where that would be more than the table's limits allow: nothing is set. */
enum fk_err fk_watch_add(struct fk_watch_table *table, struct fk_watcher *watcher, struct fk_bytes path, unsigned kinds,
                         int64_t setpoint);

/* The kinds of watches that the watcher has on this very path; 0: none. */
unsigned fk_watch_of(const struct fk_watch_table *table, const struct fk_watcher *watcher, struct fk_bytes path);

/* Removes the watcher's watches of these kinds on the path; gives the kinds that were there. */
unsigned fk_watch_remove(struct fk_watch_table *table, struct fk_watcher *watcher, struct fk_bytes path,
                         unsigned kinds);

/* Removes all watches of a watcher. */
void fk_watch_remove_all(struct fk_watch_table *table, struct fk_watcher *watcher);

typedef void (*fk_watch_fire_fn)(void *context, struct fk_watcher *watcher, const struct fk_event *event);

/* True where somebody would hear the event. */
bool fk_watch_heard(const struct fk_watch_table *table, const struct fk_event *event);

/* The kinds of watches that stand on this very path; 0: none. */
unsigned fk_watch_kinds(const struct fk_watch_table *table, struct fk_bytes path);

/* Calls fire once for each watcher that hears the event, after its watch is removed if that hears but one. fire must
 * not change the table. */
void fk_watch_fire(struct fk_watch_table *table, const struct fk_event *event, int64_t zxid, fk_watch_fire_fn fire,
                   void *context);

typedef bool (*fk_watch_each_fn)(void *context, const struct fk_watcher *watcher, struct fk_bytes path);

/* Walks the watches, those of a path one after the other; the function returns false to end it. */
void fk_watch_each(const struct fk_watch_table *table, fk_watch_each_fn each, void *context);
/* Those of one watcher; false where the function ended it. */
bool fk_watcher_each(const struct fk_watcher *watcher, fk_watch_each_fn each, void *context);

/* Number of paths that are watched. */
size_t fk_watch_paths(const struct fk_watch_table *table);

#endif
