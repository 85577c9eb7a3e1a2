// SPDX-License-Identifier: Apache-2.0
/* Distinguished names of certificates, as texts. */
#ifndef FK_MODEL_NAME_H
#define FK_MODEL_NAME_H

#include "base/bytes.h"

/* True where the text is a distinguished name as javax.security.auth.x500.X500Principal reads it (RFC 2253, RFC 1779),
 * which is what ids of scheme x509 have to be: "CN=client,O=\"Acme, Inc\"+OU=a\, b,1.2.3=#04024869", or empty. */
bool fk_name_valid(struct fk_bytes text);

#endif
