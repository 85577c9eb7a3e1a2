// SPDX-License-Identifier: Apache-2.0
#include "cli/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An option: where its value goes; exactly one of the pointers is set. */
struct option_row {
    const char *name;
    double *number;
    const char **text;
    bool *flag;
    bool *choice;           /* set where the value is the second of two words */
    const char *choices[2]; /* of a choice */
    bool of_workload;       /* says what a recorded run says itself */
    bool given;
};

enum {
    ROWS_MAX = 32,
};

struct parser {
    struct option_row rows[ROWS_MAX];
    size_t count;
};

static void add_number(struct parser *parser, const char *name, double *number, bool of_workload)
{
    parser->rows[parser->count++] = (struct option_row){.name = name, .number = number, .of_workload = of_workload};
}

static void add_text(struct parser *parser, const char *name, const char **text)
{
    parser->rows[parser->count++] = (struct option_row){.name = name, .text = text};
}

static void add_flag(struct parser *parser, const char *name, bool *flag)
{
    parser->rows[parser->count++] = (struct option_row){.name = name, .flag = flag};
}

static void add_choice(struct parser *parser, const char *name, bool *choice, const char *no, const char *yes)
{
    parser->rows[parser->count++] = (struct option_row){.name = name, .choice = choice, .choices = {no, yes}};
}

static void list_options(struct parser *parser, struct fk_cli_cost *parsed)
{
    struct fk_workload *workload = &parsed->workload;
    add_number(parser, "--reads-per-day", &workload->reads_per_day, true);
    add_number(parser, "--writes-per-day", &workload->writes_per_day, true);
    add_number(parser, "--size", &workload->size, true);
    add_number(parser, "--watches", &workload->watches, true);
    add_number(parser, "--sessions", &workload->sessions, true);
    add_number(parser, "--gateways", &workload->gateways, true);
    add_number(parser, "--nodes", &workload->nodes, true);
    add_number(parser, "--memory", &workload->memory_mb, false);
    add_number(parser, "--refused", &workload->refused_share, false);
    add_number(parser, "--disk", &parsed->disk_gb, false);
    add_choice(parser, "--topology", &workload->pipeline, "single-hop", "pipeline");
    add_choice(parser, "--channel", &workload->tcp, "sqs", "tcp");
    add_choice(parser, "--arch", &workload->x86_64, "arm64", "x86_64");
    add_flag(parser, "--outside", &workload->outside);
    add_flag(parser, "--cross-zone", &parsed->transfer);
    add_text(parser, "--zookeeper", &parsed->zookeeper);
    add_text(parser, "--region", &parsed->region);
    add_text(parser, "--prices", &parsed->prices);
    add_text(parser, "--from", &parsed->from);
    add_text(parser, "--plot", &parsed->plot);
    add_flag(parser, "--json", &parsed->json);
    add_flag(parser, "--help", &parsed->help);
    add_flag(parser, "-h", &parsed->help);
}

static struct option_row *find(struct parser *parser, const char *text, size_t size)
{
    for (size_t i = 0; i < parser->count; i++) {
        if (strlen(parser->rows[i].name) == size && memcmp(parser->rows[i].name, text, size) == 0) {
            return &parser->rows[i];
        }
    }
    return NULL;
}

/* What is no number becomes none: the check of ranges says what is expected. */
static double number_of(const char *text)
{
    char *end = NULL;
    double number = strtod(text, &end);
    return end == text || *end != '\0' ? NAN : number;
}

static enum fk_err take_value(struct option_row *row, const char *value, struct fk_diag *diag)
{
    if (row->number != NULL) {
        *row->number = number_of(value);
    } else if (row->text != NULL) {
        *row->text = value;
    } else if (strcmp(value, row->choices[0]) == 0 || strcmp(value, row->choices[1]) == 0) {
        *row->choice = strcmp(value, row->choices[1]) == 0;
    } else {
        fk_diag_set(diag, "%s: %s or %s is expected, not '%.60s'", row->name, row->choices[0], row->choices[1], value);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* The option at argv[*at], and its value: "--name x" or "--name=x". */
static enum fk_err take(struct parser *parser, int argc, char **argv, int *at, struct fk_diag *diag)
{
    const char *text = argv[*at];
    size_t size = strcspn(text, "=");
    struct option_row *row = find(parser, text, size);
    if (row == NULL) {
        fk_diag_set(diag, "'%.60s': unknown option", text);
        return FK_ERR_USAGE;
    }
    row->given = true;
    if (row->flag != NULL) {
        *row->flag = true;
        if (text[size] != '\0') {
            fk_diag_set(diag, "%s: this option takes no value", row->name);
        }
        return text[size] == '\0' ? FK_OK : FK_ERR_USAGE;
    }
    if (text[size] == '\0' && *at + 1 >= argc) {
        fk_diag_set(diag, "%s: this option needs a value", row->name);
        return FK_ERR_USAGE;
    }
    return take_value(row, text[size] == '=' ? text + size + 1 : argv[++*at], diag);
}

/* A run says itself what there was. */
static enum fk_err check_from(const struct parser *parser, const struct fk_cli_cost *parsed, struct fk_diag *diag)
{
    for (size_t i = 0; i < parser->count && parsed->from != NULL; i++) {
        if (parser->rows[i].of_workload && parser->rows[i].given) {
            fk_diag_set(diag, "%s: not with --from: the run says that itself", parser->rows[i].name);
            return FK_ERR_USAGE;
        }
    }
    if (parsed->from == NULL && !parser->rows[0].given && !parser->rows[1].given) {
        fk_diag_set(diag, "what is asked for? Say --reads-per-day and --writes-per-day, or --from FILE");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    size_t end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static enum fk_err check_rest(const struct fk_cli_cost *parsed, struct fk_diag *diag)
{
    if (!(parsed->disk_gb >= 0 && parsed->disk_gb <= 16384)) {
        fk_diag_set(diag, "--disk: a number from 0 to 16384 is expected");
        return FK_ERR_USAGE;
    }
    if (parsed->plot != NULL && !ends_with(parsed->plot, ".svg") && !ends_with(parsed->plot, ".png")) {
        fk_diag_set(diag, "--plot: a file that ends with .svg or .png is expected, not '%.100s'", parsed->plot);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

enum fk_err fk_cli_cost_parse(int argc, char **argv, struct fk_cli_cost *parsed, struct fk_diag *diag)
{
    *parsed = (struct fk_cli_cost){
        .workload = fk_workload_defaults(), .zookeeper = "3xt3.small", .disk_gb = 20, .region = FK_PRICE_REGION};
    struct parser parser = {.count = 0};
    enum fk_err err = FK_OK;
    list_options(&parser, parsed);
    for (int at = 1; err == FK_OK && at < argc && !parsed->help; at++) {
        if (argv[at][0] == '-') {
            err = take(&parser, argc, argv, &at, diag);
        } else {
            fk_diag_set(diag, "'%.60s': an option is expected", argv[at]);
            err = FK_ERR_USAGE;
        }
    }
    if (err != FK_OK || parsed->help) {
        return err;
    }
    err = check_from(&parser, parsed, diag);
    if (err == FK_OK) {
        err = fk_workload_check(&parsed->workload, diag);
    }
    return err == FK_OK ? check_rest(parsed, diag) : err;
}
