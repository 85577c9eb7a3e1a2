// SPDX-License-Identifier: Apache-2.0
/* The certificates of a server that runs: read at the start, and again when their files change or SIGHUP comes.
 * Connections keep what they began with; files that can't be used leave everything as it was, and the log tells. */
#ifndef FK_HOST_CERTIFICATES_H
#define FK_HOST_CERTIFICATES_H

#include "gateway/tls.h"

#include <uv.h>

struct fk_certificates {
    struct fk_tls_context *context; /* NULL: no TLS */
    uv_fs_poll_t files[2];          /* key store, trust store */
    unsigned watched;               /* handles of `files` in use; closing the loop closes them */
};

/* Only where a listener speaks TLS. The options' strings are borrowed. USAGE with diag where a store is missing or
 * can't be used. */
enum fk_err fk_certificates_open(struct fk_certificates *certificates, const struct fk_tls_options *options,
                                 struct fk_diag *diag);
/* Looks at the files every few seconds. */
void fk_certificates_watch(struct fk_certificates *certificates, uv_loop_t *loop, const struct fk_tls_options *options);
void fk_certificates_reload(struct fk_certificates *certificates);
/* After the loop was closed, and with it every connection. */
void fk_certificates_close(struct fk_certificates *certificates);

#endif
