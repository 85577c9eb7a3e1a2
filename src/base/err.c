// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>

const char *fk_err_text(enum fk_err err)
{
    static const char *const texts[] = {
#define FK_ERR_ROW(name, retry, text) text,
        FK_ERR_TABLE(FK_ERR_ROW)
#undef FK_ERR_ROW
    };
    FK_ASSERT((unsigned)err < FK_ERR_COUNT);
    return texts[err];
}

enum fk_retry fk_err_retry(enum fk_err err)
{
    static const enum fk_retry classes[] = {
#define FK_ERR_ROW(name, retry, text) FK_RETRY_##retry,
        FK_ERR_TABLE(FK_ERR_ROW)
#undef FK_ERR_ROW
    };
    FK_ASSERT((unsigned)err < FK_ERR_COUNT);
    return classes[err];
}

void fk_diag_set(struct fk_diag *diag, const char *format, ...)
{
    if (diag == NULL || diag->text[0] != '\0') {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(diag->text, sizeof diag->text, format, args);
    va_end(args);
}
