// SPDX-License-Identifier: Apache-2.0
/* The rules of a deployment (model/rules.h) by name: as a zoo.cfg has them, as variables of the functions, parameters
 * of the template and options of `faaskeeper deploy`. */
#ifndef FK_DRIVER_AWS_DEPLOYMENT_RULES_H
#define FK_DRIVER_AWS_DEPLOYMENT_RULES_H

#include "base/err.h"
#include "model/rules.h"

#include <stddef.h>

enum {
    FK_DEPLOYMENT_RULES = 8,
    FK_DEPLOYMENT_RULE_SIZE = 128, /* of a value as text, its end included */
};

struct fk_deployment_rule {
    const char *key;       /* as zoo.cfg and the deployment's item call it */
    const char *variable;  /* of a function's environment */
    const char *parameter; /* of the template */
    const char *option;    /* of deploy */
    const char *expected;  /* which values there are, in words */
};

extern const struct fk_deployment_rule fk_deployment_rules[FK_DEPLOYMENT_RULES];

/* Takes a value in its one spelling: rule `index` of `rules`. NULL and "" are the default. The text of a name is
 * borrowed. False: it is none of its values. */
bool fk_deployment_rule_set(size_t index, const char *text, struct fk_rules *rules);

/* The value as text, so that equal values have equal texts. */
void fk_deployment_rule_text(size_t index, const struct fk_rules *rules, char text[FK_DEPLOYMENT_RULE_SIZE]);

/* Reads all of them from the environment; what is not set has its default. USAGE: diag names the variable and its
 * values. Names are borrowed from the environment. */
enum fk_err fk_deployment_rules_from_environment(struct fk_rules *rules, struct fk_diag *diag);

#endif
