// SPDX-License-Identifier: Apache-2.0
#include "cli/cost.h"

#include <jansson.h>
#include <math.h>

#define MILLION 1e6
#define CENTS   100.0

/* --- the table --- */

/* 1234567.8 as "1 234 568"; small ones with their digits. */
static void group(double number, char text[48])
{
    char digits[40];
    size_t size = 0;
    if (number < 100) {
        (void)snprintf(text, 48, number < 1 ? "%.4f" : "%.2f", number);
        return;
    }
    int count = snprintf(digits, sizeof digits, "%.0f", number);
    for (int i = 0; i < count && size < 46; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            text[size++] = ' ';
        }
        text[size++] = digits[i];
    }
    text[size] = '\0';
}

static void print_bill(const struct fk_bill *bill, FILE *out)
{
    char amount[48];
    for (size_t i = 0; i < bill->count; i++) {
        const struct fk_bill_line *line = &bill->lines[i];
        bool first = i == 0 || strcmp(line->service, bill->lines[i - 1].service) != 0;
        group(line->amount, amount);
        (void)fprintf(out, "  %-12s %-22s %18s %12.4f\n", first ? line->service : "", line->what, amount, line->usd);
    }
}

/* Prices of the bills that nobody has compared with their page. */
static void print_unverified(const struct fk_cli_cost_result *result, FILE *out)
{
    size_t count = 0;
    const struct fk_price *price = NULL;
    for (size_t i = 0; (price = fk_prices_each(result->prices, i)) != NULL; i++) {
        count += price->verified ? 0 : 1;
    }
    (void)fprintf(out, "prices       %s; on demand, without free tiers", fk_prices_origin(result->prices));
    if (count > 0) {
        (void)fprintf(out, "; %zu of them unverified list prices (--json names them)", count);
    }
    (void)fprintf(out, "\n");
}

static void print_asked(const struct fk_cli_cost_result *result, FILE *out)
{
    const struct fk_workload *workload = &result->workload;
    char reads[48];
    char writes[48];
    group(workload->reads_per_day, reads);
    group(workload->writes_per_day, writes);
    if (result->recorded) {
        (void)fprintf(out, "recorded     %.1f s, which cost %.6f USD; below a month at that rate\n",
                      result->run_seconds, result->run_usd);
        (void)fprintf(out, "requests     %s reads and %s writes a day, of %.0f bytes on average\n", reads, writes,
                      workload->size);
    } else {
        (void)fprintf(out, "requests     %s reads and %s writes a day, of %.0f bytes; a write fires %.4g watches\n",
                      reads, writes, workload->size, workload->watches);
        (void)fprintf(out, "served by    gateways: %.0f, sessions: %.0f; nodes at rest: %.0f\n", workload->gateways,
                      workload->sessions, workload->nodes);
    }
    (void)fprintf(out, "functions    %s, answers over %s, %.0f MB, %s\n",
                  workload->pipeline ? "pipeline" : "single hop", workload->tcp ? "TCP" : "SQS", workload->memory_mb,
                  workload->x86_64 ? "x86_64" : "arm64");
}

static void print_break_even(const struct fk_estimate *estimate, FILE *out)
{
    char rate[48];
    (void)fprintf(out, "break-even   ");
    if (isinf(estimate->break_even)) {
        (void)fprintf(out, "none: FaaSKeeper is cheaper at any rate");
    } else if (estimate->break_even <= 0) {
        (void)fprintf(out, "none: the ensemble is cheaper at any rate");
    } else {
        group(estimate->break_even, rate);
        (void)fprintf(out, "%s requests a day", rate);
    }
    (void)fprintf(out, " (at %.4g %% reads)\n", estimate->read_share * 100);
}

enum fk_err fk_cli_cost_print(const struct fk_cli_cost_result *result, FILE *out)
{
    const struct fk_estimate *estimate = &result->estimate;
    const struct fk_ensemble *ensemble = &result->ensemble;
    print_asked(result, out);
    print_unverified(result, out);
    (void)fprintf(out, "\n  %-12s %-22s %18s %12s\n", "FaaSKeeper", "", "a month", "USD");
    print_bill(&estimate->bill, out);
    (void)fprintf(out, "  %-12s %-22s %18s %12.4f\n", "sum", "", "", estimate->bill.usd);
    (void)fprintf(out, "\n  %-12s %dx%-20s %18s %12s\n", "ZooKeeper", ensemble->count, ensemble->type, "a month",
                  "USD");
    print_bill(&estimate->ensemble, out);
    (void)fprintf(out, "  %-12s %-22s %18s %12.4f\n\n", "sum", "", "", estimate->ensemble.usd);
    if (isfinite(estimate->ratio)) {
        (void)fprintf(out, "ratio        the ensemble costs %.3g times as much\n", estimate->ratio);
    }
    print_break_even(estimate, out);
    (void)fprintf(out, "requests     %.4g USD a million reads, %.4g USD a million writes\n",
                  estimate->read_usd * MILLION, estimate->write_usd * MILLION);
    if (result->recorded) {
        (void)fprintf(out, "besides      %.4g USD a month whatever is asked\n", estimate->fixed_usd);
    } else {
        (void)fprintf(out, "besides      %.4g USD a month whatever is asked, %.4g USD with no gateway\n",
                      estimate->fixed_usd, estimate->rest_usd);
        (void)fprintf(out, "             heartbeat %.3g cents a day, renewals %.3g cents a day\n",
                      estimate->heartbeat_usd * CENTS, estimate->renewals_usd * CENTS);
    }
    return ferror(out) != 0 ? FK_ERR_IO : FK_OK;
}

/* --- JSON --- */

static json_t *json_bill(const struct fk_bill *bill)
{
    json_t *lines = json_array();
    json_t *services = json_object();
    for (size_t i = 0; i < bill->count; i++) {
        const struct fk_bill_line *line = &bill->lines[i];
        (void)json_array_append_new(lines,
                                    json_pack("{s:s, s:s, s:f, s:s, s:f}", "service", line->service, "what", line->what,
                                              "amount", line->amount, "price", line->price, "usd", line->usd));
        (void)json_object_set_new(services, line->service, json_real(fk_bill_service(bill, line->service)));
    }
    return json_pack("{s:f, s:o, s:o}", "usd", bill->usd, "services", services, "lines", lines);
}

static json_t *json_unverified(const struct fk_prices *prices)
{
    json_t *list = json_array();
    const struct fk_price *price = NULL;
    for (size_t i = 0; (price = fk_prices_each(prices, i)) != NULL; i++) {
        if (!price->verified) {
            (void)json_array_append_new(list, json_string(price->name));
        }
    }
    return list;
}

static json_t *json_workload(const struct fk_workload *workload, bool recorded)
{
    json_t *object = json_pack("{s:f, s:f, s:f, s:f, s:s, s:s, s:s, s:f, s:b}", "readsPerDay", workload->reads_per_day,
                               "writesPerDay", workload->writes_per_day, "size", workload->size, "memoryMb",
                               workload->memory_mb, "topology", workload->pipeline ? "pipeline" : "single-hop",
                               "channel", workload->tcp ? "tcp" : "sqs", "arch", workload->x86_64 ? "x86_64" : "arm64",
                               "refusedShare", workload->refused_share, "outside", workload->outside);
    if (!recorded) {
        (void)json_object_set_new(object, "watches", json_real(workload->watches));
        (void)json_object_set_new(object, "sessions", json_real(workload->sessions));
        (void)json_object_set_new(object, "gateways", json_real(workload->gateways));
        (void)json_object_set_new(object, "nodes", json_real(workload->nodes));
    }
    return object;
}

/* "cheaper" says who is where they never cost the same. */
static json_t *json_break_even(const struct fk_estimate *estimate)
{
    bool never = isinf(estimate->break_even);
    bool always = estimate->break_even <= 0;
    return json_pack("{s:f, s:o, s:s}", "readShare", estimate->read_share, "requestsPerDay",
                     never || always ? json_null() : json_real(estimate->break_even), "cheaperBelow",
                     always ? "neither" : "faaskeeper");
}

static json_t *document(const struct fk_cli_cost_result *result)
{
    const struct fk_estimate *estimate = &result->estimate;
    char name[FK_ENSEMBLE_TYPE_SIZE + 8];
    (void)snprintf(name, sizeof name, "%dx%s", result->ensemble.count, result->ensemble.type);
    json_t *ensemble = json_bill(&estimate->ensemble);
    (void)json_object_set_new(ensemble, "name", json_string(name));
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:f, s:f}, s:f}", "region", fk_prices_region(result->prices),
        "prices", fk_prices_origin(result->prices), "unverifiedPrices", json_unverified(result->prices), "workload",
        json_workload(&result->workload, result->recorded), "month", json_bill(&estimate->bill), "zookeeper", ensemble,
        "ratio", isfinite(estimate->ratio) ? json_real(estimate->ratio) : json_null(), "breakEven",
        json_break_even(estimate), "request", "readUsd", estimate->read_usd, "writeUsd", estimate->write_usd,
        "fixedUsdPerMonth", estimate->fixed_usd);
    if (result->recorded) {
        (void)json_object_set_new(object, "run",
                                  json_pack("{s:f, s:f}", "seconds", result->run_seconds, "usd", result->run_usd));
    } else {
        (void)json_object_set_new(object, "restUsdPerMonth", json_real(estimate->rest_usd));
        (void)json_object_set_new(object, "heartbeatUsdPerDay", json_real(estimate->heartbeat_usd));
        (void)json_object_set_new(object, "renewalsUsdPerDay", json_real(estimate->renewals_usd));
    }
    return object;
}

enum fk_err fk_cli_cost_print_json(const struct fk_cli_cost_result *result, FILE *out)
{
    json_t *object = document(result);
    enum fk_err err = object == NULL ? FK_ERR_NOMEM : FK_OK;
    if (err == FK_OK && (json_dumpf(object, out, JSON_INDENT(2)) != 0 || fputc('\n', out) == EOF)) {
        err = FK_ERR_IO;
    }
    json_decref(object);
    return err;
}
