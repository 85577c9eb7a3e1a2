// SPDX-License-Identifier: Apache-2.0
/* Changes on their way through the state: accepted, visible, retired.
 *
 * What a pending put points to stays valid until it is retired: a node object lives until the delete of it is retired,
 * and its data until the put after it is visible, which is later than every put that was planned on it. */
#include "driver/local/state_node.h"

#include "base/alloc.h"
#include "base/assert.h"

/* A pending change with its puts and, beside each put, the node or session that it concerns, in one block. */
struct pending {
    struct fk_pending_change base;
    void **targets;
    struct fk_put puts[];
};

static struct pending *pending_of(struct fk_pending_change *base)
{
    return FK_CONTAINER_OF(base, struct pending, base);
}

static struct pending *pending_new(const struct fk_change *change)
{
    size_t puts_size = change->count * sizeof(struct fk_put);
    struct pending *pending =
        (struct pending *)fk_alloc(sizeof *pending + puts_size + change->count * sizeof *pending->targets);
    if (pending == NULL) {
        return NULL;
    }
    pending->base = (struct fk_pending_change){.position = INT64_MAX, .change = *change};
    pending->base.change.puts = pending->puts;
    pending->base.change.count = 0;
    pending->targets = (void **)(pending->puts + change->count);
    fk_list_init(&pending->base.link);
    return pending;
}

/* Hangs the put on its node, whose path and pieces it then borrows. */
static void hang(struct fk_state_node *node, struct fk_put *put)
{
    put->node.path = fk_bytes_of(node->path, node->path_size);
    node->pending = put;
}

/* Accepting a put (sign 1) or taking it back (-1) changes the number of limits. */
static void count_limits(struct fk_state *state, const struct fk_put *put, int sign)
{
    if (put->kind == FK_PUT_CREATE || put->kind == FK_PUT_DELETE) {
        fk_state_count_limits(state, put->node.path, put->kind == FK_PUT_CREATE ? sign : -sign);
    }
}

static enum fk_err accept_create(struct fk_state *state, struct fk_put *put, void **target)
{
    struct fk_state_node *node = NULL;
    enum fk_err err = fk_state_node_new(state, &put->node, &node);
    if (err != FK_OK) {
        return err;
    }
    put->node.data = fk_bytes_of(node->data, node->data_size);
    put->node.acl = fk_state_acl_view(node->acl);
    hang(node, put);
    *target = node;
    return FK_OK;
}

/* Puts on a node that exists: its data or list is copied, what did not change is borrowed. */
static enum fk_err accept_node(struct fk_state *state, struct fk_put *put, void **target)
{
    struct fk_state_node *node = fk_state_find(state, FK_VIEW_ACCEPTED, put->node.path);
    if (node == NULL) {
        return FK_ERR_DAMAGED;
    }
    struct fk_bytes data = node->pending == NULL ? fk_bytes_of(node->data, node->data_size) : node->pending->node.data;
    struct fk_bytes acl = node->pending == NULL ? fk_state_acl_view(node->acl) : node->pending->node.acl;
    if (put->kind == FK_PUT_DATA || put->kind == FK_PUT_STATS) {
        const uint8_t *copy = NULL;
        if (!fk_state_data_copy(put->node.data, &copy)) {
            return FK_ERR_NOMEM;
        }
        data = fk_bytes_of(copy, put->node.data.size);
    }
    if (put->kind == FK_PUT_ACL) {
        struct fk_state_acl *shared = NULL;
        if (!fk_state_acl_acquire(state, put->node.acl, &shared)) {
            return FK_ERR_NOMEM;
        }
        acl = fk_state_acl_view(shared);
    }
    put->node.data = data;
    put->node.acl = acl;
    hang(node, put);
    *target = node;
    return FK_OK;
}

static enum fk_err accept_session(struct fk_state *state, struct fk_put *put, void **target)
{
    if (put->kind == FK_PUT_SESSION) {
        struct fk_state_session *session = NULL;
        enum fk_err err = fk_state_session_new(state, &put->session, &session);
        *target = session;
        return err == FK_ERR_EXISTS ? FK_ERR_DAMAGED : err;
    }
    struct fk_state_session *session = fk_state_find_session(state, put->session.id);
    if (session == NULL || session->ended) {
        return FK_ERR_DAMAGED;
    }
    session->ended = true;
    *target = session;
    return FK_OK;
}

static enum fk_err accept_put(struct fk_state *state, struct fk_put *put, void **target)
{
    switch (put->kind) {
    case FK_PUT_CREATE:
        return accept_create(state, put, target);
    case FK_PUT_DATA:
    case FK_PUT_ACL:
    case FK_PUT_CHILDREN:
    case FK_PUT_DELETE:
    case FK_PUT_STATS:
        return accept_node(state, put, target);
    case FK_PUT_SESSION:
    case FK_PUT_SESSION_END:
        return accept_session(state, put, target);
    }
    return FK_ERR_DAMAGED;
}

/* The newest put before `index` of the same change that hangs on the node; older changes are found by a walk, which
 * only happens without memory. */
static const struct fk_put *previous_put(struct fk_state *state, const struct pending *pending, size_t index)
{
    for (size_t i = index; i > 0; i--) {
        if (pending->targets[i - 1] == pending->targets[index]) {
            return &pending->puts[i - 1];
        }
    }
    for (struct fk_list *link = state->pending.prev; link != &state->pending; link = link->prev) {
        struct pending *older = pending_of(FK_CONTAINER_OF(link, struct fk_pending_change, link));
        for (size_t i = older->base.change.count; i > 0; i--) {
            if (older->targets[i - 1] == pending->targets[index]) {
                return &older->puts[i - 1];
            }
        }
    }
    return NULL;
}

/* The shared list that an accepted put of an ACL holds; NULL for the open one. */
static struct fk_state_acl *acl_of(const struct fk_put *put)
{
    bool open = put->node.acl.data == FK_ACL_OPEN.data;
    return open ? NULL : FK_CONTAINER_OF(put->node.acl.data, struct fk_state_acl, bytes);
}

/* Takes the accepted puts of a half accepted change back, newest first. */
static void unaccept(struct fk_state *state, struct pending *pending)
{
    while (pending->base.change.count > 0) {
        size_t index = --pending->base.change.count;
        struct fk_put *put = &pending->puts[index];
        struct fk_state_node *node = (struct fk_state_node *)pending->targets[index];
        count_limits(state, put, -1);
        switch (put->kind) {
        case FK_PUT_CREATE:
            fk_state_node_free(state, node);
            break;
        case FK_PUT_SESSION:
            fk_state_session_free(state, (struct fk_state_session *)pending->targets[index]);
            break;
        case FK_PUT_SESSION_END:
            ((struct fk_state_session *)pending->targets[index])->ended = false;
            break;
        case FK_PUT_DATA:
        case FK_PUT_STATS:
            fk_state_data_free(put->node.data.data, put->node.data.size);
            node->pending = previous_put(state, pending, index);
            break;
        case FK_PUT_ACL:
            fk_state_acl_release(state, acl_of(put));
            node->pending = previous_put(state, pending, index);
            break;
        case FK_PUT_CHILDREN:
        case FK_PUT_DELETE:
            node->pending = previous_put(state, pending, index);
            break;
        }
    }
}

struct fk_pending_change *fk_state_oldest(struct fk_state *state)
{
    return fk_list_empty(&state->pending) ? NULL : FK_CONTAINER_OF(state->pending.next, struct fk_pending_change, link);
}

static void apply_data(struct fk_state *state, struct fk_state_node *node, const struct fk_put *put)
{
    state->counts.data_size += (int64_t)put->node.data.size - node->data_size;
    fk_state_data_free(node->data, node->data_size);
    node->data = put->node.data.data;
    node->data_size = (uint32_t)put->node.data.size;
}

static void apply_acl(struct fk_state *state, struct fk_state_node *node, const struct fk_put *put)
{
    fk_state_acl_release(state, node->acl);
    node->acl = acl_of(put);
    node->aversion = put->node.aversion;
}

static void apply_node(struct fk_state *state, struct fk_state_node *node, const struct fk_put *put)
{
    int64_t data_size = (int64_t)node->path_size + node->data_size;
    int64_t ephemeral = fk_owner_session(node->ephemeral_owner) != 0 ? 1 : 0;
    switch (put->kind) {
    case FK_PUT_CREATE:
        node->visible = true;
        fk_state_count_descendant(node, 1);
        state->counts.nodes++;
        state->counts.ephemerals += ephemeral;
        state->counts.data_size += data_size;
        break;
    case FK_PUT_DATA:
        apply_data(state, node, put);
        node->version = put->node.version;
        node->mzxid = put->node.mzxid;
        node->mtime_ms = put->node.mtime_ms;
        break;
    case FK_PUT_STATS:
        apply_data(state, node, put);
        break;
    case FK_PUT_ACL:
        apply_acl(state, node, put);
        break;
    case FK_PUT_CHILDREN:
        node->created_children = put->node.created_children;
        node->num_children = put->node.num_children;
        node->pzxid = put->node.pzxid;
        break;
    case FK_PUT_DELETE:
        node->visible = false;
        fk_state_count_descendant(node, -1);
        state->counts.nodes--;
        state->counts.ephemerals -= ephemeral;
        state->counts.data_size -= data_size;
        break;
    case FK_PUT_SESSION:
    case FK_PUT_SESSION_END:
        break;
    }
    if (node->pending == put && put->kind != FK_PUT_DELETE) {
        node->pending = NULL;
    }
}

void fk_state_apply(struct fk_state *state, struct fk_pending_change *base)
{
    struct pending *pending = pending_of(base);
    FK_ASSERT(state->pending.next == &base->link && base->change.zxid == state->visible_zxid + 1);
    for (size_t i = 0; i < base->change.count; i++) {
        struct fk_put *put = &pending->puts[i];
        if (put->kind == FK_PUT_SESSION) {
            ((struct fk_state_session *)pending->targets[i])->visible = true;
            state->counts.sessions++;
        } else if (put->kind == FK_PUT_SESSION_END) {
            ((struct fk_state_session *)pending->targets[i])->visible = false;
            state->counts.sessions--;
        } else {
            apply_node(state, (struct fk_state_node *)pending->targets[i], put);
        }
    }
    fk_list_remove(&base->link);
    state->visible_zxid = base->change.zxid;
}

void fk_state_retire(struct fk_state *state, struct fk_pending_change *base)
{
    struct pending *pending = pending_of(base);
    for (size_t i = 0; i < base->change.count; i++) {
        if (pending->puts[i].kind == FK_PUT_DELETE) {
            fk_state_node_free(state, (struct fk_state_node *)pending->targets[i]);
        } else if (pending->puts[i].kind == FK_PUT_SESSION_END) {
            fk_state_session_free(state, (struct fk_state_session *)pending->targets[i]);
        }
    }
    fk_free(pending);
}

/* Fills in what the log leaves out, from the record as it is. */
static void complete(struct fk_state *state, struct fk_put *put)
{
    struct fk_node before;
    if (put->kind == FK_PUT_CREATE || !fk_state_get(state, FK_VIEW_ACCEPTED, put->node.path, &before)) {
        return;
    }
    struct fk_node logged = put->node;
    put->node = before;
    put->node.path = logged.path;
    if (put->kind == FK_PUT_DATA) {
        put->node.data = logged.data;
        put->node.version = logged.version;
        put->node.mzxid = logged.mzxid;
        put->node.mtime_ms = logged.mtime_ms;
    } else if (put->kind == FK_PUT_STATS) {
        put->node.data = logged.data;
    } else if (put->kind == FK_PUT_ACL) {
        put->node.acl = logged.acl;
        put->node.aversion = logged.aversion;
    } else if (put->kind == FK_PUT_CHILDREN) {
        put->node.created_children = logged.created_children;
        put->node.num_children = logged.num_children;
        put->node.pzxid = logged.pzxid;
    }
}

/* Takes a change; `logged` ones have only the fields that the log keeps. */
static enum fk_err take(struct fk_state *state, const struct fk_change *change, bool logged, struct pending **out)
{
    struct pending *pending = pending_new(change);
    if (pending == NULL) {
        return FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < change->count; i++) {
        pending->puts[i] = change->puts[i];
        pending->targets[i] = NULL;
        if (logged) {
            complete(state, &pending->puts[i]);
        }
        enum fk_err err = accept_put(state, &pending->puts[i], &pending->targets[i]);
        if (err != FK_OK) {
            unaccept(state, pending);
            fk_free(pending);
            return err;
        }
        count_limits(state, &pending->puts[i], 1);
        pending->base.change.count = i + 1;
    }
    fk_list_append(&state->pending, &pending->base.link);
    state->accepted_zxid = change->zxid;
    *out = pending;
    return FK_OK;
}

enum fk_err fk_state_accept(struct fk_state *state, const struct fk_change *change, struct fk_pending_change **out)
{
    FK_ASSERT(change->zxid == state->accepted_zxid + 1);
    struct pending *pending = NULL;
    enum fk_err err = take(state, change, false, &pending);
    if (err == FK_OK) {
        *out = &pending->base;
    }
    return err;
}

enum fk_err fk_state_replay(struct fk_state *state, const struct fk_change *change)
{
    if (change->zxid != state->accepted_zxid + 1) {
        return FK_ERR_DAMAGED;
    }
    struct pending *pending = NULL;
    enum fk_err err = take(state, change, true, &pending);
    if (err == FK_OK) {
        fk_state_apply(state, &pending->base);
        fk_state_retire(state, &pending->base);
    }
    return err;
}
