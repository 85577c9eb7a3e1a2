// SPDX-License-Identifier: Apache-2.0
/* faaskeeper serve: the whole system on one machine. */
#include "base/log.h"
#include "cli/cli.h"
#include "cli/config.h"
#include "cli/serve_auth.h"
#include "cli/serve_facts.h"
#include "cli/serve_listen.h"
#include "cli/serve_log.h"
#include "host/local.h"
#include "host/log.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFINES_MAX = 64,
    TICK_WITHOUT_FILE_MS = 2000, /* what ZooKeeper's sample configuration has */
};

/* Options that are a key of the file as well. */
enum {
    LOG_LEVEL,
    LOG_FORMAT,
    LOG_FILE,
    LOG_OPTIONS,
};
static const char *const log_keys[LOG_OPTIONS] = {"log.level", "log.format", "log.file"};
static const char *const log_values[LOG_OPTIONS] = {"--log-level: expected error, warn, info or debug",
                                                    "--log-format: expected text or json",
                                                    "--log-file: expected the name of a file"};

static const char help[] =
    "Usage: faaskeeper serve [options]\n"
    "Serves ZooKeeper's protocol on this machine; data is on disk, synced before it is acknowledged.\n"
    "\n"
    "  --config FILE      a zoo.cfg; options given here win over it\n"
    "  -D KEY=VALUE       a line behind that file; may be repeated\n"
    "  --data DIR         where the data is (default ./faaskeeper-data; created if missing)\n"
    "  --memory           nothing on disk: everything is gone at the end, for tests\n"
    "  --read-only        serve only clients that allow it, and change nothing, as a ZooKeeper server without a "
    "quorum\n"
    "  --listen ADDRESS   HOST:PORT, [v6]:PORT or unix:PATH, with tls: before it for TLS; may be repeated;\n"
    "                     port 0 takes a free one (default 127.0.0.1:2181)\n"
    "  --insecure         listen beyond this machine without TLS and without authentication\n"
    "  --exit-when-idle SECONDS\n"
    "                     stop after so long without a connection and a session; for socket activation\n"
    "  --log-level LEVEL  error, warn, info (default) or debug\n"
    "  --log-format FORM  text (default), or json: an object a line\n"
    "  --log-file FILE    where the log goes (default standard error); opened again on SIGHUP\n"
    "  --help             this text\n"
    "\n"
    "Prints one line with its address once it answers. SIGTERM and SIGINT stop it; what was acknowledged stays.\n"
    "Exit codes: 0 stopped, 1 environment (port in use, directory locked, no permission), 2 usage or configuration,\n"
    "3 damaged data, 4 the disk refused a sync.\n";

struct serve_options {
    const char *config;
    const char *defines[DEFINES_MAX];
    size_t define_count;
    const char *data;
    bool memory;
    bool read_only;
    bool insecure;
    struct fk_serve_listen listen;
    int32_t idle_seconds;         /* 0: it goes on */
    const char *log[LOG_OPTIONS]; /* of log_keys; NULL: not given */
};

/* `detail` stands in quotes before the message. */
static int usage_error(const char *detail, const char *message)
{
    (void)fprintf(stderr, "faaskeeper serve: '%s': %s; see 'faaskeeper serve --help'\n", detail, message);
    return FK_EXIT_USAGE;
}

static bool parse_seconds(const char *text, int32_t *seconds)
{
    enum {
        SECONDS_MAX = 86400,
    };
    char *end = NULL;
    long number = strtol(text, &end, 10);
    *seconds = (int32_t)number;
    return *text != '\0' && *end == '\0' && number >= 1 && number <= SECONDS_MAX;
}

/* Reads the options; -1 to go on, otherwise the exit code. */
static int parse_options(int argc, char **argv, struct serve_options *options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"data", required_argument, NULL, 'd'},
        {"memory", no_argument, NULL, 'm'},
        {"read-only", no_argument, NULL, 'r'},
        {"listen", required_argument, NULL, 'l'},
        {"log-level", required_argument, NULL, 'v'},
        {"log-format", required_argument, NULL, 'f'},
        {"log-file", required_argument, NULL, 'o'},
        {"insecure", no_argument, NULL, 'i'},
        {"exit-when-idle", required_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option = 0;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":D:", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'D':
            if (options->define_count == DEFINES_MAX) {
                return usage_error("-D", "too many of them: put them into a file");
            }
            options->defines[options->define_count++] = optarg;
            break;
        case 'd':
            options->data = optarg;
            break;
        case 'm':
            options->memory = true;
            break;
        case 'r':
            options->read_only = true;
            break;
        case 'l':
            if (!fk_serve_listen_add(&options->listen, optarg)) {
                return usage_error(optarg, "one --listen too many");
            }
            break;
        case 'i':
            options->insecure = true;
            break;
        case 'x':
            if (!parse_seconds(optarg, &options->idle_seconds)) {
                return usage_error(optarg, "--exit-when-idle expects seconds, from 1 to 86400");
            }
            break;
        case 'v':
            options->log[LOG_LEVEL] = optarg;
            break;
        case 'f':
            options->log[LOG_FORMAT] = optarg;
            break;
        case 'o':
            options->log[LOG_FILE] = optarg;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return FK_EXIT_OK;
        case ':':
            return usage_error(argv[optind - 1], "this option needs a value");
        default:
            return usage_error(argv[optind - 1], "unknown option");
        }
    }
    if (optind < argc) {
        return usage_error(argv[optind], "unexpected argument");
    }
    if (options->memory && options->data != NULL) {
        return usage_error("--memory", "excludes --data");
    }
    return -1;
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

static int fail(enum fk_err err, const struct fk_diag *diag)
{
    (void)fprintf(stderr, "faaskeeper serve: %s\n", diag->text[0] == '\0' ? fk_err_text(err) : diag->text);
    return fk_cli_exit_code(err);
}

/* `to_file`: standard error is not where the log goes; both shall tell why it does not start. */
static int run(const struct fk_local_host_options *options, bool to_file)
{
    struct fk_diag diag = {.text = ""};
    struct fk_local_host *host = NULL;
    enum fk_err err = fk_local_host_new(options, &host, &diag);
    if (err != FK_OK) {
        if (to_file) {
            fk_log_with(FK_LOG_ERROR, "the server can't start",
                        fk_log_text("error", diag.text[0] == '\0' ? fk_err_text(err) : diag.text));
        }
        return fail(err, &diag);
    }
    (void)printf("serving on %s\n", fk_local_host_addresses(host));
    if (fk_local_host_admin_addresses(host)[0] != '\0') {
        (void)printf("%s\n", fk_local_host_admin_addresses(host));
    }
    (void)fflush(stdout);
    fk_local_host_run(host);
    fk_local_host_free(host);
    fk_log_with(FK_LOG_INFO, "stopped", fk_log_number("pid", getpid()));
    return FK_EXIT_OK;
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

/* ZooKeeper takes any preAllocSize; here a segment has to hold the largest change. */
static int64_t segment_size(const struct fk_config *config)
{
    int64_t wanted = config->segment_size_kb == 0 ? FK_LOG_SEGMENT_SIZE : (int64_t)config->segment_size_kb * 1024;
    int64_t least = 4 * (int64_t)config->frame_size_max;
    return wanted < least ? least : wanted;
}

static int serve(struct serve_options *options, const struct fk_config *config, const struct fk_serve_auth *auth)
{
    fk_serve_listen_configure(&options->listen, config);
    struct fk_local_host_options host = {
        .listen = options->listen.items,
        .listen_count = options->listen.count,
        .insecure = options->insecure || config->insecure_listen || fk_serve_auth_required(config),
        .tls_reload = config->tls.reload,
        .segment_size = segment_size(config),
        .sync = config->sync,
        .backlog = config->backlog,
        .audit = config->log.audit,
        .audit_file = config->log.audit_file,
        .sweeper = config->sweeper,
        .idle_limit_ms = (uint64_t)options->idle_seconds * 1000,
        .gateway = {.tick_ms = config->tick_ms,
                    .session_timeout_min_ms = config->session_timeout_min_ms,
                    .session_timeout_max_ms = config->session_timeout_max_ms,
                    .frame_size_max = config->frame_size_max,
                    .handshake_ms = config->handshake_ms,
                    .connections_per_address = config->connections_per_address,
                    .bounds = config->bounds,
                    .read_only = options->read_only,
                    .words = config->words,
                    .auth = auth->options,
                    .rules = config->rules,
                    .super_digest = config->auth.super_digest,
                    .environment = fk_serve_environment(),
                    .process_facts = fk_serve_process_facts},
    };
    if (!options->memory) {
        host.data_directory = options->data != NULL            ? options->data
                              : config->data_directory != NULL ? config->data_directory
                                                               : "./faaskeeper-data";
    }
    if (fk_serve_listen_tls(&options->listen)) {
        host.tls = tls_options(&config->tls);
        host.gateway.rules.schemes |= FK_SCHEME_X509; /* ZK: QuorumPeerConfig.configureSSLAuth */
    }
    host.admin = fk_serve_admin(config);
    host.gateway.settings = fk_serve_settings(config, &options->listen, host.data_directory);
    fk_serve_log_posture(config, !options->memory);
    return run(&host, config->log.file != NULL);
}

/* The file, then -D, then what has options of its own. */
static enum fk_err read_config(struct fk_config *config, const struct serve_options *options, struct fk_diag *diag)
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
    for (size_t i = 0; i < LOG_OPTIONS && err == FK_OK; i++) {
        char line[PATH_MAX + 32];
        if (options->log[i] != NULL) {
            (void)snprintf(line, sizeof line, "%s=%s", log_keys[i], options->log[i]);
            err = fk_config_define(config, line, NULL);
            if (err == FK_ERR_USAGE) {
                fk_diag_set(diag, "%s, not '%s'", log_values[i], options->log[i]);
            }
        }
    }
    return err == FK_OK ? fk_config_finish(config, diag) : err;
}

int fk_cli_serve(int argc, char **argv)
{
    struct serve_options options = {.config = NULL};
    struct fk_config config;
    struct fk_diag diag = {.text = ""};
    int code = parse_options(argc, argv, &options);
    if (code != -1) {
        return code;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    raise_open_files();
    /* One thread allocates nearly everything: a second arena would only cost memory. */
    (void)mallopt(M_ARENA_MAX, 2);
    enum fk_err err = read_config(&config, &options, &diag);
    if (err == FK_OK) {
        err = fk_activate_take(options.listen.activated, &options.listen.activated_count, &diag);
    }
    struct fk_serve_auth auth = {.sasl = NULL};
    if (err == FK_OK) {
        err = fk_serve_log_open(&config, &diag);
    }
    if (err == FK_OK) {
        err = fk_serve_auth_open(&auth, &config, &diag);
    }
    code = err == FK_OK ? serve(&options, &config, &auth) : fail(err, &diag);
    fk_serve_auth_close(&auth);
    fk_host_log_close();
    fk_config_deinit(&config);
    return code;
}
