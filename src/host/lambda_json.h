// SPDX-License-Identifier: Apache-2.0
#ifndef FK_HOST_LAMBDA_JSON_H
#define FK_HOST_LAMBDA_JSON_H

#include "base/buf.h"

#include <jansson.h>

/* Appends the text of a value, which is taken; one that is NULL, for want of memory, fails the buffer. */
void fk_lambda_json_append(struct fk_buf *out, json_t *value);

#endif
