// SPDX-License-Identifier: Apache-2.0
/* Where `serve` listens: what its options say, or the file, or the loopback. */
#ifndef FK_CLI_SERVE_LISTEN_H
#define FK_CLI_SERVE_LISTEN_H

#include "cli/config.h"
#include "gateway/uv_server.h"
#include "host/activate.h"

enum {
    FK_LISTEN_OPTIONS_MAX = 16, /* --listen options */
};

struct fk_serve_listen {
    struct fk_listen items[FK_LISTEN_OPTIONS_MAX + FK_ACTIVATED_MAX + 1]; /* and secureClientPort */
    size_t count;
    struct fk_activated activated[FK_ACTIVATED_MAX]; /* sockets of the service manager; */
    size_t activated_count;                          /* they stand for clientPort, secure ones for secureClientPort */
    char text[2][300];                               /* addresses that the file names */
};

/* A --listen option; false where there are too many. tls:ADDRESS is one where TLS is spoken. */
bool fk_serve_listen_add(struct fk_serve_listen *listen, const char *text);
/* Adds the activated sockets, and what the configuration says and none of them stands for: clientPort unless there are
 * options, secureClientPort always. */
void fk_serve_listen_configure(struct fk_serve_listen *listen, const struct fk_config *config);
/* True where one of them speaks TLS. */
bool fk_serve_listen_tls(const struct fk_serve_listen *listen);

#endif
