// SPDX-License-Identifier: Apache-2.0
/* What `serve` tells operators of its process: descriptors, the machine, the data directory. */
#ifndef FK_CLI_SERVE_FACTS_H
#define FK_CLI_SERVE_FACTS_H

#include "cli/config.h"
#include "cli/serve_listen.h"
#include "gateway/gateway.h"
#include "host/admin.h"

void fk_serve_process_facts(struct fk_process_facts *facts);

/* What `envi` shows behind the version: lines "key=value\n". */
const char *fk_serve_environment(void);

/* The directory is borrowed; NULL: everything is in memory. */
struct fk_server_settings fk_serve_settings(const struct fk_config *config, const struct fk_serve_listen *listen,
                                            const char *data_directory);

/* Where the admin port and the metrics are, if anywhere. The text of the configuration is made once and stays. */
struct fk_admin_options fk_serve_admin(const struct fk_config *config);

#endif
