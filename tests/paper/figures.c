// SPDX-License-Identifier: Apache-2.0
#include "paper/figures.h"

#include "base/assert.h"

enum {
    MEMORY_MB = 512,
    SIZE = 1024,
    SCALE = 100000, /* operations that a figure is given for */
};

static const char *const price_names[PRICES] = {"paper", "today"};
static const char *const accounting_names[ACCOUNTINGS] = {"paper", "full"};
static const char *const system_names[SYSTEMS] = {"prototype-s3", "prototype-hybrid", "single-hop", "pipeline"};
static const size_t sizes[] = {4, 128, 256, 512, 1024, 2048, 4096, 65536, 131072, 256000};
static const int memories[] = {512, 1024, 2048};
static const double read_shares[] = {1, 0.9, 0.8};
static const double requests[] = {1e5, 5e5, 1e6, 2e6, 5e6};
static const struct {
    int servers;
    const char *type;
} ensembles[] = {{3, "t3.small"}, {3, "t3.medium"}, {3, "t3.large"},
                 {9, "t3.small"}, {9, "t3.medium"}, {9, "t3.large"}};
static const int heartbeat_memories[] = {128, 512, 2048};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

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

/* What every row says about itself. */
static json_t *row_for(json_t *table, enum system system, enum prices_of prices, enum accounting accounting)
{
    json_t *row = row_of(table);
    give(row, "system", json_string(system_names[system]));
    give(row, "prices", json_string(price_names[prices]));
    give(row, "accounting", json_string(accounting_names[accounting]));
    return row;
}

typedef void (*each_fn)(const struct figures *figures, json_t *table, enum system system, enum prices_of prices,
                        enum accounting accounting);

static json_t *for_each(const struct figures *figures, each_fn each)
{
    json_t *table = json_array();
    for (int system = 0; system < SYSTEMS; system++) {
        for (int prices = 0; prices < PRICES; prices++) {
            for (int accounting = 0; accounting < ACCOUNTINGS; accounting++) {
                each(figures, table, (enum system)system, (enum prices_of)prices, (enum accounting)accounting);
            }
        }
    }
    return table;
}

/* --- operations --- */

static void give_services(json_t *row, const struct fk_bill *bill)
{
    static const char *const services[] = {"DynamoDB", "SQS", "S3", "Lambda"};
    for (size_t i = 0; i < COUNT(services); i++) {
        give(row, services[i], json_real(fk_bill_service(bill, services[i])));
    }
}

static void operation(const struct figures *figures, json_t *row, enum prices_of prices, bool write, size_t size,
                      const struct fk_usage *usage)
{
    struct fk_bill bill;
    give(row, "operation", json_string(write ? "setData" : "getData"));
    give(row, "size", json_integer((json_int_t)size));
    give(row, "usd", json_real(figures_usd(figures, prices, usage, &bill)));
    give(row, "write_units", json_real(usage->table_write_units));
    give(row, "read_units", json_real(usage->table_read_units));
    give(row, "queue_requests", json_real(usage->queue_sends + usage->queue_receives + usage->queue_deletes));
    give_services(row, &bill);
}

static void operations(const struct figures *figures, json_t *table, enum system system, enum prices_of prices,
                       enum accounting accounting)
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t j = 0; j < COUNT(memories); j++) {
            struct fk_usage usage = {0};
            if (figures_use(figures, system, accounting, true, sizes[i], memories[j], &usage)) {
                json_t *row = row_for(table, system, prices, accounting);
                give(row, "memory", json_integer(memories[j]));
                operation(figures, row, prices, true, sizes[i], &usage);
            }
        }
        struct fk_usage usage = {0};
        (void)figures_use(figures, system, accounting, false, sizes[i], MEMORY_MB, &usage);
        operation(figures, row_for(table, system, prices, accounting), prices, false, sizes[i], &usage);
    }
}

/* --- days --- */

static struct fk_mix mix_of(const struct figures *figures, enum system system, enum prices_of prices,
                            enum accounting accounting, double read_share)
{
    struct fk_bill bill;
    struct fk_usage read = {0};
    struct fk_usage write = {0};
    struct fk_usage rest = {0};
    (void)figures_use(figures, system, accounting, false, SIZE, MEMORY_MB, &read);
    (void)figures_use(figures, system, accounting, true, SIZE, MEMORY_MB, &write);
    if (accounting == ACCOUNTING_FULL) {
        figures_at_rest(figures, system, &rest);
    }
    return (struct fk_mix){.read_usd = figures_usd(figures, prices, &read, &bill),
                           .write_usd = figures_usd(figures, prices, &write, &bill),
                           .fixed_usd = figures_usd(figures, prices, &rest, &bill),
                           .read_share = read_share};
}

static void days(const struct figures *figures, json_t *table, enum system system, enum prices_of prices,
                 enum accounting accounting)
{
    for (size_t i = 0; i < COUNT(read_shares); i++) {
        struct fk_mix mix = mix_of(figures, system, prices, accounting, read_shares[i]);
        for (size_t j = 0; j < COUNT(ensembles); j++) {
            json_t *row = row_for(table, system, prices, accounting);
            json_t *ratios = json_array();
            double day = fk_ensemble_day_usd(figures->prices[prices], ensembles[j].servers, ensembles[j].type);
            for (size_t k = 0; k < COUNT(requests); k++) {
                (void)json_array_append_new(ratios, json_real(day / fk_mix_day_usd(&mix, requests[k])));
            }
            give(row, "reads", json_real(read_shares[i]));
            give(row, "servers", json_integer(ensembles[j].servers));
            give(row, "type", json_string(ensembles[j].type));
            give(row, "ensemble_day_usd", json_real(day));
            give(row, "rest_day_usd", json_real(mix.fixed_usd));
            give(row, "request_usd", json_real(fk_mix_day_usd(&mix, 1) - mix.fixed_usd));
            give(row, "ratios", ratios);
            give(row, "break_even", json_real(fk_mix_break_even(&mix, day)));
        }
    }
}

/* --- at rest --- */

static void rest_row(const struct figures *figures, json_t *table, enum system system, enum prices_of prices,
                     const char *what, const struct fk_usage *usage)
{
    struct fk_bill bill;
    json_t *row = row_for(table, system, prices, ACCOUNTING_FULL);
    give(row, "what", json_string(what));
    give(row, "day_usd", json_real(figures_usd(figures, prices, usage, &bill)));
    give(row, "write_units", json_real(usage->table_write_units));
    give(row, "read_units", json_real(usage->table_read_units));
    give(row, "scheduler_usd", json_real(fk_bill_service(&bill, "EventBridge")));
}

static void rests(const struct figures *figures, json_t *table, enum system system, enum prices_of prices,
                  enum accounting accounting)
{
    struct fk_usage polls = {0};
    struct fk_usage renewals = {0};
    if (accounting != ACCOUNTING_FULL) {
        return;
    }
    figures_polls(system, &polls);
    rest_row(figures, table, system, prices, "polls", &polls);
    if (system == SYSTEM_SINGLE_HOP) {
        figures_renewals(figures, &renewals);
        rest_row(figures, table, system, prices, "renewals", &renewals);
    }
}

static void heartbeats(const struct figures *figures, json_t *table, enum system system, enum prices_of prices,
                       enum accounting accounting)
{
    struct fk_bill bill;
    bool ours = system == SYSTEM_SINGLE_HOP;
    if (accounting != ACCOUNTING_FULL || (!ours && system != SYSTEM_S3)) {
        return;
    }
    for (size_t i = 0; i < IDLE_COUNTS; i++) {
        for (size_t j = 0; j < COUNT(heartbeat_memories); j++) {
            struct fk_usage usage = {0};
            if (ours) {
                figures_heartbeat(figures, i, heartbeat_memories[j], &usage);
            } else {
                (void)fk_prototype_heartbeat(figures_clients[i], heartbeat_memories[j], &usage);
            }
            json_t *row = row_for(table, system, prices, accounting);
            give(row, "clients", json_integer(figures_clients[i]));
            give(row, "memory", json_integer(heartbeat_memories[j]));
            fk_bill_make(figures->prices[prices], &usage, false, &bill);
            give(row, "day_usd_arm64", json_real(bill.usd));
            give(row, "day_usd", json_real(figures_usd(figures, prices, &usage, &bill)));
            give(row, "scheduler_usd", json_real(fk_bill_service(&bill, "EventBridge")));
            give(row, "read_units", json_real(usage.table_read_units));
            give(row, "write_units", json_real(usage.table_write_units));
        }
    }
}

static json_t *price_table(const struct figures *figures)
{
    static const enum fk_price_id ids[] = {FK_PRICE_DYNAMODB_WRITE_UNIT,
                                           FK_PRICE_DYNAMODB_READ_UNIT,
                                           FK_PRICE_SQS_FIFO_REQUEST,
                                           FK_PRICE_LAMBDA_REQUEST,
                                           FK_PRICE_LAMBDA_GB_SECOND_X86_64,
                                           FK_PRICE_LAMBDA_GB_SECOND_ARM64,
                                           FK_PRICE_S3_PUT,
                                           FK_PRICE_S3_GET,
                                           FK_PRICE_SCHEDULER_INVOCATION};
    json_t *table = json_array();
    for (size_t i = 0; i < COUNT(ids); i++) {
        json_t *row = row_of(table);
        give(row, "name", json_string(fk_price_name(ids[i])));
        give(row, "per", json_string(fk_prices_at(figures->prices[PRICES_TODAY], ids[i])->per));
        for (size_t j = 0; j < PRICES; j++) {
            const struct fk_price *price = fk_prices_at(figures->prices[j], ids[i]);
            json_t *one = json_object();
            give(one, "usd", json_real(price->usd));
            give(one, "verified", json_boolean(price->verified));
            give(row, price_names[j], one);
        }
    }
    return table;
}

json_t *figures_make(const struct figures *figures)
{
    json_t *all = json_object();
    json_t *scales = json_array();
    for (size_t i = 0; i < COUNT(requests); i++) {
        (void)json_array_append_new(scales, json_real(requests[i]));
    }
    give(all, "requests", scales);
    give(all, "size", json_integer(SIZE));
    give(all, "memory", json_integer(MEMORY_MB));
    give(all, "hybrid_max", json_integer(FK_PROTOTYPE_HYBRID_MAX));
    give(all, "pollers", json_integer(FIGURES_POLLERS));
    give(all, "poll_s", json_integer(FIGURES_POLL_S));
    give(all, "renewals_measured_s", json_integer(figures->idles[0].measured_s));
    give(all, "prices", price_table(figures));
    give(all, "operations", for_each(figures, operations));
    give(all, "days", for_each(figures, days));
    give(all, "rests", for_each(figures, rests));
    give(all, "heartbeats", for_each(figures, heartbeats));
    give(all, "comes_to_rest", json_boolean(figures->idles[IDLE_COUNTS - 1].rests));
    return all;
}
