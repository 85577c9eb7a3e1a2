// SPDX-License-Identifier: Apache-2.0
#include "driver/aws/deployment_rules.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of the table. */
enum rule {
    EXTENDED_TYPES,
    ENFORCE_QUOTA,
    SKIP_ACL,
    RECONFIG,
    DIGEST,
    ACL_SCHEMES,
    ANY_SASL_USER,
    NEVER_USED_MS,
};

enum {
    DIGITS_MAX = 18, /* so many fit 64 bits */
};

static const char switches[] = "true or false";

const struct fk_deployment_rule fk_deployment_rules[FK_DEPLOYMENT_RULES] = {
    [EXTENDED_TYPES] = {"extendedTypesEnabled", "FK_EXTENDED_TYPES", "ExtendedTypes", "--extended-types", switches},
    [ENFORCE_QUOTA] = {"enforceQuota", "FK_ENFORCE_QUOTA", "EnforceQuota", "--enforce-quota", switches},
    [SKIP_ACL] = {"skipACL", "FK_SKIP_ACL", "SkipAcl", "--skip-acl", switches},
    [RECONFIG] = {"reconfigEnabled", "FK_RECONFIG", "Reconfig", "--reconfig", switches},
    [DIGEST] = {"DigestAuthenticationProvider.enabled", "FK_DIGEST", "Digest", "--digest", switches},
    [ACL_SCHEMES] = {"authProvider", "FK_ACL_SCHEMES", "AclSchemes", "--acl-schemes", "none, sasl, x509 or sasl,x509"},
    [ANY_SASL_USER] = {"letAnySaslUserDoX", "FK_ANY_SASL_USER", "AnySaslUser", "--any-sasl-user",
                       "a name of 1 to 127 printable characters, or none"},
    [NEVER_USED_MS] = {"znode.container.maxNeverUsedIntervalMs", "FK_CONTAINER_NEVER_USED_MS", "ContainerNeverUsedMs",
                       "--container-never-used-ms", "milliseconds, of up to 18 digits; 0: never"},
};

static bool set_switch(const char *text, bool otherwise, bool *value)
{
    *value = text[0] == '\0' ? otherwise : strcmp(text, "true") == 0;
    return text[0] == '\0' || *value || strcmp(text, "false") == 0;
}

static bool set_schemes(const char *text, unsigned *schemes)
{
    static const struct {
        const char *text;
        unsigned schemes;
    } lists[] = {{"", 0},
                 {"none", 0},
                 {"sasl", FK_SCHEME_SASL},
                 {"x509", FK_SCHEME_X509},
                 {"sasl,x509", FK_SCHEME_SASL | FK_SCHEME_X509}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (strcmp(text, lists[i].text) == 0) {
            *schemes = lists[i].schemes;
            return true;
        }
    }
    return false;
}

static bool set_name(const char *text, const char **name)
{
    size_t size = strlen(text);
    *name = size == 0 || strcmp(text, "none") == 0 ? NULL : text;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return false;
        }
    }
    return size < FK_DEPLOYMENT_RULE_SIZE;
}

static bool set_milliseconds(const char *text, int64_t *value)
{
    size_t size = strlen(text);
    *value = size <= DIGITS_MAX ? strtoll(text, NULL, 10) : 0;
    return size <= DIGITS_MAX && strspn(text, "0123456789") == size;
}

/* Where a switch stands that is off by default; NULL: the rule is none of these. */
static bool *plain_switch(size_t index, struct fk_rules *rules)
{
    switch ((enum rule)index) {
    case EXTENDED_TYPES:
        return &rules->extended_types;
    case ENFORCE_QUOTA:
        return &rules->enforce_quota;
    case SKIP_ACL:
        return &rules->skip_acl;
    case RECONFIG:
        return &rules->reconfig_enabled;
    case DIGEST:
    case ACL_SCHEMES:
    case ANY_SASL_USER:
    case NEVER_USED_MS:
    default:
        return NULL;
    }
}

bool fk_deployment_rule_set(size_t index, const char *text, struct fk_rules *rules)
{
    const char *value = text == NULL ? "" : text;
    bool *plain = plain_switch(index, rules);
    bool on = true;
    if (plain != NULL) {
        return set_switch(value, false, plain);
    }
    if (index == DIGEST) {
        bool right = set_switch(value, true, &on);
        rules->digest_disabled = !on;
        return right;
    }
    if (index == ACL_SCHEMES) {
        return set_schemes(value, &rules->schemes);
    }
    if (index == ANY_SASL_USER) {
        return set_name(value, &rules->any_sasl);
    }
    FK_ASSERT(index == NEVER_USED_MS);
    return set_milliseconds(value, &rules->never_used_ms);
}

static const char *schemes_text(unsigned schemes)
{
    bool sasl = (schemes & FK_SCHEME_SASL) != 0;
    bool x509 = (schemes & FK_SCHEME_X509) != 0;
    return sasl && x509 ? "sasl,x509" : sasl ? "sasl" : x509 ? "x509" : "none";
}

void fk_deployment_rule_text(size_t index, const struct fk_rules *rules, char text[FK_DEPLOYMENT_RULE_SIZE])
{
    struct fk_rules copy = *rules;
    const bool *plain = plain_switch(index, &copy);
    bool no_user = rules->any_sasl == NULL || rules->any_sasl[0] == '\0';
    if (plain != NULL || index == DIGEST) {
        bool on = plain == NULL ? !rules->digest_disabled : *plain;
        (void)snprintf(text, FK_DEPLOYMENT_RULE_SIZE, "%s", on ? "true" : "false");
    } else if (index == ACL_SCHEMES) {
        (void)snprintf(text, FK_DEPLOYMENT_RULE_SIZE, "%s", schemes_text(rules->schemes));
    } else if (index == ANY_SASL_USER) {
        (void)snprintf(text, FK_DEPLOYMENT_RULE_SIZE, "%s", no_user ? "none" : rules->any_sasl);
    } else {
        FK_ASSERT(index == NEVER_USED_MS);
        (void)snprintf(text, FK_DEPLOYMENT_RULE_SIZE, "%" PRId64, rules->never_used_ms);
    }
}

enum fk_err fk_deployment_rules_from_environment(struct fk_rules *rules, struct fk_diag *diag)
{
    *rules = (struct fk_rules){.extended_types = false};
    for (size_t i = 0; i < FK_DEPLOYMENT_RULES; i++) {
        const struct fk_deployment_rule *rule = &fk_deployment_rules[i];
        const char *value = getenv(rule->variable);
        if (!fk_deployment_rule_set(i, value, rules)) {
            fk_diag_set(diag, "environment: %s is '%.64s', not %s", rule->variable, value, rule->expected);
            return FK_ERR_USAGE;
        }
    }
    return FK_OK;
}
