// SPDX-License-Identifier: Apache-2.0
/* ZooKeeper's audit log: lines of tab-separated fields in a file of their own, or on standard error. A line is
 * written once what it tells of is durable. */
#ifndef FK_HOST_AUDIT_H
#define FK_HOST_AUDIT_H

#include "base/err.h"
#include "function/audit.h"

struct fk_host_audit;

/* `path` NULL: standard error; borrowed. IO with diag naming the file. */
enum fk_err fk_host_audit_open(const char *path, struct fk_host_audit **audit, struct fk_diag *diag);
/* What the writer calls. */
struct fk_audit fk_host_audit_port(struct fk_host_audit *audit);
/* Everything up to this zxid is durable. These are harmless for NULL. */
void fk_host_audit_durable(struct fk_host_audit *audit, int64_t zxid);
void fk_host_audit_server(struct fk_host_audit *audit, const char *operation, const char *result);
void fk_host_audit_reopen(struct fk_host_audit *audit);
void fk_host_audit_close(struct fk_host_audit *audit);

#endif
