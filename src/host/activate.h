// SPDX-License-Identifier: Apache-2.0
/* Sockets that systemd has opened for us (LISTEN_FDS of sd_listen_fds(3)), without its library. */
#ifndef FK_HOST_ACTIVATE_H
#define FK_HOST_ACTIVATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FK_ACTIVATED_MAX = 8,            /* a plain and a secure socket, for each of a few addresses */
    FK_ACTIVATED_ADDRESS_SIZE = 128, /* unix: and the longest path of a socket */
};

struct fk_activated {
    int descriptor;
    bool secure;                             /* FileDescriptorName=secure: TLS is spoken there */
    char address[FK_ACTIVATED_ADDRESS_SIZE]; /* as --listen takes it */
};

/* Takes the sockets that were handed over, and removes the variables from the environment. *count is 0 where there are
 * none, or where they are meant for another process. USAGE with diag where one is no listening stream socket. */
enum fk_err fk_activate_take(struct fk_activated items[FK_ACTIVATED_MAX], size_t *count, struct fk_diag *diag);

#endif
