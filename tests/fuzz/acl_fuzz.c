// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: access control lists as clients send them. Input: a byte that chooses the caller, an encoded
 * vector<ACL>. A list that is taken can be read, checked and redacted, and taking it again removes duplicates at most.
 */
#include "model/acl.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const callers[] = {"\0\0\0\0", "\0\0\0\1\0\0\0\2ip\0\0\0\t127.0.0.1",
                                      "\0\0\0\2\0\0\0\2ip\0\0\0\3::1\0\0\0\6digest\0\0\0\3u:p",
                                      "\0\0\0\1\0\0\0\5super\0\0\0\0"};
static const size_t sizes[] = {4, 23, 36, 17};

static void check_taken(struct fk_bytes fixed, const struct fk_caller *caller, struct fk_arena *arena)
{
    struct fk_buf redacted = FK_BUF_EMPTY;
    struct fk_bytes again;
    for (int perm = FK_PERM_READ; perm <= FK_PERM_ADMIN; perm *= 2) {
        bool allowed = fk_acl_allows(fixed, (enum fk_perm)perm, caller);
        FK_ASSERT(allowed || caller->ids.size != sizes[3]); /* super may do everything */
    }
    fk_acl_write_redacted(&redacted, fixed);
    FK_ASSERT(fk_buf_left(&redacted) <= fixed.size + 4);
    /* ZK: duplicates go before "auth" is expanded, which may make some. */
    enum fk_code code = fk_acl_fix(fixed, caller, arena, &again);
    FK_ASSERT(code == FK_CODE_OK && again.size <= fixed.size);
    struct fk_bytes third;
    code = fk_acl_fix(again, caller, arena, &third);
    FK_ASSERT(code == FK_CODE_OK && fk_bytes_equal(again, third));
    fk_buf_deinit(&redacted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_bytes fixed;
    if (size == 0) {
        return 0;
    }
    size_t who = data[0] % (sizeof callers / sizeof callers[0]);
    struct fk_caller caller = {.session_id = 1, .ids = fk_bytes_of(callers[who], sizes[who])};
    /* A request's list is known to be a whole vector: records.c reads it so. */
    struct fk_reader reader = fk_reader_of(fk_bytes_of(data + 1, size - 1));
    struct fk_bytes requested = fk_read_acl(&reader);
    if (!reader.failed && fk_acl_fix(requested, &caller, &arena, &fixed) == FK_CODE_OK) {
        check_taken(fixed, &caller, &arena);
    }
    (void)fk_acl_ip_matches(fk_bytes_text("10.1.2.3"), fk_bytes_of(data, size));
    (void)fk_acl_ip_matches(fk_bytes_of(data, size), fk_bytes_text("10.0.0.0/8"));
    fk_arena_deinit(&arena);
    return 0;
}
