// SPDX-License-Identifier: Apache-2.0
#include "cli/server.h"

#include "base/log.h"
#include "cli/cli.h"
#include "cli/serve_facts.h"
#include "cli/serve_log.h"
#include "host/activate.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
    TICK_WITHOUT_FILE_MS = 2000, /* what ZooKeeper's sample configuration has */
};

/* Options that are a key of the file as well. */
static const struct {
    const char *key;
    const char *expected;
} log_options[FK_SERVER_LOG_OPTIONS] = {
    {"log.level", "--log-level: expected error, warn, info or debug"},
    {"log.format", "--log-format: expected text or json"},
    {"log.file", "--log-file: expected the name of a file"},
};

int fk_server_usage_error(const struct fk_server_options *options, const char *detail, const char *message)
{
    (void)fprintf(stderr, "faaskeeper %s: '%s': %s; see 'faaskeeper %s --help'\n", options->command, detail, message,
                  options->command);
    return FK_EXIT_USAGE;
}

static int add_define(struct fk_server_options *options)
{
    if (options->define_count == FK_SERVER_DEFINES_MAX) {
        return fk_server_usage_error(options, "-D", "too many of them: put them into a file");
    }
    options->defines[options->define_count++] = optarg;
    return -1;
}

static bool is_common(int option)
{
    return option == '?' || strchr(":Dclvfoih", option) != NULL;
}

/* One that every command has. */
static int take_common(struct fk_server_options *options, int option, char **argv, const char *help)
{
    switch (option) {
    case 'c':
        options->config = optarg;
        return -1;
    case 'D':
        return add_define(options);
    case 'l':
        return fk_serve_listen_add(&options->listen, optarg)
                   ? -1
                   : fk_server_usage_error(options, optarg, "one --listen too many");
    case 'i':
        options->insecure = true;
        return -1;
    case 'v':
        options->log[0] = optarg;
        return -1;
    case 'f':
        options->log[1] = optarg;
        return -1;
    case 'o':
        options->log[2] = optarg;
        return -1;
    case 'h':
        (void)fputs(help, stdout);
        return FK_EXIT_OK;
    case ':':
        return fk_server_usage_error(options, argv[optind - 1], "this option needs a value");
    default:
        return fk_server_usage_error(options, argv[optind - 1], "unknown option");
    }
}

int fk_server_parse(struct fk_server_options *options, int argc, char **argv, const struct option *rows,
                    fk_server_own_fn own, void *context, const char *help)
{
    int option = 0;
    int code = -1;
    opterr = 0;
    optind = 1;
    while (code == -1 && (option = getopt_long(argc, argv, ":D:", rows, NULL)) != -1) {
        code = is_common(option) ? take_common(options, option, argv, help) : own(context, option);
    }
    if (code == -1 && optind < argc) {
        return fk_server_usage_error(options, argv[optind], "unexpected argument");
    }
    return code;
}

int fk_server_fail(const struct fk_server_options *options, enum fk_err err, const struct fk_diag *diag)
{
    (void)fprintf(stderr, "faaskeeper %s: %s\n", options->command,
                  diag->text[0] == '\0' ? fk_err_text(err) : diag->text);
    return fk_cli_exit_code(err);
}

int fk_server_not_started(const struct fk_server_options *options, const struct fk_config *config, enum fk_err err,
                          const struct fk_diag *diag)
{
    if (config->log.file != NULL) {
        fk_log_with(FK_LOG_ERROR, "the server can't start",
                    fk_log_text("error", diag->text[0] == '\0' ? fk_err_text(err) : diag->text));
    }
    return fk_server_fail(options, err, diag);
}

/* Sessions are sockets: take as many as the system allows. */
static void raise_open_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void fk_server_prepare(int threads)
{
    (void)signal(SIGPIPE, SIG_IGN);
    raise_open_files();
    /* An arena more than there are threads that allocate much would only cost memory. */
    (void)mallopt(M_ARENA_MAX, threads + 1);
}

static enum fk_err read_config(struct fk_config *config, const struct fk_server_options *options, struct fk_diag *diag)
{
    fk_config_init(config);
    enum fk_err err = FK_OK;
    if (options->config != NULL) {
        err = fk_config_load(config, options->config, diag);
    } else {
        config->tick_ms = TICK_WITHOUT_FILE_MS;
    }
    for (size_t i = 0; i < options->define_count && err == FK_OK; i++) {
        err = fk_config_define(config, options->defines[i], diag);
    }
    for (size_t i = 0; i < FK_SERVER_LOG_OPTIONS && err == FK_OK; i++) {
        char line[PATH_MAX + 32];
        if (options->log[i] != NULL) {
            (void)snprintf(line, sizeof line, "%s=%s", log_options[i].key, options->log[i]);
            err = fk_config_define(config, line, NULL);
            if (err == FK_ERR_USAGE) {
                fk_diag_set(diag, "%s, not '%s'", log_options[i].expected, options->log[i]);
            }
        }
    }
    return err == FK_OK ? fk_config_finish(config, diag) : err;
}

enum fk_err fk_server_configure(struct fk_server_options *options, struct fk_config *config, struct fk_diag *diag)
{
    enum fk_err err = read_config(config, options, diag);
    if (err == FK_OK) {
        err = fk_activate_take(options->listen.activated, &options->listen.activated_count, diag);
    }
    return err;
}

enum fk_err fk_server_open(struct fk_serve_auth *auth, struct fk_config *config, struct fk_diag *diag)
{
    enum fk_err err = fk_serve_log_open(config, diag);
    return err == FK_OK ? fk_serve_auth_open(auth, config, diag) : err;
}

static struct fk_tls_options tls_options(const struct fk_config_tls *tls)
{
    return (struct fk_tls_options){.key_store = tls->key_store,
                                   .key_store_type = tls->key_store_type,
                                   .key_store_password = tls->key_store_password,
                                   .key_store_password_path = tls->key_store_password_path,
                                   .trust_store = tls->trust_store,
                                   .trust_store_type = tls->trust_store_type,
                                   .trust_store_password = tls->trust_store_password,
                                   .trust_store_password_path = tls->trust_store_password_path,
                                   .protocols = tls->protocols,
                                   .protocol = tls->protocol,
                                   .ciphers = tls->ciphers,
                                   .client_auth = (enum fk_client_auth)tls->client_auth,
                                   .crl = tls->crl,
                                   .verify_client_address =
                                       tls->hostname_verification && tls->client_hostname_verification};
}

struct fk_front_options fk_server_front(struct fk_server_options *options, const struct fk_config *config)
{
    fk_serve_listen_configure(&options->listen, config);
    struct fk_front_options front = {.listen = options->listen.items,
                                     .listen_count = options->listen.count,
                                     .insecure =
                                         options->insecure || config->insecure_listen || fk_serve_auth_required(config),
                                     .tls_reload = config->tls.reload,
                                     .backlog = config->backlog,
                                     .admin = fk_serve_admin(config)};
    if (fk_serve_listen_tls(&options->listen)) {
        front.tls = tls_options(&config->tls);
    }
    return front;
}

struct fk_gateway_options fk_server_gateway(const struct fk_server_options *options, const struct fk_config *config,
                                            const struct fk_serve_auth *auth, const char *data_directory)
{
    struct fk_gateway_options gateway = {.tick_ms = config->tick_ms,
                                         .session_timeout_min_ms = config->session_timeout_min_ms,
                                         .session_timeout_max_ms = config->session_timeout_max_ms,
                                         .frame_size_max = config->frame_size_max,
                                         .handshake_ms = config->handshake_ms,
                                         .connections_per_address = config->connections_per_address,
                                         .bounds = config->bounds,
                                         .words = config->words,
                                         .auth = auth->options,
                                         .rules = config->rules,
                                         .super_digest = config->auth.super_digest,
                                         .environment = fk_serve_environment(),
                                         .settings = fk_serve_settings(config, &options->listen, data_directory),
                                         .process_facts = fk_serve_process_facts};
    if (fk_serve_listen_tls(&options->listen)) {
        gateway.rules.schemes |= FK_SCHEME_X509; /* ZK: QuorumPeerConfig.configureSSLAuth */
    }
    return gateway;
}

void fk_server_print_addresses(const char *addresses, const char *admin_addresses)
{
    (void)printf("serving on %s\n", addresses);
    if (admin_addresses[0] != '\0') {
        (void)printf("%s\n", admin_addresses);
    }
    (void)fflush(stdout);
}
