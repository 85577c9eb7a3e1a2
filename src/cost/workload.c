// SPDX-License-Identifier: Apache-2.0
#include "cost/workload.h"

#include <math.h>
#include <stddef.h>

/* Lambda's pollers of an event source mapping of SQS: five long polls of 20 s at all times ("Using Lambda with Amazon
 * SQS": up to five concurrent batches at the start; ReceiveMessage waits at most 20 s). The same figure that
 * docs/aws.md gives; other people's bills agree, nobody has measured ours. */
#define POLLERS 5
#define POLL_S  20.0

/* The schedule of deploy/aws/template.yaml: rate(1 minute). */
#define HEARTBEAT_S 60.0

/* One look for orphans in so many heartbeats: orphan_sweeps of function/cloud.h. */
#define HEARTBEATS_PER_ORPHAN_SWEEP 60.0

/* DynamoDB counts 100 bytes of each item at rest besides its own ("Amazon DynamoDB pricing", data storage). */
#define ITEM_OVERHEAD 100.0

/* A session's record with the eight answers that it keeps at most (docs/aws.md, "The table"). */
#define SESSION_SIZE (74 + 8 * 116)

/* Zones with an interface endpoint of SQS, which functions in a VPC need to reach the distributor's queue. */
#define ENDPOINT_ZONES 2.0

#define SMALL_SIZE 100 /* of rows that the table has for one size only */

struct range {
    const char *option;
    size_t offset;
    double least;
    double most;
    bool whole;
};

#define RANGE(option, member, least, most, whole)                                                                      \
    {                                                                                                                  \
        option, offsetof(struct fk_workload, member), least, most, whole                                               \
    }

/* What can be asked for sensibly: rates up to a million a second, and ZooKeeper's and AWS's limits. */
static const struct range ranges[] = {
    RANGE("--reads-per-day", reads_per_day, 0, 1e11, false),
    RANGE("--writes-per-day", writes_per_day, 0, 1e11, false),
    RANGE("--size", size, 0, 1048511, true),
    RANGE("--watches", watches, 0, 1e6, false),
    RANGE("--sessions", sessions, 0, 1e7, true),
    RANGE("--gateways", gateways, 0, 1e5, true),
    RANGE("--nodes", nodes, 0, 1e10, true),
    RANGE("--memory", memory_mb, 128, 10240, true),
    RANGE("--refused", refused_share, 0, 1, false),
};

struct fk_workload fk_workload_defaults(void)
{
    struct fk_usage_options options = fk_usage_defaults();
    return (struct fk_workload){.size = SMALL_SIZE,
                                .sessions = 10,
                                .gateways = 1,
                                .nodes = 1000,
                                .memory_mb = 512,
                                .refused_share = 0.01,
                                .sessions_per_day = 1,
                                .init_ms = options.init_ms,
                                .idle_life_s = 300,
                                .recycled_per_day = 12,
                                .log_bytes = options.log_bytes_per_call,
                                .log_days = 14};
}

static double value_of(const struct fk_workload *workload, const struct range *range)
{
    return *(const double *)(const void *)((const char *)workload + range->offset);
}

enum fk_err fk_workload_check(const struct fk_workload *workload, struct fk_diag *diag)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const struct range *range = &ranges[i];
        double value = value_of(workload, range);
        if (!(value >= range->least && value <= range->most) || (range->whole && value != floor(value))) {
            fk_diag_set(diag, "%s: a %snumber from %.15g to %.15g is expected", range->option,
                        range->whole ? "whole " : "", range->least, range->most);
            return FK_ERR_USAGE;
        }
    }
    if (workload->gateways == 0 && workload->reads_per_day + workload->writes_per_day > 0) {
        fk_diag_set(diag, "--gateways: at least 1 is expected where there are requests");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* Calls of one function come at random moments: with rate r the share of those that find it idle for longer than its
 * life is exp(-r life). What AWS ends besides is added. */
static double cold_share(const struct fk_workload *workload, double calls_per_day)
{
    if (calls_per_day <= 0) {
        return 1;
    }
    double idle = exp(-calls_per_day / (24 * 3600) * workload->idle_life_s);
    return fmin(1, idle + workload->recycled_per_day / calls_per_day);
}

struct fk_usage_options fk_workload_options(const struct fk_workload *workload)
{
    return (struct fk_usage_options){.tcp = workload->tcp,
                                     .messages_per_call = 1,
                                     .messages_per_receive = 1,
                                     .refused_share = workload->refused_share,
                                     .memory_gb = workload->memory_mb / 1024,
                                     .call_ms =
                                         fk_cost_call_ms((size_t)workload->size, workload->pipeline, workload->tcp),
                                     .init_ms = workload->init_ms,
                                     .cold_share = cold_share(workload, workload->writes_per_day),
                                     .log_bytes_per_call = workload->log_bytes};
}

static struct fk_cost_use use_of(const struct fk_workload *workload, enum fk_cost_op op, double amount)
{
    return fk_cost_units(op, (size_t)amount, workload->pipeline);
}

/* What `more` has beyond `less`. */
static struct fk_cost_use beyond(const struct fk_workload *workload, enum fk_cost_op more, enum fk_cost_op less)
{
    struct fk_cost_use high = use_of(workload, more, SMALL_SIZE);
    struct fk_cost_use low = use_of(workload, less, SMALL_SIZE);
    return (struct fk_cost_use){.units = fk_units_between(&low.units, &high.units),
                                .invocations = high.invocations - low.invocations};
}

/* What gateways got for one read; it leaves AWS where they are outside. */
static void add_transfer(const struct fk_workload *workload, const struct fk_units *units, double times,
                         struct fk_usage *usage)
{
    if (workload->outside) {
        usage->transfer_internet_gb +=
            times * (double)(units->read_bytes + units->blob_get_bytes + units->channel_bytes) / FK_COST_GB;
    } else if (workload->tcp) {
        usage->transfer_az_gb +=
            times * (double)units->channel_bytes * FK_COST_OTHER_ZONE_SHARE * FK_COST_BOTH_WAYS / FK_COST_GB;
    }
}

static void add(const struct fk_workload *workload, const struct fk_cost_use *use, double times, struct fk_usage *usage)
{
    struct fk_usage_options options = fk_workload_options(workload);
    fk_usage_add_use(usage, use, times, &options);
}

static void add_read(const struct fk_workload *workload, double times, struct fk_usage *usage)
{
    struct fk_cost_use use = use_of(workload, FK_COST_GET_DATA, workload->size);
    add(workload, &use, times, usage);
    add_transfer(workload, &use.units, times, usage);
}

void fk_workload_read(const struct fk_workload *workload, struct fk_usage *usage)
{
    *usage = (struct fk_usage){.table_read_units = 0};
    add_read(workload, 1, usage);
}

/* Messages of events to gateways other than the writer's own, which gets its answer with them: one of G. Over SQS the
 * function waits for each. */
static void add_messages(const struct fk_workload *workload, double gateways, struct fk_usage *usage)
{
    struct fk_units units = use_of(workload, FK_COST_SET_DATA_WATCHED, SMALL_SIZE).units;
    double messages = gateways == 0 ? 0 : gateways * (workload->gateways - 1) / workload->gateways;
    struct fk_usage_options options = fk_workload_options(workload);
    struct fk_cost_use message = {
        .units = {.channel_sends = 1, .channel_requests = 1, .channel_bytes = units.channel_bytes}};
    double waits_ms =
        fk_cost_call_ms(SMALL_SIZE, workload->pipeline, false) - fk_cost_call_ms(SMALL_SIZE, workload->pipeline, true);
    fk_usage_add_use(usage, &message, messages, &options);
    add_transfer(workload, &message.units, messages, usage);
    usage->function_gb_seconds += workload->tcp ? 0 : messages * waits_ms / 1000 * options.memory_gb;
}

/* A write that fires W watches, of g = min(W, G) gateways. Once: what the commit has beyond that of a node that nobody
 * watches, and the end of the event's record. For each gateway a message, and its first watch of the path when that is
 * set again; for each watch the read that sets it. */
static void add_watches(const struct fk_workload *workload, struct fk_usage *usage)
{
    double fires = fmin(1, workload->watches);
    double gateways = fmin(workload->watches, workload->gateways);
    struct fk_cost_use commit = beyond(workload, FK_COST_SET_DATA_WATCHED, FK_COST_SET_DATA);
    struct fk_cost_use trimmed = use_of(workload, FK_COST_EVENT_TRIMMED, 0);
    struct fk_cost_use first = beyond(workload, FK_COST_GET_DATA_WATCH, FK_COST_GET_DATA);
    add(workload, &commit, fires, usage);
    add(workload, &trimmed, fires, usage);
    add_messages(workload, gateways, usage);
    add(workload, &first, gateways, usage);
    add_read(workload, workload->watches, usage);
}

void fk_workload_write(const struct fk_workload *workload, struct fk_usage *usage)
{
    struct fk_cost_use use = use_of(workload, FK_COST_SET_DATA, workload->size);
    struct fk_units answer = {.channel_bytes = use.units.channel_bytes};
    *usage = (struct fk_usage){.table_read_units = 0};
    add(workload, &use, 1, usage);
    add_transfer(workload, &answer, 1, usage);
    if (workload->watches > 0) {
        add_watches(workload, usage);
    }
}

void fk_workload_sessions(const struct fk_workload *workload, struct fk_usage *usage)
{
    double times = workload->gateways == 0 ? 0 : workload->sessions * workload->sessions_per_day * FK_MONTH_DAYS;
    struct fk_cost_use begun = use_of(workload, FK_COST_SESSION_NEW, 0);
    struct fk_cost_use closed = use_of(workload, FK_COST_SESSION_CLOSED, 0);
    *usage = (struct fk_usage){.table_read_units = 0};
    add(workload, &begun, times, usage);
    add(workload, &closed, times, usage);
}

void fk_workload_renewals(const struct fk_workload *workload, struct fk_usage *usage)
{
    struct fk_cost_use minute = use_of(workload, FK_COST_GATEWAY_MINUTE, workload->gateways);
    struct fk_usage_options options = fk_workload_options(workload);
    options.refused_share = 0; /* each gateway writes records of its own */
    *usage = (struct fk_usage){.table_read_units = 0};
    if (workload->gateways > 0) {
        fk_usage_add_use(usage, &minute, FK_MONTH_SECONDS / 60, &options);
    }
}

/* Of one look: the reads that there are always, and those for nodes whose data stands apart from their records; a page
 * of the bucket's list has 100 names. */
static struct fk_cost_use orphan_sweep(const struct fk_workload *workload)
{
    struct fk_cost_use none = use_of(workload, FK_COST_ORPHAN_SWEEP, 0);
    struct fk_cost_use some = use_of(workload, FK_COST_ORPHAN_SWEEP, workload->size);
    double hundreds = ceil(workload->nodes / FK_COST_ORPHAN_NODES);
    bool blobs = use_of(workload, FK_COST_GET_DATA, workload->size).units.blob_gets > 0;
    none.units.read_units += (int64_t)(hundreds * (double)(some.units.read_units - none.units.read_units));
    none.units.blob_lists = blobs ? (int64_t)fmax(1, hundreds) : none.units.blob_lists;
    return none;
}

void fk_workload_heartbeat(const struct fk_workload *workload, struct fk_usage *usage)
{
    double calls = workload->gateways == 0 ? 0 : FK_MONTH_SECONDS / HEARTBEAT_S;
    struct fk_cost_use some = use_of(workload, FK_COST_HEARTBEATS, workload->sessions);
    struct fk_cost_use orphans = orphan_sweep(workload);
    struct fk_usage_options options = fk_workload_options(workload);
    options.refused_share = 0;
    options.call_ms =
        fk_cost_read_ms() * (double)(some.units.table_gets + some.units.table_lists) / FK_COST_HEARTBEAT_CALLS;
    options.cold_share = workload->recycled_per_day * HEARTBEAT_S / (24 * 3600);
    *usage = (struct fk_usage){.scheduler_invocations = calls};
    fk_usage_add_use(usage, &some, calls / FK_COST_HEARTBEAT_CALLS, &options);
    fk_usage_add_use(usage, &orphans, calls / HEARTBEATS_PER_ORPHAN_SWEEP, &options);
}

void fk_workload_polling(const struct fk_workload *workload, struct fk_usage *usage)
{
    double polls = FK_MONTH_SECONDS / POLL_S;
    *usage = (struct fk_usage){.queue_idle_polls = POLLERS * polls * (workload->pipeline ? 2 : 1),
                               .channel_idle_polls = workload->tcp ? 0 : workload->gateways * polls};
}

/* A node's item and its data are as large as a read of them is. */
void fk_workload_rest(const struct fk_workload *workload, struct fk_usage *usage)
{
    struct fk_units node = use_of(workload, FK_COST_GET_DATA, workload->size).units;
    double node_bytes = (double)node.read_bytes + ITEM_OVERHEAD * (double)node.table_gets;
    double calls = workload->writes_per_day * FK_MONTH_DAYS * (workload->pipeline ? 2 : 1) +
                   (workload->gateways == 0 ? 0 : FK_MONTH_SECONDS / HEARTBEAT_S);
    *usage = (struct fk_usage){
        .table_gb_months =
            (workload->nodes * node_bytes + workload->sessions * (SESSION_SIZE + ITEM_OVERHEAD)) / FK_COST_GB,
        .blob_gb_months = workload->nodes * (double)node.blob_get_bytes / FK_COST_GB,
        .log_gb_months = calls * workload->log_bytes / FK_COST_GB * workload->log_days / FK_MONTH_DAYS,
        .alarm_months = 1,
        .vpc_endpoint_hours = workload->tcp && workload->pipeline ? FK_MONTH_HOURS * ENDPOINT_ZONES : 0};
}

void fk_workload_usage(const struct fk_workload *workload, struct fk_usage *usage)
{
    static void (*const parts[])(const struct fk_workload *workload, struct fk_usage *usage) = {
        fk_workload_sessions, fk_workload_renewals, fk_workload_heartbeat, fk_workload_polling, fk_workload_rest};
    struct fk_usage part;
    fk_workload_read(workload, usage);
    fk_usage_scale(usage, workload->reads_per_day * FK_MONTH_DAYS);
    fk_workload_write(workload, &part);
    fk_usage_scale(&part, workload->writes_per_day * FK_MONTH_DAYS);
    fk_usage_add(usage, &part);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i](workload, &part);
        fk_usage_add(usage, &part);
    }
}
