// SPDX-License-Identifier: Apache-2.0
#include "cost/price.h"

#include "base/alloc.h"
#include "cost/price_files.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>

enum {
    PRICES_MAX = 256,
    ORIGIN_SIZE = 320,
    REGION_SIZE = 64,
    REGIONS_SIZE = 256,
};

static const char *const names[] = {
#define FK_PRICE_ROW(id, name) name,
    FK_PRICE_TABLE(FK_PRICE_ROW)
#undef FK_PRICE_ROW
};

static const struct {
    const char *region;
    struct fk_bytes (*text)(void);
} files[] = {
    {"us-east-1", fk_price_file_us_east_1},
    {"us-west-2", fk_price_file_us_west_2},
};

struct fk_prices {
    json_t *region_file;
    json_t *own_file; /* NULL: none */
    char region[REGION_SIZE];
    char origin[ORIGIN_SIZE];
    struct fk_price list[PRICES_MAX]; /* the first FK_PRICE_COUNT by id */
    size_t count;
};

const char *fk_price_name(enum fk_price_id id)
{
    return names[id];
}

const char *fk_price_region(size_t index)
{
    return index < sizeof files / sizeof files[0] ? files[index].region : NULL;
}

/* "us-east-1, us-west-2" */
static void list_regions(char text[REGIONS_SIZE])
{
    size_t size = 0;
    for (size_t i = 0; fk_price_region(i) != NULL && size < REGIONS_SIZE; i++) {
        size += (size_t)snprintf(text + size, REGIONS_SIZE - size, "%s%s", i == 0 ? "" : ", ", fk_price_region(i));
    }
}

/* Where a name stands in the list; `count` where it does not. */
static size_t index_of(const struct fk_prices *prices, const char *name)
{
    size_t at = 0;
    while (at < prices->count && (prices->list[at].name == NULL || strcmp(prices->list[at].name, name) != 0)) {
        at++;
    }
    return at;
}

/* The place of a name, new or found; NULL: nobody knows it, or there are too many. */
static struct fk_price *place_of(struct fk_prices *prices, const char *name)
{
    for (size_t id = 0; id < FK_PRICE_COUNT; id++) {
        if (strcmp(names[id], name) == 0) {
            return &prices->list[id];
        }
    }
    size_t at = index_of(prices, name);
    if (at == prices->count) {
        if (strncmp(name, FK_PRICE_MACHINE, strlen(FK_PRICE_MACHINE)) != 0 || prices->count == PRICES_MAX) {
            return NULL;
        }
        prices->count++;
    }
    return &prices->list[at];
}

static const char *text_of(const json_t *value, const char *member)
{
    const char *text = json_string_value(json_object_get(value, member));
    return text == NULL ? "" : text;
}

static enum fk_err take_price(struct fk_prices *prices, const char *origin, const char *name, const json_t *value,
                              struct fk_diag *diag)
{
    const json_t *usd = json_object_get(value, "usd");
    const json_t *verified = json_object_get(value, "verified");
    double number = json_number_value(usd);
    if (!json_is_number(usd) || !isfinite(number) || number < 0) {
        fk_diag_set(diag, "%s: prices.%s.usd: a number of 0 or more is expected", origin, name);
        return FK_ERR_USAGE;
    }
    if (verified != NULL && !json_is_boolean(verified)) {
        fk_diag_set(diag, "%s: prices.%s.verified: true or false is expected", origin, name);
        return FK_ERR_USAGE;
    }
    struct fk_price *price = place_of(prices, name);
    if (price == NULL) {
        fk_diag_set(diag, "%s: prices.%s: no price of this name is known; those of machines begin with %s", origin,
                    name, FK_PRICE_MACHINE);
        return FK_ERR_USAGE;
    }
    *price = (struct fk_price){.name = name,
                               .usd = number,
                               .per = text_of(value, "per"),
                               .source = text_of(value, "source"),
                               .date = text_of(value, "date"),
                               .verified = verified == NULL || json_is_true(verified)};
    return FK_OK;
}

/* Prices of one file over those that are there. The names stay the file's. */
static enum fk_err take_file(struct fk_prices *prices, const char *origin, json_t *file, struct fk_diag *diag)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_t *list = json_object_get(file, "prices");
    const char *currency = json_string_value(json_object_get(file, "currency"));
    if (!json_is_object(list)) {
        fk_diag_set(diag, "%s: prices: an object of prices is expected", origin);
        return FK_ERR_USAGE;
    }
    if (currency != NULL && strcmp(currency, "USD") != 0) {
        fk_diag_set(diag, "%s: currency: USD is expected, not '%s'", origin, currency);
        return FK_ERR_USAGE;
    }
    json_object_foreach(list, name, value)
    {
        enum fk_err err = take_price(prices, origin, name, value, diag);
        if (err != FK_OK) {
            return err;
        }
    }
    return FK_OK;
}

/* Where a region has no file, all has to come from the user's. */
static enum fk_err take_region(struct fk_prices *prices, const char *region, bool own, struct fk_diag *diag)
{
    json_error_t error;
    (void)snprintf(prices->region, sizeof prices->region, "%s", region);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(files[i].region, region) == 0) {
            struct fk_bytes text = files[i].text();
            prices->region_file = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
            return prices->region_file == NULL ? FK_ERR_NOMEM : take_file(prices, region, prices->region_file, diag);
        }
    }
    if (own && strlen(region) < sizeof prices->region) {
        return FK_OK;
    }
    char regions[REGIONS_SIZE];
    list_regions(regions);
    fk_diag_set(diag, "--region: no prices for region %.60s; have: %s (or give a file of your own)", region, regions);
    return FK_ERR_USAGE;
}

static enum fk_err check_all(const struct fk_prices *prices, struct fk_diag *diag)
{
    for (size_t id = 0; id < FK_PRICE_COUNT; id++) {
        if (prices->list[id].name == NULL) {
            char regions[REGIONS_SIZE];
            list_regions(regions);
            fk_diag_set(
                diag,
                "--region: no prices for region %.60s; have: %s. A file of your own has to say all: %s is missing",
                prices->region, regions, names[id]);
            return FK_ERR_USAGE;
        }
    }
    return FK_OK;
}

static enum fk_err take_own(struct fk_prices *prices, const char *path, struct fk_diag *diag)
{
    json_error_t error;
    char name[ORIGIN_SIZE];
    FILE *file = fopen(path, "rbe");
    (void)snprintf(name, sizeof name, "--prices: %.200s", path);
    if (file == NULL) {
        fk_diag_set(diag, "%s: %s", name, strerror(errno));
        return FK_ERR_IO;
    }
    prices->own_file = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed) {
        fk_diag_set(diag, "%s: it does not read", name);
        return FK_ERR_IO;
    }
    if (prices->own_file == NULL) {
        fk_diag_set(diag, "%s: line %d: %s", name, error.line, error.text);
        return FK_ERR_USAGE;
    }
    return take_file(prices, name, prices->own_file, diag);
}

enum fk_err fk_prices_new(const char *region, const char *path, struct fk_prices **prices, struct fk_diag *diag)
{
    struct fk_prices *made = (struct fk_prices *)fk_alloc_zero(sizeof *made);
    *prices = NULL;
    if (made == NULL) {
        return FK_ERR_NOMEM;
    }
    made->count = FK_PRICE_COUNT;
    enum fk_err err = take_region(made, region, path != NULL, diag);
    if (err == FK_OK && path != NULL) {
        err = take_own(made, path, diag);
    }
    if (err == FK_OK) {
        err = check_all(made, diag);
    }
    if (err != FK_OK) {
        fk_prices_free(made);
        return err;
    }
    (void)snprintf(made->origin, sizeof made->origin, "%s%s%.250s", made->region, path == NULL ? "" : ", ",
                   path == NULL ? "" : path);
    *prices = made;
    return FK_OK;
}

void fk_prices_free(struct fk_prices *prices)
{
    if (prices != NULL) {
        json_decref(prices->region_file);
        json_decref(prices->own_file);
        fk_free(prices);
    }
}

const char *fk_prices_region(const struct fk_prices *prices)
{
    return prices->region;
}

const char *fk_prices_origin(const struct fk_prices *prices)
{
    return prices->origin;
}

const struct fk_price *fk_prices_at(const struct fk_prices *prices, enum fk_price_id id)
{
    return &prices->list[id];
}

double fk_prices_usd(const struct fk_prices *prices, enum fk_price_id id)
{
    return prices->list[id].usd;
}

const struct fk_price *fk_prices_find(const struct fk_prices *prices, const char *name)
{
    return fk_prices_each(prices, index_of(prices, name));
}

const struct fk_price *fk_prices_each(const struct fk_prices *prices, size_t index)
{
    return index < prices->count ? &prices->list[index] : NULL;
}
