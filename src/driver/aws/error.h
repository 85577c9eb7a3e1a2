// SPDX-License-Identifier: Apache-2.0
/* What an answer of AWS that is no success says: the code and a text, out of JSON, XML or headers. */
#ifndef FK_DRIVER_AWS_ERROR_H
#define FK_DRIVER_AWS_ERROR_H

#include "http/answer.h"

enum {
    FK_AWS_CODE_SIZE = 96,
    FK_AWS_MESSAGE_SIZE = 256,
};

/* Reads both; where there is no code it is made from the status: "Http404". The message is cut, and ends with its first
 * line: behind it some services repeat the request with its token. */
void fk_aws_error_read(const struct fk_http_answer *answer, char code[FK_AWS_CODE_SIZE],
                       char message[FK_AWS_MESSAGE_SIZE]);

/* Whether a TransactionCanceledException was cancelled for nothing but conflicts with others and throttling: then the
 * same transaction may succeed later. */
bool fk_aws_error_is_conflict(struct fk_bytes body);

#endif
