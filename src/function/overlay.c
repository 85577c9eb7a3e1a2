// SPDX-License-Identifier: Apache-2.0
#include "function/overlay.h"

#include "base/mark.h"
#include "base/mutant.h"
#include "function/bootstrap.h"

/* Keys wanted and not yet fetched stand in the map with this stamp. */
enum {
    STAMP_WANTED = -2,
    EPHEMERALS_FIRST = 8,
};

static uint64_t key_hash(const struct fk_key *key)
{
    return fk_bytes_hash(key->partition) * 31 + fk_bytes_hash(key->name);
}

static bool key_matches(const struct fk_map_entry *entry, const void *key)
{
    const struct fk_key *mine = &FK_CONTAINER_OF(entry, struct fk_overlay_item, entry)->key;
    const struct fk_key *wanted = (const struct fk_key *)key;
    return fk_bytes_equal(mine->name, wanted->name) && fk_bytes_equal(mine->partition, wanted->partition);
}

static void fail(struct fk_overlay *overlay, enum fk_err err)
{
    if (overlay->err == FK_OK) {
        overlay->err = err;
    }
}

static void *take(struct fk_overlay *overlay, size_t size)
{
    void *memory = overlay->err == FK_OK ? fk_arena_alloc(overlay->arena, size) : NULL;
    if (memory == NULL) {
        fail(overlay, FK_ERR_NOMEM);
        return NULL;
    }
    memset(memory, 0, size);
    return memory;
}

/* The item of a key as the map has it, made if it is not there. */
static struct fk_overlay_item *item_of(struct fk_overlay *overlay, const struct fk_key *key)
{
    if (overlay->err != FK_OK || key->partition.data == NULL) {
        fail(overlay, FK_ERR_NOMEM);
        return NULL;
    }
    uint64_t hash = key_hash(key);
    struct fk_map_entry *entry = fk_map_get(&overlay->items, hash, key_matches, key);
    if (entry != NULL) {
        return FK_CONTAINER_OF(entry, struct fk_overlay_item, entry);
    }
    struct fk_overlay_item *item = (struct fk_overlay_item *)take(overlay, sizeof *item);
    if (item != NULL) {
        item->key = *key;
        item->stamp = STAMP_WANTED;
        fk_list_init(&item->link);
        fk_map_add(&overlay->items, &item->entry, hash);
    }
    return item;
}

const struct fk_overlay_item *fk_overlay_known(const struct fk_overlay *overlay, const struct fk_key *key)
{
    const struct fk_map_entry *entry = fk_map_get(&overlay->items, key_hash(key), key_matches, key);
    return entry == NULL ? NULL : FK_CONTAINER_OF(entry, const struct fk_overlay_item, entry);
}

void fk_overlay_want(struct fk_overlay *overlay, const struct fk_key *key)
{
    struct fk_overlay_item *item = item_of(overlay, key);
    if (item != NULL && item->stamp == STAMP_WANTED && fk_list_empty(&item->link)) {
        fk_list_append(&overlay->nodes, &item->link); /* the list of its kind takes it over */
    }
}

static void fetch(struct fk_overlay *overlay, struct fk_overlay_item **wanted, size_t count)
{
    struct fk_key *keys = (struct fk_key *)take(overlay, count * sizeof *keys);
    struct fk_item *items = (struct fk_item *)take(overlay, count * sizeof *items);
    if (keys == NULL || items == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        keys[i] = wanted[i]->key;
    }
    enum fk_err err = fk_table_get_many(overlay->ports->table, keys, count, overlay->arena, items);
    if (err != FK_OK) {
        fail(overlay, err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        wanted[i]->stamp = items[i].stamp;
        wanted[i]->value = items[i].value;
        wanted[i]->early = !overlay->front_read;
    }
}

/* Reads all that is wanted; calls after the first one come after the zxid record, which stands in that. */
static void fetch_wanted(struct fk_overlay *overlay)
{
    struct fk_overlay_item *wanted[FK_TABLE_GET_MAX];
    size_t count = 0;
    struct fk_list *link = overlay->nodes.next;
    while (link != &overlay->nodes && overlay->err == FK_OK) {
        struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        link = link->next;
        if (item->typed != NULL) {
            continue;
        }
        fk_list_remove(&item->link);
        wanted[count++] = item;
        if (count == FK_TABLE_GET_MAX) {
            fetch(overlay, wanted, count);
            overlay->front_read = true;
            count = 0;
        }
    }
    if (count > 0 && overlay->err == FK_OK) {
        fetch(overlay, wanted, count);
    }
    overlay->front_read = true;
}

/* The item of a key, read if it was not. */
static struct fk_overlay_item *item_read(struct fk_overlay *overlay, const struct fk_key *key)
{
    struct fk_overlay_item *item = item_of(overlay, key);
    if (item != NULL && item->stamp == STAMP_WANTED) {
        fk_list_remove(&item->link);
        fetch(overlay, &item, 1);
    }
    return overlay->err == FK_OK ? item : NULL;
}

const struct fk_overlay_item *fk_overlay_item(struct fk_overlay *overlay, const struct fk_key *key)
{
    return item_read(overlay, key);
}

/* Gives the item its decoded form, and its place in the list of its kind. */
static void *attach(struct fk_overlay *overlay, struct fk_overlay_item *item, struct fk_list *list, size_t size)
{
    void *typed = take(overlay, size);
    if (typed != NULL) {
        item->typed = typed;
        fk_list_append(list, &item->link);
    }
    return typed;
}

struct fk_overlay_node *fk_overlay_node(struct fk_overlay *overlay, struct fk_bytes path)
{
    struct fk_key key = fk_key_node(overlay->arena, path);
    struct fk_overlay_item *item = item_read(overlay, &key);
    if (item == NULL || item->typed != NULL) {
        return item == NULL ? NULL : (struct fk_overlay_node *)item->typed;
    }
    struct fk_bytes copy = fk_arena_copy(overlay->arena, path);
    struct fk_overlay_node *node =
        copy.data == NULL ? NULL : (struct fk_overlay_node *)attach(overlay, item, &overlay->nodes, sizeof *node);
    if (node == NULL) {
        fail(overlay, FK_ERR_NOMEM);
        return NULL;
    }
    node->item = item;
    node->record.node.path = copy;
    if (item->value.data != NULL) {
        fail(overlay, fk_node_record_read(item->value, copy, overlay->arena, &node->record));
        node->old_place = node->record.place;
        node->old_attempt = node->record.attempt;
    }
    return overlay->err == FK_OK ? node : NULL;
}

struct fk_overlay_session *fk_overlay_session(struct fk_overlay *overlay, int64_t id)
{
    struct fk_key key = fk_key_session(overlay->arena, id);
    struct fk_overlay_item *item = item_read(overlay, &key);
    if (item == NULL || item->typed != NULL) {
        return item == NULL ? NULL : (struct fk_overlay_session *)item->typed;
    }
    struct fk_overlay_session *session =
        (struct fk_overlay_session *)attach(overlay, item, &overlay->sessions, sizeof *session);
    if (session == NULL) {
        return NULL;
    }
    session->item = item;
    session->exists = item->value.data != NULL;
    if (session->exists) {
        fail(overlay, fk_session_record_read(item->value, overlay->arena, &session->record));
    }
    return overlay->err == FK_OK ? session : NULL;
}

struct fk_overlay_gateway *fk_overlay_gateway(struct fk_overlay *overlay, int64_t id)
{
    struct fk_key key = fk_key_gateway(overlay->arena, id);
    struct fk_overlay_item *item = item_read(overlay, &key);
    if (item == NULL || item->typed != NULL) {
        return item == NULL ? NULL : (struct fk_overlay_gateway *)item->typed;
    }
    struct fk_overlay_gateway *gateway =
        (struct fk_overlay_gateway *)attach(overlay, item, &overlay->gateways, sizeof *gateway);
    if (gateway == NULL) {
        return NULL;
    }
    gateway->item = item;
    gateway->id = id;
    gateway->exists = item->value.data != NULL;
    if (gateway->exists) {
        fail(overlay, fk_gateway_record_read(item->value, &gateway->record));
    }
    return overlay->err == FK_OK ? gateway : NULL;
}

struct fk_overlay_ephemerals *fk_overlay_ephemerals(struct fk_overlay *overlay, int64_t session_id)
{
    struct fk_key key = fk_key_ephemerals(overlay->arena, session_id);
    struct fk_overlay_item *item = item_read(overlay, &key);
    if (item == NULL || item->typed != NULL) {
        return item == NULL ? NULL : (struct fk_overlay_ephemerals *)item->typed;
    }
    struct fk_overlay_ephemerals *set =
        (struct fk_overlay_ephemerals *)attach(overlay, item, &overlay->ephemerals, sizeof *set);
    if (set == NULL) {
        return NULL;
    }
    set->item = item;
    if (item->value.data != NULL) {
        struct fk_ephemerals_record record = {.count = 0};
        fail(overlay, fk_ephemerals_record_read(item->value, overlay->arena, &record));
        set->paths = record.paths;
        set->count = set->capacity = record.count;
        for (size_t i = 0; i < record.count; i++) {
            set->size += record.paths[i].size;
        }
    }
    return overlay->err == FK_OK ? set : NULL;
}

static int compare(struct fk_bytes a, struct fk_bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool grow(struct fk_overlay *overlay, struct fk_overlay_ephemerals *set)
{
    if (set->count < set->capacity) {
        return true;
    }
    size_t capacity = set->capacity == 0 ? EPHEMERALS_FIRST : 2 * set->capacity;
    struct fk_bytes *paths = (struct fk_bytes *)take(overlay, capacity * sizeof *paths);
    if (paths == NULL) {
        return false;
    }
    if (set->count > 0) {
        memcpy(paths, set->paths, set->count * sizeof *paths);
    }
    set->paths = paths;
    set->capacity = capacity;
    return true;
}

void fk_overlay_ephemeral(struct fk_overlay *overlay, int64_t session_id, struct fk_bytes path, bool owned)
{
    struct fk_overlay_ephemerals *set = fk_overlay_ephemerals(overlay, session_id);
    if (set == NULL || (owned && !grow(overlay, set))) {
        return;
    }
    size_t at = 0;
    while (at < set->count && compare(set->paths[at], path) < 0) {
        at++;
    }
    bool found = at < set->count && fk_bytes_equal(set->paths[at], path);
    if (owned && !found) {
        memmove(set->paths + at + 1, set->paths + at, (set->count - at) * sizeof *set->paths);
        set->paths[at] = path;
        set->count++;
        set->size += path.size;
    } else if (!owned && found) {
        set->count--;
        set->size -= path.size;
        memmove(set->paths + at, set->paths + at + 1, (set->count - at) * sizeof *set->paths);
    }
    fk_overlay_put(overlay, set->item);
}

bool fk_overlay_alive(struct fk_overlay *overlay, int64_t id)
{
    struct fk_overlay_gateway *gateway = fk_overlay_gateway(overlay, id);
    return gateway != NULL && gateway->exists && gateway->record.alive;
}

int64_t fk_overlay_lastev(const struct fk_overlay *overlay, int64_t gateway)
{
    return fk_gateway_zxids_get(&overlay->zx.lastev, gateway);
}

void fk_overlay_put(struct fk_overlay *overlay, struct fk_overlay_item *item)
{
    item->put = true;
    overlay->changed = true;
}

void fk_overlay_write(struct fk_overlay *overlay, const struct fk_write *write)
{
    struct fk_overlay_extra *extra = (struct fk_overlay_extra *)take(overlay, sizeof *extra);
    if (extra != NULL) {
        extra->write = *write;
        fk_list_init(&extra->link);
        fk_list_append(&overlay->extras, &extra->link);
    }
}

/* Containers and TTL nodes that come or go are listed for sweeps. */
static size_t count_due(const struct fk_list *nodes)
{
    size_t count = 0;
    for (const struct fk_list *link = nodes->next; link != nodes; link = link->next) {
        const struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        count += item->put && ((const struct fk_overlay_node *)item->typed)->due_changed ? 1 : 0;
    }
    return count;
}

static size_t count_put(const struct fk_list *list)
{
    size_t count = 0;
    for (const struct fk_list *link = list->next; link != list; link = link->next) {
        count += FK_CONTAINER_OF(link, struct fk_overlay_item, link)->put ? 1 : 0;
    }
    return count;
}

static size_t count_all(const struct fk_list *list)
{
    size_t count = 0;
    for (const struct fk_list *link = list->next; link != list; link = link->next) {
        count++;
    }
    return count;
}

size_t fk_overlay_items(const struct fk_overlay *overlay)
{
    return 1 + count_all(&overlay->events) + count_all(&overlay->extras) + count_put(&overlay->nodes) +
           count_due(&overlay->nodes) + count_put(&overlay->sessions) + count_put(&overlay->ephemerals) +
           count_put(&overlay->gateways);
}

/* The zxid record, with all that is wanted so far. It stands first among that: a second call comes after it. */
static void read_front(struct fk_overlay *overlay)
{
    struct fk_key key = fk_key_zx();
    overlay->zx_item = item_of(overlay, &key);
    if (overlay->zx_item == NULL) {
        return;
    }
    if (FK_MUTANT(ZXID_READ_LAST)) {
        fetch_wanted(overlay);
    }
    fk_list_append(overlay->nodes.next, &overlay->zx_item->link); /* in front */
    fetch_wanted(overlay);
    if (overlay->err != FK_OK) {
        return;
    }
    if (overlay->zx_item->value.data == NULL) {
        enum fk_err err = fk_cloud_bootstrap(overlay->ports);
        fail(overlay, err == FK_OK ? FK_ERR_REFUSED : err); /* begin again, with what is there now */
        return;
    }
    fail(overlay, fk_zx_record_read(overlay->zx_item->value, overlay->arena, &overlay->zx));
    overlay->base_zxid = overlay->zx.zxid;
    overlay->lastev_capacity = overlay->zx.lastev.count;
}

bool fk_overlay_names_all(const struct fk_overlay *overlay)
{
    size_t count = 0;
    for (size_t i = 0; i < overlay->zx.lastev.count; i++) {
        count += overlay->zx.lastev.items[i].settled ? 0 : 1;
    }
    return count <= (size_t)overlay->options->pend_unread_max;
}

/* Those gateways whose records the commit asks for (commit.c), in one call. */
static void read_gateways(struct fk_overlay *overlay)
{
    bool names_all = fk_overlay_names_all(overlay);
    for (size_t i = 0; i < overlay->zx.lastev.count && !names_all; i++) {
        if (!overlay->zx.lastev.items[i].settled) {
            struct fk_key gateway = fk_key_gateway(overlay->arena, overlay->zx.lastev.items[i].gateway);
            fk_overlay_want(overlay, &gateway);
        }
    }
    fetch_wanted(overlay);
}

static void read_recursive(struct fk_overlay *overlay)
{
    struct fk_key key = fk_key_recursive();
    if (overlay->zx.recursive_version == 0) {
        return;
    }
    struct fk_overlay_item *item = item_read(overlay, &key);
    if (item != NULL && item->value.data != NULL) {
        fail(overlay, fk_recursive_record_read(item->value, overlay->arena, &overlay->recursive));
    }
}

void fk_overlay_init(struct fk_overlay *overlay, const struct fk_cloud_options *options, const struct fk_ports *ports,
                     struct fk_arena *arena)
{
    *overlay = (struct fk_overlay){.options = options, .ports = ports, .arena = arena, .err = FK_OK};
    fk_map_init(&overlay->items);
    fk_list_init(&overlay->nodes);
    fk_list_init(&overlay->sessions);
    fk_list_init(&overlay->ephemerals);
    fk_list_init(&overlay->gateways);
    fk_list_init(&overlay->events);
    fk_list_init(&overlay->extras);
}

enum fk_err fk_overlay_begin(struct fk_overlay *overlay)
{
    read_front(overlay);
    if (overlay->err == FK_OK) {
        read_gateways(overlay);
    }
    if (overlay->err == FK_OK) {
        read_recursive(overlay);
    }
    return overlay->err;
}

/* Reads items again; REFUSED where one has another stamp. */
static enum fk_err compare_stamps(struct fk_overlay *overlay, struct fk_overlay_item *const *items, size_t count)
{
    struct fk_key *keys = (struct fk_key *)take(overlay, count * sizeof *keys);
    struct fk_item *now = (struct fk_item *)take(overlay, count * sizeof *now);
    if (keys == NULL || now == NULL) {
        return overlay->err;
    }
    for (size_t i = 0; i < count; i++) {
        keys[i] = items[i]->key;
    }
    enum fk_err err = fk_table_get_many(overlay->ports->table, keys, count, overlay->arena, now);
    for (size_t i = 0; i < count && err == FK_OK; i++) {
        if (now[i].stamp != items[i]->stamp) {
            FK_MARK(EARLY_READ_CHANGED);
            err = FK_ERR_REFUSED;
        }
    }
    return err;
}

enum fk_err fk_overlay_confirm(struct fk_overlay *overlay)
{
    const struct fk_list *lists[] = {&overlay->nodes, &overlay->sessions, &overlay->ephemerals, &overlay->gateways};
    struct fk_overlay_item *again[FK_TABLE_GET_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (struct fk_list *link = lists[i]->next; link != lists[i]; link = link->next) {
            struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
            if (item->early && !item->put && item->typed != NULL) {
                again[count++] = item; /* one call read all that are early: they are no more than it takes */
            }
        }
    }
    bool blind = FK_MUTANT(ZXID_READ_LAST) || FK_MUTANT(EARLY_READS_TRUSTED);
    return count == 0 || blind ? FK_OK : compare_stamps(overlay, again, count);
}

void fk_overlay_deinit(struct fk_overlay *overlay)
{
    fk_map_deinit(&overlay->items);
}
