// SPDX-License-Identifier: Apache-2.0
/* The body of a call to one of AWS's query services (CloudFormation, CloudWatch, STS): a form. */
#ifndef FK_DEPLOY_FORM_H
#define FK_DEPLOY_FORM_H

#include "base/buf.h"

/* Appends "&name=value", the first without '&'; the value is percent-encoded, the name must need none. */
void fk_form_add(struct fk_buf *form, const char *name, const char *value);
void fk_form_add_bytes(struct fk_buf *form, const char *name, struct fk_bytes value);
/* "prefix.member.N.suffix=value", as lists are written; no suffix where it is "". */
void fk_form_add_member(struct fk_buf *form, const char *prefix, size_t index, const char *suffix, const char *value);

/* Percent-encodes all but the characters that no URI needs encoded; '/' too unless `keep_slash`. */
void fk_form_encode(struct fk_buf *out, struct fk_bytes value, bool keep_slash);

#endif
