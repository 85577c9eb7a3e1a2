// SPDX-License-Identifier: Apache-2.0
#include "cli/cost_live.h"

#include "base/alloc.h"
#include "cli/cli.h"
#include "http/client.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    PORT_DEFAULT = 8080, /* admin.serverPort */
    PORT_MAX = 65535,
    HOST_SIZE = 256,
    CONNECT_MS = 5000,
    ANSWER_MS = 20000,
    ANSWER_SIZE_MAX = 8 * 1024 * 1024,
};

static const char help[] =
    "Usage: faaskeeper cost live HOST[:PORT] [options]\n"
    "Asks a running server what it would have cost on AWS: by operation and by service, what a month like it would\n"
    "cost, and a ZooKeeper ensemble beside it. PORT is that of its admin port (default 8080).\n"
    "\n"
    "  --since-start        since the server was started; else its last hour\n"
    "  --sessions           the sessions that cost most, too\n"
    "  --zookeeper NxTYPE   the ensemble (default 3xt3.small)\n"
    "  --region REGION      whose prices (default us-east-1)\n"
    "  --prices FILE        figures of your own over those of the region: deploy/prices has the form\n"
    "  --json               one JSON document, which `faaskeeper cost estimate --from` reads\n"
    "  --help               this text\n"
    "\n"
    "A server has an admin port with admin.enableServer=true. docs/cost.md tells how it counts.\n"
    "Example: faaskeeper cost live 127.0.0.1:8080 --sessions\n"
    "Exit codes: 0 printed, 1 it can't be reached, or is no admin port, 2 usage.\n";

struct options {
    const char *address;
    const char *region;
    const char *prices;
    const char *zookeeper;
    bool json;
    bool sessions;
    bool since_start;
    bool help;
};

static enum fk_err fail(struct fk_diag *diag, const char *what, const char *argument)
{
    fk_diag_set(diag, "%s '%.80s'; see 'faaskeeper cost live --help'", what, argument);
    return FK_ERR_USAGE;
}

/* The place of the value of an option that takes one; NULL: it is none. */
static const char **value_of(struct options *options, const char *name)
{
    return strcmp(name, "--region") == 0      ? &options->region
           : strcmp(name, "--prices") == 0    ? &options->prices
           : strcmp(name, "--zookeeper") == 0 ? &options->zookeeper
                                              : NULL;
}

static bool *flag_of(struct options *options, const char *name)
{
    return strcmp(name, "--json") == 0                              ? &options->json
           : strcmp(name, "--sessions") == 0                        ? &options->sessions
           : strcmp(name, "--since-start") == 0                     ? &options->since_start
           : strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ? &options->help
                                                                    : NULL;
}

static enum fk_err parse(int argc, char **argv, struct options *options, struct fk_diag *diag)
{
    *options = (struct options){.region = FK_PRICE_REGION, .zookeeper = FK_ENSEMBLE_USUAL};
    for (int i = 1; i < argc; i++) {
        bool *flag = flag_of(options, argv[i]);
        const char **value = value_of(options, argv[i]);
        if (flag != NULL) {
            *flag = true;
        } else if (value != NULL && i + 1 < argc) {
            *value = argv[++i];
        } else if (value != NULL) {
            return fail(diag, "a value is missing behind", argv[i]);
        } else if (argv[i][0] == '-') {
            return fail(diag, "unknown option", argv[i]);
        } else if (options->address != NULL) {
            return fail(diag, "one server is enough:", argv[i]);
        } else {
            options->address = argv[i];
        }
    }
    if (options->address == NULL && !options->help) {
        fk_diag_set(diag, "which server? HOST:PORT of its admin port is missing; see 'faaskeeper cost live --help'");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static enum fk_err parse_address(const char *text, char host[HOST_SIZE], uint16_t *port, struct fk_diag *diag)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strrchr(end == NULL ? text : end, ':');
    const char *begin = end == NULL ? text : text + 1;
    const char *stop = end != NULL ? end : colon != NULL ? colon : text + strlen(text);
    char *rest = NULL;
    unsigned long number = colon == NULL ? PORT_DEFAULT : strtoul(colon + 1, &rest, 10);
    size_t size = (size_t)(stop - begin);
    bool digits = colon == NULL || (colon[1] >= '0' && colon[1] <= '9' && *rest == '\0');
    if (size == 0 || size >= HOST_SIZE || !digits || number == 0 || number > PORT_MAX) {
        return fail(diag, "HOST:PORT is expected, with a port from 1 to 65535, instead of", text);
    }
    memcpy(host, begin, size);
    host[size] = '\0';
    *port = (uint16_t)number;
    return FK_OK;
}

/* --- asking --- */

static enum fk_err not_admin(const char *address, const char *why, struct fk_diag *diag)
{
    fk_diag_set(diag,
                "%s is not the admin port of a FaaSKeeper server: %s. Its port is admin.serverPort (8080), once the "
                "server has admin.enableServer=true",
                address, why);
    return FK_ERR_IO;
}

static enum fk_err take_answer(const char *address, enum fk_err err, const struct fk_http_answer *answer,
                               const struct fk_diag *why, struct fk_cost_live_answer *taken, struct fk_diag *diag)
{
    struct fk_diag detail = {.text = ""};
    char status[32];
    if (err == FK_ERR_BUSY) {
        fk_diag_set(diag,
                    "can't connect to %s: %s. A server has an admin port with admin.enableServer=true (and "
                    "admin.serverPort, 8080): 'faaskeeper serve -D admin.enableServer=true'",
                    address, why->text);
        return FK_ERR_IO;
    }
    if (err != FK_OK) {
        return not_admin(address, why->text[0] == '\0' ? "its answer is no HTTP" : why->text, diag);
    }
    if (answer->status != 200) {
        (void)snprintf(status, sizeof status, "it answers status %d", answer->status);
        return not_admin(address, status, diag);
    }
    err = fk_cost_live_read(answer->body, taken, &detail);
    return err == FK_OK ? FK_OK : not_admin(address, detail.text, diag);
}

static enum fk_err ask(const char *address, struct fk_cost_live_answer *taken, struct fk_diag *diag)
{
    char host[HOST_SIZE];
    uint16_t port = 0;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_http_answer answer = {.status = 0};
    struct fk_diag why = {.text = ""};
    enum fk_err err = parse_address(address, host, &port, diag);
    if (err != FK_OK) {
        return err;
    }
    const struct fk_http_client_options options = {.origin = {.host = host, .port = port}, .connect_ms = CONNECT_MS};
    const struct fk_http_call call = {.method = "GET",
                                      .target = FK_BYTES_LITERAL("/commands/cost"),
                                      .timeout_ms = ANSWER_MS,
                                      .reply_size_max = ANSWER_SIZE_MAX,
                                      .idempotent = true};
    struct fk_http_client *client = fk_http_client_new(&options);
    err = client == NULL ? FK_ERR_NOMEM : fk_http_client_call(client, &call, &arena, &answer, &why);
    if (err != FK_ERR_NOMEM) {
        err = take_answer(address, err, &answer, &why, taken, diag);
    }
    fk_http_client_free(client);
    fk_arena_deinit(&arena);
    return err;
}

static enum fk_err show(const struct options *options, const struct fk_prices *prices,
                        struct fk_cost_live_answer *answer, struct fk_diag *diag)
{
    struct fk_cost_live_view view = {.address = options->address,
                                     .answer = answer,
                                     .live = {.prices = prices},
                                     .ensemble = {.disk_gb = FK_ENSEMBLE_DISK_GB},
                                     .since_start = options->since_start,
                                     .sessions = options->sessions};
    enum fk_err err = fk_ensemble_parse(options->zookeeper, prices, &view.ensemble, diag);
    if (err == FK_OK) {
        err = ask(options->address, answer, diag);
    }
    if (err != FK_OK) {
        return err;
    }
    view.live.pipeline = answer->pipeline;
    view.live.tcp = answer->tcp;
    err = options->json ? fk_cost_live_print_json(&view, stdout) : fk_cost_live_print(&view, stdout);
    if (err != FK_OK || fflush(stdout) != 0) {
        fk_diag_set(diag, "can't write the output");
        return FK_ERR_IO;
    }
    return FK_OK;
}

int fk_cli_cost_live(int argc, char **argv)
{
    struct options options;
    struct fk_diag diag = {.text = ""};
    struct fk_prices *prices = NULL;
    struct fk_cost_live_answer *answer = NULL;
    enum fk_err err = parse(argc, argv, &options, &diag);
    if (err == FK_OK && options.help) {
        (void)fputs(help, stdout);
        return FK_EXIT_OK;
    }
    if (err == FK_OK) {
        err = fk_prices_new(options.region, options.prices, &prices, &diag);
    }
    if (err == FK_OK) {
        answer = (struct fk_cost_live_answer *)fk_alloc_zero(sizeof *answer);
        err = answer == NULL ? FK_ERR_NOMEM : show(&options, prices, answer, &diag);
    }
    if (err != FK_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "faaskeeper cost live: %s\n", diag.text[0] == '\0' ? fk_err_text(err) : diag.text);
    }
    fk_free(answer);
    fk_prices_free(prices);
    return fk_cli_exit_code(err);
}
