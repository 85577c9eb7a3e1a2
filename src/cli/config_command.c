// SPDX-License-Identifier: Apache-2.0
/* `faaskeeper config`: what a configuration file comes to, and the document of all keys. */
#include "cli/cli.h"
#include "cli/config.h"

#include <stdbool.h>
#include <string.h>

static const char help[] =
    "Usage: faaskeeper config check FILE [--json]   the values that a zoo.cfg comes to\n"
    "       faaskeeper config document              all keys, as docs/configuration.md\n"
    "\n"
    "check prints every honoured key with its value, secrets as (set), warnings to standard error.\n"
    "Exit codes: 0 it can be served, 1 it can't be read, 2 what it says is wrong.\n";

static int usage_error(const char *message)
{
    (void)fprintf(stderr, "faaskeeper config: %s; see 'faaskeeper config --help'\n", message);
    return FK_EXIT_USAGE;
}

static int check(const char *path, bool json)
{
    struct fk_config config;
    struct fk_diag diag = {.text = ""};
    fk_config_init(&config);
    enum fk_err err = fk_config_load(&config, path, &diag);
    if (err == FK_OK) {
        err = fk_config_finish(&config, &diag);
    }
    if (err == FK_OK) {
        (void)fprintf(stderr, "%.*s", (int)fk_buf_left(&config.warnings), (const char *)config.warnings.data);
        if (fk_buf_left(&config.unknown) > 0) {
            (void)fprintf(stderr, "unknown keys: %.*s\n", (int)fk_buf_left(&config.unknown),
                          (const char *)config.unknown.data);
        }
        fk_config_print(&config, json, stdout);
    } else {
        (void)fprintf(stderr, "faaskeeper config: %s\n", diag.text[0] == '\0' ? fk_err_text(err) : diag.text);
    }
    fk_config_deinit(&config);
    return fk_cli_exit_code(err);
}

int fk_cli_config(int argc, char **argv)
{
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(help, stdout);
        return FK_EXIT_OK;
    }
    if (argc == 2 && strcmp(argv[1], "document") == 0) {
        fk_config_document(stdout);
        return FK_EXIT_OK;
    }
    if (argc < 2 || strcmp(argv[1], "check") != 0) {
        return usage_error("expected check or document");
    }
    bool json = argc == 4 && strcmp(argv[3], "--json") == 0;
    if (argc < 3 || argc > 4 || (argc == 4 && !json) || argv[2][0] == '-') {
        return usage_error("expected check FILE [--json]");
    }
    return check(argv[2], json);
}
