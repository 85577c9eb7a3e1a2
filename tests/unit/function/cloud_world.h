// SPDX-License-Identifier: Apache-2.0
/* The functions of the cloud over the memory drivers, for tests: requests are sent by hand, in any order and as often
 * as a test likes; what gateways would get is read from their mailboxes; the table can fail at any write. */
#ifndef FK_TESTS_UNIT_FUNCTION_CLOUD_WORLD_H
#define FK_TESTS_UNIT_FUNCTION_CLOUD_WORLD_H

#include "driver/memory/clock.h"
#include "function/cloud.h"
#include "function/message.h"
#include "function/record.h"
#include "support/test.h"

enum {
    CLOUD_GATEWAY = 5, /* there from the start; owns the sessions */
    CLOUD_OTHER = 6,   /* another gateway, also there */
    CLOUD_LETTERS_MAX = 64,
    CLOUD_SESSION = 7, /* there from the start */
    CLOUD_OPERATIONS_MAX = 160,
};

/* What happens at a write of the table. */
enum cloud_fault {
    CLOUD_NO_FAULT,
    CLOUD_BUSY,
    CLOUD_REFUSED,         /* REFUSED although nothing stands against it: somebody was faster and has undone it */
    CLOUD_UNKNOWN_APPLIED, /* applied, and the answer is lost */
    CLOUD_UNKNOWN_LOST,    /* never applied */
    CLOUD_TOO_LARGE,
};

struct cloud;
typedef void (*cloud_hook_fn)(struct cloud *cloud);

struct cloud {
    struct fk_table table; /* the decorator; first */
    struct fk_table *inner;
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct fk_ports ports;
    struct fk_cloud_options options;
    struct fk_arena arena;
    enum cloud_fault fault;
    uint64_t fault_nth; /* of the writes from now on, 1 = the next; 0: none */
    bool fault_always;  /* and all after it */
    cloud_hook_fn hook; /* called before that write instead, once */
    int64_t taken;      /* in messages: what their gateway has taken */
    size_t writes;
    size_t last_count; /* writes of the last transaction */
};

void cloud_init(struct cloud *cloud, bool pipeline);
void cloud_deinit(struct cloud *cloud);
void cloud_fail(struct cloud *cloud, uint64_t nth, enum cloud_fault fault);
void cloud_hook(struct cloud *cloud, uint64_t nth, cloud_hook_fn hook);

void cloud_add_gateway(struct cloud *cloud, int64_t id);
void cloud_add_session(struct cloud *cloud, int64_t id, int64_t owner);

/* Operations of clients, with bodies; memory of the cloud. */
struct fk_request_operation cloud_create(struct cloud *cloud, const char *path, const char *data, int32_t flags);
struct fk_request_operation cloud_create2(struct cloud *cloud, const char *path, const char *data, int32_t flags);
struct fk_request_operation cloud_create_sized(struct cloud *cloud, const char *path, size_t size);
struct fk_request_operation cloud_set(struct cloud *cloud, const char *path, const char *data, int32_t version);
struct fk_request_operation cloud_delete(struct cloud *cloud, const char *path);
struct fk_request_operation cloud_multi(struct cloud *cloud, const struct fk_request_operation *ops, size_t count);
struct fk_request_operation cloud_close(void);
/* Of gateways and sweeps. */
struct fk_request_operation cloud_word(struct cloud *cloud, int32_t op, int64_t word);
struct fk_request_operation cloud_attach(struct cloud *cloud, int64_t nonce, int32_t timeout_ms);
struct fk_request_operation cloud_sweep_node(struct cloud *cloud, const char *path, int32_t version, int32_t cversion);

/* A message of CLOUD_SESSION in epoch 1 by CLOUD_GATEWAY, or of anybody. */
struct fk_bytes cloud_message(struct cloud *cloud, int64_t number, const struct fk_request_operation *ops,
                              size_t count);
struct fk_bytes cloud_message_of(struct cloud *cloud, int64_t session_id, int64_t epoch, int64_t gateway,
                                 int64_t number, const struct fk_request_operation *ops, size_t count);

/* Runs the function (single hop), or the writer and then the distributor, until their queues are empty. All must be
 * done. */
void cloud_run(struct cloud *cloud, struct fk_bytes message);
/* One operation of CLOUD_SESSION. */
void cloud_do(struct cloud *cloud, int64_t number, struct fk_request_operation operation);
/* One operation, and the code of its answer, the only one. */
int32_t cloud_code(struct cloud *cloud, int64_t number, struct fk_request_operation operation);
/* An internal operation of a session. */
void cloud_ask(struct cloud *cloud, int64_t session_id, int64_t epoch, int64_t gateway,
               struct fk_request_operation operation);
/* The parts of the pipeline alone. */
enum fk_err cloud_write(struct cloud *cloud, struct fk_bytes message);
enum fk_err cloud_distribute(struct cloud *cloud); /* what is in its queue, in batches */
size_t cloud_entries(struct cloud *cloud);

/* The next message for a gateway, taken out of its mailbox; false where there is none. */
bool cloud_answer(struct cloud *cloud, int64_t gateway, struct fk_answer_message *answer);
bool cloud_events(struct cloud *cloud, int64_t gateway, struct fk_events_record *events);
/* Empties all mailboxes. */
void cloud_clear(struct cloud *cloud);

/* Records as they stand; false: there is none. */
bool cloud_node(struct cloud *cloud, const char *path, struct fk_node_record *record);
bool cloud_session(struct cloud *cloud, int64_t id, struct fk_session_record *record);
bool cloud_gateway(struct cloud *cloud, int64_t id, struct fk_gateway_record *record);
struct fk_zx_record cloud_zx(struct cloud *cloud);
bool cloud_item(struct cloud *cloud, const struct fk_key *key, struct fk_item *item);
void cloud_put(struct cloud *cloud, const struct fk_key *key, struct fk_bytes value);
/* Items of a partition. */
size_t cloud_count(struct cloud *cloud, const char *partition);

/* Registers a gateway's watch in the record of a path. */
void cloud_watch(struct cloud *cloud, const char *path, int64_t gateway, uint32_t kinds);

#endif
