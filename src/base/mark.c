// SPDX-License-Identifier: Apache-2.0
#include "base/mark.h"

#include "base/mutant.h"

_Atomic uint64_t fk_marks[FK_MARK_COUNT];

const char *fk_mark_text(enum fk_mark mark)
{
    static const char *const texts[] = {
#define FK_MARK_ROW(name, text) text,
        FK_MARK_TABLE(FK_MARK_ROW)
#undef FK_MARK_ROW
    };
    return mark < FK_MARK_COUNT ? texts[mark] : "?";
}

#ifdef FK_MUTANTS
enum fk_mutant fk_mutant_now = FK_MUTANT_NONE;
#endif
