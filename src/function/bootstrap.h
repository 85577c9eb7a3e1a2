// SPDX-License-Identifier: Apache-2.0
/* The first records of a store: the zxid record, and the nodes that ZooKeeper has from its start. */
#ifndef FK_FUNCTION_BOOTSTRAP_H
#define FK_FUNCTION_BOOTSTRAP_H

#include "function/cloud.h"

/* Writes them if there are none; harmless where they are there, and when several do it at once. Functions call it when
 * they meet an empty store, gateways before they serve. Port errors. */
enum fk_err fk_cloud_bootstrap(const struct fk_ports *ports);

#endif
