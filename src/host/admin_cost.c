// SPDX-License-Identifier: Apache-2.0
/* What it would have cost on AWS: the command `cost`, and its metrics. Operations are those of the gateway's tally,
 * units those of the measured table, prices those of cost/price.h. A gateway of a deployment tells besides what it has
 * used itself, as meters around its ports say. */
#include "host/admin_internal.h"

#include "base/alloc.h"
#include "cost/live_json.h"

#include <inttypes.h>

enum {
    SESSIONS_MAX = 20, /* that are told of: those that cost most */
    SECONDS_PER_MINUTE = 60,
};

/* What the answers are made with. */
struct pricing {
    struct fk_gateway *gateway;
    struct fk_live live;
    double sessions; /* now */
    double data_bytes;
    struct fk_recorded recorded; /* of the span that is being told */
};

/* NULL without memory, or prices. */
static struct pricing *pricing_new(struct fk_gateway *gateway, const struct fk_admin_options *options)
{
    struct pricing *pricing = options->prices == NULL ? NULL : (struct pricing *)fk_alloc_zero(sizeof *pricing);
    struct fk_server_facts facts;
    if (pricing == NULL) {
        return NULL;
    }
    fk_inspect_server(gateway, &facts);
    pricing->gateway = gateway;
    pricing->live =
        (struct fk_live){.prices = options->prices, .pipeline = fk_inspect_pipeline(gateway), .tcp = options->tcp};
    pricing->sessions = (double)facts.sessions;
    pricing->data_bytes = facts.data_size > 0 ? (double)facts.data_size : 0;
    return pricing;
}

/* --- a span of time --- */

static void record(struct fk_recorded *recorded, enum fk_cost_op op, size_t amount, double count)
{
    if (count > 0) {
        recorded->ops[recorded->count++] = (struct fk_recorded_op){.op = op, .amount = amount, .count = count};
    }
}

_Static_assert((int)FK_TALLY_CELLS + 2 <= (int)FK_RECORDED_OPS_MAX, "every cell has room, and the timers");

static void record_span(struct pricing *pricing, const int64_t counts[FK_TALLY_CELLS], double seconds)
{
    struct fk_recorded *recorded = &pricing->recorded;
    *recorded = (struct fk_recorded){.seconds = seconds, .gateways = 1, .data_bytes = pricing->data_bytes};
    for (size_t i = 0; i < FK_TALLY_CELLS; i++) {
        enum fk_cost_op op = (enum fk_cost_op)(i / FK_TALLY_CLASSES);
        record(recorded, op, fk_tally_amount(op, i % FK_TALLY_CLASSES), (double)counts[i]);
    }
    record(recorded, FK_COST_GATEWAY_MINUTE, 1, seconds / SECONDS_PER_MINUTE);
    record(recorded, FK_COST_HEARTBEAT, (size_t)pricing->sessions, seconds / SECONDS_PER_MINUTE);
}

static double elapsed_s(struct fk_gateway *gateway)
{
    struct fk_server_facts facts;
    fk_inspect_server(gateway, &facts);
    return (double)facts.uptime_ms / 1000;
}

static void record_since_start(struct pricing *pricing)
{
    record_span(pricing, fk_inspect_tally(pricing->gateway)->counts, elapsed_s(pricing->gateway));
}

static void record_last_hour(struct pricing *pricing)
{
    int64_t sums[FK_TALLY_CELLS] = {0};
    int64_t counts[FK_TALLY_CELLS];
    double seconds = (double)fk_inspect_tally_running_ms(pricing->gateway) / 1000;
    uint32_t ago = 0;
    /* Whole minutes, and the running one in the place of the oldest. */
    while (ago < FK_TALLY_MINUTES && fk_tally_minute(fk_inspect_tally(pricing->gateway), ago, counts)) {
        for (size_t i = 0; i < FK_TALLY_CELLS; i++) {
            sums[i] += counts[i];
        }
        ago++;
    }
    record_span(pricing, sums, seconds + (double)(ago - 1) * SECONDS_PER_MINUTE);
}

/* --- as JSON --- */

static void set_real(json_t *object, const char *name, double value)
{
    fk_admin_set(object, name, json_real(value));
}

static void set_number(json_t *object, const char *name, double value)
{
    fk_admin_set(object, name, json_integer((json_int_t)value));
}

/* Those of clients: what becomes of events is none. */
static int64_t requests_of(const int64_t counts[FK_TALLY_CELLS])
{
    int64_t sum = 0;
    for (size_t i = 0; i < FK_TALLY_CELLS; i++) {
        enum fk_cost_op op = (enum fk_cost_op)(i / FK_TALLY_CLASSES);
        sum += op == FK_COST_EVENT || op == FK_COST_EVENT_TRIMMED ? 0 : counts[i];
    }
    return sum;
}

static json_t *minutes_of(struct pricing *pricing)
{
    json_t *minutes = json_array();
    int64_t counts[FK_TALLY_CELLS];
    double seconds = (double)fk_inspect_tally_running_ms(pricing->gateway) / 1000;
    for (uint32_t ago = 0; fk_tally_minute(fk_inspect_tally(pricing->gateway), ago, counts); ago++) {
        struct fk_bill bill;
        json_t *one = json_object();
        record_span(pricing, counts, ago == 0 ? seconds : SECONDS_PER_MINUTE);
        fk_live_bill(&pricing->live, &pricing->recorded, &bill);
        set_number(one, "ago", ago);
        set_real(one, "seconds", pricing->recorded.seconds);
        fk_admin_set(one, "operations", json_integer(requests_of(counts)));
        set_real(one, "usd", bill.usd);
        (void)json_array_append_new(minutes, one);
    }
    return minutes;
}

/* --- sessions --- */

struct priced_session {
    int64_t id;
    struct fk_tally_session tally;
    double usd;
};

struct ranking {
    double usd_of[7]; /* of one of each number of a tally */
    struct priced_session sessions[SESSIONS_MAX];
    size_t count;
};

static void weigh(const struct fk_live *live, struct ranking *ranking)
{
    const struct fk_cost_use ones[] = {
        {.units = {.read_units = 1}},
        {.units = {.write_units = 1}},
        {.units = {.queue_sends = 1, .queue_requests = 1}},
        {.units = {.channel_sends = 1, .channel_requests = 1}},
        {.invocations = 1},
        {.units = {.blob_puts = 1}},
        {.units = {.blob_gets = 1}},
    };
    for (size_t i = 0; i < sizeof ones / sizeof ones[0]; i++) {
        ranking->usd_of[i] = fk_live_use_usd(live, &ones[i]);
    }
}

static double price_session(const struct ranking *ranking, const struct fk_tally_session *tally)
{
    const double *usd_of = ranking->usd_of;
    return usd_of[0] * (double)tally->read_units + usd_of[1] * (double)tally->write_units +
           usd_of[2] * (double)tally->queue_requests + usd_of[3] * (double)tally->channel_requests +
           usd_of[4] * (double)tally->invocations + usd_of[5] * (double)tally->blob_puts +
           usd_of[6] * (double)tally->blob_gets;
}

/* Keeps those that cost most, the dearest first. */
static bool rank_session(void *context, int64_t id, const struct fk_tally_session *tally)
{
    struct ranking *ranking = (struct ranking *)context;
    const struct priced_session one = {.id = id, .tally = *tally, .usd = price_session(ranking, tally)};
    size_t at = ranking->count;
    while (at > 0 && ranking->sessions[at - 1].usd < one.usd) {
        if (at < SESSIONS_MAX) {
            ranking->sessions[at] = ranking->sessions[at - 1];
        }
        at--;
    }
    if (at < SESSIONS_MAX) {
        ranking->sessions[at] = one;
        ranking->count += ranking->count < SESSIONS_MAX ? 1 : 0;
    }
    return true;
}

static json_t *sessions_of(const struct pricing *pricing)
{
    struct ranking ranking = {.count = 0};
    json_t *sessions = json_array();
    weigh(&pricing->live, &ranking);
    fk_inspect_session_tallies(pricing->gateway, rank_session, &ranking);
    for (size_t i = 0; i < ranking.count; i++) {
        const struct priced_session *session = &ranking.sessions[i];
        json_t *one = json_object();
        fk_admin_set(one, "session_id", json_integer(session->id));
        fk_admin_set(one, "operations", json_integer(session->tally.requests));
        const struct fk_cost_use use = {.units = {.read_units = session->tally.read_units,
                                                  .write_units = session->tally.write_units,
                                                  .queue_requests = session->tally.queue_requests,
                                                  .channel_requests = session->tally.channel_requests,
                                                  .blob_puts = session->tally.blob_puts,
                                                  .blob_gets = session->tally.blob_gets},
                                        .invocations = session->tally.invocations};
        fk_live_set_use(one, &use, 1);
        set_real(one, "usd", session->usd);
        (void)json_array_append_new(sessions, one);
    }
    return sessions;
}

/* --- what a gateway used itself --- */

static json_t *metered_of(const struct fk_live *live, const char *label, const struct fk_units *units)
{
    json_t *one = json_object();
    fk_admin_set(one, "label", json_string(label));
    fk_admin_set(
        one, "table_requests",
        json_integer(units->table_gets + units->table_lists + units->table_writes + units->table_transactions));
    fk_admin_set(one, "refused", json_integer(units->table_refused));
    fk_admin_set(one, "failed", json_integer(units->table_failed));
    fk_live_set_use(one, &(struct fk_cost_use){.units = *units}, 1);
    set_real(one, "usd", fk_live_units_usd(live, units));
    return one;
}

static void set_metered(json_t *answer, const struct pricing *pricing)
{
    const struct fk_meter *meter = fk_inspect_meter(pricing->gateway);
    int64_t receives = 0;
    int64_t deletes = 0;
    if (meter == NULL) {
        return;
    }
    json_t *metered = json_object();
    json_t *labels = json_array();
    for (size_t i = 0; i < meter->label_count; i++) {
        const struct fk_meter_label *label = &meter->labels[i];
        (void)json_array_append_new(labels, metered_of(&pricing->live, label->name, &label->units));
    }
    fk_inspect_channel(pricing->gateway, &receives, &deletes);
    fk_admin_set(metered, "all", metered_of(&pricing->live, "all", &meter->all));
    fk_admin_set(metered, "labels", labels);
    fk_admin_set(metered, "channel_receives", json_integer(receives));
    fk_admin_set(metered, "channel_deletes", json_integer(deletes));
    fk_admin_set(answer, "metered", metered);
}

void fk_admin_cost(struct fk_admin_call *call)
{
    struct pricing *pricing = pricing_new(call->gateway, call->options);
    if (pricing == NULL) {
        call->status = 500;
        fk_admin_set(call->answer, "error", json_string("no memory"));
        return;
    }
    fk_admin_set(call->answer, "topology", json_string(pricing->live.pipeline ? "pipeline" : "single-hop"));
    fk_admin_set(call->answer, "channel", json_string(pricing->live.tcp ? "tcp" : "sqs"));
    fk_admin_set(call->answer, "region", json_string(fk_prices_region(call->options->prices)));
    set_number(call->answer, "sessions_live", pricing->sessions);
    record_since_start(pricing);
    fk_admin_set(call->answer, "since_start", fk_live_run_json(&pricing->live, &pricing->recorded));
    record_last_hour(pricing);
    fk_admin_set(call->answer, "last_hour", fk_live_run_json(&pricing->live, &pricing->recorded));
    fk_admin_set(call->answer, "minutes", minutes_of(pricing));
    fk_admin_set(call->answer, "sessions", sessions_of(pricing));
    set_metered(call->answer, pricing);
    fk_free(pricing);
}

/* --- as metrics --- */

static void text_head(struct fk_buf *out, const char *name, const char *help, const char *kind)
{
    fk_buf_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

/* An operation stands in several classes, one behind the other. */
static void text_operations(struct fk_buf *out, const struct fk_tally *tally)
{
    text_head(out, "fk_operations_total", "operations, as the table of units tells them apart", "counter");
    for (size_t op = 0; op < FK_COST_OP_COUNT; op++) {
        int64_t count = 0;
        for (size_t i = 0; i < FK_TALLY_CLASSES; i++) {
            count += tally->counts[op * FK_TALLY_CLASSES + i];
        }
        if (count > 0) {
            fk_buf_print(out, "fk_operations_total{operation=\"%s\"} %" PRId64 "\n",
                         fk_cost_op_name((enum fk_cost_op)op), count);
        }
    }
}

static void text_units(struct fk_buf *out, const struct fk_tally *tally)
{
    const struct fk_tally_session sum = fk_tally_total(tally);
    const struct {
        const char *unit;
        int64_t number;
    } numbers[] = {
        {"read", sum.read_units},          {"write", sum.write_units},      {"queue", sum.queue_requests},
        {"channel", sum.channel_requests}, {"invocation", sum.invocations}, {"blob_put", sum.blob_puts},
        {"blob_get", sum.blob_gets},
    };
    text_head(out, "fk_cost_units_total", "units of AWS that the operations would have used", "counter");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        fk_buf_print(out, "fk_cost_units_total{unit=\"%s\"} %" PRId64 "\n", numbers[i].unit, numbers[i].number);
    }
}

static void text_services(struct fk_buf *out, struct pricing *pricing)
{
    struct fk_bill bill;
    record_since_start(pricing);
    fk_live_bill(&pricing->live, &pricing->recorded, &bill);
    text_head(out, "fk_cost_usd", "dollars that it would have cost on AWS since the start, by service", "gauge");
    for (size_t i = 0; i < bill.count; i++) { /* the lines of a service stand together */
        const char *service = bill.lines[i].service;
        if (i == 0 || strcmp(bill.lines[i - 1].service, service) != 0) {
            fk_buf_print(out, "fk_cost_usd{service=\"%s\"} %.9g\n", service, fk_bill_service(&bill, service));
        }
    }
}

static void text_metered(struct fk_buf *out, const struct fk_meter *meter)
{
    text_head(out, "fk_metered_read_units_total", "read units that this gateway used, by what it was at", "counter");
    for (size_t i = 0; i < meter->label_count; i++) {
        fk_buf_print(out, "fk_metered_read_units_total{label=\"%s\"} %" PRId64 "\n", meter->labels[i].name,
                     meter->labels[i].units.read_units);
    }
    text_head(out, "fk_metered_write_units_total", "write units, likewise", "counter");
    for (size_t i = 0; i < meter->label_count; i++) {
        fk_buf_print(out, "fk_metered_write_units_total{label=\"%s\"} %" PRId64 "\n", meter->labels[i].name,
                     meter->labels[i].units.write_units);
    }
    text_head(out, "fk_metered_queue_requests_total", "requests of sending to the functions' queue", "counter");
    fk_buf_print(out, "fk_metered_queue_requests_total %" PRId64 "\n", meter->all.queue_requests);
}

void fk_admin_write_cost_metrics(struct fk_gateway *gateway, const struct fk_admin_options *options, struct fk_buf *out)
{
    const struct fk_meter *meter = fk_inspect_meter(gateway);
    struct pricing *pricing = pricing_new(gateway, options);
    if (pricing == NULL) {
        return;
    }
    text_operations(out, fk_inspect_tally(gateway));
    text_units(out, fk_inspect_tally(gateway));
    text_services(out, pricing);
    if (meter != NULL) {
        text_metered(out, meter);
    }
    fk_free(pricing);
}
