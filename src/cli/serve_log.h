// SPDX-License-Identifier: Apache-2.0
/* The log of `serve`: from the configuration, and what it says about the configuration. */
#ifndef FK_CLI_SERVE_LOG_H
#define FK_CLI_SERVE_LOG_H

#include "cli/config.h"

/* Opens the log; strings of the configuration are borrowed. IO with diag. */
enum fk_err fk_serve_log_open(const struct fk_config *config, struct fk_diag *diag);

/* Warns of keys that are not honoured, and of what makes the server less safe than it could be. The rules are those
 * that are in force. */
void fk_serve_log_posture(const struct fk_config *config, const struct fk_rules *rules, bool on_disk);

#endif
