// SPDX-License-Identifier: Apache-2.0
/* Bodies of requests, appended to a buffer: what the workload and the scenarios write of. */
#ifndef SIM_BODY_H
#define SIM_BODY_H

#include "wire/records.h"

/* sync, getACL */
void sim_body_path(struct fk_buf *body, const char *path);
/* exists, getData, getChildren, getChildren2 */
void sim_body_read(struct fk_buf *body, const char *path, bool watch);
/* acl: an encoded vector<ACL>. */
void sim_body_create(struct fk_buf *body, const char *path, struct fk_bytes data, struct fk_bytes acl, int32_t flags);
void sim_body_create_ttl(struct fk_buf *body, const char *path, struct fk_bytes data, int32_t flags, int64_t ttl_ms);
/* delete, check */
void sim_body_version(struct fk_buf *body, const char *path, int32_t version);
void sim_body_set(struct fk_buf *body, const char *path, struct fk_bytes data, int32_t version);
void sim_body_set_acl(struct fk_buf *body, const char *path, struct fk_bytes acl, int32_t version);
/* mode 0: persistent, 1: persistent and recursive */
void sim_body_add_watch(struct fk_buf *body, const char *path, int32_t mode);
/* One operation of a multi comes; its body is appended behind this. */
void sim_body_multi_next(struct fk_buf *body, int32_t op);
void sim_body_multi_end(struct fk_buf *body);
/* An encoded vector<ACL> from lines "perms scheme id", separated by ';'. */
void sim_body_acl(struct fk_buf *acl, const char *text);

#endif
