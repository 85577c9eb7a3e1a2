// SPDX-License-Identifier: Apache-2.0
#include "deploy/cost.h"

#include "cost/price.h"
#include "deploy/form.h"
#include "deploy/query.h"
#include "deploy/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    DAY_S = 24 * 3600,
    SINCE_DAYS_MAX = 455, /* so long CloudWatch keeps sums */
    TIME_SIZE = 32,
};

/* A metric, summed: how much of it a priced unit is, and its price. */
struct metric {
    const char *what;
    enum fk_price_id price;
    const char *namespace;
    const char *name;
    const char *dimension;
    const char *of; /* the dimension's value */
    double units;   /* priced units of one */
};

static void print_time(char text[TIME_SIZE], int64_t seconds)
{
    time_t time = (time_t)seconds;
    struct tm parts;
    if (gmtime_r(&time, &parts) == NULL || strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        text[0] = '\0';
    }
}

enum fk_err fk_cost_sum(struct fk_bytes xml, const char *month, struct fk_arena *arena, double *total, double *of_month)
{
    struct fk_bytes list = fk_xml_find(xml, "GetMetricStatisticsResponse/GetMetricStatisticsResult/Datapoints");
    struct fk_xml_element member;
    *total = 0;
    *of_month = 0;
    if (list.data == NULL) {
        return FK_ERR_MALFORMED;
    }
    while (fk_xml_next(&list, &member)) {
        const char *sum = fk_xml_find_text(arena, member.inner, "Sum");
        const char *when = fk_xml_find_text(arena, member.inner, "Timestamp");
        if (sum == NULL || when == NULL) {
            return FK_ERR_NOMEM;
        }
        double value = strtod(sum, NULL);
        *total += value;
        *of_month += strncmp(when, month, strlen(month)) == 0 ? value : 0;
    }
    return FK_OK;
}

static enum fk_err read_metric(struct fk_deploy *deploy, const struct metric *metric, struct fk_cost *cost)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_query query;
    struct fk_aws_reply reply;
    char now[TIME_SIZE];
    print_time(now, fk_clock_wall_ms(deploy->clock) / 1000);
    fk_query_begin(&query, FK_AWS_CLOUDWATCH, "GetMetricStatistics", "2010-08-01");
    fk_form_add(&query.form, "Namespace", metric->namespace);
    fk_form_add(&query.form, "MetricName", metric->name);
    fk_form_add_member(&query.form, "Dimensions", 1, "Name", metric->dimension);
    fk_form_add_member(&query.form, "Dimensions", 1, "Value", metric->of);
    fk_form_add(&query.form, "StartTime", cost->since);
    fk_form_add(&query.form, "EndTime", now);
    fk_form_add(&query.form, "Period", "86400");
    fk_form_add_member(&query.form, "Statistics", 1, "", "Sum");
    double total = 0;
    double of_month = 0;
    enum fk_err err = fk_query_end(&query, deploy->aws, true, &arena, &reply);
    if (err == FK_OK) {
        err = fk_cost_sum(reply.http.body, cost->month, &arena, &total, &of_month);
    }
    fk_arena_deinit(&arena);
    for (size_t i = 0; err == FK_OK && i < cost->count; i++) {
        if (strcmp(cost->lines[i].what, metric->what) == 0) {
            cost->lines[i].amount += total * metric->units;
            cost->lines[i].month += of_month * metric->units;
            return FK_OK;
        }
    }
    if (err == FK_OK && cost->count < FK_COST_LINES_MAX) {
        cost->lines[cost->count++] = (struct fk_cost_line){.what = metric->what,
                                                           .price = metric->price,
                                                           .amount = total * metric->units,
                                                           .month = of_month * metric->units};
    }
    return fk_query_fail(deploy, err, "GetMetricStatistics");
}

static enum fk_err read_functions(struct fk_deploy *deploy, const struct fk_stack *stack, bool pipeline,
                                  struct fk_cost *cost)
{
    const char *functions[] = {deploy->names.writer_function, deploy->names.heartbeat_function,
                               deploy->names.distributor_function};
    bool arm = strcmp(fk_stack_values_get(&stack->parameters, "Architecture"), "x86_64") != 0;
    double gigabytes = strtod(fk_stack_values_get(&stack->parameters, "MemorySize"), NULL) / 1024;
    enum fk_err err = FK_OK;
    for (size_t i = 0; i < (pipeline ? 3U : 2U) && err == FK_OK; i++) {
        char group[FK_DEPLOY_PART_SIZE + 16];
        (void)snprintf(group, sizeof group, "/aws/lambda/%s", functions[i]);
        const struct metric metrics[] = {
            {"lambda_requests", FK_PRICE_LAMBDA_REQUEST, "AWS/Lambda", "Invocations", "FunctionName", functions[i], 1},
            {"lambda_gb_seconds", arm ? FK_PRICE_LAMBDA_GB_SECOND_ARM64 : FK_PRICE_LAMBDA_GB_SECOND_X86_64,
             "AWS/Lambda", "Duration", "FunctionName", functions[i], gigabytes / 1000},
            {"log_bytes", FK_PRICE_LOG_BYTE, "AWS/Logs", "IncomingBytes", "LogGroupName", group, 1},
        };
        for (size_t j = 0; j < sizeof metrics / sizeof metrics[0] && err == FK_OK; j++) {
            err = read_metric(deploy, &metrics[j], cost);
        }
    }
    return err;
}

static enum fk_err read_queues(struct fk_deploy *deploy, bool pipeline, struct fk_cost *cost)
{
    static const char *const names[] = {"NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted",
                                        "NumberOfEmptyReceives"};
    const char *queues[] = {deploy->names.requests, deploy->names.distributor};
    enum fk_err err = FK_OK;
    for (size_t i = 0; i < (pipeline ? 2U : 1U); i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0] && err == FK_OK; j++) {
            bool idle = j == 3; /* polls that found nothing: what a deployment at rest has */
            const struct metric metric = {idle ? "sqs_empty_receives" : "sqs_requests",
                                          FK_PRICE_SQS_FIFO_REQUEST,
                                          "AWS/SQS",
                                          names[j],
                                          "QueueName",
                                          queues[i],
                                          1};
            err = read_metric(deploy, &metric, cost);
        }
    }
    return err;
}

static void add_up(const struct fk_prices *prices, struct fk_cost *cost)
{
    for (size_t i = 0; i < cost->count; i++) {
        struct fk_cost_line *line = &cost->lines[i];
        double price = fk_prices_usd(prices, line->price);
        line->usd = line->amount * price;
        line->month_usd = line->month * price;
        cost->usd += line->usd;
        cost->month_usd += line->month_usd;
    }
}

/* Those of the deployment's region; where nobody has written them down, those of the usual one. */
static enum fk_err read_prices(const struct fk_deploy *deploy, struct fk_prices **prices)
{
    enum fk_err err = fk_prices_new(deploy->region, NULL, prices, NULL);
    return err == FK_ERR_USAGE ? fk_prices_new(FK_PRICE_REGION, NULL, prices, NULL) : err;
}

enum fk_err fk_cost_read(struct fk_deploy *deploy, const struct fk_stack *stack, struct fk_cost *cost)
{
    int64_t now_s = fk_clock_wall_ms(deploy->clock) / 1000;
    char now[TIME_SIZE];
    char oldest[TIME_SIZE];
    *cost = (struct fk_cost){.count = 0};
    print_time(now, now_s);
    print_time(oldest, now_s - (int64_t)SINCE_DAYS_MAX * DAY_S);
    /* Times of this form sort as they stand. */
    bool old = strcmp(stack->created, oldest) < 0;
    (void)snprintf(cost->since, sizeof cost->since, "%.19sZ", old ? oldest : stack->created);
    (void)snprintf(cost->month, sizeof cost->month, "%.7s", now);
    struct fk_prices *prices = NULL;
    enum fk_err err = read_prices(deploy, &prices);
    bool pipeline = strcmp(fk_stack_values_get(&stack->parameters, "Topology"), "pipeline") == 0;
    const struct metric table[] = {
        {"dynamodb_write_units", FK_PRICE_DYNAMODB_WRITE_UNIT, "AWS/DynamoDB", "ConsumedWriteCapacityUnits",
         "TableName", deploy->names.stack, 1},
        {"dynamodb_read_units", FK_PRICE_DYNAMODB_READ_UNIT, "AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName",
         deploy->names.stack, 1},
    };
    for (size_t i = 0; err == FK_OK && i < sizeof table / sizeof table[0]; i++) {
        err = read_metric(deploy, &table[i], cost);
    }
    if (err == FK_OK) {
        err = read_functions(deploy, stack, pipeline, cost);
    }
    if (err == FK_OK) {
        err = read_queues(deploy, pipeline, cost);
    }
    if (prices != NULL) {
        (void)snprintf(cost->region, sizeof cost->region, "%s", fk_prices_region(prices));
        add_up(prices, cost);
    }
    fk_prices_free(prices);
    return err;
}
