// SPDX-License-Identifier: Apache-2.0
/* Every key that ZooKeeper 3.9 reads, in zoo.cfg or as a system property, and ours. Sources: QuorumPeerConfig, the
 * administrator's guide, the names "zookeeper.*" in the server's classes. docs/configuration.md is made of this table.
 */
#include "cli/config_internal.h"

#include "base/limits.h"

#include <string.h>

#define FIELD(member) offsetof(struct fk_config, member)
#define NUMBER(key, member, from, to, std, doc)                                                                        \
    {                                                                                                                  \
        key, FK_CONFIG_NUMBER, FIELD(member), from, to, NULL, std, doc                                                 \
    }
#define LONG(key, member, from, to, std, doc)                                                                          \
    {                                                                                                                  \
        key, FK_CONFIG_LONG, FIELD(member), from, to, NULL, std, doc                                                   \
    }
#define SWITCH(key, member, std, doc)                                                                                  \
    {                                                                                                                  \
        key, FK_CONFIG_SWITCH, FIELD(member), 0, 0, NULL, std, doc                                                     \
    }
#define TEXT(key, member, std, doc)                                                                                    \
    {                                                                                                                  \
        key, FK_CONFIG_TEXT, FIELD(member), 0, 0, NULL, std, doc                                                       \
    }
#define PATH(key, member, doc)                                                                                         \
    {                                                                                                                  \
        key, FK_CONFIG_PATH, FIELD(member), 0, 0, NULL, "", doc                                                        \
    }
#define SECRET(key, member, doc)                                                                                       \
    {                                                                                                                  \
        key, FK_CONFIG_SECRET, FIELD(member), 0, 0, NULL, "", doc                                                      \
    }
#define ADDRESS(key, member, std, doc)                                                                                 \
    {                                                                                                                  \
        key, FK_CONFIG_ADDRESS, FIELD(member), 0, 0, NULL, std, doc                                                    \
    }
#define SPECIAL(key, set, std, doc)                                                                                    \
    {                                                                                                                  \
        key, FK_CONFIG_SPECIAL, 0, 0, 0, set, std, doc                                                                 \
    }
#define IGNORED(key, doc)                                                                                              \
    {                                                                                                                  \
        key, FK_CONFIG_IGNORED, 0, 0, 0, NULL, "", doc                                                                 \
    }
#define REFUSED(key, doc)                                                                                              \
    {                                                                                                                  \
        key, FK_CONFIG_REFUSED, 0, 0, 0, NULL, "", doc                                                                 \
    }

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static const char one_server[] = "of a quorum; this is one server";
static const char java[] = "of the JVM or a Java library; there is none here";

const struct fk_config_key fk_config_keys[] = {
    /* the server */
    PATH("dataDir", data_directory, "where the log and the checkpoint are; ./faaskeeper-data without it"),
    NUMBER("clientPort", client_port, 0, 65535, "2181", "0 takes a free port"),
    ADDRESS("clientPortAddress", client_address, "127.0.0.1", "an address to listen on (ZooKeeper's default: all)"),
    SWITCH("insecureListen", insecure_listen, "no", "listen beyond the loopback without TLS or authentication"),
    NUMBER("tickTime", tick_ms, 1, DAY_MS, "3000", "ms; sessions expire at multiples of it; 2000 without a file"),
    NUMBER("minSessionTimeout", session_timeout_min_ms, -1, DAY_MS, "2 ticks", "ms"),
    NUMBER("maxSessionTimeout", session_timeout_max_ms, -1, DAY_MS, "20 ticks", "ms"),
    NUMBER("maxClientCnxns", connections_per_address, INT32_MIN, INT32_MAX, "60",
           "connections of one address; 0 or less: no limit"),
    NUMBER("maxCnxns", bounds.connections_max, INT32_MIN, INT32_MAX, "0", "connections in all; 0 or less: no limit"),
    NUMBER("globalOutstandingLimit", bounds.outstanding_max, 0, INT32_MAX, "0",
           "requests of all connections beyond which each may have but one outstanding; 0: 1000 of each connection"),
    NUMBER("largeRequestThreshold", bounds.large_request_size, -1, INT32_MAX, "-1",
           "bytes above which a request counts as large; -1: none does"),
    NUMBER("largeRequestMaxBytes", bounds.large_requests_size, 1, INT32_MAX, "104857600",
           "bytes of all large requests; one that goes beyond loses its connection"),
    NUMBER("connection_throttle_tokens", bounds.connect_tokens, 0, INT32_MAX, "0",
           "handshakes at once, others are closed; 0: no limit"),
    NUMBER("connection_throttle_fill_time", bounds.connect_fill_ms, 1, DAY_MS, "1", "ms until tokens come back"),
    NUMBER("connection_throttle_fill_count", bounds.connect_fill_count, 1, INT32_MAX, "1", "tokens that come back"),
    NUMBER("clientPortListenBacklog", backlog, -1, 65535, "-1", "connections waiting to be accepted; -1: the system's"),
    NUMBER("nio.sessionlessCnxnTimeout", handshake_ms, 1, DAY_MS, "5000", "ms for the first frame of a connection"),
    NUMBER("jute.maxbuffer", frame_size_max, 64, INT64_C(64) * 1024 * 1024, "1048575", "largest request in bytes"),
    NUMBER("preAllocSize", segment_size_kb, 0, INT64_C(1024) * 1024, "65536",
           "KiB; size of a segment of the log, at least four times jute.maxbuffer"),
    SWITCH("forceSync", sync, "yes", "no: answers before the disk has it, up to a second may be lost"),
    SWITCH("readonlymode.enabled", read_only, "no", "isro is answered; one server is never read-only by itself"),
    SPECIAL("4lw.commands.whitelist", fk_config_set_words, "srvr", "* or words with commas between them"),
    SWITCH("extendedTypesEnabled", rules.extended_types, "no", "TTL nodes"),
    IGNORED("emulate353TTLNodes", "how 3.5.3 stored TTL nodes"),
    SWITCH("enforceQuota", rules.enforce_quota, "no", "hard quotas refuse writes"),
    SWITCH("skipACL", rules.skip_acl, "no", "yes: nobody is refused"),
    SWITCH("reconfigEnabled", rules.reconfig_enabled, "no", "reconfig is answered as one server does"),
    NUMBER("znode.container.checkIntervalMs", sweeper.interval_ms, 1, DAY_MS, "60000", "between two sweeps"),
    NUMBER("znode.container.maxPerMinute", sweeper.per_minute, 1, INT32_MAX, "10000", "nodes that sweeps remove"),
    LONG("znode.container.maxNeverUsedIntervalMs", rules.never_used_ms, 0, INT64_MAX, "0",
         "age of containers without any child that are removed; 0: never"),
    SPECIAL("server.*", fk_config_set_server, "", "one line is this server; more are refused"),

    /* TLS */
    NUMBER("secureClientPort", tls.port, 0, 65535, "", "a port for TLS"),
    ADDRESS("secureClientPortAddress", tls.address, "127.0.0.1", "its address"),
    SWITCH("client.portUnification", tls.port_unification, "no", "clientPort takes TLS too"),
    PATH("ssl.keyStore.location", tls.key_store, "key and certificate: PEM or PKCS12"),
    TEXT("ssl.keyStore.type", tls.key_store_type, "by name", "PEM or PKCS12; JKS must be converted"),
    SECRET("ssl.keyStore.password", tls.key_store_password, "of the key store"),
    PATH("ssl.keyStore.passwordPath", tls.key_store_password_path, "a file with it"),
    PATH("ssl.trustStore.location", tls.trust_store, "certificates of those who sign clients' certificates"),
    TEXT("ssl.trustStore.type", tls.trust_store_type, "by name", "PEM or PKCS12"),
    SECRET("ssl.trustStore.password", tls.trust_store_password, "of the trust store"),
    PATH("ssl.trustStore.passwordPath", tls.trust_store_password_path, "a file with it"),
    SPECIAL("ssl.clientAuth", fk_config_set_client_auth, "need", "certificates of clients: need, want or none"),
    TEXT("ssl.protocol", tls.protocol, "TLSv1.2", "oldest version that is spoken; TLSv1.2 or TLSv1.3"),
    TEXT("ssl.enabledProtocols", tls.protocols, "TLSv1.3,TLSv1.2", "versions that are spoken"),
    TEXT("ssl.ciphersuites", tls.ciphers, "OpenSSL's", "names with commas between them"),
    SWITCH("ssl.crl", tls.crl, "no", "certificates must not be in the trust store's revocation lists"),
    SPECIAL("ssl.ocsp", fk_config_set_ocsp, "no", "no; it would ask a foreign server in each handshake: use ssl.crl"),
    SWITCH("ssl.hostnameVerification", tls.hostname_verification, "yes", "of servers; here with the next key only"),
    SWITCH("ssl.clientHostnameVerification", tls.client_hostname_verification, "no",
           "a client's certificate must name its address (subjectAltName; never by reverse DNS)"),
    IGNORED("ssl.handshakeDetectionTimeoutMillis",
            "nio.sessionlessCnxnTimeout bounds the handshakes of TLS and of the session together"),
    NUMBER("netty.server.outstandingHandshake.limit", tls.handshakes_max, -1, INT32_MAX, "-1",
           "handshakes of TLS at once; 0 or less: no limit"),
    SPECIAL("ssl.authProvider", fk_config_set_auth_provider, "x509", "scheme of certificates: x509"),
    TEXT("X509AuthenticationProvider.superUser", tls.x509_super, "", "distinguished name of a super user"),
    SWITCH("client.certReload", tls.reload, "no", "read certificates again when their files change"),
    SWITCH("sslQuorumReloadCertFiles", tls.reload, "no", "likewise"),
    IGNORED("ssl.closeHandshakeTimeoutMillis", "connections are closed at once"),
    REFUSED("ssl.context.supplier.class", java),

    /* authentication */
    PATH("java.security.auth.login.config", auth.login_config, "users for SASL, or a Kerberos principal (JAAS file)"),
    TEXT("sasl.serverconfig", auth.login_section, "Server", "its section"),
    SPECIAL("authProvider.*", fk_config_set_provider, "", "class names of ZooKeeper's providers: sasl, x509, ensemble"),
    SPECIAL("superUser", fk_config_set_super_user, "", "SASL name of a super user"),
    SPECIAL("superUser.*", fk_config_set_super_user, "", "another one"),
    TEXT("letAnySaslUserDoX", auth.any_sasl, "", "SASL name; what ACLs give to it, every user of SASL has"),
    SECRET("SASLAuthenticationProvider.superPassword", auth.sasl_super_password, "of the SASL user super"),
    SPECIAL("DigestAuthenticationProvider.superDigest", fk_config_set_super_digest, "", "NAME:HASH, see 'digest'"),
    SPECIAL("DigestAuthenticationProvider.digestAlg", fk_config_set_digest, "SHA1", "of digest ids"),
    SWITCH("DigestAuthenticationProvider.enabled", auth.digest_enabled, "yes", "no: addauth digest fails"),
    SWITCH("kerberos.removeHostFromPrincipal", auth.remove_host, "no", "zk/host@REALM is zk@REALM"),
    SWITCH("kerberos.removeRealmFromPrincipal", auth.remove_realm, "no", "zk/host@REALM is zk/host"),
    SWITCH("allowSaslFailedClients", auth.allow_sasl_failed, "no", "who fails SASL goes on without an identity"),
    SWITCH("sessionRequireClientSASLAuth", auth.session_requires_sasl, "no", "nothing is done before SASL"),
    SPECIAL("requireClientAuthScheme", fk_config_set_require_scheme, "", "sasl: likewise"),
    SWITCH("enforce.auth.enabled", auth.enforced, "no", "nothing is done before authentication"),
    TEXT("enforce.auth.schemes", auth.enforced_schemes, "", "by one of these schemes, commas between them"),
    TEXT("ensembleAuthName", auth.ensemble_names, "", "names that clients may expect this server to have"),
    SWITCH("fips-mode", auth.fips, "no", "yes: no DIGEST-MD5 (ZooKeeper 3.9: yes, and its clients ask for it)"),
    IGNORED("jaasLoginRenew", "keytabs are read when they are needed"),

    /* operators */
    SWITCH("admin.enableServer", admin.enabled, "no", "HTTP commands, health and metrics (ZooKeeper until 3.9: yes)"),
    NUMBER("admin.serverPort", admin.port, 0, 65535, "8080", "of it"),
    ADDRESS("admin.serverAddress", admin.address, "127.0.0.1", "of it (ZooKeeper: 0.0.0.0)"),
    TEXT("admin.commandURL", admin.command_url, "/commands", "where its commands are"),
    NUMBER("admin.idleTimeout", admin.idle_ms, 1, DAY_MS, "30000", "ms; of its connections"),
    NUMBER("admin.rateLimiterIntervalInMS", admin.rate_limit_ms, 0, DAY_MS, "300000", "between two snapshots"),
    SWITCH("admin.snapshot.enabled", admin.snapshot, "yes", "its snapshot command"),
    SWITCH("admin.restore.enabled", admin.restore, "yes", "its restore command"),
    REFUSED("admin.portUnification", "the admin port has no TLS; leave it on the loopback, or put a proxy before it"),
    REFUSED("admin.forceHttps", "the admin port has no TLS; leave it on the loopback, or put a proxy before it"),
    REFUSED("admin.needClientAuth", "the admin port has no TLS; leave it on the loopback, or put a proxy before it"),
    REFUSED("ssl.quorum.*", one_server),
    SPECIAL("metricsProvider.className", fk_config_set_metrics, "", "PrometheusMetricsProvider: metrics on a port"),
    ADDRESS("metricsProvider.httpHost", admin.metrics_address, "127.0.0.1", "of it (ZooKeeper: 0.0.0.0)"),
    NUMBER("metricsProvider.httpPort", admin.metrics_port, 0, 65535, "7000", "of it"),
    IGNORED("metricsProvider.*", java),
    SWITCH("audit.enable", log.audit, "no", "the audit log"),
    PATH("audit.file", log.audit_file, "where it goes; standard error without it; opened again on SIGHUP"),
    REFUSED("audit.impl.class", "no class can be loaded here; the log has ZooKeeper's format"),
    PATH("log.file", log.file, "where the log goes; standard error without it; opened again on SIGHUP"),
    SPECIAL("log.level", fk_config_set_log_level, "info", "error, warn, info or debug"),
    SPECIAL("log.format", fk_config_set_log_format, "text", "text, or json: an object a line"),

    /* known, and answered for in another way */
    REFUSED("dataLogDir", "the log and the checkpoint share dataDir; put dataDir on the faster disk"),
    IGNORED("snapCount", "the checkpoint follows the log all the time"),
    IGNORED("snapSizeLimitInKb", "the checkpoint follows the log all the time"),
    IGNORED("commitLogCount", one_server),
    IGNORED("autopurge.*", "segments are removed once the checkpoint has them"),
    IGNORED("snapshot.*", "checkpoints are SQLite's"),
    IGNORED("fsync.warningthresholdms", "the metric fsynctime tells"),
    IGNORED("fsync.*", "the metric fsynctime tells"),
    IGNORED("txnLogSizeLimitInKb", "preAllocSize is the size of a segment"),
    IGNORED("compression*", "checkpoints are SQLite's"),
    IGNORED("globalOutstanding*", "the limit is for each connection"),
    IGNORED("request_throttle_max_requests", "the limit is for each connection"),
    IGNORED("request_throttle*", "the limit is for each connection"),
    IGNORED("requestThrottle*", "the limit is for each connection"),
    IGNORED("throttled*", "requests wait in their connection's buffer and are never dropped"),
    REFUSED("connection_throttle_freeze_time", "refused at random: no; connection_throttle_tokens has a sharp limit"),
    REFUSED("connection_throttle_weight_enabled", "every handshake takes one token"),
    IGNORED("connection_throttle_*", "of connection_throttle_freeze_time or connection_throttle_weight_enabled"),
    IGNORED("connection_*", "connections of an address are limited by maxClientCnxns"),
    IGNORED("ephemeralNodes.*", "of later versions; the limit is 200 000 ephemeral nodes of a session"),
    IGNORED("serializeLastProcessedZxid.*", "every change carries its zxid"),
    IGNORED("intBufferStartingSizeBytes", java),
    IGNORED("jute.maxbuffer.extrasize", "what is stored has no limit of its own"),
    IGNORED("nio.*", java),
    IGNORED("netty.*", java),
    IGNORED("serverCnxnFactory", "sockets are libuv's, with TLS or without"),
    IGNORED("clientCnxnSocket", "of clients"),
    IGNORED("advancedFlowControl*", java),
    IGNORED("sslQuorum", one_server),
    IGNORED("portUnification", "of a quorum; client.portUnification is for clients"),
    IGNORED("initLimit", one_server),
    IGNORED("syncLimit", one_server),
    IGNORED("connectToLearnerMasterLimit", one_server),
    IGNORED("electionAlg", one_server),
    IGNORED("electionPortBindRetry", one_server),
    IGNORED("cnxTimeout", one_server),
    IGNORED("peerType", one_server),
    IGNORED("leaderServes", one_server),
    IGNORED("observer*", one_server),
    IGNORED("learner.*", one_server),
    IGNORED("leader.*", one_server),
    IGNORED("follower.*", one_server),
    IGNORED("quorum*", one_server),
    IGNORED("multiAddress.*", one_server),
    IGNORED("tcpKeepAlive", one_server),
    IGNORED("syncEnabled", one_server),
    IGNORED("standaloneEnabled", one_server),
    IGNORED("group.*", one_server),
    IGNORED("weight.*", one_server),
    IGNORED("localSessionsEnabled", "sessions cost little here"),
    IGNORED("localSessionsUpgradingEnabled", "sessions cost little here"),
    IGNORED("digest.enabled", "frames and rows carry checksums"),
    IGNORED("digestFromLossless*", "frames and rows carry checksums"),
    IGNORED("watchManagerName", "there is one table of watches"),
    IGNORED("maxInProcessingDeadWatchers", "there is one table of watches"),
    IGNORED("watcherClean*", "there is one table of watches"),
    IGNORED("bitHashCacheSize", "there is one table of watches"),
    IGNORED("pathStats.*", "the admin port's metrics tell"),
    IGNORED("maxResponseCacheSize", "reads come from memory"),
    IGNORED("maxGetChildrenResponseCacheSize", "reads come from memory"),
    IGNORED("maxBatchSize", "a frame of the log takes what has come"),
    IGNORED("flushDelay", "a frame of the log takes what has come"),
    IGNORED("maxWriteQueuePollTime", "a frame of the log takes what has come"),
    IGNORED("enableEagerACLCheck", "permissions are checked by the write function"),
    IGNORED("closeSessionTxn.enabled", "the end of a session is one change"),
    IGNORED("jmx.*", java),
    IGNORED("jvm.*", java),
    IGNORED("jute.*", java),
    IGNORED("test.*", "of ZooKeeper's tests"),
    REFUSED("dynamicConfigFile", "it describes a quorum; this is one server"),
    IGNORED("lastRevalidateCount", one_server),
    IGNORED("myid", one_server),
    IGNORED("serverId", one_server),
    REFUSED("DigestAuthenticationProvider.*", "unknown setting of digest authentication"),
};
const size_t fk_config_key_count = sizeof fk_config_keys / sizeof fk_config_keys[0];

const struct fk_config_key *fk_config_find(const char *name)
{
    for (size_t i = 0; i < fk_config_key_count; i++) {
        const char *pattern = fk_config_keys[i].name;
        size_t size = strlen(pattern);
        bool matches = pattern[size - 1] == '*' ? strncmp(name, pattern, size - 1) == 0 : strcmp(name, pattern) == 0;
        if (matches) {
            return &fk_config_keys[i];
        }
    }
    return NULL;
}
