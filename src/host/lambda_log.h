// SPDX-License-Identifier: Apache-2.0
/* The log of a Lambda function: JSON lines on standard error, which Lambda collects. Each says which invocation it
 * belongs to. */
#ifndef FK_HOST_LAMBDA_LOG_H
#define FK_HOST_LAMBDA_LOG_H

#include "host/lambda.h"

/* From here on fk_log writes. `level` is what AWS_LAMBDA_LOG_LEVEL says (TRACE, DEBUG, INFO, WARN, ERROR, FATAL); info
 * for NULL and anything else. */
void fk_lambda_log_open(const char *level);

/* What this thread logs belongs to the invocation, until the end; its views are borrowed. */
void fk_lambda_log_begin(const struct fk_invocation *invocation);
void fk_lambda_log_end(void);

#endif
