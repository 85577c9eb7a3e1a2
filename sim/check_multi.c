// SPDX-License-Identifier: Apache-2.0
/* Whether a multi may be refused for its size: it may where an upper bound of what it takes of a transaction, or of its
 * reply, does not fit. What surely fits must be done. */
#include "sim/check_internal.h"

#include "base/limits.h"

enum {
    FIXED_ITEMS = 12, /* zxid, events, session, accepted session, gateways, statistics; and room for what drivers add */
    RESULT_SIZE_MAX = 96, /* of one operation, without its path: headers and a stat */
};

/* What a multi asks for. */
struct size {
    struct fk_bytes *paths; /* and parents, each once */
    size_t path_count;
    size_t sequential; /* nodes whose names nobody knows before */
    size_t deletions;
    size_t owned;   /* ephemeral nodes made */
    size_t due;     /* containers and TTL nodes made */
    size_t reply;   /* bytes */
    bool malformed; /* not asked for by anybody who knows the protocol */
};

static void add_path(struct size *size, struct fk_bytes path)
{
    for (size_t i = 0; i < size->path_count; i++) {
        if (fk_bytes_equal(size->paths[i], path)) {
            return;
        }
    }
    size->paths[size->path_count++] = path;
}

static void add_parent(struct size *size, struct fk_bytes path)
{
    size_t end = path.size;
    while (end > 1 && path.data[end - 1] != '/') {
        end--;
    }
    add_path(size, fk_bytes_head(path, end > 1 ? end - 1 : 1));
}

static void add_create(struct size *size, struct fk_reader *reader, int32_t op)
{
    struct fk_create_request create;
    if (op == FK_OP_CREATE_TTL) {
        fk_read_create_ttl_request(reader, &create);
    } else {
        fk_read_create_request(reader, &create);
    }
    bool plain = op == FK_OP_CREATE || op == FK_OP_CREATE2;
    bool sequential = (create.flags & FK_CREATE_SEQUENTIAL) != 0;
    size->due += plain ? 0 : 1;
    size->owned += plain && (create.flags & FK_CREATE_EPHEMERAL) != 0 ? 1 : 0;
    size->sequential += sequential ? 1 : 0;
    size->reply += create.path.size + RESULT_SIZE_MAX;
    add_parent(size, create.path);
    if (!sequential) {
        add_path(size, create.path);
    }
}

static void add_other(struct size *size, struct fk_reader *reader, int32_t op)
{
    struct fk_version_request version;
    struct fk_set_data_request set;
    size->reply += RESULT_SIZE_MAX;
    if (op == FK_OP_SET_DATA) {
        fk_read_set_data_request(reader, &set);
        add_path(size, set.path);
        return;
    }
    fk_read_version_request(reader, &version);
    add_path(size, version.path);
    if (op == FK_OP_DELETE) {
        size->deletions++;
        add_parent(size, version.path);
    }
}

static void add_operation(struct size *size, struct fk_reader *reader, int32_t op)
{
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        add_create(size, reader, op);
        break;
    case FK_OP_DELETE:
    case FK_OP_SET_DATA:
    case FK_OP_CHECK:
        add_other(size, reader, op);
        break;
    default:
        size->malformed = true;
        break;
    }
    size->malformed = size->malformed || reader->failed;
}

bool check_multi_may_be_large(struct check *check, const struct check_request *request)
{
    struct fk_reader reader = fk_reader_of(request->body);
    struct size size = {.path_count = 0};
    struct fk_multi_header header;
    /* An operation has more bytes than it names paths. */
    size.paths = sim_bump_alloc(&check->bump, (request->body.size + 1) * sizeof *size.paths);
    fk_read_multi_header(&reader, &header);
    while (!header.done && !reader.failed && !size.malformed) {
        add_operation(&size, &reader, header.op);
        fk_read_multi_header(&reader, &header);
    }
    if (size.malformed || reader.failed) {
        return false;
    }
    /* A deletion keeps a record of the node, and may be of somebody else's ephemeral one; where it stands between
     * creations, the list of owned ones is counted each time. */
    size_t lists = size.deletions == 0 && size.owned > 0 ? 1 : size.owned;
    size_t items = FIXED_ITEMS + size.path_count + size.sequential + 2 * size.deletions + lists + size.due;
    return items > check->options.items || size.reply > FK_RESULT_SIZE_MAX;
}
