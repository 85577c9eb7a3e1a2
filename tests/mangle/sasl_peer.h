// SPDX-License-Identifier: Apache-2.0
/* The client side of mangled SASL: DIGEST-MD5 of RFC 2831 written from the RFC, sharing no code with the server. */
#ifndef FK_TESTS_MANGLE_SASL_PEER_H
#define FK_TESTS_MANGLE_SASL_PEER_H

#include "damage.h"

/* Who the client says he is, and what he knows. */
struct credentials {
    const char *user;
    const char *password;
    bool right; /* the server must let him in */
};

/* Takes a challenge apart; false where it has no nonce. */
bool sasl_peer_nonce(struct fk_bytes challenge, char *nonce, size_t size);

/* Writes the token that answers the nonce, its fields in any order that the RFC allows. With `strange` one field is
 * missing, doubled or foreign: nobody may be let in with it. */
void sasl_peer_response(struct random *random, const struct credentials *credentials, const char *nonce, bool strange,
                        struct fk_buf *token);

/* What the server must answer to the token to prove that it has the password. */
bool sasl_peer_proved(const struct credentials *credentials, const char *nonce, struct fk_bytes answer);

#endif
