// SPDX-License-Identifier: Apache-2.0
/* What operators see of a running gateway: its numbers, connections, sessions and watches. Four-letter words and the
 * admin port are made of this. Views are valid during the call. */
#ifndef FK_GATEWAY_INSPECT_H
#define FK_GATEWAY_INSPECT_H

#include "base/summary.h"
#include "gateway/gateway.h"
#include "gateway/tally.h"

/* --- the server --- */

struct fk_server_facts {
    const char *mode; /* "standalone", "read-only" */
    int64_t packets_received;
    int64_t packets_sent;
    int64_t outstanding;
    int64_t connections;
    int64_t latency_min_ms;
    int64_t latency_max_ms;
    double latency_avg_ms;
    int64_t zxid;
    int64_t nodes; /* ZK: with the internal key "" beside "/"; -1: not known */
    int64_t sessions;
    int64_t data_size; /* bytes of paths and data; -1: not known */
    int64_t uptime_ms;
    int64_t auth_failed;
    int64_t watch_connections;
    int64_t watch_paths;
    int64_t watches;
};

void fk_inspect_server(struct fk_gateway *gateway, struct fk_server_facts *facts);

/* "Server stats reset.": latencies and packets count from now. */
void fk_inspect_reset(struct fk_gateway *gateway);
/* "Connection stats reset." */
void fk_inspect_reset_connections(struct fk_gateway *gateway);

/* stmk and gtmk. */
int64_t fk_inspect_trace_mask(const struct fk_gateway *gateway);
void fk_inspect_set_trace_mask(struct fk_gateway *gateway, int64_t mask);

/* --- metrics: ZooKeeper's names without "zk_" --- */

struct fk_metrics_sink {
    void *context;
    void (*number)(void *context, const char *name, const char *help, bool counter, int64_t value);
    void (*real)(void *context, const char *name, const char *help, double value);
    void (*summary)(void *context, const char *name, const char *help, const struct fk_summary *summary);
};

void fk_inspect_metrics(struct fk_gateway *gateway, const struct fk_metrics_sink *sink);

/* --- connections --- */

struct fk_connection_facts {
    struct fk_bytes address; /* "" for a local socket */
    uint16_t port;
    bool has_session;
    bool secure;
    int64_t session_id;
    int32_t timeout_ms;
    int64_t outstanding;
    int64_t received;
    int64_t sent;
    int64_t established_ms; /* wall clock */
    const char *last_operation;
    int32_t last_cxid;
    int64_t last_zxid;
    int64_t last_response_ms;
    int64_t last_latency_ms;
    int64_t latency_min_ms;
    int64_t latency_avg_ms;
    int64_t latency_max_ms;
};

/* The functions that are called here return false to end the walk. */
void fk_inspect_connections(struct fk_gateway *gateway,
                            bool (*each)(void *context, const struct fk_connection_facts *facts), void *context);

/* --- sessions --- */

/* `expires_ms`: when, in milliseconds from now. */
void fk_inspect_sessions(struct fk_gateway *gateway, bool (*each)(void *context, int64_t id, int64_t expires_ms),
                         void *context);

/* The ephemeral nodes of a session; false where the store could not tell. */
bool fk_inspect_ephemerals(struct fk_gateway *gateway, int64_t session_id,
                           bool (*each)(void *context, struct fk_bytes path), void *context);

/* --- what clients asked for (tally.h) --- */

const struct fk_tally *fk_inspect_tally(const struct fk_gateway *gateway);
/* The topology that it is priced as. */
bool fk_inspect_pipeline(const struct fk_gateway *gateway);
/* Milliseconds of its running minute. */
int64_t fk_inspect_tally_running_ms(struct fk_gateway *gateway);
/* The sessions that live here. */
void fk_inspect_session_tallies(struct fk_gateway *gateway,
                                bool (*each)(void *context, int64_t id, const struct fk_tally_session *tally),
                                void *context);

/* What jobs used of AWS as meters around their ports say, by label; NULL: not a gateway of a deployment. */
const struct fk_meter *fk_inspect_meter(const struct fk_gateway *gateway);
/* Billed requests of the receiving end of its channel. */
void fk_inspect_channel(const struct fk_gateway *gateway, int64_t *receives, int64_t *deletes);

/* --- watches --- */

/* By session, the paths of one after the other; by path otherwise. */
void fk_inspect_watches(struct fk_gateway *gateway, bool by_path,
                        bool (*each)(void *context, int64_t session_id, struct fk_bytes path), void *context);

#endif
