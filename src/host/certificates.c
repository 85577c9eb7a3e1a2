// SPDX-License-Identifier: Apache-2.0
#include "host/certificates.h"

#include "base/log.h"

enum {
    WATCH_MS = 5000,
};

enum fk_err fk_certificates_open(struct fk_certificates *certificates, const struct fk_tls_options *options,
                                 struct fk_diag *diag)
{
    certificates->watched = 0;
    certificates->context = NULL;
    return fk_tls_context_new(options, &certificates->context, diag);
}

void fk_certificates_reload(struct fk_certificates *certificates)
{
    struct fk_diag diag = {.text = ""};
    if (certificates->context == NULL) {
        return;
    }
    enum fk_err err = fk_tls_context_reload(certificates->context, &diag);
    if (err == FK_OK) {
        fk_log(FK_LOG_INFO, "certificates were read again; new connections get them");
    } else {
        fk_log(FK_LOG_ERROR, "new certificates can't be used, the old ones stay: %s",
               diag.text[0] == '\0' ? fk_err_text(err) : diag.text);
    }
}

/* A file that is being replaced may be missing for a moment: the next change brings it back. */
static void on_change(uv_fs_poll_t *poll, int status, const uv_stat_t *before, const uv_stat_t *after)
{
    (void)before;
    (void)after;
    if (status == 0) {
        fk_certificates_reload((struct fk_certificates *)poll->data);
    }
}

void fk_certificates_watch(struct fk_certificates *certificates, uv_loop_t *loop, const struct fk_tls_options *options)
{
    const char *const paths[] = {options->key_store, options->trust_store};
    for (size_t i = 0; i < 2 && certificates->context != NULL; i++) {
        if (paths[i] != NULL) {
            uv_fs_poll_t *poll = &certificates->files[certificates->watched++];
            (void)uv_fs_poll_init(loop, poll);
            poll->data = certificates;
            (void)uv_fs_poll_start(poll, on_change, paths[i], WATCH_MS);
        }
    }
}

void fk_certificates_close(struct fk_certificates *certificates)
{
    fk_tls_context_free(certificates->context);
    certificates->context = NULL;
}
