// SPDX-License-Identifier: Apache-2.0
/* Faults as data. A site is a call of a port by somebody in a role ("function.table.write", "gateway.read.table.get");
 * a plan says what goes wrong at the nth call of a site. Without a plan the dice draw one, by the swarm options of the
 * seed, call by call: it can be printed afterwards, edited, run again and shrunk, without the dice.
 *
 * One line of a plan: `site occurrence fault [argument]`; lines that begin with '#' are comments. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "base/buf.h"
#include "sim/world.h"

/*    name               text                   F     argument, what happens */
#define SIM_FAULT_TABLE(X)                                                                                             \
    X(NONE, "none", "-", "no fault")                                                                                   \
    X(CRASH_BEFORE, "crash-before", "F1", "the process dies, the call has no effect")                                  \
    X(CRASH_AFTER, "crash-after", "F1", "the process dies, the call has its effect")                                   \
    X(BUSY, "busy", "F7", "throttled; the port answers BUSY to everybody for <argument> ms")                           \
    X(UNKNOWN_APPLIED, "unknown-applied", "F8", "the call has its effect, the answer is lost")                         \
    X(UNKNOWN_NOT_APPLIED, "unknown-not-applied", "F8", "the call is lost")                                            \
    X(UNKNOWN_LATER, "unknown-applied-later", "F8", "the answer is lost, the effect comes <argument> ms later")        \
    X(DELAY, "delay", "F10", "the call takes <argument> ms longer")                                                    \
    X(ZOMBIE, "zombie", "F5", "the caller stands still before the call for <argument> ms, beyond leases")              \
    X(FULL, "full", "F14", "the port answers FULL to everybody for <argument> ms")                                     \
    X(LATE, "late", "F10", "the message arrives <argument> ms later")                                                  \
    X(DUPLICATE, "duplicate", "F3", "the message arrives twice, the second time <argument> ms later")                  \
    X(CONCURRENT, "concurrent", "F3", "the batch is given to two invocations at once")                                 \
    X(REDELIVER, "redeliver", "F29", "what was deleted is delivered once more, <argument> ms later")                   \
    X(PARTIAL, "partial", "F4", "the invocation sees all, but only <argument> messages of the batch are deleted")      \
    X(LOST_DELETE, "lost-delete", "F3", "nothing is deleted: all comes again after the visibility timeout")            \
    X(TIMEOUT, "timeout", "F2", "the batch is given to another invocation while this one lives")                       \
    X(POISON, "poison", "F27", "a message that is none comes before it in the queue")                                  \
    X(NEWER, "newer", "F28", "a message of a newer format comes before it in the queue")                               \
    X(LOST, "lost", "F11", "the message is lost")                                                                      \
    X(CRASH, "crash", "F13", "the process dies")                                                                       \
    X(SUSPEND, "suspend", "F2", "the process stands still for <argument> ms")                                          \
    X(FREEZE, "freeze", "F6", "the process and its monotonic clock stand still for <argument> ms")                     \
    X(SKEW, "skew", "F6", "the process starts with its wall clock <argument> ms ahead")                                \
    X(DRIFT, "drift", "F6", "the process starts with clocks that gain <argument> ppm")                                 \
    X(JUMP, "jump", "F6", "the wall clock jumps by <argument> ms")                                                     \
    X(RESET, "reset", "F12", "the connection breaks, both sides learn of it, what is on its way is lost")              \
    X(HALF_CLIENT, "half-client", "F12", "the client's end breaks, the gateway never hears of it")                     \
    X(HALF_SERVER, "half-server", "F12", "the gateway's end breaks, the client never hears of it")                     \
    X(BLACKHOLE, "blackhole", "F12", "nothing arrives any more, in either direction")                                  \
    X(DEAF, "deaf", "F12", "nothing arrives at the client any more")                                                   \
    X(STALL, "stall", "F12", "nothing arrives for <argument> ms")                                                      \
    X(SLOW, "slow", "F12", "bytes take up to <argument> ms longer from now on")                                        \
    X(TINY, "tiny", "F12", "bytes arrive one by one from now on")                                                      \
    X(SWEEPS, "sweeps", "F3", "two sweeps run at once")                                                                \
    X(OVERLOAD, "overload", "F32", "no batch is delivered for <argument> ms")                                          \
    X(POWER_BEFORE, "power-before", "F15",                                                                             \
      "power fails before the call; <argument> decides what unsynced data is kept")                                    \
    X(POWER_AFTER, "power-after", "F15",                                                                               \
      "power fails after the call; <argument> as above: 0 nothing, 1 all, else dice")                                  \
    X(CRASH_TORN, "crash-torn", "F19", "the process dies when <argument> per mille of the write are done")             \
    X(IO, "io", "F18", "the call fails and has no effect")                                                             \
    X(SYNC_FAILS, "sync-fails", "F17",                                                                                 \
      "the sync fails; <argument> decides what is on the disk, the rest never will be")                                \
    X(FLIP, "flip", "F16", "a bit of what is read is wrong; <argument> says which")                                    \
    X(ROT, "rot", "F16", "before the start a bit of a file is wrong; <argument> says which")                           \
    X(ZEROED, "zeroed", "F16", "before the start a sector of a file is zeros; <argument> says which")                  \
    X(DEAD_LETTER, "dead-letter", "F27", "the first message of the batch leaves the queue undone, as a dead letter")

enum sim_fault_kind {
#define SIM_FAULT_ROW(name, text, number, what) SIM_FAULT_##name,
    SIM_FAULT_TABLE(SIM_FAULT_ROW)
#undef SIM_FAULT_ROW
    SIM_FAULT_COUNT
};

#define SIM_FAULT_BIT(name) (UINT64_C(1) << SIM_FAULT_##name)

const char *sim_fault_text(enum sim_fault_kind kind);
const char *sim_fault_number(enum sim_fault_kind kind);
const char *sim_fault_what(enum sim_fault_kind kind);

/* Who calls, and what. The label of the task (sim_label) stands between them in the name of the site. */
/*    name */
#define SIM_ROLE_TABLE(X)                                                                                              \
    X(FUNCTION, "function")                                                                                            \
    X(WRITER, "writer")                                                                                                \
    X(DISTRIBUTOR, "distributor")                                                                                      \
    X(SWEEP, "sweep")                                                                                                  \
    X(GATEWAY, "gateway")                                                                                              \
    X(CLIENT, "client")                                                                                                \
    X(QUEUE, "queue")                                                                                                  \
    X(SERVER, "server")

enum sim_role {
#define SIM_ROLE_ROW(name, text) SIM_ROLE_##name,
    SIM_ROLE_TABLE(SIM_ROLE_ROW)
#undef SIM_ROLE_ROW
    SIM_ROLE_COUNT
};

#define SIM_CALL_TABLE(X)                                                                                              \
    X(TABLE_GET, "table.get")                                                                                          \
    X(TABLE_LIST, "table.list")                                                                                        \
    X(TABLE_WRITE, "table.write")                                                                                      \
    X(BLOB_PUT, "blob.put")                                                                                            \
    X(BLOB_GET, "blob.get")                                                                                            \
    X(BLOB_REMOVE, "blob.remove")                                                                                      \
    X(BLOB_LIST, "blob.list")                                                                                          \
    X(QUEUE_SEND, "queue.send")                                                                                        \
    X(QUEUE_DELIVER, "queue.deliver")                                                                                  \
    X(CHANNEL_NOTIFY, "channel.notify")                                                                                \
    X(PROCESS_START, "process.start")                                                                                  \
    X(PROCESS_TICK, "process.tick")                                                                                    \
    X(NET_DATA, "net.data")                                                                                            \
    X(FILE_OPEN, "file.open")                                                                                          \
    X(FILE_READ, "file.read")                                                                                          \
    X(FILE_WRITE, "file.write")                                                                                        \
    X(FILE_SYNC, "file.sync")                                                                                          \
    X(FILE_SIZE, "file.size")                                                                                          \
    X(FILE_ALLOCATE, "file.allocate")                                                                                  \
    X(FILE_TRUNCATE, "file.truncate")                                                                                  \
    X(FILE_LOCK, "file.lock")                                                                                          \
    X(FILE_RENAME, "file.rename")                                                                                      \
    X(FILE_REMOVE, "file.remove")                                                                                      \
    X(FILE_LIST, "file.list")                                                                                          \
    X(FILE_SYNC_DIRECTORY, "file.sync_directory")

enum sim_call {
#define SIM_CALL_ROW(name, text) SIM_CALL_##name,
    SIM_CALL_TABLE(SIM_CALL_ROW)
#undef SIM_CALL_ROW
    SIM_CALL_COUNT
};

enum {
    SIM_LABELS_MAX = 64,
};

struct sim_fault {
    enum sim_fault_kind kind;
    int64_t argument;
};

/* What the dice may draw. */
struct sim_swarm {
    uint64_t kinds;       /* mask of SIM_FAULT_BIT */
    uint32_t roles;       /* mask of 1 << SIM_ROLE_... */
    uint32_t per_million; /* chance of a fault at a call */
    int64_t zombie_ms;    /* longer than leases and visibility */
    int64_t skew_ms;      /* bound of skews and jumps */
};

struct sim_site {
    enum sim_role role;
    enum sim_call call;
    uint32_t label; /* sim_label_index */
};

struct sim_planned {
    struct sim_site site;
    uint64_t occurrence; /* from 1 */
    struct sim_fault fault;
};

/* A list of faults, heap memory (plain malloc, it outlives worlds). */
struct sim_plan {
    struct sim_planned *faults;
    size_t count;
    size_t capacity;
};

void sim_plan_add(struct sim_plan *plan, const struct sim_planned *planned);
void sim_plan_free(struct sim_plan *plan);
/* Appends the plan as text, a line each. */
void sim_plan_print(const struct sim_plan *plan, struct fk_buf *out);
/* Reads it back; false with the line number at the first line that is none. */
bool sim_plan_parse(const char *text, struct sim_plan *plan, size_t *line);

/* How often each site was met, and each fault happened there. Summed over runs by adding; the index of labels is the
 * same in one program. */
struct sim_site_counts {
    uint64_t calls;
    uint64_t allowed; /* kinds that make sense there, as a mask */
    uint64_t faults[SIM_FAULT_COUNT];
};

struct sim_coverage {
    struct sim_site_counts sites[SIM_ROLE_COUNT][SIM_LABELS_MAX][SIM_CALL_COUNT];
};

struct sim_faults;

/* `plan` NULL: the dice draw. Both are borrowed; `coverage` is added to. */
struct sim_faults *sim_faults_new(struct sim_world *world, const struct sim_swarm *swarm, const struct sim_plan *plan,
                                  struct sim_coverage *coverage);
/* No fault happens while it is off (warm-up, healing); calls are counted all the same. */
void sim_faults_enable(struct sim_faults *faults, bool on);
bool sim_faults_enabled(const struct sim_faults *faults);
/* What happened, in its order; valid until the world is freed. */
const struct sim_plan *sim_faults_done(const struct sim_faults *faults);

/* Each call while faults are enabled is added to `calls` from now on, its mask of kinds as the argument. */
void sim_faults_list_calls(struct sim_faults *faults, struct sim_plan *calls);
/* An argument that shows what the kind is about, for exhaustive runs. */
int64_t sim_fault_usual(enum sim_fault_kind kind, const struct sim_swarm *swarm);

/* The fate of this call. `allowed` is a mask of the kinds that make sense here. The label is that of the task; calls in
 * no task have none. Drawn arguments fit the kind. */
struct sim_fault sim_fault_at(struct sim_faults *faults, enum sim_role role, enum sim_call call, uint64_t allowed);
/* The same under a label of its own, for calls in no task. */
struct sim_fault sim_fault_labelled(struct sim_faults *faults, enum sim_role role, const char *label,
                                    enum sim_call call, uint64_t allowed);

/* Labels are numbered as they are met, "" is 0; the text is kept. */
uint32_t sim_label_index(const char *label);
/* All labels so far, by their numbers; "" behind the last. */
void sim_labels_copy(char to[SIM_LABELS_MAX][32]);
/* "gateway.read.table.get" into text. */
void sim_site_name(const struct sim_site *site, char *text, size_t size);
bool sim_site_parse(const char *text, struct sim_site *site);
bool sim_fault_parse(const char *text, enum sim_fault_kind *kind);

#endif
