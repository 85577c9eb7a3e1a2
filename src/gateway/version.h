// SPDX-License-Identifier: Apache-2.0
/* Which ZooKeeper we behave as, and who we are. The form "x.y.z-..., built on DATE" is what clients parse. */
#ifndef FK_GATEWAY_VERSION_H
#define FK_GATEWAY_VERSION_H

#define FK_VERSION           "0.1.0"
#define FK_ZOOKEEPER_VERSION "3.9.3"
#define FK_VERSION_LINE      FK_ZOOKEEPER_VERSION "-faaskeeper-" FK_VERSION ", built on 2026-11-24 00:00 UTC"

#endif
