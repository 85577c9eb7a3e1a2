// SPDX-License-Identifier: Apache-2.0
/* faaskeeper data: what an operator does with a data directory besides serving it. */
#include "base/alloc.h"
#include "cli/cli.h"
#include "driver/local/snapshot.h"

#include <inttypes.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "Usage: faaskeeper data check DIR\n"
    "       faaskeeper data dump DIR [--json]\n"
    "       faaskeeper data backup DIR TO\n"
    "\n"
    "  check    verify the checkpoint and the log of a data directory and say what they hold\n"
    "  dump     print sessions and nodes, with their data, as a server would recover them\n"
    "  backup   copy a data directory to TO, which must not exist or be empty; start a server on the copy to restore "
    "it\n"
    "\n"
    "None of them changes DIR. All work while a server runs on it: they show what was durable when they were started.\n"
    "check and dump hold the whole state in memory.\n"
    "\n"
    "Exit codes: 0 healthy or done, 1 the environment (no such directory, no permission, no space), 2 usage, 3 "
    "damaged\n"
    "or newer data: the file, and the offset or the row, are named.\n";

static int report(const char *command, enum fk_err err, const struct fk_diag *diag)
{
    if (err != FK_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "faaskeeper data %s: %s\n", command,
                      diag->text[0] == '\0' ? fk_err_text(err) : diag->text);
    }
    return fk_cli_exit_code(err);
}

/* Output that did not arrive (a full disk, a closed pipe) is a failure. */
static int finish(const char *command)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)fprintf(stderr, "faaskeeper data %s: cannot write the output\n", command);
        return FK_EXIT_ENVIRONMENT;
    }
    return FK_EXIT_OK;
}

/* What a walk over the state counts. */
struct counts {
    int64_t nodes;
    int64_t ephemerals;
    int64_t sessions;
    int64_t data_size;
    int64_t zxid;
};

static enum fk_err count_node(void *context, const struct fk_node *node)
{
    struct counts *counts = (struct counts *)context;
    counts->nodes++;
    counts->ephemerals += fk_owner_session(node->ephemeral_owner) != 0 ? 1 : 0;
    counts->data_size += (int64_t)(node->path.size + node->data.size);
    return FK_OK;
}

static enum fk_err count_session(void *context, const struct fk_session *session)
{
    (void)session;
    ((struct counts *)context)->sessions++;
    return FK_OK;
}

static enum fk_err count_zxid(void *context, int64_t zxid)
{
    ((struct counts *)context)->zxid = zxid;
    return FK_OK;
}

static void print_counts(const char *what, const struct counts *counts)
{
    (void)printf("%-11s %" PRId64 " nodes (%" PRId64 " ephemeral), %" PRId64 " sessions, %" PRId64
                 " bytes of paths and data, zxid 0x%" PRIx64 "\n",
                 what, counts->nodes, counts->ephemerals, counts->sessions, counts->data_size, (uint64_t)counts->zxid);
}

static enum fk_err count(struct fk_checkpoint *checkpoint, const char *what, struct fk_diag *diag)
{
    struct counts counts = {0};
    const struct fk_engine_sink sink = {
        .context = &counts, .node = count_node, .session = count_session, .zxid = count_zxid};
    enum fk_err err = fk_checkpoint_load(checkpoint, &sink, diag);
    if (err == FK_OK) {
        print_counts(what, &counts);
    }
    return err;
}

static enum fk_err print_log(struct fk_snapshot *snapshot, struct fk_diag *diag)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    int64_t *firsts = NULL;
    size_t segment_count = 0;
    enum fk_err err = fk_segment_list(snapshot->files, &arena, &firsts, &segment_count, diag);
    fk_arena_deinit(&arena);
    if (err != FK_OK || snapshot->reader.segment_count == 0) {
        return err;
    }
    const struct fk_segment *segment = fk_log_reader_segment(&snapshot->reader);
    char name[FK_SEGMENT_NAME_SIZE];
    fk_segment_name(segment->first, name);
    (void)printf("%-11s %zu segments; from %016" PRIx64 " (checkpoint) to %016" PRIx64 " (%s, offset %" PRId64 ")\n",
                 "log", segment_count, (uint64_t)snapshot->checkpoint_position, (uint64_t)snapshot->reader.position,
                 name, snapshot->reader.position - segment->first);
    if (snapshot->tail.torn && !snapshot->live) {
        (void)printf("%-11s %s, offset %" PRId64 ": a write that was not synced; the next start cuts it\n", "torn tail",
                     name, snapshot->reader.position - segment->first);
    }
    return FK_OK;
}

static int check(const char *directory)
{
    struct fk_snapshot snapshot;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_snapshot_open(directory, &snapshot, &diag);
    if (err != FK_OK) {
        return report("check", err, &diag);
    }
    (void)printf("%-11s %s%s\n", "directory", directory, snapshot.live ? " (a server is running on it)" : "");
    err = fk_checkpoint_verify(snapshot.checkpoint, &diag);
    if (err == FK_OK) {
        err = count(snapshot.checkpoint, "checkpoint", &diag);
    }
    if (err == FK_OK) {
        err = fk_snapshot_recover(&snapshot, &diag);
    }
    if (err == FK_OK) {
        err = print_log(&snapshot, &diag);
    }
    if (err == FK_OK) {
        err = count(snapshot.state, "state", &diag);
    }
    fk_snapshot_close(&snapshot);
    if (err != FK_OK) {
        (void)printf("%s\n", err == FK_ERR_DAMAGED ? "damaged" : "not checked");
        return report("check", err, &diag);
    }
    (void)printf("healthy\n");
    return finish("check");
}

static void print_escaped(struct fk_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte == 0x7f || byte == '\\') {
            (void)printf("\\x%02x", byte);
        } else {
            (void)putchar(byte);
        }
    }
}

/* NULL without memory. */
static char *base64(struct fk_bytes bytes)
{
    char *text = (char *)fk_alloc((bytes.size + 2) / 3 * 4 + 1);
    if (text != NULL) {
        text[0] = '\0';
        (void)EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.size);
    }
    return text;
}

/* A JSON string, or null where the bytes are not UTF-8. */
static json_t *json_text(struct fk_bytes bytes)
{
    json_t *text = json_stringn((const char *)bytes.data, bytes.size);
    return text == NULL ? json_null() : text;
}

static bool is_text(struct fk_bytes bytes)
{
    json_t *text = json_stringn((const char *)bytes.data, bytes.size);
    bool valid = text != NULL;
    json_decref(text);
    return valid;
}

/* As zkCli prints them. */
static const char *permissions(int32_t bits, char text[6])
{
    static const struct {
        int32_t bit;
        char letter;
    } letters[] = {{4, 'c'}, {8, 'd'}, {1, 'r'}, {2, 'w'}, {16, 'a'}};
    size_t size = 0;
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if ((bits & letters[i].bit) != 0) {
            text[size++] = letters[i].letter;
        }
    }
    text[size] = '\0';
    return text;
}

static void print_acl(struct fk_bytes acl)
{
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count_left = fk_read_count(&reader, 1);
    char text[6];
    (void)printf("  acl");
    for (; count_left > 0 && !reader.failed; count_left--) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        (void)putchar(' ');
        print_escaped(entry.scheme);
        (void)putchar(':');
        print_escaped(entry.id);
        (void)printf(":%s", permissions(entry.perms, text));
    }
    (void)putchar('\n');
}

static enum fk_err dump_node(void *context, const struct fk_node *node)
{
    (void)context;
    struct fk_stat stat;
    fk_node_stat(node, &stat);
    print_escaped(node->path);
    (void)printf("\n  czxid=0x%" PRIx64 " mzxid=0x%" PRIx64 " pzxid=0x%" PRIx64 " ctime=%" PRId64 " mtime=%" PRId64
                 " version=%" PRId32 " cversion=%" PRId32 " aversion=%" PRId32 " ephemeralOwner=0x%" PRIx64
                 " dataLength=%" PRId32 " numChildren=%" PRId32 "\n",
                 (uint64_t)stat.czxid, (uint64_t)stat.mzxid, (uint64_t)stat.pzxid, stat.ctime_ms, stat.mtime_ms,
                 stat.version, stat.cversion, stat.aversion, (uint64_t)stat.ephemeral_owner, stat.data_length,
                 stat.num_children);
    print_acl(node->acl);
    if (node->data.data == NULL) {
        (void)printf("  data null\n");
    } else if (is_text(node->data)) {
        (void)printf("  data \"");
        print_escaped(node->data);
        (void)printf("\"\n");
    } else {
        char *text = base64(node->data);
        if (text == NULL) {
            return FK_ERR_NOMEM;
        }
        (void)printf("  data base64 %s\n", text);
        fk_free(text);
    }
    return FK_OK;
}

static enum fk_err dump_session(void *context, const struct fk_session *session)
{
    (void)context;
    (void)printf("session 0x%016" PRIx64 " timeout=%" PRId32 "\n", (uint64_t)session->id, session->timeout_ms);
    return FK_OK;
}

static enum fk_err dump_zxid(void *context, int64_t zxid)
{
    (void)context;
    (void)printf("zxid 0x%" PRIx64 "\n", (uint64_t)zxid);
    return FK_OK;
}

/* The JSON document is written piece by piece: {"sessions": [...], "nodes": [...], "zxid": n}. */
struct json_state {
    size_t sessions;
    size_t nodes;
};

static enum fk_err write_json(json_t *value, const char *before)
{
    enum fk_err err = value == NULL ? FK_ERR_NOMEM : FK_OK;
    if (err == FK_OK) {
        (void)fputs(before, stdout);
        err = json_dumpf(value, stdout, JSON_COMPACT) == 0 ? FK_OK : FK_ERR_IO;
    }
    json_decref(value);
    return err;
}

static enum fk_err json_session(void *context, const struct fk_session *session)
{
    struct json_state *state = (struct json_state *)context;
    json_t *value = json_pack("{s:I, s:i}", "id", (json_int_t)session->id, "timeout", (int)session->timeout_ms);
    return write_json(value, state->sessions++ == 0 ? "\n" : ",\n");
}

static json_t *json_acl(struct fk_bytes acl)
{
    json_t *list = json_array();
    struct fk_reader reader = fk_reader_of(acl);
    char text[6];
    for (int32_t left = fk_read_count(&reader, 1); left > 0 && !reader.failed; left--) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        (void)json_array_append_new(list,
                                    json_pack("{s:o, s:o, s:s}", "scheme", json_text(entry.scheme), "id",
                                              json_text(entry.id), "permissions", permissions(entry.perms, text)));
    }
    return list;
}

static void set_bytes(json_t *object, const char *name, const char *base64_name, struct fk_bytes bytes)
{
    if (bytes.data == NULL) {
        (void)json_object_set_new(object, name, json_null());
    } else if (is_text(bytes)) {
        (void)json_object_set_new(object, name, json_text(bytes));
    } else {
        char *text = base64(bytes);
        (void)json_object_set_new(object, base64_name, text == NULL ? NULL : json_string(text));
        fk_free(text);
    }
}

static enum fk_err json_node(void *context, const struct fk_node *node)
{
    struct json_state *state = (struct json_state *)context;
    struct fk_stat stat;
    fk_node_stat(node, &stat);
    json_t *value = json_object();
    set_bytes(value, "path", "pathBase64", node->path);
    json_t *numbers =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:I, s:i, s:i}", "czxid", (json_int_t)stat.czxid, "mzxid",
                  (json_int_t)stat.mzxid, "pzxid", (json_int_t)stat.pzxid, "ctime", (json_int_t)stat.ctime_ms, "mtime",
                  (json_int_t)stat.mtime_ms, "version", (int)stat.version, "cversion", (int)stat.cversion, "aversion",
                  (int)stat.aversion, "ephemeralOwner", (json_int_t)stat.ephemeral_owner, "dataLength",
                  (int)stat.data_length, "numChildren", (int)stat.num_children);
    (void)json_object_set_new(value, "stat", numbers);
    (void)json_object_set_new(value, "acl", json_acl(node->acl));
    set_bytes(value, "data", "dataBase64", node->data);
    if (numbers == NULL || json_object_size(value) != 4) {
        json_decref(value);
        return FK_ERR_NOMEM;
    }
    return write_json(value, state->nodes++ == 0 ? "\n], \"nodes\": [\n" : ",\n");
}

static enum fk_err json_zxid(void *context, int64_t zxid)
{
    (void)context;
    (void)printf("\n], \"zxid\": %" PRId64 "}\n", zxid);
    return FK_OK;
}

static int dump(const char *directory, bool json)
{
    struct fk_snapshot snapshot;
    struct fk_diag diag = {.text = ""};
    struct json_state state = {0};
    const struct fk_engine_sink text_sink = {.node = dump_node, .session = dump_session, .zxid = dump_zxid};
    const struct fk_engine_sink json_sink = {
        .context = &state, .node = json_node, .session = json_session, .zxid = json_zxid};
    enum fk_err err = fk_snapshot_open(directory, &snapshot, &diag);
    if (err != FK_OK) {
        return report("dump", err, &diag);
    }
    err = fk_snapshot_recover(&snapshot, &diag);
    if (err == FK_OK) {
        (void)fputs(json ? "{\"sessions\": [" : "", stdout);
        err = fk_checkpoint_load(snapshot.state, json ? &json_sink : &text_sink, &diag);
    }
    fk_snapshot_close(&snapshot);
    return err != FK_OK ? report("dump", err, &diag) : finish("dump");
}

static int backup(const char *directory, const char *target)
{
    struct fk_snapshot snapshot;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_snapshot_open(directory, &snapshot, &diag);
    if (err != FK_OK) {
        return report("backup", err, &diag);
    }
    err = fk_snapshot_backup(&snapshot, target, &diag);
    fk_snapshot_close(&snapshot);
    if (err != FK_OK) {
        return report("backup", err, &diag);
    }
    (void)printf("%s is a copy of %s\n", target, directory);
    return finish("backup");
}

static int usage(const char *what, const char *argument)
{
    (void)fprintf(stderr, "faaskeeper data: %s%s; see 'faaskeeper data --help'\n", what, argument);
    return FK_EXIT_USAGE;
}

int fk_cli_data(int argc, char **argv)
{
    const char *operands[3];
    int count_of = 0;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            (void)fputs(help, stdout);
            return FK_EXIT_OK;
        }
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (argv[i][0] == '-') {
            return usage("unknown option ", argv[i]);
        } else if (count_of == 3) {
            return usage("too many arguments: ", argv[i]);
        } else {
            operands[count_of++] = argv[i];
        }
    }
    if (count_of == 0) {
        return usage("which of check, dump and backup?", "");
    }
    if (strcmp(operands[0], "dump") == 0) {
        return count_of == 2 ? dump(operands[1], json) : usage("dump needs a directory", "");
    }
    if (json) {
        return usage("--json is for dump", "");
    }
    if (strcmp(operands[0], "check") == 0) {
        return count_of == 2 ? check(operands[1]) : usage("check needs a directory", "");
    }
    if (strcmp(operands[0], "backup") == 0) {
        return count_of == 3 ? backup(operands[1], operands[2]) : usage("backup needs two directories", "");
    }
    return usage("unknown command ", operands[0]);
}
