// SPDX-License-Identifier: Apache-2.0
/* Reads of more than one node: multiRead, getEphemerals, getAllChildrenNumber. */
#include "gateway/read_internal.h"

#include "base/limits.h"
#include "model/path.h"

enum {
    HEADER_CODE_OFFSET = 5, /* of MultiHeader.err, behind the type and a byte */
};

/* ZK: null, blanks and "/" stand for all paths (FinalRequestProcessor, String.trim). */
static bool is_everything(struct fk_bytes prefix)
{
    while (prefix.size > 0 && prefix.data[0] <= ' ') {
        prefix = fk_bytes_tail(prefix, 1);
    }
    while (prefix.size > 0 && prefix.data[prefix.size - 1] <= ' ') {
        prefix = fk_bytes_head(prefix, prefix.size - 1);
    }
    return prefix.size == 0 || fk_bytes_equal_text(prefix, "/");
}

/* ZK: of the caller's session; a prefix of the text, no ancestor; no permission is asked for. */
enum fk_code fk_read_ephemerals(struct fk_job *job, struct fk_store *store)
{
    struct fk_reader reader = fk_reader_of(fk_buf_view(&job->request));
    struct fk_bytes prefix = fk_read_bytes(&reader);
    struct fk_list_key key = {.kind = FK_LIST_EPHEMERALS, .session_id = job->session_id};
    struct fk_page page = {.more = true};
    int32_t count = 0;
    if (reader.failed) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    bool all = is_everything(prefix);
    fk_write_i32(&job->reply, 0);
    while (page.more) {
        if (fk_store_list(store, FK_VIEW_VISIBLE, &key, &job->arena, &page) != FK_OK) {
            return FK_CODE_SYSTEM_ERROR;
        }
        for (size_t i = 0; i < page.count; i++) {
            struct fk_bytes path = page.names[i];
            if (all || fk_bytes_equal(fk_bytes_head(path, prefix.size), prefix)) {
                fk_write_bytes(&job->reply, path);
                count++;
            }
        }
    }
    fk_patch_i32(&job->reply, 0, count);
    return FK_CODE_OK;
}

/* ZK: "" counts the root itself too, which has both names in DataTree's table. */
enum fk_code fk_read_all_children(struct fk_job *job, struct fk_store *store, struct fk_bytes path)
{
    struct fk_node node;
    int64_t count = 0;
    fk_read_want(job, 0, false);
    enum fk_code code = fk_read_load_readable(job, store, path, &node);
    if (code != FK_CODE_OK) {
        return code;
    }
    enum fk_err err = fk_store_descendants(store, node.path, &count);
    if (err != FK_OK) {
        return err == FK_ERR_TOO_LARGE ? FK_CODE_BAD_ARGUMENTS : FK_CODE_SYSTEM_ERROR;
    }
    fk_write_i32(&job->reply, (int32_t)(count + (path.size == 0 ? 1 : 0)));
    return FK_CODE_OK;
}

/* One part. ZK: each has its own code; only what does not parse fails the whole. */
static enum fk_code run_part(struct fk_job *job, struct fk_store *store, int32_t op,
                             const struct fk_watch_request *request)
{
    size_t header_at = job->reply.size;
    fk_write_multi_header(&job->reply, &(struct fk_multi_header){op, false, FK_CODE_OK});
    enum fk_code code =
        op == FK_OP_GET_DATA ? fk_read_data(job, store, request) : fk_read_children(job, store, request);
    if (code == FK_CODE_OK || code == FK_CODE_SYSTEM_ERROR) {
        return code;
    }
    fk_patch_i32(&job->reply, header_at, FK_OP_ERROR);
    fk_patch_i32(&job->reply, header_at + HEADER_CODE_OFFSET, (int32_t)code);
    fk_write_i32(&job->reply, (int32_t)code);
    return FK_CODE_OK;
}

/* The next part; false at the end, or where it does not parse (which fails the reader). */
static bool next_part(struct fk_reader *reader, struct fk_multi_header *header, struct fk_watch_request *request)
{
    fk_read_multi_header(reader, header);
    if (reader->failed || header->done) {
        return false;
    }
    if (header->op != FK_OP_GET_DATA && header->op != FK_OP_GET_CHILDREN) {
        reader->failed = true;
        return false;
    }
    fk_read_watch_request(reader, request);
    reader->failed = reader->failed || request->path.data == NULL;
    request->watch = false; /* ZK: the flag is lost while decoding */
    return !reader->failed;
}

/* The whole is checked before any of it is done. */
enum fk_code fk_read_multi(struct fk_job *job, struct fk_store *store)
{
    struct fk_reader check = fk_reader_of(fk_buf_view(&job->request));
    struct fk_reader reader = check;
    struct fk_multi_header header;
    struct fk_watch_request request;
    enum fk_code code = FK_CODE_OK;
    while (next_part(&check, &header, &request)) {
    }
    if (check.failed) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    while (code == FK_CODE_OK && next_part(&reader, &header, &request)) {
        code = run_part(job, store, header.op, &request);
        if (job->reply.size > FK_MULTI_READ_SIZE_MAX) {
            return FK_CODE_BAD_ARGUMENTS;
        }
    }
    fk_write_multi_header(&job->reply, &(struct fk_multi_header){FK_OP_ERROR, true, FK_OP_ERROR});
    return code;
}
