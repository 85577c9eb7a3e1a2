// SPDX-License-Identifier: Apache-2.0
/* The program of the Lambda functions: which one it is says FK_FUNCTION. Everything is made before the first invocation
 * is asked for, connections included, because that time has a whole processor. */
#include "base/log.h"
#include "driver/aws/mailbox.h"
#include "driver/aws/schedule.h"
#include "function/address.h"
#include "function/record.h"
#include "host/aws_ports.h"
#include "host/lambda_function.h"
#include "host/lambda_log.h"
#include "host/posix_clock.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EXIT_ENVIRONMENT = 1,
    EXIT_CONFIGURATION = 2,
    /* Life of a lock: who waits for that of a writer that died, within a timeout of 10 s, shall see its end. */
    LOCK_MS = 4000,
    ORPHAN_MS = 60 * 60 * 1000, /* a gateway that starts makes its queue before its record */
    LOOPS_MAX = 64,             /* a Managed Instance's most for one virtual processor */
};

/* What all loops share. */
struct setup {
    const char *api;
    enum fk_lambda_kind kind;
    size_t loops;
    struct fk_deployment deployment;
    struct fk_aws_settings *settings;
};

/* One loop, with connections of its own. */
struct worker {
    const struct setup *setup;
    struct fk_aws *aws;
    struct fk_aws_ports *ports;
    struct fk_metered metered; /* over them */
    struct fk_lambda_function function;
    pthread_t thread;
};

static enum fk_err set_schedule(void *context, bool enabled)
{
    const struct worker *worker = (const struct worker *)context;
    return fk_schedule_set(worker->aws, worker->setup->deployment.name, enabled);
}

static enum fk_err collect(void *context)
{
    const struct worker *worker = (const struct worker *)context;
    const struct fk_ports *ports = fk_aws_ports_get(worker->ports);
    size_t deleted = 0;
    enum fk_err err = fk_sqs_collect_orphans(worker->aws, &worker->setup->deployment, ports->table, fk_gateway_address,
                                             ports->clock, ORPHAN_MS, &deleted);
    if (deleted > 0) {
        fk_log_with(FK_LOG_INFO, "queues of gateways that are gone were deleted",
                    fk_log_number("queues", (int64_t)deleted));
    }
    return err;
}

/* AWS_LAMBDA_MAX_CONCURRENCY: invocations that one process may be given at a time. */
static enum fk_err read_loops(size_t *loops, struct fk_diag *diag)
{
    const char *text = getenv("AWS_LAMBDA_MAX_CONCURRENCY");
    char *end = NULL;
    unsigned long count = text == NULL || text[0] == '\0' ? 1 : strtoul(text, &end, 10);
    if (count == 0 || (end != NULL && *end != '\0')) {
        fk_diag_set(diag, "AWS_LAMBDA_MAX_CONCURRENCY is no number above 0: '%.32s'", text);
        return FK_ERR_USAGE;
    }
    *loops = count < LOOPS_MAX ? count : LOOPS_MAX;
    return FK_OK;
}

static enum fk_err configure(struct setup *setup, struct fk_diag *diag)
{
    const char *kind = getenv("FK_FUNCTION");
    if (kind == NULL || !fk_lambda_kind_parse(kind, &setup->kind)) {
        fk_diag_set(diag, "FK_FUNCTION is '%.32s', not one of: writer distributor heartbeat watch",
                    kind == NULL ? "" : kind);
        return FK_ERR_USAGE;
    }
    enum fk_err err = read_loops(&setup->loops, diag);
    if (err == FK_OK) {
        err = fk_deployment_from_environment(&setup->deployment, diag);
    }
    if (err == FK_OK && setup->kind == FK_LAMBDA_DISTRIBUTOR && !setup->deployment.pipeline) {
        fk_diag_set(diag, "FK_FUNCTION is distributor, which only FK_TOPOLOGY=pipeline has");
        err = FK_ERR_USAGE;
    }
    return err == FK_OK ? fk_aws_settings_new(fk_posix_clock(), NULL, &setup->settings, diag) : err;
}

static enum fk_err prepare(struct worker *worker, const struct setup *setup)
{
    worker->setup = setup;
    worker->aws = fk_aws_new(setup->settings, fk_posix_clock(), fk_posix_random());
    if (worker->aws == NULL) {
        return FK_ERR_NOMEM;
    }
    enum fk_err err =
        fk_aws_ports_new(worker->aws, &setup->deployment, fk_posix_clock(), fk_posix_random(), &worker->ports);
    if (err != FK_OK) {
        return err;
    }
    if (!fk_metered_init(&worker->metered, fk_aws_ports_get(worker->ports))) {
        return FK_ERR_NOMEM;
    }
    worker->function =
        (struct fk_lambda_function){.kind = setup->kind,
                                    .options = fk_cloud_defaults(),
                                    .ports = &worker->metered.ports,
                                    .metered = &worker->metered,
                                    .hooks = {.set_schedule = set_schedule, .collect = collect, .context = worker}};
    worker->function.options.pipeline = setup->deployment.pipeline;
    worker->function.options.lock_ms = LOCK_MS;
    worker->function.options.rules = fk_deployment_get_rules(&setup->deployment);
    return FK_OK;
}

/* Connects to the table by reading what every function reads first. Where that fails, invocations will say so. */
static void warm(struct worker *worker)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_key key = fk_key_zx();
    struct fk_item item;
    enum fk_err err = fk_table_get(worker->function.ports->table, &key, &arena, &item);
    if (err != FK_OK) {
        fk_log_with(FK_LOG_WARN, "the table can't be read at the start", fk_log_text("reason", fk_err_text(err)),
                    fk_log_text("detail", fk_aws_diag(worker->aws)));
    }
    (void)fk_metered_take(&worker->metered); /* of no invocation */
    fk_arena_deinit(&arena);
}

static void *serve(void *context)
{
    struct worker *worker = (struct worker *)context;
    struct fk_lambda_options options = {.api = worker->setup->api,
                                        .clock = fk_posix_clock(),
                                        .run = fk_lambda_run,
                                        .context = &worker->function,
                                        .sets_environment = worker->setup->loops == 1};
    struct fk_diag diag = {.text = ""};
    warm(worker);
    enum fk_err err = fk_lambda_serve(&options, &diag);
    fk_log_with(FK_LOG_INFO, "the runtime can't be spoken with: this process ends",
                fk_log_text("reason", diag.text[0] == '\0' ? fk_err_text(err) : diag.text));
    return NULL;
}

/* The first loop runs in this thread. When one has ended, the sandbox is of no use any more. */
static void serve_all(struct worker *workers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (pthread_create(&workers[i].thread, NULL, serve, &workers[i]) != 0) {
            fk_log(FK_LOG_WARN, "no thread for loop %zu of %zu: fewer invocations at a time", i + 1, count);
            break;
        }
    }
    (void)serve(&workers[0]);
}

static void seed_hashes(void)
{
    uint64_t seed = 0;
    fk_random_fill(fk_posix_random(), (uint8_t *)&seed, sizeof seed);
    fk_hash_seed(seed);
}

/* Told to the runtime, which shows it to whoever invokes the function, and in the log. */
static int fail(const char *api, const char *type, const char *text)
{
    struct fk_lambda_error error = {.type = ""};
    struct fk_diag diag = {.text = ""};
    fk_lambda_error_set(&error, type, "%s", text);
    fk_log_with(FK_LOG_ERROR, "the function can't start", fk_log_text("type", type), fk_log_text("reason", text));
    if (fk_lambda_init_error(api, &error, &diag) != FK_OK) {
        fk_log_with(FK_LOG_ERROR, "the runtime can't be told", fk_log_text("reason", diag.text));
    }
    return strcmp(type, "Config.Invalid") == 0 ? EXIT_CONFIGURATION : EXIT_ENVIRONMENT;
}

int main(void)
{
    static struct setup setup;
    static struct worker workers[LOOPS_MAX];
    struct fk_diag diag = {.text = ""};
    fk_lambda_log_open(getenv("AWS_LAMBDA_LOG_LEVEL"));
    setup.api = getenv("AWS_LAMBDA_RUNTIME_API");
    if (setup.api == NULL) {
        (void)fputs("bootstrap: this program is an AWS Lambda function: AWS_LAMBDA_RUNTIME_API is not set\n", stderr);
        return EXIT_CONFIGURATION;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    seed_hashes();
    enum fk_err err = configure(&setup, &diag);
    for (size_t i = 0; err == FK_OK && i < setup.loops; i++) {
        err = prepare(&workers[i], &setup);
    }
    if (err != FK_OK) {
        bool usage = err == FK_ERR_USAGE || err == FK_ERR_INVALID;
        return fail(setup.api, usage ? "Config.Invalid" : "Init.Failed",
                    diag.text[0] == '\0' ? fk_err_text(err) : diag.text);
    }
    serve_all(workers, setup.loops);
    return EXIT_ENVIRONMENT;
}
