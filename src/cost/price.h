// SPDX-License-Identifier: Apache-2.0
/* Prices, as data: one file for each region in deploy/prices, built in, each figure with its source and its date. A
 * file of one's own lays its figures over those of a region: what a contract says, what a paper used, what is newer.
 *
 *   {"region": "us-east-1", "currency": "USD", "note": TEXT,
 *    "prices": {NAME: {"usd": NUMBER, "per": TEXT, "source": TEXT, "date": TEXT, "verified": BOOL}, ...}}
 *
 * `usd` is the price of one `per`: of one request, not of a million. `verified`: somebody compared it with the page
 * that `source` names; left out: true. NAME is one of FK_PRICE_TABLE, or ec2_TYPE for the hour of a machine. In a file
 * of one's own only `prices`, and there only `usd`, has to be. */
#ifndef FK_COST_PRICE_H
#define FK_COST_PRICE_H

#include "base/bytes.h"
#include "base/err.h"

/*    identifier            name in the files */
#define FK_PRICE_TABLE(X)                                                                                              \
    X(DYNAMODB_WRITE_UNIT, "dynamodb_write_unit")                                                                      \
    X(DYNAMODB_READ_UNIT, "dynamodb_read_unit")                                                                        \
    X(DYNAMODB_GB_MONTH, "dynamodb_gb_month")                                                                          \
    X(LAMBDA_REQUEST, "lambda_request")                                                                                \
    X(LAMBDA_GB_SECOND_ARM64, "lambda_gb_second_arm64")                                                                \
    X(LAMBDA_GB_SECOND_X86_64, "lambda_gb_second_x86_64")                                                              \
    X(SQS_FIFO_REQUEST, "sqs_fifo_request")                                                                            \
    X(SQS_STANDARD_REQUEST, "sqs_standard_request")                                                                    \
    X(S3_GB_MONTH, "s3_gb_month")                                                                                      \
    X(S3_PUT, "s3_put")                                                                                                \
    X(S3_GET, "s3_get")                                                                                                \
    X(SCHEDULER_INVOCATION, "scheduler_invocation")                                                                    \
    X(LOG_BYTE, "log_byte")                                                                                            \
    X(LOG_GB_MONTH, "log_gb_month")                                                                                    \
    X(ALARM_MONTH, "alarm_month")                                                                                      \
    X(TRANSFER_AZ_GB, "transfer_az_gb")                                                                                \
    X(TRANSFER_INTERNET_GB, "transfer_internet_gb")                                                                    \
    X(VPC_ENDPOINT_HOUR, "vpc_endpoint_hour")                                                                          \
    X(EBS_GP3_GB_MONTH, "ebs_gp3_gb_month")

enum fk_price_id {
#define FK_PRICE_ROW(id, name) FK_PRICE_##id,
    FK_PRICE_TABLE(FK_PRICE_ROW)
#undef FK_PRICE_ROW
    FK_PRICE_COUNT
};

/* The region that is taken where nobody names one. */
#define FK_PRICE_REGION "us-east-1"

/* Before the type of a machine: ec2_t3.small is the price of one hour of a t3.small. */
#define FK_PRICE_MACHINE "ec2_"

struct fk_price {
    const char *name;
    double usd;         /* of one `per`; 0 or more */
    const char *per;    /* "read unit of 4 KB"; "" where the file has none, like the next two */
    const char *source; /* where the figure comes from */
    const char *date;   /* when it was there */
    bool verified;      /* somebody looked at the page that is named */
};

struct fk_prices;

/* The prices of a region, and over them those of the file `path` (NULL: none), which has to say all where nothing of
 * the region is built in. Freed by fk_prices_free. USAGE: no prices of such a region (the message names those that
 * there are), or the file is not what it should be (it names the member); it begins with the option --region or
 * --prices; IO: the file does not read; NOMEM. */
enum fk_err fk_prices_new(const char *region, const char *path, struct fk_prices **prices, struct fk_diag *diag);
void fk_prices_free(struct fk_prices *prices);

/* Whose prices: the region's name, and where the figures of a file are among them "us-east-1, FILE". */
const char *fk_prices_region(const struct fk_prices *prices);
const char *fk_prices_origin(const struct fk_prices *prices);

/* One that every file has. */
const struct fk_price *fk_prices_at(const struct fk_prices *prices, enum fk_price_id id);
double fk_prices_usd(const struct fk_prices *prices, enum fk_price_id id);

/* By name; NULL: there is none. */
const struct fk_price *fk_prices_find(const struct fk_prices *prices, const char *name);

/* All of them, in the order of the file; NULL behind the last. */
const struct fk_price *fk_prices_each(const struct fk_prices *prices, size_t index);

/* The name of an id in the files. */
const char *fk_price_name(enum fk_price_id id);

/* The names of the regions that are built in; NULL behind the last. */
const char *fk_price_region(size_t index);

#endif
