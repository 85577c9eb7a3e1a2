// SPDX-License-Identifier: Apache-2.0
/* Addresses as texts, for whoever listens. */
#ifndef FK_GATEWAY_UV_ADDRESS_H
#define FK_GATEWAY_UV_ADDRESS_H

#include "base/buf.h"
#include "base/err.h"

#include <uv.h>

/* HOST:PORT or [v6]:PORT, names or numbers; names are resolved once, at the start. USAGE with diag. */
enum fk_err fk_uv_resolve(uv_loop_t *loop, const char *address, struct sockaddr_storage *out, struct fk_diag *diag);

/* Appends the address that a socket has got. */
void fk_uv_socket_name(const uv_tcp_t *socket, struct fk_buf *out);

#endif
