// SPDX-License-Identifier: Apache-2.0
/* The arguments of `faaskeeper cost estimate`, and what is made of its result. */
#ifndef FK_CLI_COST_H
#define FK_CLI_COST_H

#include "base/buf.h"
#include "cost/estimate.h"

#include <stdio.h>

struct fk_cli_cost {
    struct fk_workload workload;
    const char *zookeeper; /* 3xt3.small */
    double disk_gb;
    bool transfer;
    const char *region;
    const char *prices; /* a file; NULL: none */
    const char *from;   /* a file; NULL: the workload */
    const char *plot;   /* a file; NULL: none */
    bool json;
    bool help;
};

/* Reads them; argv[0] is "estimate". USAGE: diag names the option, and what it takes. */
enum fk_err fk_cli_cost_parse(int argc, char **argv, struct fk_cli_cost *parsed, struct fk_diag *diag);

/* What there is to show. */
struct fk_cli_cost_result {
    const struct fk_cli_cost *options;
    const struct fk_prices *prices;
    struct fk_workload workload; /* as asked for; of a run its rates and its size */
    struct fk_ensemble ensemble;
    struct fk_estimate estimate;
    bool recorded;
    double run_seconds; /* of a recorded run, like the next */
    double run_usd;
};

/* The aligned table; one JSON document. IO, NOMEM. */
enum fk_err fk_cli_cost_print(const struct fk_cli_cost_result *result, FILE *out);
enum fk_err fk_cli_cost_print_json(const struct fk_cli_cost_result *result, FILE *out);

/* Cost over requests a day, drawn by gnuplot into a .svg or .png file. NOT_FOUND: gnuplot is not installed; IO: it
 * failed, or the file is not to be written; USAGE: neither .svg nor .png. */
enum fk_err fk_cli_cost_plot(const struct fk_cli_cost_result *result, const char *path, struct fk_diag *diag);

/* What gnuplot is told: data and commands; svg, or png. */
void fk_cli_cost_plot_script(const struct fk_cli_cost_result *result, bool svg, struct fk_buf *out);

#endif
