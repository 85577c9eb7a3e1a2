// SPDX-License-Identifier: Apache-2.0
#include "cost/ensemble.h"

#include "base/assert.h"
#include "cost/workload.h"

#include <stdio.h>
#include <stdlib.h>

#define HEADER_SIZE 100.0

enum {
    TYPES_SIZE = 256,
    DIGITS_MAX = 2,
};

/* "t3.micro, t3.small, ..." */
static void list_types(const struct fk_prices *prices, char text[TYPES_SIZE])
{
    const struct fk_price *price = NULL;
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; (price = fk_prices_each(prices, i)) != NULL; i++) {
        size_t skip = strlen(FK_PRICE_MACHINE);
        if (strncmp(price->name, FK_PRICE_MACHINE, skip) == 0 && size + strlen(price->name) < TYPES_SIZE) {
            size += (size_t)snprintf(text + size, TYPES_SIZE - size, "%s%s", size == 0 ? "" : ", ", price->name + skip);
        }
    }
}

static const struct fk_price *price_of(const struct fk_prices *prices, const char *type)
{
    char name[sizeof FK_PRICE_MACHINE + FK_ENSEMBLE_TYPE_SIZE];
    (void)snprintf(name, sizeof name, FK_PRICE_MACHINE "%s", type);
    return fk_prices_find(prices, name);
}

enum fk_err fk_ensemble_parse(const char *text, const struct fk_prices *prices, struct fk_ensemble *ensemble,
                              struct fk_diag *diag)
{
    size_t digits = strspn(text, "0123456789");
    const char *type = text + digits + 1;
    long count = digits == 0 || digits > DIGITS_MAX ? 0 : strtol(text, NULL, 10);
    if (count < 1 || text[digits] != 'x' || strlen(type) == 0 || strlen(type) >= FK_ENSEMBLE_TYPE_SIZE) {
        fk_diag_set(diag, "--zookeeper: '%.60s': NxTYPE is expected, as 3xt3.small, with N from 1 to %d", text,
                    FK_ENSEMBLE_SERVERS_MAX);
        return FK_ERR_USAGE;
    }
    if (price_of(prices, type) == NULL) {
        char types[TYPES_SIZE];
        list_types(prices, types);
        fk_diag_set(diag, "--zookeeper: no price for '%.60s' in %.60s; have: %s", type, fk_prices_region(prices),
                    types);
        return FK_ERR_USAGE;
    }
    ensemble->count = (int)count;
    (void)snprintf(ensemble->type, sizeof ensemble->type, "%s", type);
    return FK_OK;
}

/* Bytes between zones of a day. */
static double crossing(const struct fk_ensemble *ensemble, double reads, double writes, double size)
{
    double one = size + HEADER_SIZE;
    double read = HEADER_SIZE + one;
    double write = one + one + (ensemble->count - 1) * one + HEADER_SIZE;
    return (reads * read + writes * write) * FK_COST_OTHER_ZONE_SHARE;
}

void fk_ensemble_bill(const struct fk_ensemble *ensemble, const struct fk_prices *prices, double reads_per_day,
                      double writes_per_day, double size, struct fk_bill *bill)
{
    const struct fk_price *machine = price_of(prices, ensemble->type);
    *bill = (struct fk_bill){.count = 0};
    FK_ASSERT(machine != NULL); /* parse has seen it */
    fk_bill_add(bill, "EC2", "machine hours", machine, ensemble->count * FK_MONTH_HOURS);
    fk_bill_add(bill, "EBS", "storage, GB-months", fk_prices_at(prices, FK_PRICE_EBS_GP3_GB_MONTH),
                ensemble->count * ensemble->disk_gb);
    if (ensemble->transfer) {
        double bytes = crossing(ensemble, reads_per_day, writes_per_day, size) * FK_MONTH_DAYS;
        fk_bill_add(bill, "transfer", "between zones, GB", fk_prices_at(prices, FK_PRICE_TRANSFER_AZ_GB),
                    bytes * FK_COST_BOTH_WAYS / FK_COST_GB);
    }
}
