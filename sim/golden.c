// SPDX-License-Identifier: Apache-2.0
#include "sim/golden.h"

#include "function/bundle.h"
#include "function/message.h"
#include "sim/golden_internal.h"
#include "wire/records.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    REQUEST_HEADER_SIZE = 8,
};

int sim_golden_number(struct sim_golden_ids *ids, int64_t id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->items[i] == id) {
            return (int)i + 1;
        }
    }
    if (id == 0 || ids->count == SIM_GOLDEN_IDS_MAX) {
        return 0;
    }
    ids->items[ids->count++] = id;
    return (int)ids->count;
}

struct sim_golden *sim_golden_new(FILE *out)
{
    struct sim_golden *golden = (struct sim_golden *)calloc(1, sizeof *golden);
    if (golden != NULL) {
        golden->out = out;
    }
    return golden;
}

void sim_golden_free(struct sim_golden *golden)
{
    free(golden);
}

/* Begins a line: time in ms, who. */
static void begin(struct sim_golden *golden, const char *who)
{
    (void)fprintf(golden->out, "%10.3f  %-10s ", (double)golden->time_ns / 1e6, who);
}

static void end(struct sim_golden *golden)
{
    (void)fputc('\n', golden->out);
}

/* --- clients --- */

static void client_who(const struct sim_record *record, char *who, size_t size)
{
    (void)snprintf(who, size, "client %u", record->client);
}

static void remember(struct sim_golden *golden, const struct sim_record *record, int32_t xid, int32_t op)
{
    size_t at = golden->request_count % SIM_GOLDEN_REQUESTS_MAX;
    golden->request_count++;
    golden->requests[at].connection = record->connection;
    golden->requests[at].xid = xid;
    golden->requests[at].op = op;
}

static int32_t op_of(const struct sim_golden *golden, const struct sim_record *record, int32_t xid)
{
    size_t count = golden->request_count < SIM_GOLDEN_REQUESTS_MAX ? golden->request_count : SIM_GOLDEN_REQUESTS_MAX;
    for (size_t i = 0; i < count; i++) {
        if (golden->requests[i].connection == record->connection && golden->requests[i].xid == xid) {
            return golden->requests[i].op;
        }
    }
    return 0;
}

static void on_sent(struct sim_golden *golden, const struct sim_record *record)
{
    char who[32];
    struct fk_reader reader = fk_reader_of(record->frame);
    struct fk_request_header header;
    fk_read_request_header(&reader, &header);
    if (header.op == FK_OP_PING) {
        return;
    }
    remember(golden, record, header.xid, header.op);
    client_who(record, who, sizeof who);
    begin(golden, who);
    (void)fprintf(golden->out, "-> ");
    sim_golden_request(golden, header.op, fk_bytes_tail(record->frame, REQUEST_HEADER_SIZE));
    end(golden);
}

static void on_received(struct sim_golden *golden, const struct sim_record *record)
{
    char who[32];
    struct fk_reader reader = fk_reader_of(record->frame);
    struct fk_reply_header header;
    fk_read_reply_header(&reader, &header);
    struct fk_bytes body = fk_bytes_of(reader.at, reader.left);
    if (header.xid == FK_XID_PING) {
        return;
    }
    client_who(record, who, sizeof who);
    begin(golden, who);
    (void)fputs("<- ", golden->out);
    if (header.xid == FK_XID_NOTIFICATION) {
        sim_golden_event(golden, body);
    } else {
        sim_golden_reply(golden, op_of(golden, record, header.xid), header.code, body);
    }
    (void)fprintf(golden->out, "   [zxid %" PRId64 "]", header.zxid);
    end(golden);
}

static void on_handshake(struct sim_golden *golden, const struct sim_record *record, bool asked)
{
    char who[32];
    struct fk_reader reader = fk_reader_of(record->frame);
    client_who(record, who, sizeof who);
    begin(golden, who);
    if (asked) {
        struct fk_connect_request request;
        fk_read_connect_request(&reader, &request);
        int64_t gateway = golden->history->connections[record->connection - 1].gateway;
        (void)fprintf(golden->out, "-> connect to gateway %d", sim_golden_number(&golden->gateways, gateway));
        if (request.session_id != 0) {
            (void)fprintf(golden->out, ", session %d, last zxid seen %" PRId64,
                          sim_golden_number(&golden->sessions, request.session_id), request.last_zxid_seen);
        }
    } else {
        struct fk_connect_response response;
        fk_read_connect_response(&reader, &response);
        if (response.session_id == 0) {
            (void)fputs("<- the session is over", golden->out);
        } else {
            (void)fprintf(golden->out, "<- connected, session %d",
                          sim_golden_number(&golden->sessions, response.session_id));
        }
    }
    end(golden);
}

/* The newest record of the history, which the line of the trace is about. */
static void on_record(struct sim_golden *golden)
{
    const struct sim_record *record = &golden->history->records[golden->history->record_count - 1];
    switch (record->kind) {
    case SIM_RECORD_CONNECT:
    case SIM_RECORD_ACCEPTED:
        on_handshake(golden, record, record->kind == SIM_RECORD_CONNECT);
        break;
    case SIM_RECORD_SENT:
        on_sent(golden, record);
        break;
    case SIM_RECORD_RECEIVED:
        on_received(golden, record);
        break;
    case SIM_RECORD_LOST:
        break;
    }
}

/* --- messages and commits --- */

/* The process whose task runs now: "gateway/0.1" and the like, as people say it. */
static const char *present(struct sim_golden *golden)
{
    const struct sim_process *process = sim_current();
    const char *name = process == NULL ? "" : sim_process_name(process);
    int port = 0;
    if (sscanf(name, "gateway/%d", &port) == 1) {
        (void)snprintf(golden->who, sizeof golden->who, "gateway %d", golden->ports[port % SIM_NET_LISTENERS_MAX]);
    } else {
        (void)snprintf(golden->who, sizeof golden->who, "%.*s", (int)strcspn(name, "/"), name);
    }
    return golden->who;
}

static void take_time(struct sim_golden *golden)
{
    const struct sim_process *process = sim_current();
    if (process != NULL) {
        golden->time_ns = sim_now_ns(sim_process_world((struct sim_process *)(uintptr_t)process));
    }
}

static void on_commit(void *context, const struct fk_write *writes, size_t count)
{
    struct sim_golden *golden = (struct sim_golden *)context;
    size_t dull = 0;
    for (size_t i = 0; i < count; i++) {
        dull += sim_golden_dull(&writes[i]);
    }
    if (golden->over || dull == count) {
        return;
    }
    take_time(golden);
    begin(golden, present(golden));
    (void)fprintf(golden->out, "commits");
    end(golden);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(golden->out, "%27s", "");
        sim_golden_write(golden, &writes[i]);
        end(golden);
    }
}

static void print_message(struct sim_golden *golden, struct fk_bytes bytes)
{
    struct fk_reader reader = fk_reader_of(bytes);
    struct fk_request_message message;
    struct fk_request_operation operation;
    if (fk_request_message_read(&reader, &message) != FK_OK) {
        (void)fputs("something that is no message", golden->out);
        return;
    }
    if (message.first_number == 0) {
        (void)fprintf(golden->out, "queues for session %d, epoch %" PRId64 ", gateway %d",
                      sim_golden_number(&golden->sessions, message.session_id), message.epoch,
                      sim_golden_number(&golden->gateways, message.gateway));
    } else {
        (void)fprintf(golden->out, "queues for session %d, epoch %" PRId64 ", from number %" PRId64,
                      sim_golden_number(&golden->sessions, message.session_id), message.epoch, message.first_number);
    }
    for (int32_t i = 0; i < message.count && fk_request_message_next(&reader, &operation) == FK_OK; i++) {
        (void)fputs(i == 0 ? ": " : "; ", golden->out);
        sim_golden_request(golden, operation.op, operation.body);
    }
}

/* One message, or those that a bundle holds. */
static void print_requests(struct sim_golden *golden, struct fk_bytes bytes)
{
    struct fk_unbundled unbundled;
    if (fk_unbundle(&unbundled, &bytes, 1) == FK_OK) {
        for (size_t i = 0; i < unbundled.count; i++) {
            (void)fputs(i == 0 ? "" : " | ", golden->out);
            print_message(golden, unbundled.messages[i]);
        }
    }
    fk_unbundled_close(&unbundled);
}

static void print_notice(struct sim_golden *golden, struct fk_bytes bytes)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_answer_message answer;
    struct fk_events_record record;
    struct fk_bytes events;
    if (fk_answer_message_read(bytes, &answer) == FK_OK) {
        (void)fprintf(golden->out, "answer %" PRId64 " of session %d, epoch %" PRId64 ": %s, zxid %" PRId64,
                      answer.number, sim_golden_number(&golden->sessions, answer.session_id), answer.epoch,
                      sim_golden_code(answer.code), answer.zxid);
        if (answer.need != 0) {
            (void)fprintf(golden->out, ", behind the events of %" PRId64, answer.need);
        }
    } else if (fk_events_message_read(bytes, &events) == FK_OK &&
               fk_events_record_read(events, &arena, &record) == FK_OK) {
        (void)fprintf(golden->out, "events of zxid %" PRId64 " for ", record.zxid);
        sim_golden_events_record(golden, &record);
    }
    fk_arena_deinit(&arena);
}

static void tell(struct sim_golden *golden, int64_t gateway, struct fk_bytes message, bool more)
{
    begin(golden, present(golden));
    (void)fprintf(golden->out, more ? "      and gateway %d: " : "tells gateway %d: ",
                  sim_golden_number(&golden->gateways, gateway));
    print_notice(golden, message);
    end(golden);
}

static void on_message(void *context, enum sim_call call, int64_t to, struct fk_bytes message)
{
    struct sim_golden *golden = (struct sim_golden *)context;
    struct fk_reader reader;
    struct fk_bytes one;
    if (golden->over) {
        return;
    }
    take_time(golden);
    if (call == SIM_CALL_QUEUE_SEND) {
        begin(golden, present(golden));
        print_requests(golden, message);
        end(golden);
    } else if (fk_many_message_read(message, &reader) == FK_OK) {
        for (bool more = false; fk_many_message_next(&reader, &one); more = true) {
            tell(golden, to, one, more);
        }
    } else {
        tell(golden, to, message, false);
    }
}

/* --- the run --- */

void sim_golden_attach(void *context, struct sim_cloud *cloud, const struct sim_history *history)
{
    struct sim_golden *golden = (struct sim_golden *)context;
    golden->history = history;
    sim_cloud_on_commit(cloud, on_commit, golden);
    sim_cloud_on_message(cloud, on_message, golden);
}

/* A gateway begins or ends; each start is another gateway. */
static void on_gateway(struct sim_golden *golden, const char *text)
{
    int port = 0;
    unsigned long long id = 0;
    if (sscanf(text, " gateway %d up as %llx", &port, &id) == 2) {
        golden->ports[port % SIM_NET_LISTENERS_MAX] = sim_golden_number(&golden->gateways, (int64_t)id);
        begin(golden, "world");
        (void)fprintf(golden->out, "gateway %d begins", golden->ports[port % SIM_NET_LISTENERS_MAX]);
        end(golden);
    } else if (sscanf(text, " gateway %d down", &port) == 1) {
        begin(golden, "world");
        (void)fprintf(golden->out, "gateway %d is gone", golden->ports[port % SIM_NET_LISTENERS_MAX]);
        end(golden);
    }
}

void sim_golden_line(void *context, const char *line)
{
    struct sim_golden *golden = (struct sim_golden *)context;
    double ms = 0;
    (void)sscanf(line, "%lf", &ms);
    golden->time_ns = (int64_t)(ms * 1e6 + 0.5);
    bool frame = strstr(line, " sends request ") != NULL || strstr(line, " gets reply ") != NULL ||
                 strstr(line, " is accepted, ") != NULL || strstr(line, " connects to gateway ") != NULL;
    if (strstr(line, "faults end") != NULL) {
        golden->over = true;
    }
    if (golden->over || golden->history == NULL) {
        return;
    }
    const char *script = strstr(line, "script 0 ");
    const char *fault = strstr(line, " fault ");
    const char *gateway = strstr(line, " gateway ");
    if (frame) {
        on_record(golden);
    } else if (script != NULL) {
        begin(golden, "world");
        (void)fprintf(golden->out, "%s", script + 9);
        end(golden);
    } else if (gateway != NULL) {
        on_gateway(golden, gateway);
    } else if (fault != NULL) {
        begin(golden, "fault");
        (void)fprintf(golden->out, "%s", fault + 7);
        end(golden);
    }
}
