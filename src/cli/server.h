// SPDX-License-Identifier: Apache-2.0
/* What the commands that serve clients share: options, the configuration, and what the hosts get of both. */
#ifndef FK_CLI_SERVER_H
#define FK_CLI_SERVER_H

#include "cli/config.h"
#include "cli/serve_auth.h"
#include "cli/serve_listen.h"
#include "host/front.h"

#include <getopt.h>

enum {
    FK_SERVER_DEFINES_MAX = 64,
    FK_SERVER_LOG_OPTIONS = 3,
};

struct fk_server_options {
    const char *command; /* "serve" */
    const char *config;
    const char *defines[FK_SERVER_DEFINES_MAX];
    size_t define_count;
    bool insecure;
    struct fk_serve_listen listen;
    const char *log[FK_SERVER_LOG_OPTIONS]; /* level, format, file; NULL: not given */
};

/* Rows for getopt_long; their letters, and D, are taken. */
#define FK_SERVER_LONG_OPTIONS                                                                                         \
    {"config", required_argument, NULL, 'c'}, {"listen", required_argument, NULL, 'l'},                                \
        {"log-level", required_argument, NULL, 'v'}, {"log-format", required_argument, NULL, 'f'},                     \
        {"log-file", required_argument, NULL, 'o'}, {"insecure", no_argument, NULL, 'i'},                              \
    {                                                                                                                  \
        "help", no_argument, NULL, 'h'                                                                                 \
    }

/* What stands for them in help texts. */
#define FK_SERVER_HELP_LOG                                                                                             \
    "  --log-level LEVEL  error, warn, info (default) or debug\n"                                                      \
    "  --log-format FORM  text (default), or json: an object a line\n"                                                 \
    "  --log-file FILE    where the log goes (default standard error); opened again on SIGHUP\n"                       \
    "  --help             this text\n"

/* An option of the command itself, by its letter; optarg is its value. -1 to go on, otherwise the exit code. */
typedef int (*fk_server_own_fn)(void *context, int option);

/* Reads the command line: `rows` are FK_SERVER_LONG_OPTIONS and the command's own, which `own` is given. -1 to go on,
 * otherwise the exit code. */
int fk_server_parse(struct fk_server_options *options, int argc, char **argv, const struct option *rows,
                    fk_server_own_fn own, void *context, const char *help);

/* `detail` stands in quotes before the message; the exit code. */
int fk_server_usage_error(const struct fk_server_options *options, const char *detail, const char *message);
/* An error of what came after: the exit code. */
int fk_server_fail(const struct fk_server_options *options, enum fk_err err, const struct fk_diag *diag);

/* Signals, descriptors, memory of the process, for a host with `threads` that allocate at the same time. */
void fk_server_prepare(int threads);

/* The file, then -D, then what has options of its own; sockets of the service manager. USAGE, IO with diag. Deinit the
 * configuration in any case. */
enum fk_err fk_server_configure(struct fk_server_options *options, struct fk_config *config, struct fk_diag *diag);

/* Opens the log and what authentication needs. */
enum fk_err fk_server_open(struct fk_serve_auth *auth, struct fk_config *config, struct fk_diag *diag);

/* What hosts get; strings are the configuration's. `data_directory` NULL: none. */
struct fk_front_options fk_server_front(struct fk_server_options *options, const struct fk_config *config);
struct fk_gateway_options fk_server_gateway(const struct fk_server_options *options, const struct fk_config *config,
                                            const struct fk_serve_auth *auth, const char *data_directory);

/* The host could not be made: both the log and standard error tell why. The exit code. */
int fk_server_not_started(const struct fk_server_options *options, const struct fk_config *config, enum fk_err err,
                          const struct fk_diag *diag);

/* The lines on standard output that tell where it serves. */
void fk_server_print_addresses(const char *addresses, const char *admin_addresses);

#endif
