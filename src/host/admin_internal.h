// SPDX-License-Identifier: Apache-2.0
/* What the parts of the admin port share: admin.c (sockets), admin_route.c (which answer), admin_commands.c and
 * admin_lists.c (ZooKeeper's commands), admin_metrics.c, admin_cost.c. */
#ifndef FK_HOST_ADMIN_INTERNAL_H
#define FK_HOST_ADMIN_INTERNAL_H

#include "gateway/inspect.h"
#include "host/admin.h"
#include "http/request.h"

#include <jansson.h>

enum {
    FK_ADMIN_LISTENERS = 2,
    FK_ADMIN_CLIENTS_MAX = 64,
    FK_ADMIN_BODY_SIZE_MAX = 64 * 1024, /* nothing reads more of a request */
};

/* What a command needs, and what it gives. */
struct fk_admin_call {
    struct fk_gateway *gateway;
    const struct fk_admin_options *options;
    const struct fk_http_request *request;
    json_t *answer; /* the object that goes out */
    int status;
    const char *more; /* further headers */
};

/* An answer to a request: body and what stands before it. */
struct fk_admin_answer {
    int status;
    const char *type;
    const char *more;
    struct fk_buf body;
};

struct fk_admin_command {
    const char *name;
    const char *alias;
    void (*run)(struct fk_admin_call *call);
};

extern const struct fk_admin_command fk_admin_commands[];
extern const size_t fk_admin_command_count;

/* admin_route.c */
void fk_admin_route(struct fk_gateway *gateway, const struct fk_admin_options *options, bool metrics_only,
                    const struct fk_http_request *request, struct fk_admin_answer *answer);

/* admin_lists.c: commands whose answers grow with clients. */
void fk_admin_connections(struct fk_admin_call *call);
void fk_admin_stats_connections(struct fk_admin_call *call);
void fk_admin_dump(struct fk_admin_call *call);
void fk_admin_watches(struct fk_admin_call *call);
void fk_admin_watches_by_path(struct fk_admin_call *call);

/* admin_metrics.c */
void fk_admin_write_metrics(struct fk_gateway *gateway, const struct fk_admin_options *options, struct fk_buf *out);
void fk_admin_monitor(struct fk_admin_call *call);

/* admin_cost.c */
void fk_admin_cost(struct fk_admin_call *call);
void fk_admin_write_cost_metrics(struct fk_gateway *gateway, const struct fk_admin_options *options,
                                 struct fk_buf *out);

/* Sets a member; what has no memory is left out. */
void fk_admin_set(json_t *object, const char *name, json_t *value);

#endif
