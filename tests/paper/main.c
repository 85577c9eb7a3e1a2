// SPDX-License-Identifier: Apache-2.0
/* faaskeeper-paper: the figures of docs/evaluation.md that are money, as JSON; tools/paper.py runs it. */
#include "paper/figures.h"

#include <stdio.h>

enum {
    EXIT_USAGE = 2,
};

static int run(const char *paper_prices)
{
    struct fk_diag diag = {{0}};
    struct fk_prices *prices[PRICES] = {NULL, NULL};
    int code = 1;
    if (fk_prices_new(FK_PRICE_REGION, paper_prices, &prices[PRICES_PAPER], &diag) != FK_OK ||
        fk_prices_new(FK_PRICE_REGION, NULL, &prices[PRICES_TODAY], &diag) != FK_OK) {
        (void)fprintf(stderr, "faaskeeper-paper: %s\n", diag.text);
    } else {
        const struct fk_prices *const both[PRICES] = {prices[PRICES_PAPER], prices[PRICES_TODAY]};
        json_t *all = figures_make(both);
        code = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(10)) == 0 && putchar('\n') != EOF ? 0 : 1;
        json_decref(all);
    }
    for (size_t i = 0; i < PRICES; i++) {
        fk_prices_free(prices[i]);
    }
    return code;
}

int main(int count, char **args)
{
    if (count != 2) {
        (void)fprintf(stderr, "usage: faaskeeper-paper PRICES\n"
                              "PRICES: the file of the paper's prices, deploy/prices/paper-2023.json\n");
        return EXIT_USAGE;
    }
    return run(args[1]);
}
