// SPDX-License-Identifier: Apache-2.0
#include "function/commit.h"

#include "base/assert.h"
#include "base/mark.h"
#include "base/mutant.h"
#include "function/data.h"

/* A transaction being built: values stand one behind the other in `bytes`, which may move until it is whole. */
struct transaction {
    struct fk_buf bytes;
    struct fk_write writes[FK_TABLE_WRITE_MAX];
    size_t starts[FK_TABLE_WRITE_MAX + 1];
    size_t count;
    bool too_large;
};

static void add(struct transaction *transaction, enum fk_write_kind kind, const struct fk_key *key, int64_t expected)
{
    if (transaction->count == FK_TABLE_WRITE_MAX) {
        transaction->too_large = true;
        return;
    }
    transaction->writes[transaction->count++] = (struct fk_write){
        .kind = kind, .key = *key, .expected = FK_MUTANT(NO_STAMP_CONDITION) ? FK_STAMP_ANY : expected};
    transaction->starts[transaction->count] = transaction->bytes.size;
}

static const struct fk_overlay_gateway *known_gateway(const struct fk_overlay *overlay, int64_t id)
{
    for (const struct fk_list *link = overlay->gateways.next; link != &overlay->gateways; link = link->next) {
        const struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        const struct fk_overlay_gateway *gateway = (const struct fk_overlay_gateway *)item->typed;
        if (gateway->id == id) {
            return gateway;
        }
    }
    return NULL;
}

/* Which gateways have applied all events written for them, as far as the records tell that were read; who has is not
 * looked at again before its next event. A gateway that is dead goes with the commit that declares it so. */
static void settle_gateways(struct fk_overlay *overlay)
{
    bool names_all = fk_overlay_names_all(overlay);
    for (size_t i = 0; i < overlay->zx.lastev.count && overlay->err == FK_OK; i++) {
        struct fk_gateway_zxid *last = &overlay->zx.lastev.items[i];
        if (!last->settled) {
            const struct fk_overlay_gateway *gateway =
                names_all ? known_gateway(overlay, last->gateway) : fk_overlay_gateway(overlay, last->gateway);
            last->settled = gateway != NULL && gateway->exists && gateway->record.acked >= last->zxid;
        }
    }
}

/* H11: who may not have applied all events written for it so far: any record this commit puts may show something that
 * such an event is about. A gateway that has applied them is not held up by being named: its record is read, to leave
 * it out, only where so many are named that records grow by it. */
static struct fk_gateway_zxids pending(struct fk_overlay *overlay, int64_t zxid)
{
    const struct fk_gateway_zxids *lastev = &overlay->zx.lastev;
    struct fk_gateway_zxids pend = {.items = NULL, .count = 0};
    pend.items = (struct fk_gateway_zxid *)fk_arena_alloc(overlay->arena, (lastev->count + 1) * sizeof *pend.items);
    if (pend.items == NULL) {
        overlay->err = FK_ERR_NOMEM;
        return pend;
    }
    bool names_all = fk_overlay_names_all(overlay) && !FK_MUTANT(PEND_OWN_EVENTS_ONLY);
    for (size_t i = 0; i < lastev->count; i++) {
        bool own = !FK_MUTANT(PEND_OWN_EVENTS_ONLY) || lastev->items[i].zxid == zxid;
        if (!lastev->items[i].settled && own && (names_all || fk_overlay_alive(overlay, lastev->items[i].gateway))) {
            pend.items[pend.count++] = lastev->items[i];
        }
    }
    return pend;
}

static void add_node(struct fk_overlay *overlay, struct transaction *transaction, struct fk_overlay_node *node)
{
    struct fk_node_record *record = &node->record;
    const struct fk_overlay_item *item = node->item;
    if (!record->exists && record->subs.count == 0) {
        add(transaction, FK_WRITE_DELETE, &item->key, item->stamp);
        return;
    }
    record->generation = overlay->zx.generation;
    record->pend = pending(overlay, record->zxid);
    if (overlay->err == FK_OK) {
        fk_node_record_write(&transaction->bytes, record);
        add(transaction, FK_WRITE_PUT, &item->key, item->stamp);
    }
}

static void add_due(struct transaction *transaction, const struct fk_overlay_node *node)
{
    struct fk_key key = fk_key_due(node->record.node.path);
    if (node->record.exists) {
        fk_buf_append(&transaction->bytes, FK_BYTES_LITERAL("\1")); /* a format, and nothing else */
    }
    add(transaction, node->record.exists ? FK_WRITE_PUT : FK_WRITE_DELETE, &key, FK_STAMP_ANY);
}

static void add_nodes(struct fk_overlay *overlay, struct transaction *transaction)
{
    for (struct fk_list *link = overlay->nodes.next; link != &overlay->nodes; link = link->next) {
        struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        if (item->put) {
            struct fk_overlay_node *node = (struct fk_overlay_node *)item->typed;
            add_node(overlay, transaction, node);
            if (node->due_changed) {
                add_due(transaction, node);
            }
        }
    }
}

static void add_sessions(struct fk_overlay *overlay, struct transaction *transaction)
{
    for (struct fk_list *link = overlay->sessions.next; link != &overlay->sessions; link = link->next) {
        struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        const struct fk_overlay_session *session = (const struct fk_overlay_session *)item->typed;
        if (!item->put) {
            continue;
        }
        if (session->exists) {
            fk_session_record_write(&transaction->bytes, &session->record);
        }
        add(transaction, session->exists ? FK_WRITE_PUT : FK_WRITE_DELETE, &item->key, item->stamp);
    }
}

static void add_ephemerals(struct fk_overlay *overlay, struct transaction *transaction)
{
    for (struct fk_list *link = overlay->ephemerals.next; link != &overlay->ephemerals; link = link->next) {
        struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        const struct fk_overlay_ephemerals *set = (const struct fk_overlay_ephemerals *)item->typed;
        if (!item->put) {
            continue;
        }
        if (set->count > 0) {
            struct fk_ephemerals_record record = {.paths = set->paths, .count = set->count};
            fk_ephemerals_record_write(&transaction->bytes, &record);
        }
        add(transaction, set->count > 0 ? FK_WRITE_PUT : FK_WRITE_DELETE, &item->key, item->stamp);
    }
}

static void add_gateways(struct fk_overlay *overlay, struct transaction *transaction)
{
    for (struct fk_list *link = overlay->gateways.next; link != &overlay->gateways; link = link->next) {
        struct fk_overlay_item *item = FK_CONTAINER_OF(link, struct fk_overlay_item, link);
        const struct fk_overlay_gateway *gateway = (const struct fk_overlay_gateway *)item->typed;
        if (item->put) {
            fk_gateway_record_write(&transaction->bytes, &gateway->record);
            add(transaction, FK_WRITE_PUT, &item->key, FK_MUTANT(DEAD_WITHOUT_COUNTER) ? FK_STAMP_ANY : item->stamp);
        }
    }
}

/* H7: the events are part of the commit; messages to gateways are hints. */
static void add_events(struct fk_overlay *overlay, struct transaction *transaction)
{
    for (struct fk_list *link = overlay->events.next; link != &overlay->events; link = link->next) {
        const struct fk_overlay_events *events = FK_CONTAINER_OF(link, struct fk_overlay_events, link);
        struct fk_key key = fk_key_events(overlay->arena, events->record.zxid);
        if (FK_MUTANT(EVENTS_NOT_COMMITTED)) {
            continue;
        }
        if (key.partition.data == NULL) {
            overlay->err = FK_ERR_NOMEM;
            return;
        }
        fk_events_record_write(&transaction->bytes, &events->record);
        add(transaction, FK_WRITE_PUT, &key, FK_MUTANT(CHUNKS_ONE_ZXID) ? FK_STAMP_ANY : 0);
    }
}

/* What is no record of the overlay: of the pipeline (distributor.c). */
static void add_extras(const struct fk_overlay *overlay, struct transaction *transaction)
{
    for (const struct fk_list *link = overlay->extras.next; link != &overlay->extras; link = link->next) {
        const struct fk_write *write = &FK_CONTAINER_OF(link, struct fk_overlay_extra, link)->write;
        if (write->kind == FK_WRITE_PUT) {
            fk_buf_append(&transaction->bytes, write->value);
        }
        add(transaction, write->kind, &write->key, write->expected);
    }
}

static enum fk_err build(struct fk_overlay *overlay, struct transaction *transaction)
{
    settle_gateways(overlay);
    fk_zx_record_write(&transaction->bytes, &overlay->zx);
    add(transaction, FK_WRITE_PUT, &overlay->zx_item->key, overlay->zx_item->stamp);
    if (FK_MUTANT(NO_ZXID_CONDITION)) {
        transaction->writes[0].expected = FK_STAMP_ANY;
    }
    add_sessions(overlay, transaction);
    add_ephemerals(overlay, transaction);
    add_nodes(overlay, transaction);
    add_gateways(overlay, transaction);
    add_events(overlay, transaction);
    add_extras(overlay, transaction);
    if (overlay->err != FK_OK || transaction->bytes.failed) {
        return overlay->err != FK_OK ? overlay->err : FK_ERR_NOMEM;
    }
    for (size_t i = 0; i < transaction->count; i++) {
        if (transaction->writes[i].kind == FK_WRITE_PUT) {
            transaction->writes[i].value = fk_bytes_of(transaction->bytes.data + transaction->starts[i],
                                                       transaction->starts[i + 1] - transaction->starts[i]);
        }
    }
    return transaction->too_large ? FK_ERR_TOO_LARGE : FK_OK;
}

static enum fk_err write_all(struct fk_overlay *overlay, struct transaction *transaction)
{
    enum fk_err err = build(overlay, transaction);
    size_t first = FK_MUTANT(COMMIT_IN_PARTS) ? transaction->count / 2 : 0;
    if (err == FK_OK && first > 0) {
        err = fk_table_write(overlay->ports->table, transaction->writes, first);
    }
    if (err == FK_OK) {
        err = fk_table_write(overlay->ports->table, transaction->writes + first, transaction->count - first);
    }
    if (err == FK_ERR_REFUSED) {
        FK_MARK(COMMIT_REFUSED);
    } else if (err == FK_ERR_UNKNOWN) {
        FK_MARK(COMMIT_UNKNOWN);
    }
    return err;
}

enum fk_err fk_commit(struct fk_overlay *overlay)
{
    struct transaction transaction = {.bytes = FK_BUF_EMPTY, .count = 0};
    FK_ASSERT(overlay->err == FK_OK && overlay->changed);
    enum fk_err err = fk_data_store(overlay);
    if (err == FK_OK) {
        err = write_all(overlay, &transaction);
    }
    fk_buf_deinit(&transaction.bytes);
    if (err != FK_OK && err != FK_ERR_UNKNOWN) {
        fk_data_remove_stored(overlay); /* nothing names it, and nothing will */
    }
    return err;
}
