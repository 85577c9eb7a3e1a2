// SPDX-License-Identifier: Apache-2.0
/* What the files of the cloud gateway share. cloud.c: the backend, timers; cloud_job.c: jobs; cloud_session.c: attach,
 * create, expiry; cloud_conn.c: requests of a connection; cloud_write.c: writes and their answers, cloud_send.c: when
 * they are sent; cloud_order.c: the one output order of a connection; cloud_channel.c: the chain of events;
 * cloud_read*.c and cloud_watch.c: reads and registrations (blocking); cloud_unsubscribe.c: the end of subscriptions;
 * cloud_leave.c: the end of the gateway;
 * cloud_lease.c: renewal, fetching, sweeps (blocking). "H..." are rules of protocol.md. */
#ifndef FK_GATEWAY_CLOUD_INTERNAL_H
#define FK_GATEWAY_CLOUD_INTERNAL_H

#include "base/mark.h"
#include "base/mutant.h"
#include "function/record.h"
#include "function/sweep.h"
#include "gateway/cloud.h"
#include "gateway/gateway_internal.h"

enum fk_cloud_job_kind {
    FK_JOB_READ,        /* a read, setWatches, addWatch */
    FK_JOB_SYNC,        /* the zxid record */
    FK_JOB_SEND,        /* requests of a connection */
    FK_JOB_POLL,        /* a connection looks for answers in its session's record */
    FK_JOB_CREATE,      /* a new session */
    FK_JOB_SESSION,     /* an attach reads its session's record */
    FK_JOB_ATTACH,      /* an attach is sent */
    FK_JOB_EXPIRE,      /* the end of a silent session is sent */
    FK_JOB_RENEW,       /* the gateway's own record */
    FK_JOB_FETCH,       /* missing events */
    FK_JOB_SWEEP,       /* the heartbeat function */
    FK_JOB_UNSUBSCRIBE, /* a subscription that nobody needs */
    FK_JOB_LEAVE,       /* the gateway asks to be declared dead */
};

/* The events of one commit, as a job found them. */
struct fk_cloud_found {
    int64_t zxid;
    struct fk_gateway_events *events;
};

/* The gateway's own record as its last renewal wrote it, so that the next one need not read it first. */
struct fk_cloud_self {
    int64_t counter;
    int64_t stamp; /* 0: not known, or not there yet */
};

/* A subscription of this gateway that is looked for, then perhaps removed. */
struct fk_cloud_unsubscribe {
    int64_t stamp;  /* of the record that lists it */
    unsigned kinds; /* found; where it is removed: those that stay */
    bool removing;  /* the core has decided: it goes, if the record still has this stamp */
    bool unsettled; /* an outcome was unknown: the removal may still come */
};

struct fk_cloud_job {
    struct fk_job base; /* request: a read's body, the message to send, or a path to unsubscribe from */
    enum fk_cloud_job_kind kind;
    struct fk_list in_list;          /* registering: a read with watches that has not ended; or unsubscribing */
    struct fk_list in_bundle;        /* of SEND: it waits to be sent, or another one carries its requests */
    struct fk_list members;          /* of SEND: those whose requests this one carries */
    struct fk_cloud_attach *attach;  /* of CREATE, SESSION, ATTACH */
    struct fk_cloud_session *expire; /* of EXPIRE; NULL where that is gone */
    /* given */
    int64_t gateway;
    int64_t applied; /* events up to this one are applied */
    int64_t group;
    int64_t deduplication_id;
    int64_t started_ms;
    const struct fk_buf *address; /* renewal: of the gateway */
    bool first;                   /* renewal: the record does not exist yet */
    struct fk_cloud_self self;    /* renewal: before and after it */
    struct fk_sweep_memory *seen; /* sweep: of the gateway */
    bool registers;               /* a read with a watch */
    bool local_watch;             /* mutant: somebody here watches the path already */
    bool write_anyway; /* a registration writes the record though that lists the gateway: cloud_unsubscribe.c */
    int64_t given_generation;
    int64_t given_zxid;     /* newest that this gateway knew of */
    int64_t last_zxid_seen; /* create: of the client */
    bool fence;             /* create: the outcome of a try was unknown, and it may still come */
    /* results */
    enum fk_err err;    /* not OK: try again */
    bool dead;          /* this gateway was declared dead */
    bool absent;        /* there is no such session */
    bool taken;         /* create: the id is somebody else's */
    int64_t generation; /* newest met, and checked */
    int64_t pend;       /* the reply waits until this event is applied */
    int64_t zx_zxid;    /* zxid record, where it was read */
    int64_t zx_lastev;
    int64_t due_ms;     /* sweep: something is due so long after its start; 0: nothing */
    int64_t again_zxid; /* set by the core: an event on a path of it was applied meanwhile; 0: none */
    struct fk_session_record session;
    struct fk_cloud_unsubscribe unsubscribe;
    struct fk_cloud_found *found;
    size_t found_count;
    struct fk_units used; /* of the last run, as the host says */
};

/* A write whose reply was not sent. */
struct fk_cloud_write {
    int64_t number;
    int64_t message; /* that carries it, counted by the gateway; 0: none yet */
    int64_t started_ms;
    int32_t xid;
    int32_t op;
    struct fk_tally_write tally;
    bool answered;
    struct fk_answer_message answer; /* body: in `body` */
    struct fk_buf body;
};

struct fk_cloud_event {
    struct fk_list link;
    int64_t zxid;
    int32_t type;
    uint32_t size;
    uint8_t path[];
};

struct fk_cloud_conn {
    struct fk_conn *conn;
    struct fk_list dirty;           /* in the cloud's list: look for output */
    struct fk_list waiting;         /* in the cloud's list: something waits for events or a check */
    struct fk_cloud_attach *attach; /* while it has no session yet */
    struct fk_cloud_job *read;      /* at work, or waiting for its turn */
    struct fk_cloud_job *send;
    struct fk_cloud_job *poll;
    bool read_back;           /* the read has ended, its reply waits */
    int64_t read_behind;      /* number of the last write before the read */
    int64_t epoch;            /* of the session, for this connection */
    int64_t next_number;      /* of the next write */
    int64_t floor;            /* "lo": everything up to this zxid was shown */
    int64_t decided_zxid;     /* writes that are unanswered take a zxid above this */
    int64_t waiting_since_ms; /* 0: nothing waits */
    int64_t look_ms;          /* when to look for the oldest answer */
    uint32_t first;           /* oldest write in the ring */
    uint32_t count;
    struct fk_cloud_write writes[FK_RING_SIZE];
    struct fk_list events; /* not sent yet, by zxid */
};

/* A session of this gateway, also without a client: its time runs here. */
struct fk_cloud_session {
    struct fk_gateway_session base;
    struct fk_list link;
    int64_t epoch;
    struct fk_cloud_job *expire; /* its end is being sent */
    int64_t expired_ms;          /* when its end was sent; 0: it was not */
};

enum fk_attach_step {
    FK_ATTACH_NEW,     /* nothing was asked yet */
    FK_ATTACH_CREATED, /* a session is being created */
    FK_ATTACH_CHECK,   /* the session is read, for the password */
    FK_ATTACH_SENT,    /* the attach is on its way; the record tells the outcome */
};

/* A session on its way to this gateway. It outlives its connection: whatever comes of it, somebody must know. */
struct fk_cloud_attach {
    struct fk_list link;
    struct fk_conn *conn; /* NULL: the client has gone */
    struct fk_cloud_job *job;
    enum fk_attach_step step;
    int64_t id;
    int64_t epoch; /* expected by the attach */
    int64_t nonce;
    int64_t last_zxid_seen;
    int64_t look_ms;
    int32_t timeout_ms;
    uint8_t password[FK_PASSWORD_SIZE];
    bool password_whole; /* the client sent one of the right size */
    bool is_new;
    bool gone; /* somebody else has the session already */
};

/* A message of requests none of which is answered. */
struct fk_cloud_pace {
    int64_t message;  /* 0: there is none */
    int64_t until_ms; /* it does not count any more: nothing may come of it */
};

struct fk_cloud {
    struct fk_cloud_options options;
    int64_t id;
    int64_t applied;         /* "w": all events up to it are applied */
    int64_t heard;           /* newest event heard of */
    int64_t generation;      /* this gateway was alive in it */
    int64_t generation_seen; /* newest in an answer */
    int64_t newest;          /* newest zxid known */
    int64_t lease_ms;        /* when the last successful renewal started */
    int64_t renew_ms;        /* when to start the next */
    struct fk_cloud_self self;
    int64_t sweep_ms;            /* when to start the next sweep */
    struct fk_sweep_memory seen; /* a sweep's, while one is at work */
    int64_t leave_ms;            /* when what is under way is given up on, once it leaves */
    struct fk_buf address;       /* of the gateway's record; does not change once jobs are taken */
    bool leaving;                /* nothing new begins */
    bool asked;                  /* to be declared dead */
    bool left;
    bool serving; /* the gateway's record exists */
    bool dead;
    bool renewing;
    bool sweeping;
    bool fetching;
    bool fetch_wanted;
    struct fk_list sessions;
    struct fk_list attaches;
    struct fk_list dirty;
    struct fk_list waiting;
    struct fk_list registering;
    struct fk_list unsubscribing;
    struct fk_list later;  /* jobs to be tried again at the next tick */
    struct fk_list unsent; /* SEND jobs that wait for their turn */
    int64_t messages;      /* sent so far */
    struct fk_cloud_pace pace[FK_MESSAGES_UNANSWERED_MAX];
    struct fk_meter meter;    /* what jobs used, by what they do */
    int64_t channel_receives; /* requests, where they are billed */
    int64_t channel_deletes;
};

enum {
    /* An answer that does not come for this long costs the connection; the outcome is unknown then. */
    FK_ANSWER_GIVE_UP_MS = 30000,
    /* The end of a session is sent again when nothing came of it: the queue may have given up on the message. */
    FK_EXPIRE_AGAIN_MS = 60000,
    /* What is under way when the gateway is told to leave has so long to end. */
    FK_LEAVE_MS = 5000,
    /* Sweeps are no closer, whatever is due. */
    FK_SWEEP_PAUSE_MS = 1000,
    /* Tries of a job before it goes back to the core. */
    FK_JOB_TRIES = 4,
};

static inline struct fk_cloud_job *fk_cloud_job_of(struct fk_job *job)
{
    return FK_CONTAINER_OF(job, struct fk_cloud_job, base);
}

/* cloud.c */
void fk_cloud_declared_dead(struct fk_gateway *gateway);
void fk_cloud_learn_zxid(struct fk_cloud *cloud, int64_t zxid);
/* The answer or record of this generation may be used; if not, its check is on its way. */
bool fk_cloud_generation_checked(struct fk_gateway *gateway, int64_t generation);
/* Something changed that waiting connections may wait for. */
void fk_cloud_wake(struct fk_gateway *gateway);
/* Sends what can be sent, on all connections that something happened to. */
void fk_cloud_settle(struct fk_gateway *gateway);

/* cloud_job.c: a job of this kind that is not started; NULL without memory. */
struct fk_cloud_job *fk_cloud_job_new(struct fk_gateway *gateway, enum fk_cloud_job_kind kind);
void fk_cloud_job_start(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* Again at the next tick. */
void fk_cloud_job_later(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* Those that nobody has taken. */
void fk_cloud_drop_jobs(struct fk_gateway *gateway);
void fk_cloud_job_release(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* Whom the meter counts it for: the operation of a read, otherwise what the job does. */
const char *fk_cloud_job_meter_label(const struct fk_cloud_job *job);
int64_t fk_cloud_draw(struct fk_gateway *gateway);
/* Another try after a pause; false where the error is none that passes, or the tries are used up. */
bool fk_cloud_try_again(struct fk_backoff *backoff, enum fk_err err);
struct fk_backoff fk_cloud_backoff(const struct fk_ports *ports);
/* Reads one item with some tries. */
enum fk_err fk_cloud_get(const struct fk_ports *ports, const struct fk_key *key, struct fk_arena *arena,
                         struct fk_item *item);

/* cloud_session.c */
void fk_cloud_connect(struct fk_gateway *gateway, struct fk_conn *conn, const struct fk_connect_request *request);
void fk_cloud_attach_tick(struct fk_gateway *gateway);
void fk_cloud_attach_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* Something came of an attach: look at once. */
void fk_cloud_attach_hint(struct fk_gateway *gateway, int64_t session_id);
void fk_cloud_attach_free(struct fk_gateway *gateway, struct fk_cloud_attach *attach);
void fk_cloud_expire_tick(struct fk_gateway *gateway);
void fk_cloud_expire_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* The session has another owner, or none. */
void fk_cloud_session_gone(struct fk_gateway *gateway, const struct fk_event_entry *entry, int64_t zxid);
void fk_cloud_session_free(struct fk_gateway *gateway, struct fk_cloud_session *session);

/* cloud_conn.c */
bool fk_cloud_conn_new(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_cloud_process(struct fk_gateway *gateway, struct fk_conn *conn);
/* The connection keeps nothing of what it was. */
void fk_cloud_conn_detach(struct fk_gateway *gateway, struct fk_conn *conn);
/* The connection ends without another byte. */
void fk_cloud_conn_drop(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_cloud_conn_dirty(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_cloud_read_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
void fk_cloud_read_again(struct fk_gateway *gateway, struct fk_conn *conn);

/* cloud_write.c */
struct fk_cloud_write *fk_cloud_write_at(struct fk_cloud_conn *cloud, uint32_t index);
/* Takes as many writes as may go out of the front of the input; gives the bytes taken. */
size_t fk_cloud_take_writes(struct fk_gateway *gateway, struct fk_conn *conn, struct fk_bytes input);
void fk_cloud_send_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
void fk_cloud_answer(struct fk_gateway *gateway, const struct fk_answer_message *answer);
void fk_cloud_poll(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_cloud_poll_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
void fk_cloud_write_tick(struct fk_gateway *gateway, struct fk_conn *conn);
/* The session of a connection that is leaving is gone: its closeSession is answered. */
void fk_cloud_closed(struct fk_gateway *gateway, struct fk_conn *conn, int64_t zxid);

/* cloud_send.c: the requests of a connection, in a job, are to be sent. */
void fk_cloud_send(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* Sends what waits, as far as it may. */
void fk_cloud_send_more(struct fk_gateway *gateway);
/* Something came of a request, or nobody waits for it any more. */
void fk_cloud_send_answered(struct fk_cloud *cloud, const struct fk_cloud_write *write);

/* cloud_order.c: all that can be sent now. */
void fk_cloud_flush(struct fk_gateway *gateway, struct fk_conn *conn);
bool fk_cloud_queue_event(struct fk_conn *conn, int64_t zxid, const struct fk_event *event);

/* cloud_channel.c */
void fk_cloud_events_notice(struct fk_gateway *gateway, struct fk_bytes message);
/* True where a read at work sets a watch that would hear of the path. */
bool fk_cloud_registering(const struct fk_cloud *cloud, struct fk_bytes path);
void fk_cloud_want_fetch(struct fk_gateway *gateway);
void fk_cloud_fetch_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
void fk_cloud_renew_start(struct fk_gateway *gateway);
void fk_cloud_renew_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
void fk_cloud_sweep_start(struct fk_gateway *gateway);
void fk_cloud_sweep_done(struct fk_gateway *gateway, struct fk_cloud_job *job);

/* cloud_unsubscribe.c: no watch has heard an event of this path. */
void fk_cloud_unheard(struct fk_gateway *gateway, struct fk_bytes path);
void fk_cloud_unsubscribe_done(struct fk_gateway *gateway, struct fk_cloud_job *job);
/* A removal was decided that may still be applied. */
bool fk_cloud_removing(const struct fk_cloud *cloud);

/* cloud_leave.c */
/* True where the connection closes now: the gateway leaves, and nothing of it is under way. */
bool fk_cloud_leave_conn(struct fk_gateway *gateway, struct fk_conn *conn);
void fk_cloud_leave_tick(struct fk_gateway *gateway);
void fk_cloud_leave_done(struct fk_gateway *gateway, struct fk_cloud_job *job);

/* Blocking, of jobs. */
void fk_cloud_read_run(struct fk_cloud_job *job, const struct fk_ports *ports);
void fk_cloud_sync_run(struct fk_cloud_job *job, const struct fk_ports *ports);
void fk_cloud_session_run(struct fk_cloud_job *job, const struct fk_ports *ports);
void fk_cloud_create_run(struct fk_cloud_job *job, const struct fk_ports *ports);
void fk_cloud_renew_run(struct fk_cloud_job *job, const struct fk_ports *ports);
void fk_cloud_unsubscribe_run(struct fk_cloud_job *job, const struct fk_ports *ports);
void fk_cloud_leave_run(struct fk_cloud_job *job, const struct fk_cloud_options *options, const struct fk_ports *ports);
void fk_cloud_fetch_run(struct fk_cloud_job *job, const struct fk_ports *ports);
/* After records of job->generation were read: is this gateway alive in it? Sets job->dead. */
enum fk_err fk_cloud_check_run(struct fk_cloud_job *job, const struct fk_ports *ports);
/* The gateway's own record; *stamp 0 where there is none. */
enum fk_err fk_cloud_self_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_gateway_record *record,
                              int64_t *stamp);
enum fk_err fk_cloud_zx_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_zx_record *zx,
                            int64_t *stamp);

/* cloud_read_many.c */
enum fk_err fk_cloud_ephemerals_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_page *page);
/* TOO_LARGE above FK_CLOUD_COUNT_MAX. */
enum fk_err fk_cloud_descendants_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_bytes path,
                                     int64_t *count);

/* cloud_watch.c: the record of a path, with a watch registered in the same step. */
struct fk_cloud_record {
    struct fk_node_record record; /* exists = false: a missing node; zxid, pend, generation as they must be shown */
    int64_t stamp;                /* 0: there is no item, the numbers are of `above` */
};

/* kinds: enum fk_watch_kind to register for, or 0; `missing_too`: also where there is no node. */
enum fk_err fk_cloud_record_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_bytes path,
                                unsigned kinds, bool missing_too, struct fk_cloud_record *found);
/* A recursive watch (deviation 6 in the table of docs): reads the zxid record after it. */
enum fk_err fk_cloud_recursive_run(struct fk_cloud_job *job, const struct fk_ports *ports, struct fk_bytes path);

#endif
