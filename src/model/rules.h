// SPDX-License-Identifier: Apache-2.0
/* What the configuration says about the tree and its permissions. Zeroed, it is ZooKeeper's default. */
#ifndef FK_MODEL_RULES_H
#define FK_MODEL_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* Schemes that are valid in ACLs only where their provider is configured (authProvider.*); world, auth and ip always
 * are, digest unless it is disabled. */
enum fk_scheme {
    FK_SCHEME_SASL = 1,
    FK_SCHEME_X509 = 2,
};

struct fk_rules {
    bool digest_disabled;  /* DigestAuthenticationProvider.enabled=false: no such scheme */
    bool extended_types;   /* extendedTypesEnabled: TTL nodes */
    bool enforce_quota;    /* enforceQuota: hard limits refuse */
    bool reconfig_enabled; /* reconfigEnabled: reconfig is answered as a standalone server does */
    bool skip_acl;         /* skipACL: nobody is refused */
    unsigned schemes;      /* enum fk_scheme */
    const char *any_sasl;  /* letAnySaslUserDoX: every user of SASL may what this one may; NULL: nobody. Borrowed */
    int64_t never_used_ms; /* znode.container.maxNeverUsedIntervalMs; 0: containers wait for their first child */
};

#endif
