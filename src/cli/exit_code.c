// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <stdbool.h>

int fk_cli_exit_code(enum fk_err err)
{
    if (err == FK_OK) {
        return FK_EXIT_OK;
    }
    if (err == FK_ERR_USAGE) {
        return FK_EXIT_USAGE;
    }
    bool unreadable = err == FK_ERR_DAMAGED || err == FK_ERR_VERSION || err == FK_ERR_MALFORMED;
    return unreadable ? FK_EXIT_DAMAGED : FK_EXIT_ENVIRONMENT;
}
