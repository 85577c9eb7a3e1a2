// SPDX-License-Identifier: Apache-2.0
/* The SASL port over cyrus-sasl: DIGEST-MD5 with the users of a login section, or GSSAPI with its keytab, as
 * ZooKeeperSaslServer chooses: Kerberos where the section has a principal.
 *
 * One per process at a time: the library's state is global. DIGEST-MD5 never waits (blocks is false). GSSAPI reads the
 * keytab and writes the replay cache, and Kerberos may ask name servers: its steps run on a thread of their own, one
 * after the other; whoever waits longer than FK_SASL_EXCHANGE_MS is closed, nobody else is held up. */
#ifndef FK_HOST_SASL_CYRUS_H
#define FK_HOST_SASL_CYRUS_H

#include "host/jaas.h"
#include "port/clock.h"
#include "port/sasl.h"

struct fk_sasl_cyrus_options {
    const struct fk_jaas_login *login; /* borrowed */
    const char *super_password;        /* SASLAuthenticationProvider.superPassword: of the user "super"; or NULL */
    bool remove_host;                  /* kerberos.removeHostFromPrincipal */
    bool remove_realm;                 /* kerberos.removeRealmFromPrincipal */
    struct fk_random *random;
};

/* USAGE: the section has neither users nor a principal, the library lacks the mechanism, the keytab has no key of the
 * principal; diag tells which. */
enum fk_err fk_sasl_cyrus_new(const struct fk_sasl_cyrus_options *options, struct fk_sasl **sasl, struct fk_diag *diag);
/* All exchanges must have ended. NULL is allowed. */
void fk_sasl_cyrus_free(struct fk_sasl *sasl);

#endif
