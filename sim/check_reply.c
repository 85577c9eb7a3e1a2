// SPDX-License-Identifier: Apache-2.0
/* Replies against the model: stats and results of operations. */
#include "sim/check_internal.h"

/* ctime and mtime are wall clocks of the function that committed: the model does not know them. All stats that show the
 * time of one zxid must show the same one. */
static bool same_time(struct check *check, int64_t zxid, int64_t time_ms)
{
    int64_t index = zxid - check->first_zxid - 1;
    if (index < 0 || (uint64_t)index >= check->ground_count) {
        return true;
    }
    if (check->times[index] == 0) {
        check->times[index] = time_ms;
    }
    return check->times[index] == time_ms;
}

bool check_stat(struct check *check, const struct fk_stat *stat, const struct sim_ref_state *state, const char **why)
{
    *why = stat->version != state->version                   ? "version"
           : stat->czxid != state->czxid                     ? "czxid"
           : stat->mzxid != state->mzxid                     ? "mzxid"
           : stat->pzxid != state->pzxid                     ? "pzxid"
           : stat->cversion != sim_ref_cversion(state)       ? "cversion"
           : stat->aversion != state->aversion               ? "aversion"
           : stat->ephemeral_owner != state->owner           ? "ephemeralOwner"
           : stat->data_length != (int32_t)state->data.size  ? "dataLength"
           : stat->num_children != state->children           ? "numChildren"
           : !same_time(check, state->czxid, stat->ctime_ms) ? "ctime, which others were shown otherwise,"
           : !same_time(check, state->mzxid, stat->mtime_ms) ? "mtime, which others were shown otherwise,"
           : check->options.steady_clock && stat->ctime_ms > stat->mtime_ms ? "ctime after mtime"
                                                                            : NULL;
    return *why == NULL;
}

static bool read_stat(struct check *check, struct fk_reader *reader, const struct sim_ref_state *state,
                      const char **why)
{
    struct fk_stat stat;
    fk_read_stat(reader, &stat);
    return check_stat(check, &stat, state, why);
}

/* One successful result, as it stands alone (op of the request) or in a multi (type of the result). */
static bool result_matches(struct check *check, const struct sim_ref_result *result, int32_t op,
                           struct fk_reader *reader, const char **why)
{
    switch (op) {
    case FK_OP_CREATE:
    case FK_OP_CREATE2:
    case FK_OP_CREATE_CONTAINER:
    case FK_OP_CREATE_TTL:
        if (!fk_bytes_equal(fk_read_bytes(reader), result->path)) {
            *why = "path";
            return false;
        }
        return op == FK_OP_CREATE || read_stat(check, reader, &result->state, why);
    case FK_OP_SET_DATA:
    case FK_OP_SET_ACL:
        return read_stat(check, reader, &result->state, why);
    default:
        return true;
    }
}

/* The type that a multi may give the result of an operation: creates answer as create or as create2. */
static bool type_fits(int32_t op, int32_t type)
{
    bool create = op == FK_OP_CREATE || op == FK_OP_CREATE2 || op == FK_OP_CREATE_CONTAINER || op == FK_OP_CREATE_TTL;
    return create ? type == FK_OP_CREATE || type == FK_OP_CREATE2 : type == op;
}

static bool multi_matches(struct check *check, const struct sim_ref_outcome *outcome, struct fk_reader *reader,
                          const char **why)
{
    struct fk_multi_header header;
    for (size_t i = 0; i < outcome->count; i++) {
        const struct sim_ref_result *result = &outcome->results[i];
        fk_read_multi_header(reader, &header);
        *why = "result of one of its operations";
        if (reader->failed || header.done || header.code != result->code) {
            return false;
        }
        if (outcome->failed) {
            if (header.op != FK_OP_ERROR || fk_read_i32(reader) != result->code) {
                return false;
            }
        } else if (!type_fits(result->op, header.op) || !result_matches(check, result, header.op, reader, why)) {
            return false;
        }
    }
    fk_read_multi_header(reader, &header);
    *why = "end";
    return header.done;
}

bool check_outcome(struct check *check, const struct sim_ref_outcome *outcome, int32_t op, struct fk_bytes body,
                   const char **why)
{
    struct fk_reader reader = fk_reader_of(body);
    *why = "body";
    if (outcome->code != FK_CODE_OK) {
        return body.size == 0;
    }
    bool same = outcome->multi ? multi_matches(check, outcome, &reader, why)
                               : result_matches(check, &outcome->results[0], op, &reader, why);
    if (same && (reader.failed || reader.left > 0)) {
        *why = "length of the body";
        return false;
    }
    return same;
}
