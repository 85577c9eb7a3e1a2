// SPDX-License-Identifier: Apache-2.0
#include "sim/latency_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 17,
    FIRST_POINT = 5,
    LINE_SIZE = 512,
};

/* The series of the trigger ends when a client has the function's reply, and its long tail counts twice in a write of
 * two hops: so much of it makes the prototype's write, and its queue, as fast as they were measured. */
static const double TRIGGER_PART = 0.89;

static const double POINTS[SIM_LATENCY_POINTS] = {0, .01, .05, .1, .25, .5, .75, .9, .95, .99, .999, 1};

/* Which rows make a series, and up to which size their whole distribution is used: above, they were throttled, and only
 * their smallest value says what a larger payload costs. */
static const struct {
    const char *service;
    const char *operation;
    enum sim_latency_kind kind;
    size_t from;
    size_t to;
} rows[] = {
    {"dynamodb", "read", SIM_LATENCY_READ, 0, SIZE_MAX},
    {"dynamodb", "write", SIM_LATENCY_WRITE, 0, SIZE_MAX},
    {"dynamodb", "timelock_acquire", SIM_LATENCY_CONDITIONAL, 0, 4096},
    {"faaskeeper_dynamodb_sqsfifo", "set_data_client_queue_push", SIM_LATENCY_PUSH, 0, 4096},
    {"faaskeeper_s3_sqsfifo", "set_data_client_queue_push", SIM_LATENCY_PUSH, 65536, SIZE_MAX},
    {"sqs_fifo", "invoke_to_client_reply", SIM_LATENCY_TRIGGER, 0, SIZE_MAX},
    {"sqs_fifo", "tcp_rtt_function_to_client", SIM_LATENCY_ROUND_TRIP, 0, SIZE_MAX},
    {"s3", "write", SIM_LATENCY_BLOB_PUT, 0, SIZE_MAX},
    {"faaskeeper_s3", "get_data_storage_only", SIM_LATENCY_BLOB_GET, 0, SIZE_MAX},
    {"s3", "read_headers_only", SIM_LATENCY_BLOB_HEAD, 0, SIZE_MAX},
    {"faaskeeper_dynamodb_sqsfifo", "stage:writer_lock", SIM_LATENCY_LOCK, 0, 4096},
    {"faaskeeper_s3_sqsfifo", "stage:writer_lock", SIM_LATENCY_LOCK, 65536, SIZE_MAX},
    {"faaskeeper_dynamodb_sqsfifo", "stage:distributor_total", SIM_LATENCY_LEADER, 0, 4096},
    {"faaskeeper_s3_sqsfifo", "stage:distributor_total", SIM_LATENCY_LEADER, 65536, SIZE_MAX},
    {"faaskeeper_dynamodb_sqsfifo", "set_data_client", SIM_LATENCY_PROTOTYPE, 0, 4096},
    {"faaskeeper_s3_sqsfifo", "set_data_client", SIM_LATENCY_PROTOTYPE, 65536, SIZE_MAX},
};

static const size_t clean_sizes[SIM_LATENCY_KINDS] = {
    [SIM_LATENCY_READ] = 65536,
    [SIM_LATENCY_WRITE] = 4096,
};

/* --- reading --- */

static bool split(char *line, char *columns[COLUMNS])
{
    line[strcspn(line, "\r\n")] = '\0';
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = line;
        char *comma = strchr(line, ',');
        if ((comma == NULL) != (i == COLUMNS - 1)) {
            return false;
        }
        if (comma != NULL) {
            *comma = '\0';
            line = comma + 1;
        }
    }
    return true;
}

static bool take_row(struct sim_latency *latency, char *columns[COLUMNS])
{
    size_t size = (size_t)strtoull(columns[3], NULL, 10);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sim_latency_series *series = &latency->series[rows[i].kind];
        if (strcmp(rows[i].service, columns[1]) != 0 || strcmp(rows[i].operation, columns[2]) != 0 ||
            size < rows[i].from || size > rows[i].to) {
            continue;
        }
        if (series->count == SIM_LATENCY_SIZES || (series->count > 0 && series->sizes[series->count - 1] >= size)) {
            return false;
        }
        double part = rows[i].kind == SIM_LATENCY_TRIGGER ? TRIGGER_PART : 1;
        for (size_t j = 0; j < SIM_LATENCY_POINTS; j++) {
            series->ms[series->count][j] = part * strtod(columns[FIRST_POINT + j], NULL);
        }
        if (rows[i].kind == SIM_LATENCY_TRIGGER) { /* samples of 0.01 ms: artefacts */
            series->ms[series->count][0] = series->ms[series->count][1] = series->ms[series->count][2];
        }
        series->sizes[series->count++] = size;
    }
    return true;
}

static enum fk_err read_file(struct sim_latency *latency, FILE *file, const char *path, struct fk_diag *diag)
{
    char line[LINE_SIZE];
    char *columns[COLUMNS];
    int number = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (++number > 1 && (!split(line, columns) || !take_row(latency, columns))) {
            fk_diag_set(diag, "%s:%d: %d columns, sizes rising, are expected", path, number, COLUMNS);
            return FK_ERR_MALFORMED;
        }
    }
    for (size_t i = 0; i < SIM_LATENCY_KINDS; i++) {
        if (latency->series[i].count == 0) {
            fk_diag_set(diag, "%s: series %zu has no row", path, i);
            return FK_ERR_MALFORMED;
        }
    }
    return FK_OK;
}

enum fk_err sim_latency_read(const char *path, struct sim_latency **latency, struct fk_diag *diag)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fk_diag_set(diag, "cannot read %s", path);
        return FK_ERR_NOT_FOUND;
    }
    *latency = calloc(1, sizeof **latency); /* outlives worlds */
    enum fk_err err = *latency == NULL ? FK_ERR_NOMEM : read_file(*latency, file, path, diag);
    (void)fclose(file);
    if (err != FK_OK) {
        sim_latency_free(*latency);
        *latency = NULL;
    }
    return err;
}

void sim_latency_free(struct sim_latency *latency)
{
    free(latency);
}

/* --- distributions --- */

static double between(double a, double b, double part)
{
    return a + (b - a) * part;
}

/* The inverse of one row's distribution. */
static double at(const double ms[SIM_LATENCY_POINTS], double u)
{
    size_t i = 1;
    while (i < SIM_LATENCY_POINTS - 1 && POINTS[i] < u) {
        i++;
    }
    return between(ms[i - 1], ms[i], (u - POINTS[i - 1]) / (POINTS[i] - POINTS[i - 1]));
}

/* Between the two rows around a size; the line through the last two goes on above them. */
static double by_size(const struct sim_latency_series *series, size_t size, double u)
{
    size_t i = 1;
    if (series->count == 1 || size <= series->sizes[0]) {
        return at(series->ms[0], u);
    }
    while (i < series->count - 1 && series->sizes[i] < size) {
        i++;
    }
    double low = (double)series->sizes[i - 1];
    return between(at(series->ms[i - 1], u), at(series->ms[i], u),
                   ((double)size - low) / ((double)series->sizes[i] - low));
}

double sim_latency_ms(const struct sim_latency *latency, enum sim_latency_kind kind, size_t size, double u)
{
    const struct sim_latency_series *series = &latency->series[kind];
    size_t clean = clean_sizes[kind] != 0 && size > clean_sizes[kind] ? clean_sizes[kind] : size;
    double ms = by_size(series, clean, u);
    if (kind == SIM_LATENCY_CONDITIONAL) { /* measured with 64 B and 1 kB: what more costs, any write costs */
        clean = size < 1024 ? size : 1024;
        ms = by_size(series, clean, u);
        series = &latency->series[SIM_LATENCY_WRITE];
    }
    return clean == size ? ms : ms + by_size(series, size, 0) - by_size(series, clean, 0);
}

double sim_latency_dice(struct sim_world *world)
{
    return (double)(sim_dice(world, SIM_DICE_SCHEDULE) >> 11) * 0x1p-53;
}

int64_t sim_latency_ns(double ms)
{
    return (int64_t)(ms * (double)SIM_MS);
}

int64_t sim_latency_draw(const struct sim_latency *latency, struct sim_world *world, enum sim_latency_kind kind,
                         size_t size)
{
    return sim_latency_ns(sim_latency_ms(latency, kind, size, sim_latency_dice(world)));
}

void sim_latency_defaults(struct sim_latency_options *options)
{
    *options = (struct sim_latency_options){
        .transaction = 1, .poll_ms = 10, .function_ms = 0.5, .batch = 3, .partitions = 4, .sqs_channel = false};
}

/* One, and each of the others with the chance that gives the average. */
size_t sim_latency_batch(const struct sim_latency_options *options, struct sim_world *world)
{
    size_t count = 1;
    for (int i = 1; i < FK_QUEUE_BATCH_MAX; i++) {
        count += sim_latency_dice(world) < (options->batch - 1) / (FK_QUEUE_BATCH_MAX - 1) ? 1 : 0;
    }
    return count;
}

struct sim_latency_counts sim_latency_counts(const struct sim_latency *latency)
{
    return latency->counts;
}
