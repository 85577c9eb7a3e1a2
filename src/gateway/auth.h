// SPDX-License-Identifier: Apache-2.0
/* Who may be what: the options of authentication, and the table that slows down who fails too often. auth.c (addauth,
 * enforced schemes), sasl.c (op 102), throttle.c. */
#ifndef FK_GATEWAY_AUTH_H
#define FK_GATEWAY_AUTH_H

#include "base/digest.h"
#include "port/sasl.h"

/* Zeros: ZooKeeper's defaults. Strings are borrowed. Names of properties are those of ZooKeeper. */
struct fk_auth_options {
    struct fk_sasl *sasl;            /* NULL: no login section; op 102 gets a null token */
    const char *sasl_supers;         /* superUser and superUser.N: names, a newline behind each; NULL: none */
    const char *x509_super;          /* X509AuthenticationProvider.superUser: one subject, or NULL */
    int32_t tls_handshakes_max;      /* netty.server.outstandingHandshake.limit; 0 or less: no limit */
    const char *enforced_schemes;    /* enforce.auth.schemes where that is enabled, commas between them, or NULL */
    const char *ensemble_names;      /* ensembleAuthName, commas between them; NULL: any name */
    enum fk_digest_algorithm digest; /* DigestAuthenticationProvider.digestAlg */
    bool digest_disabled;            /* DigestAuthenticationProvider.enabled=false */
    bool ensemble;                   /* authProvider.N is the EnsembleAuthenticationProvider */
    bool allow_sasl_failed;          /* allowSaslFailedClients */
};

/* Failures of authentication by address: a fixed number of entries, so that many addresses can't fill the memory. Where
 * all are in use the one with the fewest failures goes. */
struct fk_throttle_entry {
    uint64_t key; /* hash of the address, for IPv6 of its network (/64); 0: free */
    int64_t since_ms;
    int64_t count;
};

struct fk_throttle {
    struct fk_throttle_entry *entries; /* allocated with the first failure */
};

void fk_throttle_deinit(struct fk_throttle *throttle);
/* Notes a failure; true where it is the one that makes the address slow. Without memory for the table nothing is noted.
 */
bool fk_throttle_failed(struct fk_throttle *throttle, struct fk_bytes address, int64_t now_ms);
/* True where attempts from this address have to wait. */
bool fk_throttle_slow(const struct fk_throttle *throttle, struct fk_bytes address, int64_t now_ms);

#endif
