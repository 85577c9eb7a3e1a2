// SPDX-License-Identifier: Apache-2.0
/* Words by their length: words.c dispatches and has the short ones, words_lists.c those that grow with clients. */
#ifndef FK_GATEWAY_WORDS_INTERNAL_H
#define FK_GATEWAY_WORDS_INTERNAL_H

#include "gateway/gateway_internal.h"
#include "gateway/inspect.h"

void fk_word_write_connections(struct fk_gateway *gateway, struct fk_buf *out, bool details);
void fk_word_write_dump(struct fk_gateway *gateway, struct fk_buf *out);
void fk_word_write_watches(struct fk_gateway *gateway, struct fk_buf *out, bool by_path);

#endif
