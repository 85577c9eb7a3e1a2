// SPDX-License-Identifier: Apache-2.0
/* The configuration: ZooKeeper's zoo.cfg and the system properties that people pass beside it, as one table of keys
 * (config_keys.c). A key may have the prefix "zookeeper." or "faaskeeper."; `-D KEY=VALUE` of the command line is a
 * line behind the file. Later settings replace earlier ones. What is not known is collected, not refused; a bad value
 * is refused with place, key and what is allowed. Secrets are never repeated. */
#ifndef FK_CLI_CONFIG_H
#define FK_CLI_CONFIG_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "cli/properties.h"
#include "gateway/bounds.h"
#include "gateway/tls.h"
#include "host/sweeper.h"
#include "model/rules.h"

#include <stdio.h>

/* ssl.* and what belongs to it. */
struct fk_config_tls {
    int32_t port;  /* secureClientPort; -1: not given */
    char *address; /* secureClientPortAddress */
    char *key_store;
    char *key_store_type;
    char *key_store_password;
    char *key_store_password_path;
    char *trust_store;
    char *trust_store_type;
    char *trust_store_password;
    char *trust_store_password_path;
    char *protocols; /* ssl.enabledProtocols */
    char *protocol;  /* ssl.protocol */
    char *ciphers;   /* ssl.ciphersuites */
    char *x509_super;
    int32_t client_auth; /* enum fk_client_auth */
    int32_t handshakes_max;
    bool crl;
    bool hostname_verification;
    bool client_hostname_verification;
    bool port_unification;
    bool reload;
};

/* Authentication besides certificates. */
struct fk_config_auth {
    char *login_config; /* java.security.auth.login.config */
    char *login_section;
    char *super_digest; /* DigestAuthenticationProvider.superDigest */
    char *sasl_super_password;
    char *enforced_schemes;
    char *any_sasl; /* letAnySaslUserDoX */
    char *ensemble_names;
    struct fk_buf supers; /* superUser and superUser.N, a newline behind each */
    int32_t digest;       /* enum fk_digest_algorithm */
    bool digest_enabled;
    bool enforced;
    bool session_requires_sasl;
    bool require_sasl; /* requireClientAuthScheme=sasl */
    bool allow_sasl_failed;
    bool remove_host;
    bool remove_realm;
    bool ensemble; /* authProvider.N is EnsembleAuthenticationProvider */
    bool fips;
};

/* admin.* and metricsProvider.* */
struct fk_config_admin {
    char *address;
    char *command_url;
    char *metrics_address;
    char *metrics_class;
    int32_t port;
    int32_t idle_ms;
    int32_t rate_limit_ms;
    int32_t metrics_port;
    bool enabled;
    bool snapshot;
    bool restore;
};

/* The logs of the process. */
struct fk_config_log {
    char *file;
    char *audit_file;
    int32_t level; /* enum fk_log_level */
    bool json;
    bool audit;
};

struct fk_config {
    char *data_directory; /* dataDir */
    char *client_address; /* clientPortAddress */
    int32_t client_port;  /* -1: not given */
    int32_t tick_ms;
    int32_t session_timeout_min_ms; /* -1: 2 ticks */
    int32_t session_timeout_max_ms; /* -1: 20 ticks */
    int32_t connections_per_address;
    int32_t backlog;         /* clientPortListenBacklog; -1: the system's */
    int32_t frame_size_max;  /* jute.maxbuffer */
    int32_t handshake_ms;    /* nio.sessionlessCnxnTimeout */
    int32_t segment_size_kb; /* preAllocSize; 0: default */
    bool sync;               /* forceSync */
    bool read_only;          /* readonlymode.enabled: isro is answered */
    bool insecure_listen;
    unsigned words;          /* 4lw.commands.whitelist */
    int32_t servers;         /* number of server.N lines */
    struct fk_bounds bounds; /* maxCnxns, globalOutstandingLimit, largeRequest*, connection_throttle_* */
    struct fk_rules rules;
    struct fk_sweeper_options sweeper;
    struct fk_config_tls tls;
    struct fk_config_auth auth;
    struct fk_config_admin admin;
    struct fk_config_log log;
    struct fk_buf unknown;  /* names of unknown keys, ", " between them */
    struct fk_buf warnings; /* what is known and not honoured, a line each */
};

/* ZooKeeper's defaults, but for what docs/compatibility.md names. */
void fk_config_init(struct fk_config *config);
/* Wipes the secrets. */
void fk_config_deinit(struct fk_config *config);

/* Reads a file over the defaults. IO: it can't be read; USAGE: what it says is wrong. */
enum fk_err fk_config_load(struct fk_config *config, const char *path, struct fk_diag *diag);

/* The same from memory; `name` stands for the file in messages. */
enum fk_err fk_config_parse(struct fk_config *config, struct fk_bytes text, const char *name, struct fk_diag *diag);

/* One setting, "KEY=VALUE", of the command line. USAGE for secrets, too. */
enum fk_err fk_config_define(struct fk_config *config, const char *setting, struct fk_diag *diag);

/* Fills in what depends on other values and checks them against each other. */
enum fk_err fk_config_finish(struct fk_config *config, struct fk_diag *diag);

/* Every honoured key with its value, a line each, or one JSON object; secrets as "(set)". */
void fk_config_print(const struct fk_config *config, bool json, FILE *out);

/* docs/configuration.md. */
void fk_config_document(FILE *out);

#endif
