// SPDX-License-Identifier: Apache-2.0
/* Who we are to AWS. Inside src/driver/aws only. */
#ifndef FK_DRIVER_AWS_CREDENTIALS_H
#define FK_DRIVER_AWS_CREDENTIALS_H

#include "driver/aws/settings.h"

/* Copies keys that are good for a while; they are looked for at the first call, and renewed by the first caller who
 * comes less than 5 minutes before their end, while others go on with those that are still good. From any thread.
 * Where: environment, shared files, container, instance metadata. USAGE: nowhere, or in a way that isn't supported. */
enum fk_err fk_aws_keys_get(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag);

/* A service said that these have expired: the next call gets new ones. */
void fk_aws_keys_expired(struct fk_aws_settings *settings, uint64_t serial);

/* Reads the answer of a container or of the instance metadata. MALFORMED: it is none. */
enum fk_err fk_aws_keys_parse(struct fk_bytes text, struct fk_aws_keys *keys, struct fk_diag *diag);

/* Milliseconds since 1970 of "2026-11-29T14:00:00Z" and of "Sun, 29 Nov 2026 14:00:00 GMT"; -1 for others. */
int64_t fk_aws_time_parse(struct fk_bytes text);
int64_t fk_aws_date_parse(struct fk_bytes text);

/* --- one source each; NOT_FOUND: it says nothing --- */

enum fk_err fk_aws_keys_of_environment(const struct fk_aws_settings *settings, struct fk_aws_keys *keys,
                                       struct fk_diag *diag);
enum fk_err fk_aws_keys_of_profile(const struct fk_aws_settings *settings, struct fk_aws_keys *keys,
                                   struct fk_diag *diag);
enum fk_err fk_aws_keys_of_container(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag);
enum fk_err fk_aws_keys_of_instance(struct fk_aws_settings *settings, struct fk_aws_keys *keys, struct fk_diag *diag);

#endif
