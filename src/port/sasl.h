// SPDX-License-Identifier: Apache-2.0
/* The SASL port: takes the tokens of clients that prove who they are. Which mechanisms there are, where secrets come
 * from and how they are compared is the driver's affair; the gateway sees tokens and, at the end, a name.
 *
 * Drivers fail closed: whatever is missing, doubled, unknown or unexpected in a token is FK_SASL_FAILED, and an
 * unknown user costs the same work and gets the same answer as a wrong password. */
#ifndef FK_PORT_SASL_H
#define FK_PORT_SASL_H

#include "base/buf.h"

enum fk_sasl_result {
    FK_SASL_FAILED, /* the exchange is over, nobody is proved */
    FK_SASL_CONTINUE,
    FK_SASL_DONE,
};

struct fk_sasl;
struct fk_sasl_exchange;

struct fk_sasl_ops {
    /* The beginning of an exchange; NULL without memory. */
    struct fk_sasl_exchange *(*begin)(struct fk_sasl *sasl);
    /* Takes the next token of the client. CONTINUE and DONE: `reply` has the token that goes back, *has_reply tells an
     * empty one from none. DONE: `identity` has the name that was proved, never empty. After FAILED and DONE only `end`
     * may follow. May wait (for a file, a name server) where the driver's `blocks` is true: it then runs on a thread of
     * its own, for one exchange at a time. */
    enum fk_sasl_result (*step)(struct fk_sasl *sasl, struct fk_sasl_exchange *exchange, struct fk_bytes token,
                                struct fk_buf *reply, bool *has_reply, struct fk_buf *identity);
    /* Frees it, half done or not. */
    void (*end)(struct fk_sasl *sasl, struct fk_sasl_exchange *exchange);
};

struct fk_sasl {
    const struct fk_sasl_ops *ops;
    bool blocks;
};

static inline struct fk_sasl_exchange *fk_sasl_begin(struct fk_sasl *sasl)
{
    return sasl->ops->begin(sasl);
}

static inline enum fk_sasl_result fk_sasl_step(struct fk_sasl *sasl, struct fk_sasl_exchange *exchange,
                                               struct fk_bytes token, struct fk_buf *reply, bool *has_reply,
                                               struct fk_buf *identity)
{
    return sasl->ops->step(sasl, exchange, token, reply, has_reply, identity);
}

static inline void fk_sasl_end(struct fk_sasl *sasl, struct fk_sasl_exchange *exchange)
{
    sasl->ops->end(sasl, exchange);
}

#endif
