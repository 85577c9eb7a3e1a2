// SPDX-License-Identifier: Apache-2.0
/* Texts that clients store and the server reads: limits and statistics of quotas, names of certificates, ids of ACLs.
 */
#include "base/assert.h"
#include "model/acl.h"
#include "model/name.h"
#include "model/quota.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_quota(struct fk_bytes text)
{
    struct fk_quota_text quota;
    struct fk_quota_text again;
    struct fk_bytes target;
    if (fk_quota_parse(text, &quota)) {
        struct fk_buf buf = FK_BUF_EMPTY;
        fk_quota_write_stats(&buf, &(struct fk_extent){quota.count, quota.bytes});
        bool parsed = fk_quota_parse(fk_buf_view(&buf), &again);
        FK_ASSERT(parsed && again.count == quota.count && again.bytes == quota.bytes);
        fk_buf_deinit(&buf);
    }
    bool limits = fk_quota_of_limits(text, &target);
    bool stats = fk_quota_of_stats(text, &target);
    FK_ASSERT(!limits || !stats);
}

/* One entry with this id, in a list of its own. */
static void check_id(const char *scheme, struct fk_bytes id)
{
    static const struct fk_rules rules = {.schemes = FK_SCHEME_SASL | FK_SCHEME_X509};
    struct fk_caller caller = {.session_id = 1, .ids = FK_BYTES_LITERAL("\0\0\0\0"), .rules = &rules};
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf list = FK_BUF_EMPTY;
    struct fk_bytes fixed;
    fk_write_i32(&list, 1);
    fk_write_acl_entry(&list, &(struct fk_acl_entry){.perms = 31, .scheme = fk_bytes_text(scheme), .id = id});
    if (fk_acl_fix(fk_buf_view(&list), &caller, &arena, &fixed) == FK_CODE_OK) {
        FK_ASSERT(fk_bytes_equal(fixed, fk_buf_view(&list)));
        FK_ASSERT(!fk_acl_allows(fixed, FK_PERM_READ, &caller));
    }
    fk_buf_deinit(&list);
    fk_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fk_bytes text = fk_bytes_of(data, size);
    check_quota(text);
    check_id("x509", text);
    check_id("sasl", text);
    check_id("ip", text);
    (void)fk_name_valid(text);
    (void)fk_acl_ip_matches(text, fk_bytes_text("2001:db8::/33"));
    (void)fk_acl_ip_matches(fk_bytes_text("2001:db8::1"), text);
    return 0;
}
