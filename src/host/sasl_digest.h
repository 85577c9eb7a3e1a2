// SPDX-License-Identifier: Apache-2.0
/* What stands between a client's DIGEST-MD5 token and the library, and between the library's name and the identity.
 * The library (cyrus) is lenient where Java's server is not: it takes another realm, another host, a field twice.
 * Here whatever is missing, doubled or foreign fails (CVE-2023-44981 was an optional field). */
#ifndef FK_HOST_SASL_DIGEST_H
#define FK_HOST_SASL_DIGEST_H

#include "base/buf.h"

/* ZooKeeper's names: the realm, and the service with the host. Clients have them wired in. */
#define FK_SASL_DIGEST_SERVICE "zookeeper"
#define FK_SASL_DIGEST_HOST    "zk-sasl-md5"

/* True where a digest-response (RFC 2831, 2.1.2) has exactly one of each field that is required, with ZooKeeper's realm
 * and digest-uri, qop auth where it is given, and an authzid only if it is the user's name. */
bool fk_sasl_digest_check(struct fk_bytes token);

/* Appends the identity for a proved name (SaslServerCallbackHandler.handleAuthorizeCallback): user/host@REALM without
 * what the options remove. Only names of the default realm are shortened, others stay whole. False for a name that is
 * none: empty, or more than one '/' or '@'. */
bool fk_sasl_identity(struct fk_bytes name, const char *default_realm, bool remove_host, bool remove_realm,
                      struct fk_buf *identity);

#endif
