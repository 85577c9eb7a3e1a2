// SPDX-License-Identifier: Apache-2.0
/* ZooKeeper's configuration file: a Java properties file (java.util.Properties.load), read by QuorumPeerConfig. Unknown
 * keys are collected, not refused; a bad value is refused with file, line, key and what is allowed. */
#ifndef FK_CLI_CONFIG_H
#define FK_CLI_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "model/rules.h"

struct fk_config {
    char *data_directory; /* dataDir */
    char *client_address; /* clientPortAddress */
    int32_t client_port;  /* -1: not given */
    int32_t tick_ms;
    int32_t session_timeout_min_ms; /* -1: 2 ticks */
    int32_t session_timeout_max_ms; /* -1: 20 ticks */
    int32_t connections_per_address;
    int32_t segment_size_kb;   /* preAllocSize; 0: default */
    bool sync;                 /* forceSync */
    unsigned words;            /* 4lw.commands.whitelist */
    char *super_digest;        /* DigestAuthenticationProvider.superDigest */
    struct fk_rules rules;     /* extendedTypesEnabled, enforceQuota, reconfigEnabled, skipACL, authProvider.N, ... */
    int32_t sweep_interval_ms; /* znode.container.checkIntervalMs */
    int32_t sweeps_per_minute; /* znode.container.maxPerMinute */
    char *x509_supers;         /* X509AuthenticationProvider.superUser */
    int32_t servers;           /* number of server.N lines */
    struct fk_buf unknown;     /* names of unknown keys, ", " between them */
};

/* ZooKeeper's defaults. */
void fk_config_init(struct fk_config *config);
void fk_config_deinit(struct fk_config *config);

/* Reads a file over the defaults. IO: it can't be read; USAGE: what it says is wrong. */
enum fk_err fk_config_load(struct fk_config *config, const char *path, struct fk_diag *diag);

/* The same from memory; `name` stands for the file in messages. */
enum fk_err fk_config_parse(struct fk_config *config, struct fk_bytes text, const char *name, struct fk_diag *diag);

/* Fills in what depends on other values and checks them against each other. */
enum fk_err fk_config_finish(struct fk_config *config, struct fk_diag *diag);

#endif
