// SPDX-License-Identifier: Apache-2.0
#include "cost/estimate.h"

#include "base/alloc.h"

#include <math.h>

#define RATE_MAX 1e15 /* a day; where FaaSKeeper is still cheaper there, it always is */

double fk_estimate_usd(const struct fk_workload *workload, const struct fk_prices *prices, const struct fk_usage *usage)
{
    struct fk_bill bill;
    fk_bill_make(prices, usage, workload->x86_64, &bill);
    return bill.usd;
}

double fk_estimate_at(const struct fk_workload *workload, const struct fk_prices *prices, double requests_per_day,
                      double read_share)
{
    struct fk_workload other = *workload;
    struct fk_usage usage;
    other.reads_per_day = requests_per_day * read_share;
    other.writes_per_day = requests_per_day * (1 - read_share);
    fk_workload_usage(&other, &usage);
    return fk_estimate_usd(&other, prices, &usage);
}

double fk_estimate_ensemble_at(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                               const struct fk_prices *prices, double requests_per_day, double read_share)
{
    struct fk_bill bill;
    fk_ensemble_bill(ensemble, prices, requests_per_day * read_share, requests_per_day * (1 - read_share),
                     workload->size, &bill);
    return bill.usd;
}

static bool is_dearer(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                      const struct fk_prices *prices, double requests_per_day, double read_share)
{
    return fk_estimate_at(workload, prices, requests_per_day, read_share) >=
           fk_estimate_ensemble_at(workload, ensemble, prices, requests_per_day, read_share);
}

double fk_estimate_break_even(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                              const struct fk_prices *prices, double read_share)
{
    struct fk_workload served = *workload;
    double low = 0;
    double high = 1;
    served.gateways = fmax(1, served.gateways);
    if (is_dearer(&served, ensemble, prices, low, read_share)) {
        return 0;
    }
    while (!is_dearer(&served, ensemble, prices, high, read_share)) {
        low = high;
        high *= 2;
        if (high > RATE_MAX) {
            return INFINITY;
        }
    }
    while (high - low > 1) {
        double middle = (low + high) / 2;
        *(is_dearer(&served, ensemble, prices, middle, read_share) ? &high : &low) = middle;
    }
    return floor(low);
}

static double usd_of(const struct fk_workload *workload, const struct fk_prices *prices,
                     void (*part)(const struct fk_workload *workload, struct fk_usage *usage))
{
    struct fk_usage usage;
    part(workload, &usage);
    return fk_estimate_usd(workload, prices, &usage);
}

void fk_estimate_make(const struct fk_workload *workload, const struct fk_ensemble *ensemble,
                      const struct fk_prices *prices, struct fk_estimate *estimate)
{
    double requests = workload->reads_per_day + workload->writes_per_day;
    struct fk_workload rest = *workload;
    rest.reads_per_day = rest.writes_per_day = rest.gateways = 0;
    *estimate =
        (struct fk_estimate){.read_share = requests > 0 ? workload->reads_per_day / requests : FK_ESTIMATE_READ_SHARE};
    fk_workload_usage(workload, &estimate->usage);
    fk_bill_make(prices, &estimate->usage, workload->x86_64, &estimate->bill);
    fk_ensemble_bill(ensemble, prices, workload->reads_per_day, workload->writes_per_day, workload->size,
                     &estimate->ensemble);
    estimate->fixed_usd = fk_estimate_at(workload, prices, 0, 0);
    estimate->ratio = estimate->ensemble.usd / estimate->bill.usd;
    estimate->break_even = fk_estimate_break_even(workload, ensemble, prices, estimate->read_share);
    estimate->read_usd = usd_of(workload, prices, fk_workload_read);
    estimate->write_usd = usd_of(workload, prices, fk_workload_write);
    estimate->renewals_usd = usd_of(workload, prices, fk_workload_renewals) / FK_MONTH_DAYS;
    estimate->heartbeat_usd = usd_of(workload, prices, fk_workload_heartbeat) / FK_MONTH_DAYS;
    estimate->rest_usd = usd_of(&rest, prices, fk_workload_usage);
}

/* --- a recorded run --- */

/* Operations that clients ask for at their own rate; the others go on by themselves. */
static bool is_request(enum fk_cost_op op)
{
    return op != FK_COST_GATEWAY_PERIOD && op != FK_COST_GATEWAY_MINUTE && op != FK_COST_HEARTBEAT &&
           op != FK_COST_ORPHAN_SWEEP && op != FK_COST_PING;
}

/* What comes with requests, and is none: events, and sessions that begin and end. */
static bool is_besides(enum fk_cost_op op)
{
    return op == FK_COST_EVENT || op == FK_COST_EVENT_TRIMMED || op == FK_COST_SESSION_NEW ||
           op == FK_COST_SESSION_MOVED || op == FK_COST_SESSION_CLOSED || op == FK_COST_SESSION_EXPIRED;
}

struct sums {
    struct fk_recorded reads;
    struct fk_recorded writes;
    struct fk_recorded fixed;
    double read_count;
    double write_count;
    double written; /* bytes */
    double sized;   /* writes that have them */
};

static void append(struct fk_recorded *list, const struct fk_recorded_op *op)
{
    list->ops[list->count++] = *op;
}

static void sort(const struct fk_recorded *recorded, struct sums *sums)
{
    for (size_t i = 0; i < recorded->count; i++) {
        const struct fk_recorded_op *op = &recorded->ops[i];
        if (!is_request(op->op)) {
            append(&sums->fixed, op);
            continue;
        }
        bool writes = fk_cost_op_writes(op->op) || is_besides(op->op);
        append(writes ? &sums->writes : &sums->reads, op);
        *(writes ? &sums->write_count : &sums->read_count) += is_besides(op->op) ? 0 : op->count;
        if (op->op == FK_COST_SET_DATA || op->op == FK_COST_CREATE || op->op == FK_COST_CREATE_EPHEMERAL ||
            op->op == FK_COST_CREATE_SEQUENTIAL) {
            sums->written += (double)op->amount * op->count;
            sums->sized += op->count;
        }
    }
    sums->fixed.seconds = recorded->seconds;
    sums->fixed.gateways = recorded->gateways;
    sums->fixed.data_bytes = recorded->data_bytes;
}

/* Dollars of a month of a part, and its usage added. */
static double add_part(const struct fk_recorded *part, const struct fk_workload *like, const struct fk_prices *prices,
                       double per_month, struct fk_usage *sum)
{
    struct fk_usage_options options = fk_workload_options(like);
    struct fk_usage usage;
    fk_recorded_operations(part, like->pipeline, &options, &usage);
    if (part->seconds > 0) { /* the fixed one */
        struct fk_usage standing;
        fk_recorded_standing(part, like->pipeline, &options, &standing);
        fk_usage_add(&usage, &standing);
    }
    fk_usage_scale(&usage, per_month);
    fk_usage_add(sum, &usage);
    return fk_estimate_usd(like, prices, &usage);
}

/* Where two lines meet: what is fixed, and what each request a day adds to a month. */
static double meet(double fixed, double slope, double ensemble_fixed, double ensemble_slope)
{
    if (fixed >= ensemble_fixed) {
        return 0;
    }
    return slope <= ensemble_slope ? INFINITY : floor((ensemble_fixed - fixed) / (slope - ensemble_slope));
}

static enum fk_err check_run(const struct fk_recorded *recorded, const struct sums *sums, struct fk_diag *diag)
{
    if (recorded->seconds <= 0) {
        fk_diag_set(diag, "seconds: more than 0 is expected");
        return FK_ERR_USAGE;
    }
    if (sums->read_count + sums->write_count <= 0) {
        fk_diag_set(diag, "operations: there is no request among them");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

static void conclude(const struct fk_workload *like, const struct fk_ensemble *ensemble, const struct fk_prices *prices,
                     const struct sums *sums, double per_month, struct fk_estimate *estimate)
{
    double per_day = like->reads_per_day + like->writes_per_day;
    double reads_usd = add_part(&sums->reads, like, prices, per_month, &estimate->usage);
    double writes_usd = add_part(&sums->writes, like, prices, per_month, &estimate->usage);
    estimate->fixed_usd = add_part(&sums->fixed, like, prices, per_month, &estimate->usage);
    fk_bill_make(prices, &estimate->usage, like->x86_64, &estimate->bill);
    fk_ensemble_bill(ensemble, prices, like->reads_per_day, like->writes_per_day, like->size, &estimate->ensemble);
    double idle = fk_estimate_ensemble_at(like, ensemble, prices, 0, estimate->read_share);
    estimate->ratio = estimate->ensemble.usd / estimate->bill.usd;
    estimate->break_even =
        meet(estimate->fixed_usd, (reads_usd + writes_usd) / per_day, idle, (estimate->ensemble.usd - idle) / per_day);
    estimate->read_usd = sums->read_count > 0 ? reads_usd / per_month / sums->read_count : 0;
    estimate->write_usd = sums->write_count > 0 ? writes_usd / per_month / sums->write_count : 0;
}

enum fk_err fk_estimate_recorded(const struct fk_recorded *recorded, const struct fk_workload *workload,
                                 const struct fk_ensemble *ensemble, const struct fk_prices *prices,
                                 struct fk_estimate *estimate, struct fk_estimate_run *run, struct fk_diag *diag)
{
    struct sums *sums = (struct sums *)fk_alloc_zero(sizeof *sums);
    if (sums == NULL) {
        return FK_ERR_NOMEM;
    }
    sort(recorded, sums);
    enum fk_err err = check_run(recorded, sums, diag);
    if (err == FK_OK) {
        double per_month = FK_MONTH_SECONDS / recorded->seconds;
        struct fk_workload like = *workload;
        like.reads_per_day = sums->read_count * per_month / FK_MONTH_DAYS;
        like.writes_per_day = sums->write_count * per_month / FK_MONTH_DAYS;
        like.size = sums->sized > 0 ? sums->written / sums->sized : 0;
        *estimate = (struct fk_estimate){.read_share = sums->read_count / (sums->read_count + sums->write_count)};
        conclude(&like, ensemble, prices, sums, per_month, estimate);
        *run = (struct fk_estimate_run){.reads_per_day = like.reads_per_day,
                                        .writes_per_day = like.writes_per_day,
                                        .size = like.size,
                                        .usd = estimate->bill.usd / per_month};
    }
    fk_free(sums);
    return err;
}
