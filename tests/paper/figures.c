// SPDX-License-Identifier: Apache-2.0
#include "paper/figures.h"

#include "base/assert.h"
#include "cost/ensemble.h"
#include "cost/workload.h"
#include "paper/rest.h"

enum {
    SIZE = 1024, /* of nodes, where nothing else is said */
};

static const char *const price_names[PRICES] = {"paper", "today"};
static const char *const accounting_names[ACCOUNTINGS] = {"paper", "full"};
static const char *const system_names[SYSTEMS] = {"prototype-s3", "prototype-hybrid", "single-hop", "pipeline"};
static const size_t sizes[] = {4, 128, 256, 512, 1024, 2048, 4096, 65536, 131072, 256000};
static const int memories[] = {512, 1024, 2048};
static const double read_shares[] = {1, 0.9, 0.8};
static const double requests[] = {1e5, 5e5, 1e6, 2e6, 5e6};
static const char *const ensembles[] = {"3xt3.small", "3xt3.medium", "3xt3.large",
                                        "9xt3.small", "9xt3.medium", "9xt3.large"};
static const int heartbeat_clients[] = {1, 16, FIGURES_CLIENTS};
static const int heartbeat_memories[] = {128, 512, 2048};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* What a row is about. */
struct view {
    enum system system;
    enum prices_of which;
    enum accounting accounting;
    const struct fk_prices *prices;
};

static void give(json_t *object, const char *name, json_t *value)
{
    int failed = json_object_set_new(object, name, value);
    FK_ASSERT(failed == 0);
}

static json_t *row_of(json_t *table)
{
    json_t *row = json_object();
    int failed = json_array_append_new(table, row);
    FK_ASSERT(row != NULL && failed == 0);
    return row;
}

static json_t *row_for(json_t *table, const struct view *view)
{
    json_t *row = row_of(table);
    give(row, "system", json_string(system_names[view->system]));
    give(row, "prices", json_string(price_names[view->which]));
    give(row, "accounting", json_string(accounting_names[view->accounting]));
    return row;
}

static json_t *for_each(const struct fk_prices *const prices[PRICES],
                        void (*each)(json_t *table, const struct view *view))
{
    json_t *table = json_array();
    for (int system = 0; system < SYSTEMS; system++) {
        for (int which = 0; which < PRICES; which++) {
            for (int accounting = 0; accounting < ACCOUNTINGS; accounting++) {
                struct view view = {.system = (enum system)system,
                                    .which = (enum prices_of)which,
                                    .accounting = (enum accounting)accounting,
                                    .prices = prices[which]};
                each(table, &view);
            }
        }
    }
    return table;
}

/* Functions on x86_64, as the prototype's. */
static double usd_of(const struct view *view, const struct fk_usage *usage)
{
    struct fk_bill bill;
    fk_bill_make(view->prices, usage, true, &bill);
    return bill.usd;
}

static void give_services(json_t *row, const struct fk_bill *bill)
{
    static const char *const services[] = {"DynamoDB", "SQS", "S3", "Lambda", "EventBridge"};
    for (size_t i = 0; i < COUNT(services); i++) {
        give(row, services[i], json_real(fk_bill_service(bill, services[i])));
    }
}

/* --- operations --- */

static void give_operation(json_t *row, const struct view *view, bool write, size_t size, const struct fk_usage *usage)
{
    struct fk_bill bill;
    fk_bill_make(view->prices, usage, true, &bill);
    give(row, "operation", json_string(write ? "setData" : "getData"));
    give(row, "size", json_integer((json_int_t)size));
    give(row, "usd", json_real(bill.usd));
    give(row, "write_units", json_real(usage->table_write_units));
    give(row, "read_units", json_real(usage->table_read_units));
    give(row, "queue_requests", json_real(usage->queue_sends + usage->queue_receives + usage->queue_deletes));
    give_services(row, &bill);
}

static void operations(json_t *table, const struct view *view)
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t j = 0; j < COUNT(memories); j++) {
            struct fk_usage usage = {0};
            if (use_operation(view->system, view->accounting, true, sizes[i], memories[j], &usage)) {
                json_t *row = row_for(table, view);
                give(row, "memory", json_integer(memories[j]));
                give_operation(row, view, true, sizes[i], &usage);
            }
        }
        struct fk_usage usage = {0};
        (void)use_operation(view->system, view->accounting, false, sizes[i], FIGURES_MEMORY_MB, &usage);
        give_operation(row_for(table, view), view, false, sizes[i], &usage);
    }
}

/* --- days --- */

static struct fk_mix mix_of(const struct view *view, double read_share)
{
    struct fk_usage read = {0};
    struct fk_usage write = {0};
    struct fk_usage rest = {0};
    (void)use_operation(view->system, view->accounting, false, SIZE, FIGURES_MEMORY_MB, &read);
    (void)use_operation(view->system, view->accounting, true, SIZE, FIGURES_MEMORY_MB, &write);
    if (view->accounting == ACCOUNTING_FULL) {
        use_rest(view->system, &rest);
    }
    return (struct fk_mix){.read_usd = usd_of(view, &read),
                           .write_usd = usd_of(view, &write),
                           .fixed_usd = usd_of(view, &rest),
                           .read_share = read_share};
}

static json_t *ratios_of(const struct fk_mix *mix, double day_usd)
{
    json_t *ratios = json_array();
    for (size_t i = 0; i < COUNT(requests); i++) {
        int failed = json_array_append_new(ratios, json_real(day_usd / fk_mix_day_usd(mix, requests[i])));
        FK_ASSERT(failed == 0);
    }
    return ratios;
}

/* Machines only, as the paper has it. */
static double ensemble_day_usd(const struct view *view, const char *name, struct fk_ensemble *ensemble)
{
    struct fk_bill bill;
    *ensemble = (struct fk_ensemble){.disk_gb = 0};
    enum fk_err err = fk_ensemble_parse(name, view->prices, ensemble, NULL);
    FK_ASSERT(err == FK_OK);
    fk_ensemble_bill(ensemble, view->prices, 0, 0, 0, &bill);
    return bill.usd / FK_MONTH_DAYS;
}

static void days(json_t *table, const struct view *view)
{
    for (size_t i = 0; i < COUNT(read_shares); i++) {
        struct fk_mix mix = mix_of(view, read_shares[i]);
        for (size_t j = 0; j < COUNT(ensembles); j++) {
            json_t *row = row_for(table, view);
            struct fk_ensemble ensemble;
            double day_usd = ensemble_day_usd(view, ensembles[j], &ensemble);
            give(row, "reads", json_real(read_shares[i]));
            give(row, "servers", json_integer(ensemble.count));
            give(row, "type", json_string(ensemble.type));
            give(row, "ensemble_day_usd", json_real(day_usd));
            give(row, "rest_day_usd", json_real(mix.fixed_usd));
            give(row, "request_usd", json_real(fk_mix_day_usd(&mix, 1) - mix.fixed_usd));
            give(row, "ratios", ratios_of(&mix, day_usd));
            give(row, "break_even", json_real(fk_mix_break_even(&mix, day_usd)));
        }
    }
}

/* --- at rest --- */

static void give_day(json_t *row, const struct view *view, const struct fk_usage *usage)
{
    struct fk_bill bill;
    fk_bill_make(view->prices, usage, false, &bill);
    give(row, "day_usd_arm64", json_real(bill.usd));
    give(row, "day_usd", json_real(usd_of(view, usage)));
    give_services(row, &bill); /* on arm64 */
    give(row, "write_units", json_real(usage->table_write_units));
    give(row, "read_units", json_real(usage->table_read_units));
    give(row, "polls", json_real(usage->queue_idle_polls));
}

static void rests(json_t *table, const struct view *view)
{
    struct fk_usage polls = {0};
    struct fk_usage renewals = {0};
    if (view->accounting != ACCOUNTING_FULL) {
        return;
    }
    use_polls(view->system, &polls);
    json_t *row = row_for(table, view);
    give(row, "what", json_string("polls"));
    give_day(row, view, &polls);
    if (view->system == SYSTEM_SINGLE_HOP) {
        use_renewals(&renewals);
        row = row_for(table, view);
        give(row, "what", json_string("renewals"));
        give_day(row, view, &renewals);
    }
}

static void heartbeats(json_t *table, const struct view *view)
{
    if (view->accounting != ACCOUNTING_FULL || (view->system != SYSTEM_SINGLE_HOP && view->system != SYSTEM_S3)) {
        return;
    }
    for (size_t i = 0; i < COUNT(heartbeat_clients); i++) {
        for (size_t j = 0; j < COUNT(heartbeat_memories); j++) {
            struct fk_usage usage = {0};
            bool known = use_heartbeat(view->system, heartbeat_clients[i], heartbeat_memories[j], &usage);
            FK_ASSERT(known);
            json_t *row = row_for(table, view);
            give(row, "clients", json_integer(heartbeat_clients[i]));
            give(row, "memory", json_integer(heartbeat_memories[j]));
            give_day(row, view, &usage);
        }
    }
}

/* --- what is behind them --- */

static json_t *calls(void)
{
    json_t *table = json_array();
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (int pipeline = 0; pipeline < 2; pipeline++) {
            json_t *row = row_of(table);
            give(row, "system", json_string(system_names[pipeline == 0 ? SYSTEM_SINGLE_HOP : SYSTEM_PIPELINE]));
            give(row, "size", json_integer((json_int_t)sizes[i]));
            give(row, "calls", json_integer(fk_cost_units(FK_COST_SET_DATA, sizes[i], pipeline != 0).invocations));
            give(row, "ms", json_real(fk_cost_call_ms(sizes[i], pipeline != 0, true)));
        }
    }
    return table;
}

static json_t *price_table(const struct fk_prices *const prices[PRICES])
{
    static const enum fk_price_id ids[] = {
        FK_PRICE_DYNAMODB_WRITE_UNIT,
        FK_PRICE_DYNAMODB_READ_UNIT,
        FK_PRICE_SQS_FIFO_REQUEST,
        FK_PRICE_LAMBDA_REQUEST,
        FK_PRICE_LAMBDA_GB_SECOND_X86_64,
        FK_PRICE_LAMBDA_GB_SECOND_ARM64,
        FK_PRICE_S3_PUT,
        FK_PRICE_S3_GET,
        FK_PRICE_SCHEDULER_INVOCATION,
    };
    json_t *table = json_array();
    for (size_t i = 0; i < COUNT(ids); i++) {
        json_t *row = row_of(table);
        give(row, "name", json_string(fk_price_name(ids[i])));
        give(row, "per", json_string(fk_prices_at(prices[PRICES_TODAY], ids[i])->per));
        for (size_t j = 0; j < PRICES; j++) {
            const struct fk_price *price = fk_prices_at(prices[j], ids[i]);
            json_t *one = json_object();
            give(one, "usd", json_real(price->usd));
            give(one, "verified", json_boolean(price->verified));
            give(row, price_names[j], one);
        }
    }
    return table;
}

json_t *figures_make(const struct fk_prices *const prices[PRICES])
{
    json_t *all = json_object();
    json_t *scales = json_array();
    for (size_t i = 0; i < COUNT(requests); i++) {
        int failed = json_array_append_new(scales, json_real(requests[i]));
        FK_ASSERT(failed == 0);
    }
    give(all, "requests", scales);
    give(all, "size", json_integer(SIZE));
    give(all, "memory", json_integer(FIGURES_MEMORY_MB));
    give(all, "hybrid_max", json_integer(FK_PROTOTYPE_HYBRID_MAX));
    give(all, "prices", price_table(prices));
    give(all, "operations", for_each(prices, operations));
    give(all, "days", for_each(prices, days));
    give(all, "rests", for_each(prices, rests));
    give(all, "heartbeats", for_each(prices, heartbeats));
    give(all, "calls", calls());
    give(all, "comes_to_rest", json_boolean(rest_is_reached(FIGURES_CLIENTS)));
    return all;
}
