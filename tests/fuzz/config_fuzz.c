// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: the configuration file. Whatever it says is taken, or refused with a message that names the place. */
#include "cli/config.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_config config;
    struct fk_diag diag = {.text = ""};
    fk_config_init(&config);
    enum fk_err err = fk_config_parse(&config, fk_bytes_of(data, size), "zoo.cfg", &diag);
    if (err == FK_OK) {
        err = fk_config_finish(&config, &diag);
    }
    FK_ASSERT(err == FK_OK || err == FK_ERR_USAGE || err == FK_ERR_IO);
    FK_ASSERT((err == FK_OK) == (diag.text[0] == '\0'));
    fk_config_deinit(&config);
    return 0;
}
