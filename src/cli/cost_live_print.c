// SPDX-License-Identifier: Apache-2.0
#include "cli/cost_live.h"

#include "base/err.h"
#include "cost/live_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>

#define DAY_S   86400.0
#define SHORT_S 600.0 /* a month of less is a guess */

static const struct fk_recorded *shown(const struct fk_cost_live_view *view)
{
    return view->since_start ? &view->answer->since_start : &view->answer->last_hour;
}

void fk_cost_live_ensemble(const struct fk_cost_live_view *view, const struct fk_recorded *recorded,
                           struct fk_bill *bill)
{
    double reads = 0;
    double writes = 0;
    double bytes = 0;
    for (size_t i = 0; i < recorded->count; i++) {
        const struct fk_recorded_op *op = &recorded->ops[i];
        const struct fk_cost_use use = fk_cost_units(op->op, op->amount, view->live.pipeline);
        bool write = fk_cost_op_writes(op->op);
        bool own = op->op == FK_COST_GATEWAY_MINUTE || op->op == FK_COST_HEARTBEAT || op->op == FK_COST_EVENT ||
                   op->op == FK_COST_EVENT_TRIMMED;
        reads += write || own ? 0 : op->count;
        writes += write && !own ? op->count : 0;
        bytes += own ? 0 : op->count * (double)(use.units.read_bytes + use.units.written_bytes);
    }
    double days = recorded->seconds / DAY_S;
    double size = reads + writes > 0 ? bytes / (reads + writes) : 0;
    fk_ensemble_bill(&view->ensemble, view->live.prices, days > 0 ? reads / days : 0, days > 0 ? writes / days : 0,
                     size, bill);
}

/* --- tables --- */

static void print_duration(double seconds, FILE *out)
{
    if (seconds >= 2 * 3600) {
        (void)fprintf(out, "%.1f hours", seconds / 3600);
    } else if (seconds >= 120) {
        (void)fprintf(out, "%.1f minutes", seconds / 60);
    } else {
        (void)fprintf(out, "%.1f seconds", seconds);
    }
}

static void print_head(const struct fk_cost_live_view *view, FILE *out)
{
    (void)fprintf(out, "%s, priced as %s with answers over %s, at the prices of %s\n", view->address,
                  view->live.pipeline ? "pipeline" : "single hop", view->live.tcp ? "TCP" : "SQS",
                  fk_prices_origin(view->live.prices));
    (void)fprintf(out, "%s: ", view->since_start ? "since the start" : "the last hour");
    print_duration(shown(view)->seconds, out);
    (void)fprintf(out, "\n");
}

static void print_operations(const struct fk_cost_live_view *view, FILE *out)
{
    double factor = fk_live_month_factor(shown(view));
    (void)fprintf(out, "\n%-22s %9s %12s %10s %10s %9s %9s %8s %12s %12s\n", "operation", "up to", "count", "read",
                  "write", "SQS", "calls", "S3", "USD", "USD/month");
    for (size_t i = 0; i < shown(view)->count; i++) {
        const struct fk_recorded_op *op = &shown(view)->ops[i];
        struct fk_cost_use use;
        double usd = fk_live_op_usd(&view->live, op, &use);
        char amount[24] = "";
        if (op->amount > 0) {
            (void)snprintf(amount, sizeof amount, "%zu", op->amount);
        }
        const struct fk_units *units = &use.units;
        int64_t blobs = units->blob_puts + units->blob_lists + units->blob_gets;
        (void)fprintf(out, "%-22s %9s %12.*f %10.0f %10.0f %9.0f %9.0f %8.0f %12.8f %12.4f\n", fk_cost_op_name(op->op),
                      amount, op->count == floor(op->count) ? 0 : 2, op->count, op->count * (double)units->read_units,
                      op->count * (double)units->write_units,
                      op->count * (double)(units->queue_requests + units->channel_requests),
                      op->count * (double)use.invocations, op->count * (double)blobs, usd, usd * factor);
    }
}

static void print_services(const struct fk_cost_live_view *view, const struct fk_bill *bill, FILE *out)
{
    double factor = fk_live_month_factor(shown(view));
    (void)fprintf(out, "\n%-12s %-24s %18s %14s %12s\n", "service", "", "amount", "USD", "USD/month");
    for (size_t i = 0; i < bill->count; i++) {
        const struct fk_bill_line *line = &bill->lines[i];
        bool first = i == 0 || strcmp(line->service, bill->lines[i - 1].service) != 0;
        (void)fprintf(out, "%-12s %-24s %18.6g %14.8f %12.4f\n", first ? line->service : "", line->what, line->amount,
                      line->usd, line->usd * factor);
    }
    (void)fprintf(out, "%-12s %-24s %18s %14.8f %12.4f\n", "sum", "", "", bill->usd, bill->usd * factor);
}

static void print_sessions(const struct fk_cost_live_view *view, FILE *out)
{
    const struct fk_cost_live_answer *answer = view->answer;
    (void)fprintf(out, "\n%-20s %12s %10s %10s %9s %14s   (since it came; the dearest)\n", "session", "operations",
                  "read", "write", "calls", "USD");
    for (size_t i = 0; i < answer->session_count; i++) {
        const struct fk_cost_live_session *session = &answer->sessions[i];
        (void)fprintf(out, "0x%-18" PRIx64 " %12" PRId64 " %10" PRId64 " %10" PRId64 " %9" PRId64 " %14.8f\n",
                      (uint64_t)session->id, session->operations, session->use.units.read_units,
                      session->use.units.write_units, session->use.invocations,
                      fk_live_use_usd(&view->live, &session->use));
    }
}

static void print_month(const struct fk_cost_live_view *view, double usd, FILE *out)
{
    struct fk_bill ensemble;
    double month = usd * fk_live_month_factor(shown(view));
    fk_cost_live_ensemble(view, shown(view), &ensemble);
    (void)fprintf(out, "\na month like this: %.2f USD on AWS; ZooKeeper on %dx%s: %.2f USD", month,
                  view->ensemble.count, view->ensemble.type, ensemble.usd);
    if (month > 0 && ensemble.usd >= month) {
        (void)fprintf(out, ", %.3g times as much\n", ensemble.usd / month);
    } else if (month > 0) {
        (void)fprintf(out, ", %.3g of it\n", ensemble.usd / month);
    } else {
        (void)fprintf(out, "\n");
    }
    if (shown(view)->seconds < SHORT_S) {
        (void)fprintf(out, "(a short time to tell a month from)\n");
    }
    (void)fprintf(out,
                  "each write counts as a message and a call of its own: the most that it can cost (docs/cost.md)\n");
}

enum fk_err fk_cost_live_print(const struct fk_cost_live_view *view, FILE *out)
{
    struct fk_bill bill;
    fk_live_bill(&view->live, shown(view), &bill);
    print_head(view, out);
    print_operations(view, out);
    print_services(view, &bill, out);
    if (view->sessions) {
        print_sessions(view, out);
    }
    print_month(view, bill.usd, out);
    return ferror(out) != 0 ? FK_ERR_IO : FK_OK;
}

/* --- JSON --- */

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static json_t *sessions_of(const struct fk_cost_live_view *view)
{
    json_t *sessions = json_array();
    for (size_t i = 0; i < view->answer->session_count; i++) {
        const struct fk_cost_live_session *session = &view->answer->sessions[i];
        json_t *one = json_object();
        set(one, "session_id", json_integer(session->id));
        set(one, "operations", json_integer(session->operations));
        fk_live_set_use(one, &session->use, 1);
        set(one, "usd", json_real(fk_live_use_usd(&view->live, &session->use)));
        (void)json_array_append_new(sessions, one);
    }
    return sessions;
}

enum fk_err fk_cost_live_print_json(const struct fk_cost_live_view *view, FILE *out)
{
    struct fk_bill ensemble;
    json_t *document = json_object();
    char name[FK_ENSEMBLE_TYPE_SIZE + 8];
    (void)snprintf(name, sizeof name, "%dx%s", view->ensemble.count, view->ensemble.type);
    fk_cost_live_ensemble(view, shown(view), &ensemble);
    set(document, "address", json_string(view->address));
    set(document, "topology", json_string(view->live.pipeline ? "pipeline" : "single-hop"));
    set(document, "channel", json_string(view->live.tcp ? "tcp" : "sqs"));
    set(document, "prices", json_string(fk_prices_origin(view->live.prices)));
    set(document, "since_start", fk_live_run_json(&view->live, &view->answer->since_start));
    set(document, "last_hour", fk_live_run_json(&view->live, &view->answer->last_hour));
    set(document, "zookeeper", json_pack("{s:s, s:f}", "ensemble", name, "usd_per_month", ensemble.usd));
    if (view->sessions) {
        set(document, "sessions", sessions_of(view));
    }
    bool ok = document != NULL && json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) == 0;
    (void)fprintf(out, "\n");
    json_decref(document);
    return ok && ferror(out) == 0 ? FK_OK : FK_ERR_IO;
}
