// SPDX-License-Identifier: Apache-2.0
#include "sim/body.h"

#include <stdlib.h>

void sim_body_path(struct fk_buf *body, const char *path)
{
    fk_write_bytes(body, fk_bytes_text(path));
}

void sim_body_read(struct fk_buf *body, const char *path, bool watch)
{
    fk_write_watch_request(body, &(struct fk_watch_request){.path = fk_bytes_text(path), .watch = watch});
}

void sim_body_create(struct fk_buf *body, const char *path, struct fk_bytes data, struct fk_bytes acl, int32_t flags)
{
    fk_write_create_request(
        body, &(struct fk_create_request){.path = fk_bytes_text(path), .data = data, .acl = acl, .flags = flags});
}

void sim_body_create_ttl(struct fk_buf *body, const char *path, struct fk_bytes data, int32_t flags, int64_t ttl_ms)
{
    sim_body_create(body, path, data, FK_ACL_OPEN, flags);
    fk_write_i64(body, ttl_ms);
}

void sim_body_version(struct fk_buf *body, const char *path, int32_t version)
{
    fk_write_version_request(body, &(struct fk_version_request){.path = fk_bytes_text(path), .version = version});
}

void sim_body_set(struct fk_buf *body, const char *path, struct fk_bytes data, int32_t version)
{
    fk_write_set_data_request(
        body, &(struct fk_set_data_request){.path = fk_bytes_text(path), .data = data, .version = version});
}

void sim_body_set_acl(struct fk_buf *body, const char *path, struct fk_bytes acl, int32_t version)
{
    fk_write_set_acl_request(body,
                             &(struct fk_set_acl_request){.path = fk_bytes_text(path), .acl = acl, .version = version});
}

void sim_body_add_watch(struct fk_buf *body, const char *path, int32_t mode)
{
    fk_write_bytes(body, fk_bytes_text(path));
    fk_write_i32(body, mode);
}

void sim_body_multi_next(struct fk_buf *body, int32_t op)
{
    fk_write_multi_header(body, &(struct fk_multi_header){.op = op, .done = false, .code = -1});
}

void sim_body_multi_end(struct fk_buf *body)
{
    fk_write_multi_header(body, &(struct fk_multi_header){.op = FK_OP_ERROR, .done = true, .code = -1});
}

void sim_body_acl(struct fk_buf *acl, const char *text)
{
    size_t count_at = acl->size;
    int32_t count = 0;
    fk_write_i32(acl, 0);
    for (const char *at = text; *at != '\0'; count++) {
        char *scheme = NULL;
        int32_t perms = (int32_t)strtol(at, &scheme, 10);
        scheme++;
        size_t scheme_size = strcspn(scheme, " ");
        const char *id = scheme + scheme_size + 1;
        size_t id_size = strcspn(id, ";");
        fk_write_acl_entry(acl, &(struct fk_acl_entry){.perms = perms,
                                                       .scheme = fk_bytes_of(scheme, scheme_size),
                                                       .id = fk_bytes_of(id, id_size)});
        at = id + id_size + (id[id_size] == ';' ? 1 : 0);
    }
    fk_patch_i32(acl, count_at, count);
}
