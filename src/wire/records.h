// SPDX-License-Identifier: Apache-2.0
/* The records of ZooKeeper's protocol (zookeeper.jute), as structs whose strings and buffers are views: of the frame
 * when read, of the caller's bytes when written. fk_read_X fails stickily on the reader; fk_write_X on the buffer. */
#ifndef FK_WIRE_RECORDS_H
#define FK_WIRE_RECORDS_H

#include "wire/codes.h"
#include "wire/jute.h"

/* ConnectRequest. `read_only` is optional at the end: clients before 3.4 do not send it (ProtocolManager.java). */
struct fk_connect_request {
    int32_t protocol_version;
    int64_t last_zxid_seen;
    int32_t timeout_ms;
    int64_t session_id;
    struct fk_bytes password;
    bool read_only;
    bool has_read_only;
};

/* ConnectResponse; the byte at the end only for clients that sent theirs (ZOOKEEPER-4814). */
struct fk_connect_response {
    int32_t protocol_version;
    int32_t timeout_ms;
    int64_t session_id;
    struct fk_bytes password;
    bool read_only;
    bool has_read_only;
};

struct fk_request_header {
    int32_t xid;
    int32_t op;
};

struct fk_reply_header {
    int32_t xid;
    int64_t zxid;
    int32_t code;
};

/* Stat, 68 bytes. */
struct fk_stat {
    int64_t czxid;
    int64_t mzxid;
    int64_t ctime_ms;
    int64_t mtime_ms;
    int32_t version;
    int32_t cversion;
    int32_t aversion;
    int64_t ephemeral_owner;
    int32_t data_length;
    int32_t num_children;
    int64_t pzxid;
};

enum {
    FK_STAT_SIZE = 68,
    FK_REPLY_HEADER_SIZE = 16,
};

/* CreateRequest, CreateTTLRequest. acl: the encoded vector, checked, count included; null view for a null vector. */
struct fk_create_request {
    struct fk_bytes path;
    struct fk_bytes data;
    struct fk_bytes acl;
    int32_t flags;
    int64_t ttl_ms; /* of CreateTTLRequest only; the other leaves it 0 */
};

/* DeleteRequest, CheckVersionRequest. */
struct fk_version_request {
    struct fk_bytes path;
    int32_t version;
};

struct fk_set_data_request {
    struct fk_bytes path;
    struct fk_bytes data;
    int32_t version;
};

struct fk_set_acl_request {
    struct fk_bytes path;
    struct fk_bytes acl;
    int32_t version;
};

/* ExistsRequest, GetDataRequest, GetChildrenRequest, GetChildren2Request. */
struct fk_watch_request {
    struct fk_bytes path;
    bool watch;
};

/* One entry of a multi: type, done, err (MultiHeader). */
struct fk_multi_header {
    int32_t op;
    bool done;
    int32_t code;
};

/* AuthPacket. */
struct fk_auth_request {
    int32_t type;
    struct fk_bytes scheme;
    struct fk_bytes auth;
};

/* SetWatches, SetWatches2: encoded vectors of ustrings as fk_read_strings gives them. */
struct fk_set_watches_request {
    int64_t relative_zxid;
    struct fk_bytes data;
    struct fk_bytes exist;
    struct fk_bytes child;
    struct fk_bytes persistent; /* of SetWatches2 only; the other leaves both null */
    struct fk_bytes recursive;
};

/* AddWatchRequest (enum fk_watch_mode), RemoveWatchesRequest and CheckWatchesRequest (enum fk_watcher_type). */
struct fk_watcher_request {
    struct fk_bytes path;
    int32_t kind;
};

/* WatcherEvent. */
struct fk_watcher_event {
    int32_t type;
    int32_t state;
    struct fk_bytes path;
};

struct fk_acl_entry {
    int32_t perms;
    struct fk_bytes scheme;
    struct fk_bytes id;
};

void fk_read_connect_request(struct fk_reader *reader, struct fk_connect_request *request);
void fk_write_connect_request(struct fk_buf *buf, const struct fk_connect_request *request);
void fk_read_connect_response(struct fk_reader *reader, struct fk_connect_response *response);
void fk_write_connect_response(struct fk_buf *buf, const struct fk_connect_response *response);
void fk_read_request_header(struct fk_reader *reader, struct fk_request_header *header);
void fk_write_request_header(struct fk_buf *buf, const struct fk_request_header *header);
void fk_read_reply_header(struct fk_reader *reader, struct fk_reply_header *header);
void fk_write_reply_header(struct fk_buf *buf, const struct fk_reply_header *header);
void fk_read_stat(struct fk_reader *reader, struct fk_stat *stat);
void fk_write_stat(struct fk_buf *buf, const struct fk_stat *stat);
void fk_read_create_request(struct fk_reader *reader, struct fk_create_request *request);
void fk_write_create_request(struct fk_buf *buf, const struct fk_create_request *request);
void fk_read_create_ttl_request(struct fk_reader *reader, struct fk_create_request *request);
void fk_write_create_ttl_request(struct fk_buf *buf, const struct fk_create_request *request);
void fk_read_version_request(struct fk_reader *reader, struct fk_version_request *request);
void fk_write_version_request(struct fk_buf *buf, const struct fk_version_request *request);
void fk_read_set_data_request(struct fk_reader *reader, struct fk_set_data_request *request);
void fk_write_set_data_request(struct fk_buf *buf, const struct fk_set_data_request *request);
void fk_read_set_acl_request(struct fk_reader *reader, struct fk_set_acl_request *request);
void fk_write_set_acl_request(struct fk_buf *buf, const struct fk_set_acl_request *request);
void fk_read_watch_request(struct fk_reader *reader, struct fk_watch_request *request);
void fk_write_watch_request(struct fk_buf *buf, const struct fk_watch_request *request);
void fk_read_multi_header(struct fk_reader *reader, struct fk_multi_header *header);
void fk_write_multi_header(struct fk_buf *buf, const struct fk_multi_header *header);
void fk_read_auth_request(struct fk_reader *reader, struct fk_auth_request *request);
void fk_write_auth_request(struct fk_buf *buf, const struct fk_auth_request *request);
void fk_read_set_watches_request(struct fk_reader *reader, struct fk_set_watches_request *request);
void fk_write_set_watches_request(struct fk_buf *buf, const struct fk_set_watches_request *request);
void fk_read_set_watches2_request(struct fk_reader *reader, struct fk_set_watches_request *request);
void fk_write_set_watches2_request(struct fk_buf *buf, const struct fk_set_watches_request *request);
void fk_read_watcher_request(struct fk_reader *reader, struct fk_watcher_request *request);
void fk_write_watcher_request(struct fk_buf *buf, const struct fk_watcher_request *request);
void fk_read_watcher_event(struct fk_reader *reader, struct fk_watcher_event *event);
void fk_write_watcher_event(struct fk_buf *buf, const struct fk_watcher_event *event);
void fk_read_acl_entry(struct fk_reader *reader, struct fk_acl_entry *entry);
void fk_write_acl_entry(struct fk_buf *buf, const struct fk_acl_entry *entry);

/* A vector<ACL>, checked, as a view of its encoding (count included); a null view for a null vector. */
struct fk_bytes fk_read_acl(struct fk_reader *reader);
/* Appends an encoded vector as it is; a null view as a null vector. For vectors of ACLs and of ustrings. */
void fk_write_vector(struct fk_buf *buf, struct fk_bytes encoded);

/* Encoded world:anyone with all permissions (Ids.OPEN_ACL_UNSAFE) and with READ (Ids.READ_ACL_UNSAFE). */
extern const struct fk_bytes FK_ACL_OPEN;
extern const struct fk_bytes FK_ACL_READ;

#endif
