// SPDX-License-Identifier: Apache-2.0
/* The login configuration that java.security.auth.login.config names (Java's ConfigFile grammar), as far as a server
 * needs it:
 *
 *     Server {
 *         org.apache.zookeeper.server.auth.DigestLoginModule required
 *             user_bob="secret" ...;
 *         com.sun.security.auth.module.Krb5LoginModule required
 *             useKeyTab=true keyTab="/etc/zk.keytab" principal="zookeeper/host@REALM";
 *     };
 *
 * Comments are those of C. Values with characters other than letters, digits and $ _ - * . need quotes. Stricter than
 * Java: an option given twice, an empty password, and ${...} are errors. */
#ifndef FK_HOST_JAAS_H
#define FK_HOST_JAAS_H

#include "base/buf.h"

struct fk_jaas_user {
    char *name;
    char *password;
};

/* What one section says. */
struct fk_jaas_login {
    bool found; /* the section is there */
    bool kerberos;
    char *principal; /* service/host@REALM; the realm may be missing */
    char *keytab;
    struct fk_jaas_user *users; /* user_NAME="password" of any module of the section */
    size_t user_count;
};

#define FK_JAAS_LOGIN_EMPTY ((struct fk_jaas_login){.found = false})

/* Wipes the secrets. */
void fk_jaas_login_deinit(struct fk_jaas_login *login);

/* Reads the section `section` of a text; all of the text is checked. A section that is not there is no error. USAGE:
 * diag has name:line and what is wrong, never a value; NOMEM. */
enum fk_err fk_jaas_parse(struct fk_bytes text, const char *name, const char *section, struct fk_jaas_login *login,
                          struct fk_diag *diag);

/* The same from a file; IO where it can't be read. */
enum fk_err fk_jaas_load(const char *path, const char *section, struct fk_jaas_login *login, struct fk_diag *diag);

#endif
