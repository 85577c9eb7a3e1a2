// SPDX-License-Identifier: Apache-2.0
/* What the files of the configuration share: the table of keys, and how values are read into a struct fk_config. */
#ifndef FK_CLI_CONFIG_INTERNAL_H
#define FK_CLI_CONFIG_INTERNAL_H

#include "cli/config.h"

enum fk_config_kind {
    FK_CONFIG_NUMBER,  /* int32_t from min to max */
    FK_CONFIG_LONG,    /* int64_t from min to max */
    FK_CONFIG_SWITCH,  /* bool: yes, true, no, false */
    FK_CONFIG_TEXT,    /* char * */
    FK_CONFIG_PATH,    /* char *, not empty */
    FK_CONFIG_SECRET,  /* char *, never shown */
    FK_CONFIG_ADDRESS, /* char *: a host name or address */
    FK_CONFIG_SPECIAL, /* `set` reads it */
    FK_CONFIG_IGNORED, /* known, and without effect here, which surprises nobody */
    FK_CONFIG_REFUSED, /* known, and not honoured: one warning with the reason and the alternative, `text` */
};

/* Where a value stands, for messages. */
struct fk_config_value {
    const struct fk_place *place;
    const char *key;
    const char *value;
    struct fk_diag *diag;
};

struct fk_config_key {
    const char *name; /* a '*' at the end stands for anything */
    enum fk_config_kind kind;
    size_t offset; /* in struct fk_config */
    int64_t min;
    int64_t max;
    enum fk_err (*set)(struct fk_config *config, const struct fk_config_value *value);
    const char *standard; /* the default, for documents */
    const char *text;     /* what it does, for documents; or why not */
};

extern const struct fk_config_key fk_config_keys[];
extern const size_t fk_config_key_count;

/* The row of a key without prefix, or NULL. */
const struct fk_config_key *fk_config_find(const char *name);

/* USAGE with place, key, value and what is allowed. */
enum fk_err fk_config_refuse(const struct fk_config_value *value, const char *allowed);

/* Reads the value into the place that the row names. */
enum fk_err fk_config_set(struct fk_config *config, const struct fk_config_key *key,
                          const struct fk_config_value *value);
enum fk_err fk_config_set_text(const struct fk_config_value *value, char **out);

/* Those of FK_CONFIG_SPECIAL. */
enum fk_err fk_config_set_words(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_super_digest(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_server(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_super_user(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_client_auth(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_ocsp(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_auth_provider(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_digest(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_provider(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_require_scheme(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_log_level(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_log_format(struct fk_config *config, const struct fk_config_value *value);
enum fk_err fk_config_set_metrics(struct fk_config *config, const struct fk_config_value *value);

#endif
