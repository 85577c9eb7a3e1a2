// SPDX-License-Identifier: Apache-2.0
/* What `faaskeeper status aws` knows, and its two ways to say it. */
#ifndef FK_DEPLOY_STATUS_H
#define FK_DEPLOY_STATUS_H

#include "deploy/cost.h"
#include "deploy/gateways.h"
#include "deploy/stack.h"

#include <stdio.h>

enum {
    FK_STATUS_PARTS_MAX = 3,
    FK_STATUS_PROBLEMS_MAX = 16,
};

struct fk_status_function {
    const char *part; /* writer */
    const char *name;
    bool known;
    char state[24];  /* Active, Inactive (it rests), Pending, Failed */
    char update[24]; /* of its last update: Successful, InProgress, Failed */
    int64_t memory_mb;
    int64_t code_size;
    char modified[40];
};

struct fk_status_queue {
    const char *part; /* requests */
    bool known;
    int64_t waiting;
    int64_t in_flight;
};

struct fk_status {
    const struct fk_stack *stack;
    struct fk_status_function functions[FK_STATUS_PARTS_MAX];
    size_t function_count;
    struct fk_status_queue queues[FK_STATUS_PARTS_MAX];
    size_t queue_count;
    bool census_known;
    struct fk_deploy_census census;
    bool schedule_known;
    bool schedule_enabled;
    bool cost_known;
    struct fk_cost cost;
    struct fk_diag problems[FK_STATUS_PROBLEMS_MAX];
    size_t problem_count;
};

/* Adds one; what is beyond the bound is dropped. */
void fk_status_problem(struct fk_status *status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Problems that what was read amounts to. */
void fk_status_judge(struct fk_status *status);

/* Reads an answer of Lambda's GetFunctionConfiguration, and one of SQS's GetQueueAttributes. MALFORMED. */
enum fk_err fk_status_read_function(struct fk_bytes json, struct fk_status_function *function);
enum fk_err fk_status_read_queue(struct fk_bytes json, struct fk_status_queue *queue);

void fk_status_print(const struct fk_deploy *deploy, const struct fk_status *status, FILE *out);
/* One document; NOMEM. */
enum fk_err fk_status_print_json(const struct fk_deploy *deploy, const struct fk_status *status, FILE *out);

#endif
