// SPDX-License-Identifier: Apache-2.0
#include "driver/local/store.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "driver/local/codec.h"
#include "driver/local/state_node.h"
#include "model/tree.h"

struct local_store {
    struct fk_store base;
    struct fk_state state;
    struct fk_engine *engine;        /* NULL: memory only */
    struct fk_buf payload;           /* accepted changes, encoded, that the log does not have yet */
    struct fk_pending_change *first; /* oldest change whose encoding is in payload */
    struct fk_pending_change *shown; /* made visible last, not retired yet */
    size_t in_flight;
};

static struct local_store *local(struct fk_store *store)
{
    return FK_CONTAINER_OF(store, struct local_store, base);
}

static int64_t store_zxid(struct fk_store *store, enum fk_view view)
{
    const struct fk_state *state = &local(store)->state;
    return view == FK_VIEW_VISIBLE ? state->visible_zxid : state->accepted_zxid;
}

static enum fk_err store_get_many(struct fk_store *store, enum fk_view view, const struct fk_bytes *paths, size_t count,
                                  struct fk_arena *arena, struct fk_node *nodes)
{
    (void)arena; /* records are views of the state */
    for (size_t i = 0; i < count; i++) {
        if (!fk_state_get(&local(store)->state, view, paths[i], &nodes[i])) {
            nodes[i].path = FK_BYTES_NULL;
        }
    }
    return FK_OK;
}

static enum fk_err store_get_session(struct fk_store *store, enum fk_view view, int64_t id, struct fk_session *session)
{
    return fk_state_get_session(&local(store)->state, view, id, session) ? FK_OK : FK_ERR_NOT_FOUND;
}

static enum fk_err store_list(struct fk_store *store, enum fk_view view, const struct fk_list_key *key,
                              struct fk_arena *arena, struct fk_page *page)
{
    return fk_state_list(&local(store)->state, view, key, arena, page);
}

/* Bytes that a change holds until it is visible. */
static size_t weight(const struct fk_change *change)
{
    return fk_change_size(change) + sizeof(struct fk_pending_change) + change->count * sizeof(struct fk_put);
}

/* Makes room for a change's encoding in the next frame; where the frame would become too large, it goes to the log
 * first. */
static enum fk_err admit(struct local_store *store, size_t size)
{
    if (fk_buf_left(&store->payload) > FK_LOG_FRAME_SIZE_MAX) {
        fk_local_store_flush(&store->base, false);
    }
    enum fk_err err = fk_engine_admit(store->engine, fk_buf_left(&store->payload) + size);
    if (err == FK_ERR_TOO_LARGE && store->first != NULL) { /* a small segment holds the change alone, perhaps */
        fk_local_store_flush(&store->base, false);
        err = fk_engine_admit(store->engine, size);
    }
    if (err == FK_OK && fk_buf_reserve(&store->payload, size) == NULL) {
        store->payload.failed = false;
        err = FK_ERR_NOMEM;
    }
    return err;
}

static enum fk_err commit_one(struct local_store *store, const struct fk_change *change)
{
    struct fk_pending_change *pending = NULL;
    if (store->engine != NULL) {
        enum fk_err err = admit(store, fk_change_size(change));
        if (err != FK_OK) {
            return err;
        }
    }
    enum fk_err err = fk_state_accept(&store->state, change, &pending);
    if (err != FK_OK) {
        FK_ASSERT(err == FK_ERR_NOMEM);
        return err;
    }
    if (store->engine != NULL) {
        fk_change_write(&store->payload, change);
        FK_ASSERT(!store->payload.failed);
    }
    if (store->first == NULL) {
        store->first = pending;
    }
    store->in_flight += weight(change);
    return FK_OK;
}

static enum fk_err store_commit(struct fk_store *base, const struct fk_change *changes, size_t count,
                                int64_t expected_zxid)
{
    struct local_store *store = local(base);
    FK_ASSERT(count == 1); /* one frame holds any number of commits: the writer need not batch them */
    if (store->state.accepted_zxid != expected_zxid) {
        return FK_ERR_REFUSED;
    }
    return commit_one(store, changes);
}

static bool store_has_quotas(struct fk_store *store)
{
    return local(store)->state.limits > 0;
}

static enum fk_err store_measure(struct fk_store *store, struct fk_bytes path, struct fk_extent *extent)
{
    fk_state_measure(&local(store)->state, path, extent);
    return FK_OK;
}

static enum fk_err store_descendants(struct fk_store *store, struct fk_bytes path, int64_t *count)
{
    *count = fk_state_descendants(&local(store)->state, path);
    return FK_OK;
}

static void store_counts(struct fk_store *store, struct fk_store_counts *counts)
{
    *counts = local(store)->state.counts;
}

void fk_local_store_flush(struct fk_store *base, bool inline_sync)
{
    struct local_store *store = local(base);
    if (store->first == NULL) {
        return;
    }
    int64_t position = 0;
    if (store->engine != NULL) {
        position = fk_engine_append(store->engine, &store->payload, inline_sync && fk_engine_idle(store->engine));
    }
    for (struct fk_list *link = &store->first->link; link != &store->state.pending; link = link->next) {
        FK_CONTAINER_OF(link, struct fk_pending_change, link)->position = position;
    }
    store->first = NULL;
}

const struct fk_change *fk_local_store_next(struct fk_store *base)
{
    struct local_store *store = local(base);
    if (store->shown != NULL) {
        fk_state_retire(&store->state, store->shown);
        store->shown = NULL;
    }
    struct fk_pending_change *pending = fk_state_oldest(&store->state);
    int64_t durable = store->engine == NULL ? 0 : fk_engine_durable(store->engine);
    if (pending == NULL || pending->position > durable) {
        return NULL;
    }
    fk_state_apply(&store->state, pending);
    store->in_flight -= weight(&pending->change);
    store->shown = pending;
    return &pending->change;
}

size_t fk_local_store_in_flight(struct fk_store *base)
{
    return local(base)->in_flight;
}

const struct fk_session *fk_local_store_next_session(struct fk_store *base, const struct fk_session *session)
{
    struct local_store *store = local(base);
    struct fk_map_entry *entry =
        session == NULL ? NULL : &FK_CONTAINER_OF(session, struct fk_state_session, session)->entry;
    entry = fk_map_next(&store->state.sessions, entry);
    return entry == NULL ? NULL : &FK_CONTAINER_OF(entry, struct fk_state_session, entry)->session;
}

bool fk_local_store_next_swept(struct fk_store *store, struct fk_node *node)
{
    return fk_state_next_swept(&local(store)->state, node);
}

size_t fk_local_store_swept(const struct fk_store *store)
{
    return FK_CONTAINER_OF(store, struct local_store, base)->state.swept_count;
}

static void store_free(struct fk_store *base)
{
    struct local_store *store = local(base);
    if (store->engine != NULL) {
        fk_local_store_flush(base, false);
        fk_engine_free(store->engine);
    }
    if (store->shown != NULL) {
        fk_state_retire(&store->state, store->shown);
    }
    fk_state_deinit(&store->state);
    fk_buf_deinit(&store->payload);
    fk_free(store);
}

static const struct fk_store_ops local_store_ops = {
    .name = "local",
    .zxid = store_zxid,
    .get_many = store_get_many,
    .get_session = store_get_session,
    .list = store_list,
    .descendants = store_descendants,
    .has_quotas = store_has_quotas,
    .measure = store_measure,
    .commit = store_commit,
    .counts = store_counts,
    .free = store_free,
};

static enum fk_err sink_node(void *context, const struct fk_node *node)
{
    return fk_state_load_node((struct fk_state *)context, node);
}

static enum fk_err sink_session(void *context, const struct fk_session *session)
{
    enum fk_err err = fk_state_load_session((struct fk_state *)context, session);
    return err == FK_ERR_EXISTS ? FK_ERR_DAMAGED : err;
}

static enum fk_err sink_change(void *context, const struct fk_change *change)
{
    return fk_state_replay((struct fk_state *)context, change);
}

static enum fk_err sink_zxid(void *context, int64_t zxid)
{
    fk_state_load_zxid((struct fk_state *)context, zxid);
    return FK_OK;
}

static enum fk_err load_first_tree(struct fk_state *state)
{
    enum fk_err err = FK_OK;
    for (size_t i = 0; i < FK_TREE_FIRST_NODES && err == FK_OK; i++) {
        struct fk_node node = fk_tree_first_node(i);
        err = fk_state_load_node(state, &node);
    }
    return err;
}

static enum fk_err open_engine(struct local_store *store, const struct fk_local_store_options *options,
                               struct fk_diag *diag)
{
    struct fk_engine_options engine_options = {.segment_size = FK_LOG_SEGMENT_SIZE};
    if (options->engine != NULL) {
        engine_options = *options->engine;
    }
    engine_options.directory = options->directory;
    engine_options.segment_size = options->segment_size == 0 ? engine_options.segment_size : options->segment_size;
    engine_options.sync = options->sync;
    engine_options.progress = options->progress;
    engine_options.fatal = options->fatal;
    engine_options.context = options->context;
    struct fk_engine_sink sink = {
        .context = &store->state, .node = sink_node, .session = sink_session, .change = sink_change, .zxid = sink_zxid};
    enum fk_err err = fk_engine_open(&engine_options, &sink, &store->engine, diag);
    if (err == FK_OK) {
        err = fk_engine_start(store->engine, diag);
    }
    return err;
}

enum fk_err fk_local_store_open(const struct fk_local_store_options *options, struct fk_store **out,
                                struct fk_diag *diag)
{
    struct local_store *store = (struct local_store *)fk_alloc_zero(sizeof *store);
    if (store == NULL) {
        if (options->engine != NULL) {
            fk_engine_options_drop(options->engine);
        }
        return FK_ERR_NOMEM;
    }
    store->base.ops = &local_store_ops;
    fk_state_init(&store->state);
    enum fk_err err = options->directory == NULL ? load_first_tree(&store->state) : open_engine(store, options, diag);
    if (err != FK_OK) {
        store_free(&store->base);
        return err;
    }
    *out = &store->base;
    return FK_OK;
}
