// SPDX-License-Identifier: Apache-2.0
/* Commands whose answers grow with clients. They end at ITEMS_MAX: the whole would hold the loop, and nobody reads it.
 */
#include "host/admin_internal.h"

#include <stdio.h>

enum {
    ITEMS_MAX = 50 * 1000,
};

struct walk {
    struct fk_admin_call *call;
    json_t *first;  /* connections, or the object being filled */
    json_t *second; /* secure connections */
    int64_t items;
    bool short_form;
};

static bool count_item(struct walk *walk)
{
    if (walk->items++ < ITEMS_MAX) {
        return true;
    }
    fk_admin_set(walk->call->answer, "error", json_string("cut: there are more than 50000 of them"));
    return false;
}

static json_t *text_of(struct fk_bytes text)
{
    json_t *string = json_stringn((const char *)text.data, text.size);
    return string != NULL ? string : json_string("(not UTF-8)");
}

static bool add_connection(void *context, const struct fk_connection_facts *facts)
{
    struct walk *walk = (struct walk *)context;
    char address[128];
    if (!count_item(walk)) {
        return false;
    }
    (void)snprintf(address, sizeof address, "%.*s:%u", (int)facts->address.size, (const char *)facts->address.data,
                   facts->port);
    json_t *one = json_object();
    fk_admin_set(one, "remote_socket_address", json_string(address));
    fk_admin_set(one, "interest_ops", json_integer(1));
    fk_admin_set(one, "outstanding_requests", json_integer(facts->outstanding));
    fk_admin_set(one, "packets_received", json_integer(facts->received));
    fk_admin_set(one, "packets_sent", json_integer(facts->sent));
    if (!walk->short_form) {
        fk_admin_set(one, "session_id", json_integer(facts->session_id));
        fk_admin_set(one, "last_operation", json_string(facts->last_operation));
        fk_admin_set(one, "established", json_integer(facts->established_ms));
        fk_admin_set(one, "session_timeout", json_integer(facts->timeout_ms));
        fk_admin_set(one, "last_cxid", json_integer(facts->last_cxid));
        fk_admin_set(one, "last_zxid", json_integer(facts->last_zxid));
        fk_admin_set(one, "last_response_time", json_integer(facts->last_response_ms));
        fk_admin_set(one, "last_latency", json_integer(facts->last_latency_ms));
        fk_admin_set(one, "min_latency", json_integer(facts->latency_min_ms));
        fk_admin_set(one, "avg_latency", json_integer(facts->latency_avg_ms));
        fk_admin_set(one, "max_latency", json_integer(facts->latency_max_ms));
    }
    (void)json_array_append_new(facts->secure ? walk->second : walk->first, one);
    return true;
}

static void list_connections(struct fk_admin_call *call, bool short_form)
{
    struct walk walk = {.call = call, .first = json_array(), .second = json_array(), .short_form = short_form};
    fk_inspect_connections(call->gateway, add_connection, &walk);
    fk_admin_set(call->answer, "connections", walk.first);
    fk_admin_set(call->answer, "secure_connections", walk.second);
}

void fk_admin_connections(struct fk_admin_call *call)
{
    list_connections(call, false);
}

void fk_admin_stats_connections(struct fk_admin_call *call)
{
    list_connections(call, true);
}

/* Appends to the array that a member of the object is; makes it where it is missing. */
static void append_to(json_t *object, const char *name, json_t *value)
{
    json_t *array = json_object_get(object, name);
    if (array == NULL) {
        array = json_array();
        fk_admin_set(object, name, array);
    }
    (void)json_array_append_new(array, value);
}

struct session {
    struct walk *walk;
    char name[32];
};

static bool add_path(void *context, struct fk_bytes path)
{
    struct session *session = (struct session *)context;
    append_to(session->walk->second, session->name, text_of(path));
    return count_item(session->walk);
}

static bool add_session(void *context, int64_t id, int64_t expires_ms)
{
    struct walk *walk = (struct walk *)context;
    struct session session = {.walk = walk};
    char at[32];
    (void)snprintf(at, sizeof at, "%lld", (long long)(expires_ms / 1000 + 1) * 1000);
    append_to(walk->first, at, json_integer(id));
    (void)snprintf(session.name, sizeof session.name, "%lld", (long long)id);
    (void)fk_inspect_ephemerals(walk->call->gateway, id, add_path, &session);
    return count_item(walk);
}

/* The times are milliseconds from now, rounded up to seconds. */
void fk_admin_dump(struct fk_admin_call *call)
{
    struct walk walk = {.call = call, .first = json_object(), .second = json_object()};
    fk_inspect_sessions(call->gateway, add_session, &walk);
    fk_admin_set(call->answer, "expiry_time_to_session_ids", walk.first);
    fk_admin_set(call->answer, "session_id_to_ephemeral_paths", walk.second);
}

static bool add_watch_of_session(void *context, int64_t session_id, struct fk_bytes path)
{
    struct walk *walk = (struct walk *)context;
    char name[32];
    (void)snprintf(name, sizeof name, "%lld", (long long)session_id);
    append_to(walk->first, name, text_of(path));
    return count_item(walk);
}

static bool add_watch_of_path(void *context, int64_t session_id, struct fk_bytes path)
{
    struct walk *walk = (struct walk *)context;
    json_t *name = text_of(path);
    append_to(walk->first, json_string_value(name), json_integer(session_id));
    json_decref(name);
    return count_item(walk);
}

void fk_admin_watches(struct fk_admin_call *call)
{
    struct walk walk = {.call = call, .first = json_object()};
    fk_inspect_watches(call->gateway, false, add_watch_of_session, &walk);
    fk_admin_set(call->answer, "session_id_to_watched_paths", walk.first);
}

void fk_admin_watches_by_path(struct fk_admin_call *call)
{
    struct walk walk = {.call = call, .first = json_object()};
    fk_inspect_watches(call->gateway, true, add_watch_of_path, &walk);
    fk_admin_set(call->answer, "path_to_session_ids", walk.first);
}
