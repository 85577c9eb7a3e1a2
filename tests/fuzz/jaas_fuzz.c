// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: the login file (JAAS). Whatever it says is taken, or refused with a message that names the place and
 * repeats no value: with every user there is a name and a password, with Kerberos a principal. */
#include "host/jaas.h"

#include "base/assert.h"

static const char secret[] = "canary"; /* of the corpus: where it is a value, no message may have it */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_login(const struct fk_jaas_login *login)
{
    FK_ASSERT(login->found || (login->user_count == 0 && !login->kerberos));
    for (size_t i = 0; i < login->user_count; i++) {
        FK_ASSERT(login->users[i].name != NULL && login->users[i].name[0] != '\0');
        FK_ASSERT(login->users[i].password != NULL && login->users[i].password[0] != '\0');
        for (size_t j = 0; j < i; j++) {
            FK_ASSERT(strcmp(login->users[i].name, login->users[j].name) != 0);
        }
    }
    if (login->kerberos) {
        FK_ASSERT(login->principal != NULL && strchr(login->principal, '/') != NULL && login->keytab != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_jaas_login login = FK_JAAS_LOGIN_EMPTY;
    struct fk_diag diag = {.text = ""};
    enum fk_err err = fk_jaas_parse(fk_bytes_of(data, size), "login.conf", "Server", &login, &diag);
    FK_ASSERT(err == FK_OK || err == FK_ERR_USAGE);
    FK_ASSERT((err == FK_OK) == (diag.text[0] == '\0'));
    FK_ASSERT(err == FK_OK || strncmp(diag.text, "login.conf:", strlen("login.conf:")) == 0);
    FK_ASSERT(strstr(diag.text, secret) == NULL);
    if (err == FK_OK) {
        check_login(&login);
    }
    fk_jaas_login_deinit(&login);
    return 0;
}
