// SPDX-License-Identifier: Apache-2.0
#include "host/sasl_cyrus.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/limits.h"
#include "base/log.h"
#include "host/sasl_digest.h"

#include <krb5.h>
#include <pthread.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define PLUGIN_NAME "faaskeeper" /* of our store of passwords, in the library's list */

enum {
    DUMMY_SIZE = 32, /* hex digits of the password that stands in for an unknown user's */
};

struct driver {
    struct fk_sasl base;
    struct fk_sasl_cyrus_options options;
    struct exchange *at_work; /* whose step runs: steps come one at a time */
    char *service;            /* of the principal */
    char *host;
    char *realm; /* the default realm of Kerberos; "" for DIGEST-MD5 */
    char dummy[DUMMY_SIZE + 1];
    sasl_callback_t callbacks[4];
};

struct exchange {
    struct driver *driver;
    sasl_conn_t *conn;
    bool started;
    bool known; /* the password was looked for, and is there */
    sasl_callback_t callbacks[3];
};

/* The library asks for passwords and options through functions without a context that would say whose. */
static struct driver *current;

static int get_option(void *context, const char *plugin, const char *option, const char **result, unsigned *size)
{
    const struct driver *driver = (const struct driver *)context;
    const char *value = NULL;
    (void)plugin;
    if (strcmp(option, "auxprop_plugin") == 0) {
        value = PLUGIN_NAME;
    } else if (strcmp(option, "mech_list") == 0) {
        value = driver->options.login->kerberos ? "GSSAPI" : "DIGEST-MD5";
    } else if (strcmp(option, "reauth_timeout") == 0) {
        value = "0"; /* every exchange is a whole one */
    }
    if (value == NULL) {
        return SASL_FAIL;
    }
    *result = value;
    if (size != NULL) {
        *size = (unsigned)strlen(value);
    }
    return SASL_OK;
}

/* The library's own lines: what an operator needs when Kerberos fails. Levels above have tokens and passwords. */
static int log_message(void *context, int level, const char *message)
{
    (void)context;
    if (level == SASL_LOG_ERR || level == SASL_LOG_FAIL || level == SASL_LOG_WARN) {
        fk_log(level == SASL_LOG_FAIL ? FK_LOG_DEBUG : FK_LOG_INFO, "sasl: %s", message);
    }
    return SASL_OK;
}

/* Of the plugins that are installed only the one that is used is loaded. */
static int choose_file(void *context, const char *file, sasl_verify_type_t type)
{
    const struct driver *driver = (const struct driver *)context;
    const char *wanted = driver->options.login->kerberos ? "libgssapiv2" : "libdigestmd5";
    return type != SASL_VRFY_PLUGIN || strstr(file, wanted) != NULL ? SASL_OK : SASL_CONTINUE;
}

/* NUL is one, too. */
static bool is_blank(char c)
{
    return strchr(" \t\r\n\v\f", c) != NULL;
}

/* Names stay as they are: no blanks cut, no realm added. */
static int keep_name(sasl_conn_t *conn, void *context, const char *in, unsigned in_size, unsigned flags,
                     const char *realm, char *out, unsigned out_max, unsigned *out_size)
{
    (void)conn;
    (void)context;
    (void)flags;
    (void)realm;
    if (in_size == 0 || in_size >= out_max || is_blank(in[0]) || is_blank(in[in_size - 1])) {
        return SASL_BADPROT;
    }
    memcpy(out, in, in_size);
    out[in_size] = '\0';
    *out_size = in_size;
    return SASL_OK;
}

/* "user", in Kerberos "user@REALM" too where that is the default realm: Java's client sends the long form. */
static bool same_principal(const struct driver *driver, struct fk_bytes wanted, struct fk_bytes proved)
{
    size_t realm_size = strlen(driver->realm);
    if (fk_bytes_equal(wanted, proved)) {
        return true;
    }
    return realm_size > 0 && wanted.size == proved.size + 1 + realm_size && wanted.data[proved.size] == '@' &&
           fk_bytes_equal(fk_bytes_head(wanted, proved.size), proved) &&
           fk_bytes_equal_text(fk_bytes_tail(wanted, proved.size + 1), driver->realm);
}

/* Nobody acts for somebody else: whoever asks for another name than the proved one fails. */
static int check_proxy(sasl_conn_t *conn, void *context, const char *wanted, unsigned wanted_size, const char *proved,
                       unsigned proved_size, const char *realm, unsigned realm_size, struct propctx *properties)
{
    const struct exchange *exchange = (const struct exchange *)context;
    (void)conn;
    (void)realm;
    (void)realm_size;
    (void)properties;
    bool same = same_principal(exchange->driver, fk_bytes_of(wanted, wanted_size), fk_bytes_of(proved, proved_size));
    return same ? SASL_OK : SASL_BADAUTH;
}

/* The password of a user, or one that nobody has: the work is the same. All users are looked at, whoever it is. */
static const char *find_password(struct driver *driver, struct fk_bytes name)
{
    const struct fk_jaas_login *login = driver->options.login;
    const char *password = driver->dummy;
    bool known = false;
    for (size_t i = 0; i < login->user_count; i++) {
        bool same = fk_bytes_equal_secret(fk_bytes_text(login->users[i].name), name);
        password = same ? login->users[i].password : password;
        known = known || same;
    }
    if (known && driver->options.super_password != NULL && fk_bytes_equal_text(name, "super")) {
        password = driver->options.super_password;
    }
    if (driver->at_work != NULL) {
        driver->at_work->known = known;
    }
    return password;
}

static int look_up(void *context, sasl_server_params_t *params, unsigned flags, const char *user, unsigned size)
{
    (void)context;
    const struct propval *wanted = params->utils->prop_get(params->propctx);
    if (current == NULL) {
        return SASL_NOUSER;
    }
    if ((flags & SASL_AUXPROP_AUTHZID) != 0) {
        return SASL_OK; /* Java's client names itself there; who it may be is check_proxy's to say */
    }
    for (; wanted != NULL && wanted->name != NULL; wanted++) {
        if (strcasecmp(wanted->name, SASL_AUX_PASSWORD) == 0) {
            const char *password = find_password(current, fk_bytes_of(user, size));
            return params->utils->prop_set(params->propctx, wanted->name, password, -1);
        }
    }
    return SASL_NOUSER;
}

static int init_plugin(const sasl_utils_t *utils, int version_max, int *version, sasl_auxprop_plug_t **plugin,
                       const char *name)
{
    static char plugin_name[] = PLUGIN_NAME;
    static sasl_auxprop_plug_t ours = {.auxprop_lookup = look_up, .name = plugin_name};
    (void)utils;
    (void)name;
    if (version_max < SASL_AUXPROP_PLUG_VERSION) {
        return SASL_BADVERS;
    }
    *version = SASL_AUXPROP_PLUG_VERSION;
    *plugin = &ours;
    return SASL_OK;
}

static void *mutex_new(void)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)fk_alloc(sizeof(pthread_mutex_t));
    if (mutex != NULL) {
        (void)pthread_mutex_init(mutex, NULL);
    }
    return mutex;
}

static int mutex_lock(void *mutex)
{
    return pthread_mutex_lock((pthread_mutex_t *)mutex);
}

static int mutex_unlock(void *mutex)
{
    return pthread_mutex_unlock((pthread_mutex_t *)mutex);
}

static void mutex_free(void *mutex)
{
    if (mutex != NULL) {
        (void)pthread_mutex_destroy((pthread_mutex_t *)mutex);
        fk_free(mutex);
    }
}

static struct fk_sasl_exchange *exchange_begin(struct fk_sasl *sasl)
{
    struct driver *driver = FK_CONTAINER_OF(sasl, struct driver, base);
    struct exchange *exchange = (struct exchange *)fk_alloc_zero(sizeof *exchange);
    if (exchange == NULL) {
        return NULL;
    }
    exchange->driver = driver;
    exchange->callbacks[0] =
        (sasl_callback_t){SASL_CB_CANON_USER, (sasl_callback_ft)(void (*)(void))keep_name, exchange};
    exchange->callbacks[1] =
        (sasl_callback_t){SASL_CB_PROXY_POLICY, (sasl_callback_ft)(void (*)(void))check_proxy, exchange};
    exchange->callbacks[2] = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    sasl_security_properties_t properties = {.security_flags = SASL_SEC_NOANONYMOUS | SASL_SEC_NOPLAINTEXT};
    if (sasl_server_new(driver->service, driver->host, NULL, NULL, NULL, exchange->callbacks, SASL_SUCCESS_DATA,
                        &exchange->conn) != SASL_OK ||
        sasl_setprop(exchange->conn, SASL_SEC_PROPS, &properties) != SASL_OK) {
        sasl_dispose(&exchange->conn);
        fk_free(exchange);
        return NULL;
    }
    return (struct fk_sasl_exchange *)exchange;
}

static void exchange_end(struct fk_sasl *sasl, struct fk_sasl_exchange *handle)
{
    struct exchange *exchange = (struct exchange *)handle;
    (void)sasl;
    sasl_dispose(&exchange->conn);
    fk_free(exchange);
}

/* The proved name to the identity. */
static bool take_identity(const struct driver *driver, const struct exchange *exchange, struct fk_buf *identity)
{
    const void *value = NULL;
    if (sasl_getprop(exchange->conn, SASL_AUTHUSER, &value) != SASL_OK || value == NULL) {
        return false;
    }
    const char *name = (const char *)value;
    if (!driver->options.login->kerberos) {
        return exchange->known && fk_sasl_identity(fk_bytes_text(name), "", false, false, identity);
    }
    struct fk_buf principal = FK_BUF_EMPTY;
    fk_buf_append(&principal, fk_bytes_text(name));
    if (strchr(name, '@') == NULL) { /* the library cuts the default realm off */
        fk_buf_append(&principal, FK_BYTES_LITERAL("@"));
        fk_buf_append(&principal, fk_bytes_text(driver->realm));
    }
    bool ok = !principal.failed && fk_sasl_identity(fk_buf_view(&principal), driver->realm, driver->options.remove_host,
                                                    driver->options.remove_realm, identity);
    fk_buf_deinit(&principal);
    return ok;
}

static int run_step(struct driver *driver, struct exchange *exchange, struct fk_bytes token, const char **out,
                    unsigned *out_size)
{
    const char *text = (const char *)token.data;
    if (exchange->started) {
        if (!driver->options.login->kerberos && !fk_sasl_digest_check(token)) {
            return SASL_BADAUTH;
        }
        return sasl_server_step(exchange->conn, text, (unsigned)token.size, out, out_size);
    }
    exchange->started = true;
    if (driver->options.login->kerberos) {
        return sasl_server_start(exchange->conn, "GSSAPI", text, (unsigned)token.size, out, out_size);
    }
    /* The first word is the server's; what the client says before it counts for nothing, as with Java's server. */
    return sasl_server_start(exchange->conn, "DIGEST-MD5", NULL, 0, out, out_size);
}

static enum fk_sasl_result exchange_step(struct fk_sasl *sasl, struct fk_sasl_exchange *handle, struct fk_bytes token,
                                         struct fk_buf *reply, bool *has_reply, struct fk_buf *identity)
{
    struct driver *driver = FK_CONTAINER_OF(sasl, struct driver, base);
    struct exchange *exchange = (struct exchange *)handle;
    const char *out = NULL;
    unsigned out_size = 0;
    driver->at_work = exchange;
    int result = run_step(driver, exchange, token, &out, &out_size);
    driver->at_work = NULL;
    if (result != SASL_OK && result != SASL_CONTINUE) {
        return FK_SASL_FAILED;
    }
    *has_reply = out != NULL && (out_size > 0 || result == SASL_CONTINUE);
    if (out != NULL) {
        fk_buf_append(reply, fk_bytes_of(out, out_size));
    }
    if (result == SASL_CONTINUE) {
        return FK_SASL_CONTINUE;
    }
    return take_identity(driver, exchange, identity) ? FK_SASL_DONE : FK_SASL_FAILED;
}

static const struct fk_sasl_ops driver_ops = {
    .begin = exchange_begin,
    .step = exchange_step,
    .end = exchange_end,
};

static char *copy_text(const char *text, size_t size)
{
    char *copy = (char *)fk_alloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

static enum fk_err krb5_failed(krb5_context context, krb5_error_code code, const char *what, const char *name,
                               struct fk_diag *diag)
{
    const char *text = krb5_get_error_message(context, code);
    fk_diag_set(diag, "%s %s: %s", what, name, text);
    krb5_free_error_message(context, text);
    return FK_ERR_USAGE;
}

/* The keytab has a key of the principal: found out now, not with the first client. */
static enum fk_err check_keytab(krb5_context context, const struct fk_jaas_login *login, struct fk_diag *diag)
{
    krb5_principal principal = NULL;
    krb5_keytab keytab = NULL;
    krb5_keytab_entry entry;
    enum fk_err err = FK_OK;
    krb5_error_code code = krb5_parse_name(context, login->principal, &principal);
    if (code != 0) {
        return krb5_failed(context, code, "principal", login->principal, diag);
    }
    code = krb5_kt_resolve(context, login->keytab, &keytab);
    if (code == 0) {
        code = krb5_kt_get_entry(context, keytab, principal, 0, 0, &entry);
    }
    if (code != 0) {
        err = krb5_failed(context, code, "keytab", login->keytab, diag);
    } else {
        (void)krb5_free_keytab_entry_contents(context, &entry);
    }
    if (keytab != NULL) {
        (void)krb5_kt_close(context, keytab);
    }
    krb5_free_principal(context, principal);
    return err;
}

/* Service and host of the principal, and the default realm. */
static enum fk_err init_kerberos(struct driver *driver, struct fk_diag *diag)
{
    const char *principal = driver->options.login->principal;
    const char *slash = strchr(principal, '/'); /* the parser has seen to it */
    krb5_context context = NULL;
    char *realm = NULL;
    driver->service = copy_text(principal, (size_t)(slash - principal));
    driver->host = copy_text(slash + 1, strcspn(slash + 1, "@"));
    /* The plugin's own option for it leaks. Nothing else runs yet that could look at the environment. */
    if (setenv("KRB5_KTNAME", driver->options.login->keytab, 1) != 0) {
        return FK_ERR_NOMEM;
    }
    if (krb5_init_context(&context) != 0) {
        fk_diag_set(diag, "Kerberos: can't read its configuration (krb5.conf)");
        return FK_ERR_USAGE;
    }
    enum fk_err err = check_keytab(context, driver->options.login, diag);
    krb5_error_code code = err == FK_OK ? krb5_get_default_realm(context, &realm) : 0;
    if (code != 0) {
        err = krb5_failed(context, code, "Kerberos", "default realm", diag);
    } else if (err == FK_OK) {
        driver->realm = copy_text(realm, strlen(realm));
        krb5_free_default_realm(context, realm);
    }
    krb5_free_context(context);
    return err;
}

static enum fk_err init_digest(struct driver *driver)
{
    uint8_t random[DUMMY_SIZE / 2];
    fk_random_fill(driver->options.random, random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++) {
        (void)snprintf(driver->dummy + 2 * i, 3, "%02x", random[i]);
    }
    driver->service = copy_text(FK_SASL_DIGEST_SERVICE, strlen(FK_SASL_DIGEST_SERVICE));
    driver->host = copy_text(FK_SASL_DIGEST_HOST, strlen(FK_SASL_DIGEST_HOST));
    driver->realm = copy_text("", 0);
    return FK_OK;
}

static bool has_mechanism(const char *wanted)
{
    const char **list = sasl_global_listmech();
    for (; list != NULL && *list != NULL; list++) {
        if (strcasecmp(*list, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static enum fk_err init_library(struct driver *driver, struct fk_diag *diag)
{
    bool kerberos = driver->options.login->kerberos;
    driver->callbacks[0] = (sasl_callback_t){SASL_CB_GETOPT, (sasl_callback_ft)(void (*)(void))get_option, driver};
    driver->callbacks[1] = (sasl_callback_t){SASL_CB_LOG, (sasl_callback_ft)(void (*)(void))log_message, NULL};
    driver->callbacks[2] = (sasl_callback_t){SASL_CB_VERIFYFILE, (sasl_callback_ft)(void (*)(void))choose_file, driver};
    driver->callbacks[3] = (sasl_callback_t){SASL_CB_LIST_END, NULL, NULL};
    current = driver;
    sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
    /* No name of an application: then the library reads no file of options. */
    int result = sasl_server_init(driver->callbacks, NULL);
    if (result == SASL_OK) {
        result = sasl_auxprop_add_plugin(PLUGIN_NAME, init_plugin);
    }
    if (result != SASL_OK) {
        fk_diag_set(diag, "the SASL library does not start: %s", sasl_errstring(result, NULL, NULL));
        return FK_ERR_USAGE;
    }
    if (!has_mechanism(kerberos ? "GSSAPI" : "DIGEST-MD5")) {
        fk_diag_set(diag, "the SASL library has no %s; on Debian, install %s", kerberos ? "GSSAPI" : "DIGEST-MD5",
                    kerberos ? "libsasl2-modules-gssapi-mit" : "libsasl2-modules");
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

enum fk_err fk_sasl_cyrus_new(const struct fk_sasl_cyrus_options *options, struct fk_sasl **sasl, struct fk_diag *diag)
{
    if (!options->login->kerberos && options->login->user_count == 0) {
        fk_diag_set(diag, "the login section has no user (user_NAME=\"password\") and no Kerberos principal");
        return FK_ERR_USAGE;
    }
    struct driver *driver = (struct driver *)fk_alloc_zero(sizeof *driver);
    if (driver == NULL) {
        return FK_ERR_NOMEM;
    }
    driver->base = (struct fk_sasl){.ops = &driver_ops, .blocks = options->login->kerberos};
    driver->options = *options;
    enum fk_err err = options->login->kerberos ? init_kerberos(driver, diag) : init_digest(driver);
    if (err == FK_OK && (driver->service == NULL || driver->host == NULL || driver->realm == NULL)) {
        err = FK_ERR_NOMEM;
    }
    if (err == FK_OK) {
        err = init_library(driver, diag);
    }
    if (err != FK_OK) {
        fk_sasl_cyrus_free(&driver->base);
        return err;
    }
    *sasl = &driver->base;
    return FK_OK;
}

void fk_sasl_cyrus_free(struct fk_sasl *sasl)
{
    if (sasl == NULL) {
        return;
    }
    struct driver *driver = FK_CONTAINER_OF(sasl, struct driver, base);
    if (current == driver) {
        sasl_server_done();
        current = NULL;
    }
    fk_free(driver->service);
    fk_free(driver->host);
    fk_free(driver->realm);
    explicit_bzero(driver->dummy, sizeof driver->dummy);
    fk_free(driver);
}
