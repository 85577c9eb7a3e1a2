// SPDX-License-Identifier: Apache-2.0
/* Numbers of ZooKeeper's protocol: operations (ZooDefs.OpCode), result codes (KeeperException.Code), events
 * (Watcher.Event), permissions (ZooDefs.Perms). */
#ifndef FK_WIRE_CODES_H
#define FK_WIRE_CODES_H

enum fk_op {
    FK_OP_ERROR = -1,
    FK_OP_CREATE_SESSION = -10,
    FK_OP_CLOSE_SESSION = -11,
    FK_OP_NOTIFICATION = 0,
    FK_OP_CREATE = 1,
    FK_OP_DELETE = 2,
    FK_OP_EXISTS = 3,
    FK_OP_GET_DATA = 4,
    FK_OP_SET_DATA = 5,
    FK_OP_GET_ACL = 6,
    FK_OP_SET_ACL = 7,
    FK_OP_GET_CHILDREN = 8,
    FK_OP_SYNC = 9,
    FK_OP_PING = 11,
    FK_OP_GET_CHILDREN2 = 12,
    FK_OP_CHECK = 13,
    FK_OP_MULTI = 14,
    FK_OP_CREATE2 = 15,
    FK_OP_RECONFIG = 16,
    FK_OP_CHECK_WATCHES = 17,
    FK_OP_REMOVE_WATCHES = 18,
    FK_OP_CREATE_CONTAINER = 19,
    FK_OP_DELETE_CONTAINER = 20, /* never from clients: sweeps remove empty containers and old TTL nodes */
    FK_OP_CREATE_TTL = 21,
    FK_OP_MULTI_READ = 22,
    FK_OP_AUTH = 100,
    FK_OP_SET_WATCHES = 101,
    FK_OP_SASL = 102,
    FK_OP_GET_EPHEMERALS = 103,
    FK_OP_GET_ALL_CHILDREN_NUMBER = 104,
    FK_OP_SET_WATCHES2 = 105,
    FK_OP_ADD_WATCH = 106,
    FK_OP_WHO_AM_I = 107,
};

enum fk_code {
    FK_CODE_OK = 0,
    FK_CODE_SYSTEM_ERROR = -1,
    FK_CODE_RUNTIME_INCONSISTENCY = -2,
    FK_CODE_MARSHALLING_ERROR = -5,
    FK_CODE_UNIMPLEMENTED = -6,
    FK_CODE_OPERATION_TIMEOUT = -7,
    FK_CODE_BAD_ARGUMENTS = -8,
    FK_CODE_NO_NODE = -101,
    FK_CODE_NO_AUTH = -102,
    FK_CODE_BAD_VERSION = -103,
    FK_CODE_NO_CHILDREN_FOR_EPHEMERALS = -108,
    FK_CODE_NODE_EXISTS = -110,
    FK_CODE_NOT_EMPTY = -111,
    FK_CODE_SESSION_EXPIRED = -112,
    FK_CODE_INVALID_ACL = -114,
    FK_CODE_AUTH_FAILED = -115,
    FK_CODE_SASL_REQUIRED = -124, /* SESSIONCLOSEDREQUIRESASLAUTH */
    FK_CODE_NOT_READ_ONLY = -119,
    FK_CODE_NO_WATCHER = -121,
    FK_CODE_RECONFIG_DISABLED = -123,
    FK_CODE_QUOTA_EXCEEDED = -125,
};

/* Transaction ids of frames that are not requests with an id of their own. */
enum fk_xid {
    FK_XID_NOTIFICATION = -1,
    FK_XID_PING = -2,
    FK_XID_AUTH = -4,
    FK_XID_SET_WATCHES = -8,
};

enum fk_event_type {
    FK_EVENT_CREATED = 1,
    FK_EVENT_DELETED = 2,
    FK_EVENT_DATA_CHANGED = 3,
    FK_EVENT_CHILDREN_CHANGED = 4,
};

enum {
    FK_STATE_SYNC_CONNECTED = 3,
};

enum fk_perm {
    FK_PERM_READ = 1,
    FK_PERM_WRITE = 2,
    FK_PERM_CREATE = 4,
    FK_PERM_DELETE = 8,
    FK_PERM_ADMIN = 16,
    FK_PERM_ALL = 31,
};

/* Modes of addWatch (AddWatchMode). */
enum fk_watch_mode {
    FK_WATCH_MODE_PERSISTENT = 0,
    FK_WATCH_MODE_RECURSIVE = 1,
};

/* What removeWatches and checkWatches ask for (Watcher.WatcherType). */
enum fk_watcher_type {
    FK_WATCHER_CHILDREN = 1,
    FK_WATCHER_DATA = 2,
    FK_WATCHER_ANY = 3,
    FK_WATCHER_PERSISTENT = 4,
    FK_WATCHER_RECURSIVE = 5,
};

/* Bits of the flags of create; 4 (container) and above are kinds of their own. */
enum fk_create_flag {
    FK_CREATE_EPHEMERAL = 1,
    FK_CREATE_SEQUENTIAL = 2,
};

#endif
