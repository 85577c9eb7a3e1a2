// SPDX-License-Identifier: Apache-2.0
/* What the files of reads share: read.c (one path), read_watches.c (many registrations at once), read_many.c (more than
 * one node). */
#ifndef FK_GATEWAY_READ_INTERNAL_H
#define FK_GATEWAY_READ_INTERNAL_H

#include "gateway/read.h"
#include "model/acl.h"

struct fk_caller fk_read_caller(const struct fk_job *job);
/* Says what the next record is read for. */
void fk_read_want(struct fk_job *job, unsigned kind, bool missing_too);
/* Reads the record of a path; the code says whether there is one, and the second whether the caller may see it. */
enum fk_code fk_read_load(struct fk_job *job, struct fk_store *store, struct fk_bytes path, struct fk_node *node);
enum fk_code fk_read_load_readable(struct fk_job *job, struct fk_store *store, struct fk_bytes path,
                                   struct fk_node *node);

enum fk_code fk_read_data(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request);
enum fk_code fk_read_children(struct fk_job *job, struct fk_store *store, const struct fk_watch_request *request);
enum fk_code fk_read_all_children(struct fk_job *job, struct fk_store *store, struct fk_bytes path);
enum fk_code fk_read_ephemerals(struct fk_job *job, struct fk_store *store);
enum fk_code fk_read_multi(struct fk_job *job, struct fk_store *store);
enum fk_code fk_read_set_watches(struct fk_job *job, struct fk_store *store);
enum fk_code fk_read_add_watch(struct fk_job *job, struct fk_store *store);

#endif
