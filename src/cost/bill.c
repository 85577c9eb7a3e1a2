// SPDX-License-Identifier: Apache-2.0
#include "cost/bill.h"

#include "base/assert.h"

#include <math.h>
#include <stddef.h>

enum {
    QUEUE_REQUEST_SIZE = 64 * 1024,
};

#define ROUNDED_MS 0.5

/* The lines of a bill: which number of the usage, at which price. */
static const struct {
    const char *service;
    const char *what;
    size_t amount; /* offset in struct fk_usage */
    enum fk_price_id price;
} lines[] = {
    {"DynamoDB", "write units", offsetof(struct fk_usage, table_write_units), FK_PRICE_DYNAMODB_WRITE_UNIT},
    {"DynamoDB", "read units", offsetof(struct fk_usage, table_read_units), FK_PRICE_DYNAMODB_READ_UNIT},
    {"DynamoDB", "storage, GB-months", offsetof(struct fk_usage, table_gb_months), FK_PRICE_DYNAMODB_GB_MONTH},
    {"SQS", "requests: send", offsetof(struct fk_usage, queue_sends), FK_PRICE_SQS_FIFO_REQUEST},
    {"SQS", "requests: receive", offsetof(struct fk_usage, queue_receives), FK_PRICE_SQS_FIFO_REQUEST},
    {"SQS", "requests: delete", offsetof(struct fk_usage, queue_deletes), FK_PRICE_SQS_FIFO_REQUEST},
    {"SQS", "requests: idle polls", offsetof(struct fk_usage, queue_idle_polls), FK_PRICE_SQS_FIFO_REQUEST},
    {"SQS", "answers: send", offsetof(struct fk_usage, channel_sends), FK_PRICE_SQS_STANDARD_REQUEST},
    {"SQS", "answers: receive", offsetof(struct fk_usage, channel_receives), FK_PRICE_SQS_STANDARD_REQUEST},
    {"SQS", "answers: delete", offsetof(struct fk_usage, channel_deletes), FK_PRICE_SQS_STANDARD_REQUEST},
    {"SQS", "answers: idle polls", offsetof(struct fk_usage, channel_idle_polls), FK_PRICE_SQS_STANDARD_REQUEST},
    {"Lambda", "requests", offsetof(struct fk_usage, function_requests), FK_PRICE_LAMBDA_REQUEST},
    {"Lambda", "GB-seconds", offsetof(struct fk_usage, function_gb_seconds), FK_PRICE_LAMBDA_GB_SECOND_ARM64},
    {"Lambda", "GB-seconds of init", offsetof(struct fk_usage, init_gb_seconds), FK_PRICE_LAMBDA_GB_SECOND_ARM64},
    {"S3", "PUT and LIST", offsetof(struct fk_usage, blob_puts), FK_PRICE_S3_PUT},
    {"S3", "GET", offsetof(struct fk_usage, blob_gets), FK_PRICE_S3_GET},
    {"S3", "storage, GB-months", offsetof(struct fk_usage, blob_gb_months), FK_PRICE_S3_GB_MONTH},
    {"CloudWatch", "log bytes", offsetof(struct fk_usage, log_bytes), FK_PRICE_LOG_BYTE},
    {"CloudWatch", "logs kept, GB-months", offsetof(struct fk_usage, log_gb_months), FK_PRICE_LOG_GB_MONTH},
    {"CloudWatch", "alarms", offsetof(struct fk_usage, alarm_months), FK_PRICE_ALARM_MONTH},
    {"EventBridge", "scheduled calls", offsetof(struct fk_usage, scheduler_invocations), FK_PRICE_SCHEDULER_INVOCATION},
    {"transfer", "between zones, GB", offsetof(struct fk_usage, transfer_az_gb), FK_PRICE_TRANSFER_AZ_GB},
    {"transfer", "to the internet, GB", offsetof(struct fk_usage, transfer_internet_gb), FK_PRICE_TRANSFER_INTERNET_GB},
    {"transfer", "endpoint hours", offsetof(struct fk_usage, vpc_endpoint_hours), FK_PRICE_VPC_ENDPOINT_HOUR},
};

enum {
    LINES = sizeof lines / sizeof lines[0],
};

_Static_assert((size_t)LINES * sizeof(double) == sizeof(struct fk_usage), "every number has its line");
_Static_assert((int)LINES <= (int)FK_BILL_LINES_MAX, "a bill has room for every line");

static double *number_of(struct fk_usage *usage, size_t line)
{
    return (double *)(void *)((char *)usage + lines[line].amount);
}

static double amount_of(const struct fk_usage *usage, size_t line)
{
    return *(const double *)(const void *)((const char *)usage + lines[line].amount);
}

void fk_usage_add(struct fk_usage *sum, const struct fk_usage *more)
{
    for (size_t i = 0; i < LINES; i++) {
        *number_of(sum, i) += amount_of(more, i);
    }
}

void fk_usage_scale(struct fk_usage *usage, double factor)
{
    for (size_t i = 0; i < LINES; i++) {
        *number_of(usage, i) *= factor;
    }
}

struct fk_usage_options fk_usage_defaults(void)
{
    return (struct fk_usage_options){.messages_per_call = 1,
                                     .messages_per_receive = 1,
                                     .memory_gb = 0.5,
                                     .call_ms = fk_cost_call_ms(0, false, false),
                                     .init_ms = 50,
                                     .log_bytes_per_call = 3};
}

/* Requests of receiving: one for each batch, and for each 64 KB of what it carries. */
static double receives(double batches, int64_t bytes)
{
    return fmax(batches, (double)bytes / QUEUE_REQUEST_SIZE);
}

/* Billed by the ms begun: half a ms more than it takes, on average. */
static double billed_s(double ms)
{
    return ms == 0 ? 0 : (ms + ROUNDED_MS) / 1000;
}

static void add_calls(struct fk_usage *sum, double calls, const struct fk_usage_options *options)
{
    sum->function_requests += calls;
    sum->function_gb_seconds += calls * billed_s(options->call_ms) * options->memory_gb;
    sum->init_gb_seconds += calls * options->cold_share * billed_s(options->init_ms) * options->memory_gb;
    sum->log_bytes += calls * options->log_bytes_per_call;
}

void fk_usage_add_use(struct fk_usage *sum, const struct fk_cost_use *use, double times,
                      const struct fk_usage_options *options)
{
    const struct fk_units *units = &use->units;
    bool writes = units->table_writes + units->table_transactions > 0;
    double again = 1 + (writes ? options->refused_share : 0);
    FK_ASSERT(options->messages_per_call >= 1 && options->messages_per_receive >= 1);
    sum->table_write_units += times * (double)units->write_units * again;
    sum->table_read_units += times * (double)units->read_units * again;
    sum->queue_sends += times * (double)units->queue_requests;
    sum->queue_receives +=
        times * receives((double)units->queue_sends / options->messages_per_call, units->queue_bytes);
    sum->queue_deletes += times * (double)units->queue_sends / options->messages_per_call;
    if (!options->tcp) {
        double batches = (double)units->channel_sends / options->messages_per_receive;
        sum->channel_sends += times * (double)units->channel_requests;
        sum->channel_receives += times * receives(batches, units->channel_bytes);
        sum->channel_deletes += times * batches;
    }
    sum->blob_puts += times * (double)(units->blob_puts + units->blob_lists);
    sum->blob_gets += times * (double)units->blob_gets;
    add_calls(sum, times * (double)use->invocations / options->messages_per_call, options);
}

void fk_bill_add(struct fk_bill *bill, const char *service, const char *what, const struct fk_price *price,
                 double amount)
{
    if (amount == 0) {
        return;
    }
    FK_ASSERT(bill->count < FK_BILL_LINES_MAX);
    bill->lines[bill->count++] = (struct fk_bill_line){
        .service = service, .what = what, .price = price->name, .amount = amount, .usd = amount * price->usd};
    bill->usd += amount * price->usd;
}

void fk_bill_make(const struct fk_prices *prices, const struct fk_usage *usage, bool x86_64, struct fk_bill *bill)
{
    *bill = (struct fk_bill){.count = 0};
    for (size_t i = 0; i < LINES; i++) {
        enum fk_price_id id = lines[i].price;
        if (x86_64 && id == FK_PRICE_LAMBDA_GB_SECOND_ARM64) {
            id = FK_PRICE_LAMBDA_GB_SECOND_X86_64;
        }
        fk_bill_add(bill, lines[i].service, lines[i].what, fk_prices_at(prices, id), amount_of(usage, i));
    }
}

double fk_bill_service(const struct fk_bill *bill, const char *service)
{
    double usd = 0;
    for (size_t i = 0; i < bill->count; i++) {
        usd += strcmp(bill->lines[i].service, service) == 0 ? bill->lines[i].usd : 0;
    }
    return usd;
}
