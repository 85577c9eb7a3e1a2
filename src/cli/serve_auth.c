// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_auth.h"

#include "base/log.h"
#include "host/posix_clock.h"
#include "host/sasl_cyrus.h"

#include <string.h>
#include <sys/prctl.h>

static const char standard_section[] = "Server";

static bool sasl_required(const struct fk_config *config)
{
    return config->auth.session_requires_sasl || config->auth.require_sasl;
}

bool fk_serve_auth_required(const struct fk_config *config)
{
    return sasl_required(config) || (config->auth.enforced && config->auth.enforced_schemes != NULL);
}

/* ZK: without sasl.serverconfig a file that has no section Server is for somebody else. */
static enum fk_err find_section(struct fk_serve_auth *auth, const struct fk_config_auth *config, struct fk_diag *diag)
{
    const char *section = config->login_section == NULL ? standard_section : config->login_section;
    enum fk_err err = fk_jaas_load(config->login_config, section, &auth->login, diag);
    if (err != FK_OK || auth->login.found) {
        return err;
    }
    if (config->login_section != NULL) {
        fk_diag_set(diag, "sasl.serverconfig: '%s' has no section '%s'", config->login_config, section);
        return FK_ERR_USAGE;
    }
    fk_log(FK_LOG_WARN, "'%s' (java.security.auth.login.config) has no section %s: SASL is off", config->login_config,
           section);
    return FK_OK;
}

static enum fk_err start_library(struct fk_serve_auth *auth, const struct fk_config_auth *config, struct fk_diag *diag)
{
    if (config->fips && !auth->login.kerberos) {
        fk_diag_set(diag, "fips-mode=true leaves no DIGEST-MD5, which '%s' is for; use Kerberos, or fips-mode=false",
                    config->login_config);
        return FK_ERR_USAGE;
    }
    const struct fk_sasl_cyrus_options options = {.login = &auth->login,
                                                  .super_password = config->sasl_super_password,
                                                  .remove_host = config->remove_host,
                                                  .remove_realm = config->remove_realm,
                                                  .random = fk_posix_random()};
    return fk_sasl_cyrus_new(&options, &auth->sasl, diag);
}

/* A core would hold the secrets, and a debugger of the same user could read them. */
static void keep_secrets(const struct fk_serve_auth *auth, const struct fk_config *config)
{
    const char *const secrets[] = {config->auth.super_digest, config->auth.sasl_super_password, config->tls.key_store,
                                   config->tls.key_store_password, config->tls.trust_store_password};
    bool any = auth->login.found;
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        any = any || secrets[i] != NULL;
    }
    if (any) {
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
}

enum fk_err fk_serve_auth_open(struct fk_serve_auth *auth, struct fk_config *config, struct fk_diag *diag)
{
    struct fk_config_auth *from = &config->auth;
    enum fk_err err = FK_OK;
    *auth = (struct fk_serve_auth){.login = FK_JAAS_LOGIN_EMPTY};
    if (from->login_config != NULL) {
        err = find_section(auth, from, diag);
    }
    if (err == FK_OK && auth->login.found) {
        err = start_library(auth, from, diag);
    }
    fk_buf_append(&from->supers, fk_bytes_of("", 1));
    if (err != FK_OK || from->supers.failed) {
        return err == FK_OK ? FK_ERR_NOMEM : err;
    }
    if (sasl_required(config) && auth->sasl == NULL) {
        fk_log(FK_LOG_WARN, "SASL is required (sessionRequireClientSASLAuth, requireClientAuthScheme), but "
                            "java.security.auth.login.config names no login section for it: nobody is let in");
    }
    keep_secrets(auth, config);
    auth->options = (struct fk_auth_options){
        .sasl = auth->sasl,
        .sasl_supers = (const char *)from->supers.data,
        .x509_super = config->tls.x509_super,
        .tls_handshakes_max = config->tls.handshakes_max,
        .enforced_schemes = sasl_required(config) ? "sasl"
                            : from->enforced      ? from->enforced_schemes
                                                  : NULL,
        .ensemble_names = from->ensemble_names,
        .digest = (enum fk_digest_algorithm)from->digest,
        .digest_disabled = !from->digest_enabled,
        .ensemble = from->ensemble,
        .allow_sasl_failed = from->allow_sasl_failed,
    };
    return FK_OK;
}

void fk_serve_auth_close(struct fk_serve_auth *auth)
{
    fk_sasl_cyrus_free(auth->sasl);
    fk_jaas_login_deinit(&auth->login);
}
