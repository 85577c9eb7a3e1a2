// SPDX-License-Identifier: Apache-2.0
/* Histories as files: NDJSON, one object a line, bytes as hexadecimal text. The first line is the header; one that
 * comes again is skipped, so that the files of several runs on the same data can be joined.
 *
 *   {"format":"faaskeeper-history","version":1,"first_zxid":0}
 *   {"k":"connect","t":NS,"n":CONNECTION,"c":CLIENT,"g":GATEWAY,"e":EPOCH,"f":"ConnectRequest"}
 *   {"k":"accepted"|"sent"|"received","t":NS,"n":CONNECTION,"f":"FRAME"}
 *   {"k":"lost","t":NS,"n":CONNECTION}
 *   {"k":"ground","t":NS,"zxid":Z,"kind":"request"|"create-session"|"attach"|"close-chunk"|"close"|"gateway-dead"|
 *    "sweep-node","session":S,"epoch":E,"number":N,"gateway":G,"code":C,"body":"BYTES","paths":["BYTES",...]}
 *   {"k":"first","path":"BYTES","data":"BYTES","acl":"BYTES","stat":"68 BYTES"}   a node of the first state
 *   {"k":"node","path":"BYTES","data":"BYTES","acl":"BYTES","stat":"68 BYTES"}    a node of the final state
 *   {"k":"live","session":S}                                                     a session of the final state
 *   {"k":"end","final_zxid":Z,"faults_end_ns":NS,"end_ns":NS,"ground":BOOL,"nodes":BOOL,"sessions":BOOL}
 *
 * Members that are 0 may be left out; null or missing bytes are null. A connection number stands for the newest
 * connection that was opened under it. Members that this version does not know are skipped. */
#include "sim/history.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

enum {
    VERSION = 1,
};

#define FORMAT "faaskeeper-history"

static const char *const record_kinds[] = {NULL, "connect", "accepted", "sent", "received", "lost"};
static const char *const ground_kinds[] = {NULL,          "request", "create-session", "attach",
                                           "close-chunk", "close",   "gateway-dead",   "sweep-node"};

/* --- writing --- */

static void write_bytes(FILE *file, const char *name, struct fk_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    if (bytes.data == NULL) {
        return;
    }
    (void)fprintf(file, ",\"%s\":\"", name);
    for (size_t i = 0; i < bytes.size; i++) {
        (void)putc(digits[bytes.data[i] >> 4], file);
        (void)putc(digits[bytes.data[i] & 15], file);
    }
    (void)putc('"', file);
}

void sim_history_write_header(FILE *file, int64_t first_zxid)
{
    (void)fprintf(file, "{\"format\":\"" FORMAT "\",\"version\":%d,\"first_zxid\":%" PRId64 "}\n", VERSION, first_zxid);
}

void sim_history_write_record(FILE *file, const struct sim_record *record, const struct sim_connection *connection)
{
    (void)fprintf(file, "{\"k\":\"%s\",\"t\":%" PRId64 ",\"n\":%u", record_kinds[record->kind], record->time_ns,
                  record->connection);
    if (record->kind == SIM_RECORD_CONNECT) {
        (void)fprintf(file, ",\"c\":%u,\"g\":%" PRId64 ",\"e\":%" PRId64, record->client, connection->gateway,
                      connection->epoch);
    }
    write_bytes(file, "f", record->frame);
    (void)fputs("}\n", file);
}

static void write_ground(FILE *file, const struct sim_ground *entry)
{
    (void)fprintf(file,
                  "{\"k\":\"ground\",\"t\":%" PRId64 ",\"zxid\":%" PRId64 ",\"kind\":\"%s\",\"session\":%" PRId64
                  ",\"epoch\":%" PRId64 ",\"number\":%" PRId64 ",\"gateway\":%" PRId64 ",\"code\":%d",
                  entry->time_ns, entry->zxid, ground_kinds[entry->kind], entry->session_id, entry->epoch,
                  entry->number, entry->gateway, entry->code);
    write_bytes(file, "body", entry->body);
    (void)fputs(",\"paths\":[", file);
    for (size_t i = 0; i < entry->path_count; i++) {
        (void)fputs(i == 0 ? "\"" : ",\"", file);
        for (size_t k = 0; k < entry->paths[i].size; k++) {
            (void)fprintf(file, "%02x", entry->paths[i].data[k]);
        }
        (void)putc('"', file);
    }
    (void)fputs("]}\n", file);
}

static void write_node(FILE *file, const char *kind, const struct sim_final_node *node)
{
    (void)fprintf(file, "{\"k\":\"%s\"", kind);
    write_bytes(file, "path", node->path);
    write_bytes(file, "data", node->data);
    write_bytes(file, "acl", node->acl);
    write_bytes(file, "stat", node->stat);
    (void)fputs("}\n", file);
}

void sim_history_write(const struct sim_history *history, FILE *file)
{
    sim_history_write_header(file, history->first_zxid);
    for (size_t i = 0; i < history->first_count; i++) {
        write_node(file, "first", &history->first_nodes[i]);
    }
    for (size_t i = 0; i < history->record_count; i++) {
        const struct sim_record *record = &history->records[i];
        sim_history_write_record(file, record, &history->connections[record->connection - 1]);
    }
    for (size_t i = 0; i < history->ground_count; i++) {
        write_ground(file, &history->ground[i]);
    }
    for (size_t i = 0; i < history->node_count; i++) {
        write_node(file, "node", &history->nodes[i]);
    }
    for (size_t i = 0; i < history->session_count; i++) {
        (void)fprintf(file, "{\"k\":\"live\",\"session\":%" PRId64 "}\n", history->sessions[i]);
    }
    (void)fprintf(file,
                  "{\"k\":\"end\",\"final_zxid\":%" PRId64 ",\"faults_end_ns\":%" PRId64 ",\"end_ns\":%" PRId64
                  ",\"ground\":%s,\"nodes\":%s,\"sessions\":%s}\n",
                  history->final_zxid, history->faults_end_ns, history->end_ns, history->has_ground ? "true" : "false",
                  history->has_nodes ? "true" : "false", history->has_sessions ? "true" : "false");
}

/* --- reading --- */

/* The file while it is read. */
struct input {
    struct sim_history *history;
    uint32_t *numbers; /* connection numbers of the file to ours */
    size_t number_count;
    bool failed; /* a line is not what it should be */
};

static int64_t number_of(const json_t *line, const char *name)
{
    return (int64_t)json_integer_value(json_object_get(line, name));
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hexadecimal text as bytes of the history; null for anything else than a string. */
static struct fk_bytes bytes_from(struct input *input, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    if (text == NULL) {
        return FK_BYTES_NULL;
    }
    uint8_t *bytes = sim_bump_alloc(&input->history->bump, size / 2 + 1);
    input->failed = input->failed || size % 2 != 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        int high = digit(text[i]);
        int low = digit(text[i + 1]);
        input->failed = input->failed || high < 0 || low < 0;
        bytes[i / 2] = (uint8_t)((high << 4) | low);
    }
    return fk_bytes_of(bytes, size / 2);
}

static struct fk_bytes bytes_of(struct input *input, const json_t *line, const char *name)
{
    return bytes_from(input, json_object_get(line, name));
}

/* Index of a kind in its table; 0: unknown. */
static size_t kind_of(const char *name, const char *const *table, size_t count)
{
    for (size_t i = 1; name != NULL && i < count; i++) {
        if (strcmp(table[i], name) == 0) {
            return i;
        }
    }
    return 0;
}

static void read_connect(struct input *input, const json_t *line)
{
    int64_t number = number_of(line, "n");
    if (number < 1 || number > INT32_MAX) {
        input->failed = true;
        return;
    }
    if ((size_t)number >= input->number_count) {
        size_t count = 2 * (size_t)number + 64;
        uint32_t *numbers = realloc(input->numbers, count * sizeof *numbers);
        if (numbers == NULL) {
            abort();
        }
        memset(numbers + input->number_count, 0, (count - input->number_count) * sizeof *numbers);
        input->numbers = numbers;
        input->number_count = count;
    }
    uint32_t connection = sim_history_connect(input->history, number_of(line, "t"), (uint32_t)number_of(line, "c"),
                                              number_of(line, "g"), bytes_of(input, line, "f"));
    sim_history_epoch(input->history, connection, 0, number_of(line, "e"));
    input->numbers[number] = connection;
}

static void read_record(struct input *input, const json_t *line, enum sim_record_kind kind)
{
    int64_t number = number_of(line, "n");
    int64_t time_ns = number_of(line, "t");
    if (kind == SIM_RECORD_CONNECT) {
        read_connect(input, line);
        return;
    }
    if (number < 1 || (size_t)number >= input->number_count || input->numbers[number] == 0) {
        input->failed = true;
        return;
    }
    uint32_t connection = input->numbers[number];
    struct fk_bytes frame = bytes_of(input, line, "f");
    if (kind == SIM_RECORD_ACCEPTED) {
        sim_history_accepted(input->history, time_ns, connection, frame);
    } else if (kind == SIM_RECORD_SENT) {
        sim_history_sent(input->history, time_ns, connection, frame);
    } else if (kind == SIM_RECORD_RECEIVED) {
        sim_history_received(input->history, time_ns, connection, frame);
    } else {
        sim_history_lost(input->history, time_ns, connection);
    }
}

static void read_ground(struct input *input, const json_t *line)
{
    size_t kind = kind_of(json_string_value(json_object_get(line, "kind")), ground_kinds,
                          sizeof ground_kinds / sizeof *ground_kinds);
    const json_t *names = json_object_get(line, "paths");
    size_t count = json_array_size(names);
    struct fk_bytes *paths = sim_bump_alloc(&input->history->bump, count * sizeof *paths);
    for (size_t i = 0; i < count; i++) {
        paths[i] = bytes_from(input, json_array_get(names, i));
    }
    struct sim_ground entry = {
        .zxid = number_of(line, "zxid"),
        .time_ns = number_of(line, "t"),
        .kind = (enum sim_ground_kind)kind,
        .session_id = number_of(line, "session"),
        .epoch = number_of(line, "epoch"),
        .number = number_of(line, "number"),
        .gateway = number_of(line, "gateway"),
        .code = (int32_t)number_of(line, "code"),
        .body = bytes_of(input, line, "body"),
        .paths = paths,
        .path_count = count,
    };
    input->failed = input->failed || kind == 0;
    if (!input->failed) {
        sim_history_ground(input->history, &entry);
    }
}

static void read_end(struct input *input, const json_t *line)
{
    struct sim_history *history = input->history;
    history->final_zxid = number_of(line, "final_zxid");
    history->faults_end_ns = number_of(line, "faults_end_ns");
    history->end_ns = number_of(line, "end_ns");
    history->has_ground = history->has_ground || json_is_true(json_object_get(line, "ground"));
    history->has_nodes = history->has_nodes || json_is_true(json_object_get(line, "nodes"));
    history->has_sessions = history->has_sessions || json_is_true(json_object_get(line, "sessions"));
}

static void read_line(struct input *input, const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "k"));
    size_t kind = kind_of(name, record_kinds, sizeof record_kinds / sizeof *record_kinds);
    if (kind != 0) {
        read_record(input, line, (enum sim_record_kind)kind);
    } else if (name == NULL) {
        input->failed = true;
    } else if (strcmp(name, "ground") == 0) {
        read_ground(input, line);
    } else if (strcmp(name, "node") == 0 || strcmp(name, "first") == 0) {
        struct sim_final_node node = {.path = bytes_of(input, line, "path"),
                                      .data = bytes_of(input, line, "data"),
                                      .acl = bytes_of(input, line, "acl"),
                                      .stat = bytes_of(input, line, "stat")};
        if (name[0] == 'n') {
            sim_history_final_node(input->history, &node);
        } else {
            sim_history_first_node(input->history, &node);
        }
    } else if (strcmp(name, "live") == 0) {
        sim_history_final_session(input->history, number_of(line, "session"));
    } else if (strcmp(name, "end") == 0) {
        read_end(input, line);
    } else {
        input->failed = true;
    }
}

/* The header, or one that comes again; VERSION for a newer format. */
static enum fk_err read_header(struct input *input, const json_t *line, bool first)
{
    const char *format = json_string_value(json_object_get(line, "format"));
    if (format == NULL || strcmp(format, FORMAT) != 0) {
        return FK_ERR_MALFORMED;
    }
    if (number_of(line, "version") > VERSION) {
        return FK_ERR_VERSION;
    }
    if (first) {
        input->history->first_zxid = number_of(line, "first_zxid");
    }
    return FK_OK;
}

static enum fk_err read_text(struct input *input, const char *text, size_t number)
{
    json_error_t error;
    enum fk_err err = FK_OK;
    json_t *line = json_loads(text, 0, &error);
    if (!json_is_object(line)) {
        err = FK_ERR_MALFORMED;
    } else if (number == 1 || json_object_get(line, "format") != NULL) {
        err = read_header(input, line, number == 1);
    } else {
        read_line(input, line);
    }
    json_decref(line);
    return input->failed ? FK_ERR_MALFORMED : err;
}

enum fk_err sim_history_read(struct sim_history *history, FILE *file, struct fk_diag *diag)
{
    struct input input = {.history = history};
    char *text = NULL;
    size_t capacity = 0;
    size_t number = 0;
    enum fk_err err = FK_OK;
    while (err == FK_OK && getline(&text, &capacity, file) >= 0) {
        err = read_text(&input, text, ++number);
    }
    if (err == FK_OK && number == 0) {
        err = FK_ERR_MALFORMED;
    }
    if (err != FK_OK) {
        fk_diag_set(diag, "line %zu of the history: %s", number, fk_err_text(err));
    } else if (ferror(file) != 0) {
        err = FK_ERR_IO;
        fk_diag_set(diag, "the history cannot be read");
    }
    free(text);
    free(input.numbers);
    return err;
}
