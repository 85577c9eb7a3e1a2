// SPDX-License-Identifier: Apache-2.0
/* Every bound of the server, with its reason. Sizes are bytes. */
#ifndef FK_BASE_LIMITS_H
#define FK_BASE_LIMITS_H

enum fk_limits {
    /* Largest request: ZooKeeper's default jute.maxbuffer (0xfffff); a longer frame closes the connection. */
    FK_FRAME_SIZE_MAX = 0xfffff,
    /* Largest first frame: a connect request has 44 bytes and a password; memory before a handshake stays small. */
    FK_CONNECT_FRAME_SIZE_MAX = 1024,
    /* Session passwords, as in ZooKeeper. */
    FK_PASSWORD_SIZE = 16,
    /* Requests of one connection whose answers are not known; then its socket is not read (globalOutstandingLimit has
     * the same default for the whole server). */
    FK_OUTSTANDING_MAX = 1000,
    /* Unparsed bytes of one connection; then its socket is not read. One whole frame always fits. */
    FK_INPUT_SIZE_MAX = 2 * 1024 * 1024,
    /* Unsent bytes of one connection above which its requests wait: a reader that never reads costs this and one reply.
     */
    FK_OUTPUT_SIZE_HIGH = 1024 * 1024,
    /* Unsent bytes above which a connection is closed: only watch events get past FK_OUTPUT_SIZE_HIGH. */
    FK_OUTPUT_SIZE_MAX = 16 * 1024 * 1024,
    /* A connection whose handshake has not come by then is closed. */
    FK_HANDSHAKE_MS = 5000,
    /* A connection that is being closed and does not read its last bytes. */
    FK_CLOSE_MS = 5000,
    /* Buffers of idle connections up to this size are kept: 10 000 sessions shall stay below 16 KB each. */
    FK_IDLE_BUFFER_SIZE = 4096,
    /* Authenticated identities of one connection (addauth is repeatable). */
    FK_AUTH_IDS_MAX = 64,
    FK_AUTH_SIZE_MAX = 16 * 1024,
    /* An address that failed to authenticate so often within the window: its next attempts are answered so much later.
     */
    FK_AUTH_FAILURES_MAX = 10,
    FK_AUTH_WINDOW_MS = 60 * 1000,
    FK_AUTH_DELAY_MS = 1000,
    /* Addresses with failures that are remembered, 24 bytes each. */
    FK_AUTH_ADDRESSES_MAX = 4096,
    /* A SASL token: Kerberos tickets with many groups have up to 64 KB. DIGEST-MD5 takes 4 KB, as Java's server does.
     */
    FK_SASL_TOKEN_SIZE_MAX = 64 * 1024,
    FK_SASL_DIGEST_TOKEN_SIZE_MAX = 4096,
    /* Tokens of one exchange: DIGEST-MD5 has 2, GSSAPI 3 or 4. */
    FK_SASL_STEPS_MAX = 8,
    /* A SASL exchange that is not over by then: what it holds (about 20 KB) is freed, its connection closed. */
    FK_SASL_EXCHANGE_MS = 30 * 1000,
    /* Files of certificates: a trust store of all authorities that browsers know has 250 KB. */
    FK_TLS_STORE_SIZE_MAX = 4 * 1024 * 1024,
    FK_TLS_PASSWORD_SIZE_MAX = 255,
    /* Certificates that a client shows, before anything of it was checked. */
    FK_TLS_CERTIFICATES_SIZE_MAX = 32 * 1024,
    /* Bytes that are sealed ahead of the socket. */
    FK_TLS_PIECE_SIZE = 64 * 1024,
    /* What TLS itself may have to say while the peer does not read: our certificates, and answers to key updates, of
     * which it can ask for as many as it likes. */
    FK_TLS_OUTPUT_SIZE_MAX = 256 * 1024,
    /* Output of a four-letter word: 10 000 connections have 2 MB, a million watches would stop the loop for a second.
     */
    FK_WORD_OUTPUT_SIZE_MAX = 8 * 1024 * 1024,
    /* Entries and bytes of one ACL list, as asked for and after "auth" was expanded: each permission check reads them
     * all.
     */
    FK_ACL_ENTRIES_MAX = 1000,
    FK_ACL_SIZE_MAX = 64 * 1024,
    /* Watches of one connection, and the bytes of their paths: an exists of a missing node may name any path, 1 MB
     * long. A client that keeps a copy of a large tree stays far below. */
    FK_WATCHER_WATCHES_MAX = 200 * 1000,
    FK_WATCHER_PATHS_SIZE_MAX = 32 * 1024 * 1024,
    /* Watches of a gateway in all, and the bytes of their paths, each counted once: about 1 GB together. */
    FK_WATCHES_MAX = 4 * 1000 * 1000,
    FK_WATCH_PATHS_SIZE_MAX = 512 * 1024 * 1024,
    /* Largest reply of a multiRead, which may name a large node many times. */
    FK_MULTI_READ_SIZE_MAX = 16 * 1024 * 1024,
    /* Components of a path below which no quota is looked for: each of them costs a lookup per write. */
    FK_QUOTA_DEPTH_MAX = 100,
    /* Namespaces (children of "/" with quotas) whose refusals `mntr` counts, and the bytes of their names: 6 KB. */
    FK_QUOTA_NAMESPACES_MAX = 64,
    FK_QUOTA_NAMESPACE_SIZE_MAX = 87,
    /* Connections per address, ZooKeeper's default maxClientCnxns. */
    FK_CONNECTIONS_PER_ADDRESS = 60,
    /* Sessions of a server, connected or not: about 200 bytes each, and a row on the disk. Without it one client could
     * leave 40 s of handshakes behind, at ten thousand a second. */
    FK_SESSIONS_MAX = 1000 * 1000,
    /* Ephemeral nodes of one session: they all end in one change, which nobody may have to wait long for (0.3 s). What
     * is on its way when the limit is reached still comes. */
    FK_EPHEMERALS_MAX = 200 * 1000,
    /* Connections that get an event, and sessions that end, before others are served in between: about 1 ms each. */
    FK_EVENTS_AT_ONCE = 64,
    FK_EXPIRIES_AT_ONCE = 256,
    /* Unread bytes of a client that has no session yet: its connect request and what came with it. */
    FK_FRESH_INPUT_SIZE_MAX = 4096,
    /* Unread requests and unsent replies of all connections together: beyond, a connection that holds more than
     * FK_HELD_SIZE_FREE itself is closed, so that ten thousand of them can't take ten thousand times 2 MB. */
    FK_HELD_SIZE_MAX = 1024 * 1024 * 1024,
    FK_HELD_SIZE_FREE = 64 * 1024,
    /* Large requests of all connections where largeRequestThreshold says what is large: ZooKeeper's default. */
    FK_LARGE_REQUESTS_SIZE_MAX = 100 * 1024 * 1024,
    /* Bytes of requests that wait for the function; beyond, connections are not read (their own frames fit once more).
     */
    FK_QUEUE_SIZE_MAX = 64 * 1024 * 1024,
    /* Bytes of accepted changes that are not yet durable: beyond, the host takes no more requests from the queue. */
    FK_IN_FLIGHT_SIZE_MAX = 64 * 1024 * 1024,
    /* Requests that one function invocation takes: bounds the time of one round of the loop. */
    FK_BATCH_REQUESTS_MAX = 4096,
    /* Bytes of one queue message beyond which a gateway starts the next one (design.md section 8: 64 KiB). */
    FK_MESSAGE_SIZE_MAX = 64 * 1024,
    /* Messages with requests that a gateway has on the way in the single-hop topology: enough that the function always
     * finds some, few enough that under load what waits goes together. */
    FK_MESSAGES_UNANSWERED_MAX = 2,
    /* Answers and events of one commit go to a gateway in one message up to this, and another one behind it: what SQS
     * charges as one request of 64 KiB, encoded. */
    FK_NOTICES_SIZE_MAX = 40 * 1024,
    /* Largest log frame: a batch stops before it. A single change may be larger by one request. */
    FK_LOG_FRAME_SIZE_MAX = 8 * 1024 * 1024,
    /* One text of a line of the process's log, and the line: a client's longest path does not flood it. */
    FK_LOG_TEXT_SIZE_MAX = 1024,
    FK_LOG_LINE_SIZE_MAX = 4096,
    /* Lines of a log that wait for its writer; beyond, they are counted and dropped: a full disk stops nobody. */
    FK_LOG_WAITING_SIZE_MAX = 256 * 1024,
    /* The same of the audit log, which a burst of small writes fills faster. */
    FK_AUDIT_WAITING_SIZE_MAX = 8 * 1024 * 1024,
    /* Records that one place in the source logs in FK_LOG_WINDOW_MS; what is beyond is counted. */
    FK_LOG_SITE_MAX = 50,
    FK_LOG_WINDOW_MS = 10 * 1000,
    /* Default size of a log segment. */
    FK_LOG_SEGMENT_SIZE = 64 * 1024 * 1024,

    /* Table items and transactions: DynamoDB's quotas (TransactWriteItems, BatchGetItem), which every table driver
     * keeps, so that what works in one works in all. */
    FK_TABLE_GET_MAX = 100,
    FK_TABLE_WRITE_MAX = 100,
    FK_TABLE_ITEM_SIZE_MAX = 400 * 1024,
    FK_TABLE_WRITE_SIZE_MAX = 4 * 1024 * 1024,
    /* Gateways that a record names as perhaps behind without reading whether they are: 16 bytes each, against a read.
     */
    FK_PEND_UNREAD_MAX = 8,
    /* What an item has besides its key and value: names of attributes, the stamp. */
    FK_TABLE_ITEM_OVERHEAD = 64,
    /* A node's data stands in its record where the whole item has no more than this, as DynamoDB counts (meter.h): a
     * node with 1 kB of data is read at once and written with two units of 1 KB (ADR 0014). */
    FK_INLINE_ITEM_SIZE_MAX = 2048,
    /* What such an item has besides its path, data and list: attributes and numbers (80), the watches and the events
     * on their way of 8 gateways (9 and 13 each). */
    FK_INLINE_ITEM_FIXED = 256,
    /* Items of one page of a listing, by their sizes; a page has at least one. */
    FK_TABLE_PAGE_SIZE_MAX = 1024 * 1024,
    /* Names of blobs: a key of S3 has 1,024 bytes, in which a byte of a name may take three, and a prefix stands in
     * front. Names of one page: S3's quota. */
    FK_BLOB_NAME_SIZE_MAX = 336,
    FK_BLOB_PAGE_MAX = 1000,
    /* Results that a session record keeps (protocol.md H1), and requests of a session that may be undecided: one less,
     * so that a slot is never overwritten before its answer was taken. */
    FK_RING_SIZE = 8,
    FK_UNANSWERED_MAX = FK_RING_SIZE - 1,
    /* Largest reply that a slot keeps; only a multi can have a larger one, and is refused like one that does not fit a
     * transaction. 8 of them fit an item. */
    FK_RESULT_SIZE_MAX = 32 * 1024,
    /* Messages that one invocation takes from a FIFO queue (SQS: 10). */
    FK_QUEUE_BATCH_MAX = 10,
    /* Largest body of one message: SQS takes 1 MiB of text, and this is that in base64. */
    FK_QUEUE_BODY_SIZE_MAX = 768 * 1024,
    /* Largest message of a channel between machines: what fits a body in base64 with its frame. A larger one is lost,
     * and what it said is fetched. */
    FK_CHANNEL_MESSAGE_SIZE_MAX = FK_QUEUE_BODY_SIZE_MAX - 64,
    /* An event of Lambda (6 MB, synchronous), and the messages in one from a queue: 10 of a FIFO one, and Lambda's most
     * for others. */
    FK_LAMBDA_EVENT_SIZE_MAX = 6 * 1024 * 1024 + 128 * 1024,
    FK_LAMBDA_RECORDS_MAX = 10 * 1000,
    /* How long a FIFO queue knows the deduplication ids of what was sent (SQS: 5 minutes). */
    FK_QUEUE_DEDUPLICATION_MS = 5 * 60 * 1000,
    /* How long a message stays that nobody deletes (SQS: 14 days), and how long a receiver may keep it hidden (12 h).
     */
    FK_QUEUE_RETENTION_MS = 14 * 24 * 3600 * 1000,
    FK_QUEUE_VISIBILITY_MAX_MS = 12 * 3600 * 1000,
    /* Paths of one session's ephemeral nodes: they are listed in one item. */
    FK_EPHEMERALS_SIZE_MAX = 300 * 1024,
    /* Parts of a multiRead in the cloud, and nodes that getAllChildrenNumber counts there: each is a read of the table,
     * and a client waits for no more of them. */
    FK_CLOUD_MULTI_READ_MAX = 100,
    FK_CLOUD_COUNT_MAX = 10 * 1000,

    /* Body of an answer that a client of HTTP takes where the caller names no bound: BatchGetItem's 16 MB in Base64 and
     * JSON, and room. */
    FK_HTTP_REPLY_SIZE_MAX = 32 * 1024 * 1024,
    /* One attempt of a call to AWS, where the caller says nothing: a transaction takes 50 ms, a minute of waiting helps
     * nobody. Its connection: what a packet that is sent three times takes. */
    FK_AWS_CALL_MS = 5000,
    FK_AWS_CONNECT_MS = 3100,
    /* Messages of the channel that wait for a gateway's loop: beyond, they are dropped, as a network drops them. */
    FK_INBOX_SIZE_MAX = 16 * 1024 * 1024,
    /* Threads for a cloud gateway's calls, each with connections of its own: 6 400 reads of 5 ms a second. */
    FK_CLOUD_THREADS = 32,
    FK_CLOUD_THREADS_MAX = 256,
    /* A gateway that is told to go is gone by then. */
    FK_HAND_OVER_MS = 10 * 1000,
    /* A call is tried so often, with a pause of at most this, doubled each time (AWS's SDKs have the same); and no more
     * so long after the time of one attempt has passed: somebody waits for it. */
    FK_AWS_ATTEMPTS_MAX = 6,
    FK_AWS_BACKOFF_MS = 50,
    FK_AWS_BACKOFF_MAX_MS = 2000,
    FK_AWS_REPEAT_MS = 1000,
    /* Credentials are renewed when they last no longer than this, and after a failure not before that. */
    FK_AWS_RENEW_MS = 5 * 60 * 1000,
    FK_AWS_RENEW_AGAIN_MS = 30 * 1000,
    /* Parts of credentials: those of a role have 20, 40 and about 1 500 bytes; AWS names no limit of the token. */
    FK_AWS_KEY_SIZE_MAX = 128,
    FK_AWS_TOKEN_SIZE_MAX = 8 * 1024,
    /* A shared file of AWS; the largest that people have hold a hundred profiles. */
    FK_AWS_FILE_SIZE_MAX = 1024 * 1024,
    /* A clock that is off by less is good enough: signatures last 5 minutes (15 with S3). */
    FK_AWS_SKEW_MS = 4 * 60 * 1000,
};

/* A log over this size makes writes wait for the checkpoint. */
#define FK_LOG_SIZE_MAX (INT64_C(4) * 1024 * 1024 * 1024)
/* A checkpoint starts when the log behind it has this size, or after FK_CHECKPOINT_MS. */
#define FK_CHECKPOINT_SIZE (INT64_C(64) * 1024 * 1024)
#define FK_CHECKPOINT_MS   5000
/* After this time without a write an empty frame closes the window in which damage looks like a torn tail (H27). */
#define FK_LOG_IDLE_MS 100

#endif
