// SPDX-License-Identifier: Apache-2.0
/* The client side of mangled TLS: OpenSSL's own client over memory. */
#ifndef FK_TESTS_MANGLE_TLS_PEER_H
#define FK_TESTS_MANGLE_TLS_PEER_H

#include "damage.h"

#include <openssl/ssl.h>

/* Who the client is. */
enum identity {
    IDENTITY_NONE,
    IDENTITY_CLIENT,   /* of the authority that the server trusts */
    IDENTITY_STRANGER, /* of another one */
    IDENTITY_COUNT,
};

struct peer {
    SSL *ssl;
    BIO *in;  /* what came from the server */
    BIO *out; /* what goes to it */
};

/* Contexts of all clients from the files of run-tls; ends the program where they can't be read. */
void peer_contexts(const char *directory);
void peer_contexts_free(void);

/* A client with that identity that speaks TLS 1.2 only, 1.3 only, or both, as the seed wants. */
struct peer peer_new(struct random *random, enum identity identity);
void peer_free(struct peer *peer);

#endif
