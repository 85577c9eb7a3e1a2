// SPDX-License-Identifier: Apache-2.0
/* Looks for an order of the writes without an answer that explains everything else: depth first over the gaps in zxid
 * order. At a gap the next open write of some connection is tried, or nobody's; a choice is dropped as soon as the
 * final state forbids it (a node that is older there than now, a zxid of somebody else), or a later answer is not the
 * model's. */
#include "sim/check_rebuild.h"

enum {
    TRIES_MAX = 300000,
    CONNECTIONS_MAX = 256,
};

struct search {
    struct check_rebuild *rebuild;
    struct check *check;
    struct sim_bump bump;
    struct sim_ref_tree tree;  /* as far as it was decided */
    struct sim_ref_tree final; /* the final state, under zxid 0 */
    size_t tries;
};

/* Forgets everything behind a zxid. */
static void undo(struct sim_ref_tree *tree, int64_t zxid)
{
    for (size_t i = 0; i < SIM_REF_BUCKETS; i++) {
        for (struct sim_ref_path *path = tree->buckets[i]; path != NULL; path = path->next_in_bucket) {
            while (path->count > 0 && path->states[path->count - 1].zxid > zxid) {
                path->count--;
            }
            while (path->event_count > 0 && path->events[path->event_count - 1]->zxid > zxid) {
                path->event_count--;
            }
        }
    }
    while (tree->event_count > 0 && tree->events[tree->event_count - 1]->zxid > zxid) {
        tree->event_count--;
    }
}

static const struct sim_ref_state *now(const struct sim_ref_tree *tree, struct fk_bytes path)
{
    return sim_ref_state_at(sim_ref_find(tree, path), INT64_MAX);
}

/* Whether a node that is so now can still become what it is in the end. */
static bool can_become(const struct search *search, const struct sim_ref_path *path)
{
    const struct sim_ref_state *state = sim_ref_state_at(path, INT64_MAX);
    const struct sim_ref_state *end = now(&search->final, path->path);
    if (!state->exists) {
        return !end->exists || end->czxid > state->zxid;
    }
    if (end->exists && end->czxid == state->czxid) {
        bool same_data =
            end->mzxid != state->mzxid || (fk_bytes_equal(end->data, state->data) && end->version == state->version);
        return end->mzxid >= state->mzxid && end->pzxid >= state->pzxid && end->version >= state->version && same_data;
    }
    const struct sim_ref_state *parent = path->parent == NULL ? end : now(&search->final, path->parent->path);
    return end->exists ? end->czxid > state->zxid : !parent->exists || parent->pzxid > state->zxid;
}

/* Whether what was just done at a zxid is allowed by the end, and is what was seen of that zxid. */
static bool consistent(const struct search *search, const struct check_evidence *seen, int64_t zxid)
{
    for (size_t i = 0; i < search->tree.touched_count; i++) {
        const struct sim_ref_path *path = search->tree.touched[i];
        if (path->parent != NULL && search->check->history->has_nodes && !can_become(search, path)) {
            return false;
        }
    }
    const struct sim_ref_state *node = now(&search->tree, seen->path);
    bool set = seen->path.data == NULL ||
               (node->mzxid == zxid && (seen->data.data == NULL || fk_bytes_equal(node->data, seen->data)));
    return set && (seen->parent.data == NULL || now(&search->tree, seen->parent)->pzxid == zxid);
}

/* Applies an entry that is decided; false where its answer is not the model's. */
static bool apply(struct search *search, struct sim_ground *entry)
{
    if (entry->kind == SIM_GROUND_CLOSE) {
        (void)sim_ref_close(&search->tree, entry->zxid, entry->session_id, NULL, 0);
        return true;
    }
    if (entry->kind != SIM_GROUND_REQUEST) {
        return true;
    }
    const struct check_request *request = search->check->connections[entry->epoch - 1].writes[entry->number - 1];
    struct sim_ref_caller caller = {.session_id = entry->session_id, .ids = request->ids};
    struct sim_ref_outcome outcome = sim_ref_apply(&search->tree, entry->zxid, &caller, request->op, request->body);
    const char *why = NULL;
    search->tries++;
    if (request->replied_ns < 0) {
        entry->code = outcome.code;
        return true;
    }
    struct check blind = *search->check; /* learns no times from a trial */
    blind.ground_count = 0;
    return entry->code == outcome.code && check_outcome(&blind, &outcome, request->op, request->reply, &why);
}

/* Applies what is decided up to the next gap; its index, `count` behind the last, or SIZE_MAX at a contradiction. */
static size_t go_on(struct search *search, size_t index)
{
    struct check_rebuild *rebuild = search->rebuild;
    while (index < rebuild->count && rebuild->taken[index]) {
        if (!apply(search, &rebuild->entries[index])) {
            return SIZE_MAX;
        }
        index++;
    }
    return index;
}

/* The first gap from `index` on that only this connection can have caused; the sooner, the sooner it is its turn. */
static size_t deadline(const struct search *search, const struct check_connection *connection, size_t index)
{
    const struct check_rebuild *rebuild = search->rebuild;
    for (size_t i = index; i < rebuild->count; i++) {
        if (rebuild->taken[i] || (rebuild->evidence[i].path.data == NULL && rebuild->evidence[i].parent.data == NULL)) {
            continue;
        }
        for (size_t at = check_rebuild_open(connection, (size_t)connection->decided); at < connection->write_count;
             at++) {
            if (check_rebuild_fits(connection->writes[at], &rebuild->evidence[i])) {
                return i;
            }
        }
    }
    return SIZE_MAX;
}

/* Connections with an open write for this gap, by deadline; gives their number. */
static size_t candidates(const struct search *search, size_t index, struct check_connection **list)
{
    size_t deadlines[CONNECTIONS_MAX];
    size_t count = 0;
    int64_t zxid = search->check->first_zxid + 1 + (int64_t)index;
    for (size_t i = 0; i < search->check->history->connection_count && count < CONNECTIONS_MAX; i++) {
        struct check_connection *connection = &search->check->connections[i];
        size_t at = check_rebuild_open(connection, (size_t)connection->decided);
        if (at >= connection->write_count || connection->writes[at]->floor >= zxid || connection->lo > (int64_t)index) {
            continue;
        }
        size_t due = deadline(search, connection, index);
        size_t place = count++;
        while (place > 0 && deadlines[place - 1] > due) {
            deadlines[place] = deadlines[place - 1];
            list[place] = list[place - 1];
            place--;
        }
        deadlines[place] = due;
        list[place] = connection;
    }
    return count;
}

static bool search_from(struct search *search, size_t index);

static bool try_write(struct search *search, size_t index, struct check_connection *connection)
{
    struct check_rebuild *rebuild = search->rebuild;
    int64_t decided = connection->decided;
    size_t at = check_rebuild_open(connection, (size_t)decided);
    check_rebuild_take(rebuild, index, connection->writes[at], FK_CODE_OK);
    (void)apply(search, &rebuild->entries[index]);
    connection->decided = (int64_t)at + 1;
    if (consistent(search, &rebuild->evidence[index], rebuild->entries[index].zxid) && search_from(search, index + 1)) {
        return true;
    }
    connection->decided = decided;
    rebuild->taken[index] = false;
    rebuild->entries[index].kind = SIM_GROUND_CREATE_SESSION;
    undo(&search->tree, rebuild->entries[index].zxid - 1);
    return false;
}

static bool search_from(struct search *search, size_t index)
{
    struct check_connection *list[CONNECTIONS_MAX];
    struct check_rebuild *rebuild = search->rebuild;
    int64_t before = search->check->first_zxid + (int64_t)index;
    index = go_on(search, index);
    if (index == SIZE_MAX || search->tries > TRIES_MAX) {
        undo(&search->tree, before);
        return false;
    }
    if (index == rebuild->count) {
        struct check view = *search->check;
        view.tree = search->tree;
        if (check_final_differences(&view) == 0) {
            return true;
        }
        undo(&search->tree, before);
        return false;
    }
    const struct check_evidence *seen = &rebuild->evidence[index];
    bool nobody = seen->path.data == NULL && seen->parent.data == NULL;
    size_t count = candidates(search, index, list);
    size_t urgent = 0; /* those that have to come before something that was seen */
    while (urgent < count && deadline(search, list[urgent], index) != SIZE_MAX) {
        urgent++;
    }
    for (size_t i = 0; i < urgent; i++) {
        if (try_write(search, index, list[i])) {
            return true;
        }
    }
    if (nobody && search_from(search, index + 1)) {
        return true;
    }
    for (size_t i = urgent; i < count; i++) {
        if (try_write(search, index, list[i])) {
            return true;
        }
    }
    undo(&search->tree, before);
    return false;
}

static void plant_final(struct search *search)
{
    const struct sim_history *history = search->check->history;
    sim_ref_init(&search->final, &search->bump);
    for (size_t i = 0; i < history->node_count; i++) {
        struct fk_reader reader = fk_reader_of(history->nodes[i].stat);
        struct fk_stat stat;
        fk_read_stat(&reader, &stat);
        sim_ref_plant(&search->final, history->nodes[i].path, history->nodes[i].data, FK_BYTES_NULL, &stat);
    }
}

bool check_search(struct check_rebuild *rebuild, bool *exhausted)
{
    struct check trial = *rebuild->check;
    struct search search = {.rebuild = rebuild, .check = rebuild->check, .bump = SIM_BUMP_EMPTY};
    trial.bump = SIM_BUMP_EMPTY;
    check_plant(&trial);
    search.tree = trial.tree;
    search.tree.bump = &search.bump;
    plant_final(&search);
    bool found = search_from(&search, 0);
    *exhausted = search.tries <= TRIES_MAX;
    sim_bump_deinit(&search.bump);
    sim_bump_deinit(&trial.bump);
    return found;
}
