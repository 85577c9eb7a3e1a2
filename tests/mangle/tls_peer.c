// SPDX-License-Identifier: Apache-2.0
#include "tls_peer.h"

#include <stdio.h>
#include <stdlib.h>

static SSL_CTX *contexts[IDENTITY_COUNT];

static void must(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "tls-mangle: %s\n", what);
        exit(2);
    }
}

void peer_contexts(const char *directory)
{
    static const char *const names[IDENTITY_COUNT] = {NULL, "client", "stranger"};
    for (size_t i = 0; i < IDENTITY_COUNT; i++) {
        contexts[i] = SSL_CTX_new(TLS_client_method());
        must(contexts[i] != NULL, "no memory");
        SSL_CTX_set_verify(contexts[i], SSL_VERIFY_NONE, NULL);
        if (names[i] != NULL) {
            char path[512];
            (void)snprintf(path, sizeof path, "%s/%s.pem", directory, names[i]);
            must(SSL_CTX_use_certificate_chain_file(contexts[i], path) == 1, path);
            must(SSL_CTX_use_PrivateKey_file(contexts[i], path, SSL_FILETYPE_PEM) == 1, path);
        }
    }
}

void peer_contexts_free(void)
{
    for (size_t i = 0; i < IDENTITY_COUNT; i++) {
        SSL_CTX_free(contexts[i]);
    }
}

struct peer peer_new(struct random *random, enum identity identity)
{
    struct peer peer = {.ssl = SSL_new(contexts[identity]), .in = BIO_new(BIO_s_mem()), .out = BIO_new(BIO_s_mem())};
    must(peer.ssl != NULL && peer.in != NULL && peer.out != NULL, "no memory");
    (void)BIO_set_mem_eof_return(peer.in, -1);
    SSL_set_bio(peer.ssl, peer.in, peer.out);
    SSL_set_connect_state(peer.ssl);
    size_t versions = random_below(random, 3);
    (void)SSL_set_min_proto_version(peer.ssl, versions == 1 ? TLS1_3_VERSION : TLS1_2_VERSION);
    (void)SSL_set_max_proto_version(peer.ssl, versions == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
    return peer;
}

void peer_free(struct peer *peer)
{
    SSL_free(peer->ssl);
}
