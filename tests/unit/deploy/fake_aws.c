// SPDX-License-Identifier: Apache-2.0
#include "deploy/fake_aws.h"

#include "driver/aws/dynamodb.h"
#include "driver/memory/clock.h"
#include "driver/memory/table.h"

enum {
    CALLS_MAX = 64,
};

static struct {
    const struct fake_step *steps;
    size_t step_count;
    struct fk_buf calls[CALLS_MAX];
    size_t call_count;
    char diag[256];
    struct fk_memory_clock clock;
    struct fk_memory_random random;
    struct fk_table *table;
    const struct fk_table_ops *table_ops;
    struct fk_table_ops kept_table_ops;
} fake;

static void keep_table(struct fk_table *table)
{
    (void)table;
}

void fake_begin(struct fk_deploy *deploy, const char *name, const struct fake_step *steps, size_t count)
{
    memset(&fake, 0, sizeof fake);
    fake.steps = steps;
    fake.step_count = count;
    fk_memory_clock_init(&fake.clock, INT64_C(1795996800000)); /* 2026-11-30 */
    fk_memory_random_init(&fake.random, 1);
    fake.table = fk_memory_table_new();
    assert_non_null(fake.table);
    fake.table_ops = fake.table->ops;
    fake.kept_table_ops = *fake.table_ops;
    fake.kept_table_ops.free = keep_table;
    fake.table->ops = &fake.kept_table_ops;
    *deploy = (struct fk_deploy){.clock = &fake.clock.base, .random = &fake.random.base, .region = "eu-central-1"};
    assert_int_equal(fk_deploy_names_init(&deploy->names, name, &deploy->diag), FK_OK);
}

void fake_end(void)
{
    assert_int_equal(fake.call_count, fake.step_count);
    for (size_t i = 0; i < fake.call_count; i++) {
        fk_buf_deinit(&fake.calls[i]);
    }
    fake.table->ops = fake.table_ops;
    fk_table_free(fake.table);
}

const char *fake_call(size_t nth)
{
    assert_true(nth < fake.call_count);
    return (const char *)fake.calls[nth].data;
}

struct fk_table *fake_table(void)
{
    return fake.table;
}

/* The call as a text: what the script's `call` has to stand in. */
static const char *record(const struct fk_aws_call *call)
{
    assert_true(fake.call_count < CALLS_MAX);
    struct fk_buf *text = &fake.calls[fake.call_count++];
    fk_buf_print(text, "%s %.*s %s ", call->method, (int)call->target.size, (const char *)call->target.data,
                 call->action == NULL ? "" : call->action);
    fk_buf_append(text, call->body);
    fk_buf_append(text, fk_bytes_of("", 1));
    assert_false(text->failed);
    return (const char *)text->data;
}

enum fk_err fk_aws_call(struct fk_aws *aws, const struct fk_aws_call *call, struct fk_arena *arena,
                        struct fk_aws_reply *reply)
{
    (void)aws;
    (void)arena;
    const char *text = record(call);
    if (fake.call_count > fake.step_count) {
        fail_msg("a call that nobody expected: %.200s", text);
    }
    const struct fake_step *step = &fake.steps[fake.call_count - 1];
    if (strstr(text, step->call) == NULL) {
        fail_msg("expected %s, not %.200s", step->call, text);
    }
    memset(reply, 0, sizeof *reply);
    reply->http.status = step->error == NULL ? 200 : 400;
    reply->http.body = fk_bytes_text(step->answer == NULL ? "" : step->answer);
    if (step->error == NULL) {
        return FK_OK;
    }
    (void)snprintf(reply->error, sizeof reply->error, "%s", step->error);
    (void)snprintf(reply->message, sizeof reply->message, "%s", step->message);
    (void)snprintf(fake.diag, sizeof fake.diag, "%s: %s", step->error, step->message);
    return strcmp(step->error, "NotFound") == 0 ? FK_ERR_NOT_FOUND : FK_ERR_INVALID;
}

const char *fk_aws_diag(const struct fk_aws *aws)
{
    (void)aws;
    return fake.diag;
}

struct fk_table *fk_dynamodb_table_new(struct fk_aws *aws, struct fk_random *random, const char *table)
{
    (void)aws;
    (void)random;
    (void)table;
    return fake.table;
}
