// SPDX-License-Identifier: Apache-2.0
#include "cli/cost_live.h"

#include <jansson.h>

enum {
    BODY_SHOWN = 60,
};

static bool read_session(const json_t *object, struct fk_cost_live_session *session)
{
    struct fk_units *units = &session->use.units;
    const struct {
        const char *name;
        int64_t *number;
    } members[] = {
        {"session_id", &session->id},
        {"operations", &session->operations},
        {"read_units", &units->read_units},
        {"write_units", &units->write_units},
        {"queue_requests", &units->queue_requests},
        {"channel_requests", &units->channel_requests},
        {"invocations", &session->use.invocations},
        {"blob_puts", &units->blob_puts},
        {"blob_gets", &units->blob_gets},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *member = json_object_get(object, members[i].name);
        if (!json_is_integer(member)) {
            return false;
        }
        *members[i].number = json_integer_value(member);
    }
    units->queue_sends = units->queue_requests; /* small ones */
    units->channel_sends = units->channel_requests;
    return true;
}

static void read_sessions(const json_t *sessions, struct fk_cost_live_answer *answer)
{
    for (size_t i = 0; i < json_array_size(sessions) && answer->session_count < FK_COST_LIVE_SESSIONS_MAX; i++) {
        struct fk_cost_live_session *session = &answer->sessions[answer->session_count];
        *session = (struct fk_cost_live_session){.id = 0};
        answer->session_count += read_session(json_array_get(sessions, i), session) ? 1 : 0;
    }
}

static enum fk_err read_object(const json_t *object, struct fk_cost_live_answer *answer, struct fk_diag *diag)
{
    const char *error = json_string_value(json_object_get(object, "error"));
    const char *topology = json_string_value(json_object_get(object, "topology"));
    if (error != NULL) { /* ZooKeeper's, for one, knows no such command */
        fk_diag_set(diag, "it is an admin port, but of no FaaSKeeper that tells costs: %.80s", error);
        return FK_ERR_USAGE;
    }
    if (topology == NULL) {
        fk_diag_set(diag, "it answers with something else than costs");
        return FK_ERR_USAGE;
    }
    const char *channel = json_string_value(json_object_get(object, "channel"));
    answer->pipeline = strcmp(topology, "pipeline") == 0;
    answer->tcp = channel != NULL && strcmp(channel, "tcp") == 0;
    enum fk_err err = fk_recorded_read(json_object_get(object, "since_start"), &answer->since_start, diag);
    if (err == FK_OK) {
        err = fk_recorded_read(json_object_get(object, "last_hour"), &answer->last_hour, diag);
    }
    read_sessions(json_object_get(object, "sessions"), answer);
    return err;
}

enum fk_err fk_cost_live_read(struct fk_bytes body, struct fk_cost_live_answer *answer, struct fk_diag *diag)
{
    json_t *object = json_loadb((const char *)body.data, body.size, 0, NULL);
    *answer = (struct fk_cost_live_answer){.pipeline = false};
    if (!json_is_object(object)) {
        fk_diag_set(diag, "it answers with no JSON: '%.*s'", (int)(body.size < BODY_SHOWN ? body.size : BODY_SHOWN),
                    body.size == 0 ? "" : (const char *)body.data);
        json_decref(object);
        return FK_ERR_USAGE;
    }
    enum fk_err err = read_object(object, answer, diag);
    json_decref(object);
    return err;
}
