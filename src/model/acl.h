// SPDX-License-Identifier: Apache-2.0
/* Rules for access control lists, on their encoded form (vector<ACL>). Sources: PrepRequestProcessor.fixupACL,
 * ZooKeeperServer.checkACL, GetACL in FinalRequestProcessor, the authentication providers for world, auth, digest, ip,
 * sasl and x509. */
#ifndef FK_MODEL_ACL_H
#define FK_MODEL_ACL_H

#include "base/arena.h"
#include "model/rules.h"
#include "wire/records.h"

/* Who asks: a session, and the identities of its connection as an encoded vector<Id{ustring scheme; ustring id}>.
 * Scheme "super" passes every check. */
struct fk_caller {
    int64_t session_id;
    struct fk_bytes ids;
    const struct fk_rules *rules; /* NULL: the defaults */
};

/* True where one entry of the list gives `perm` to the caller. */
bool fk_acl_allows(struct fk_bytes acl, enum fk_perm perm, const struct fk_caller *caller);

/* The list to store for a requested one: duplicates removed, "auth" replaced by the caller's authenticated ids. In the
 * arena. FK_CODE_INVALID_ACL for a null or empty list, an unknown scheme, an id that its scheme refuses, or "auth"
 * without authentication; FK_CODE_MARSHALLING_ERROR for a null id; FK_CODE_SYSTEM_ERROR without memory. */
enum fk_code fk_acl_fix(struct fk_bytes requested, const struct fk_caller *caller, struct fk_arena *arena,
                        struct fk_bytes *fixed);

/* Appends the list with the hashes of digest ids replaced by "x": what callers without ADMIN see. */
void fk_acl_write_redacted(struct fk_buf *buf, struct fk_bytes acl);

/* True where the address (text) is in `range`: "a.b.c.d" or an IPv6 address, and perhaps "/bits". */
bool fk_acl_ip_matches(struct fk_bytes address, struct fk_bytes range);

/* True where the name is one of the list, which has a newline behind each; NULL: an empty list. Who is a super user by
 * the configuration (superUser, X509AuthenticationProvider.superUser): its connection gets scheme "super" besides. */
bool fk_acl_listed(const char *names, struct fk_bytes name);

#endif
