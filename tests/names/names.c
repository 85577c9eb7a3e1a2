// SPDX-License-Identifier: Apache-2.0
/* Writes the subjects that run-names asks for: a line of hexadecimal DER in, the name as the server writes it out, or
 * "-" where OpenSSL can't read it (no certificate with it gets through a handshake). A name's own bytes come out in
 * hexadecimal too: they may be anything. */
#include "gateway/tls_internal.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdio.h>

enum {
    LINE_SIZE = 64 * 1024,
};

static void answer(const char *line)
{
    long size = 0;
    unsigned char *der = OPENSSL_hexstr2buf(line, &size);
    const unsigned char *at = der;
    X509_NAME *name = der == NULL ? NULL : d2i_X509_NAME(NULL, &at, size);
    struct fk_buf text = FK_BUF_EMPTY;
    if (name == NULL || fk_tls_name(name, &text) != FK_OK) {
        (void)puts("-");
    } else {
        struct fk_bytes bytes = fk_buf_view(&text);
        for (size_t i = 0; i < bytes.size; i++) {
            (void)printf("%02x", bytes.data[i]);
        }
        (void)puts("");
    }
    fk_buf_deinit(&text);
    X509_NAME_free(name);
    OPENSSL_free(der);
}

int main(void)
{
    static char line[LINE_SIZE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        answer(line);
    }
    return 0;
}
