// SPDX-License-Identifier: Apache-2.0
/* Rules of access control lists: what is stored for a list (fixupACL), who passes (checkACL), what is shown (getACL).
 */
#include "model/acl.h"

#include "world.h"

/* A caller from text: "scheme id" pairs with one blank between, NULL at the end. */
static struct fk_caller caller_of(struct fk_buf *ids, const char *const *pairs)
{
    int32_t count = 0;
    fk_buf_clear(ids);
    fk_write_i32(ids, 0);
    for (; *pairs != NULL; pairs++, count++) {
        struct fk_bytes pair = fk_bytes_text(*pairs);
        size_t blank = strcspn(*pairs, " ");
        fk_write_bytes(ids, fk_bytes_head(pair, blank));
        fk_write_bytes(ids, fk_bytes_tail(pair, blank + 1));
    }
    fk_patch_i32(ids, 0, count);
    return (struct fk_caller){.session_id = 7, .ids = fk_buf_view(ids)};
}

enum {
    ENTRIES_MAX = 4,
    IDS_MAX = 4,
};

struct fix_row {
    const char *ids[IDS_MAX];
    struct world_acl requested[ENTRIES_MAX]; /* up to perms 0 with a NULL scheme and "end" */
    size_t requested_count;
    enum fk_code code;
    struct world_acl stored[ENTRIES_MAX];
    size_t stored_count;
};

static void check_fix(const struct fix_row *row, size_t number)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf ids = FK_BUF_EMPTY;
    struct fk_buf requested = FK_BUF_EMPTY;
    struct fk_buf stored = FK_BUF_EMPTY;
    struct fk_bytes fixed = FK_BYTES_NULL;
    struct fk_caller caller = caller_of(&ids, row->ids);
    world_write_acl(&requested, row->requested, row->requested_count);
    enum fk_code code = fk_acl_fix(fk_buf_view(&requested), &caller, &arena, &fixed);
    if (code != row->code) {
        fail_msg("row %zu: code %d, expected %d", number, code, row->code);
    }
    if (code == FK_CODE_OK) {
        world_write_acl(&stored, row->stored, row->stored_count);
        fk_assert_bytes(fixed, fk_buf_view(&stored));
    }
    fk_buf_deinit(&ids);
    fk_buf_deinit(&requested);
    fk_buf_deinit(&stored);
    fk_arena_deinit(&arena);
}

#define BAD(scheme, id)                                                                                                \
    {                                                                                                                  \
        {NULL}, {{31, scheme, id}}, 1, FK_CODE_INVALID_ACL, {{0}}, 0                                                   \
    }
#define GOOD(scheme, id)                                                                                               \
    {                                                                                                                  \
        {NULL}, {{31, scheme, id}}, 1, FK_CODE_OK, {{31, scheme, id}}, 1                                               \
    }

static void fixing_a_list(void **state)
{
    (void)state;
    static const struct fix_row rows[] = {
        GOOD("world", "anyone"),
        BAD("world", "someone"),
        BAD("world", ""),
        BAD("World", "anyone"),
        /* digest: two parts around one colon, as String.split sees them; a hash is taken as it is */
        GOOD("digest", "user:hash"),
        GOOD("digest", ":hash"),
        GOOD("digest", "a:b:"),
        BAD("digest", "user"),
        BAD("digest", "user:"),
        BAD("digest", ":"),
        BAD("digest", ""),
        BAD("digest", "a:b:c"),
        BAD("digest", "a::b"),
        /* ip */
        GOOD("ip", "10.0.0.1"),
        GOOD("ip", "0.0.0.0/0"),
        GOOD("ip", "255.255.255.255/32"),
        BAD("ip", ""),
        BAD("ip", "10.0.0"),
        BAD("ip", "10.0.0.1.2"),
        BAD("ip", "10.0.0.256"),
        BAD("ip", "10.0.0.-1"),
        BAD("ip", "10.0.0.1/33"),
        BAD("ip", "10.0.0.1/"),
        BAD("ip", "10.0.0.1/-1"),
        BAD("ip", "10.0.0.1/8/8"),
        BAD("ip", "10.0.0.1x"),
        BAD("ip", "a.b.c.d"),
        BAD("ip", "localhost"),
        GOOD("ip", "::"),
        GOOD("ip", "1::"),
        GOOD("ip", "::1/128"),
        GOOD("ip", "1:2:3:4:5:6:7:FFFF"),
        GOOD("ip", "1::8/0"),
        BAD("ip", "1:2:3:4:5:6:7"),
        BAD("ip", "1:2:3:4:5:6:7:8:9"),
        BAD("ip", "1:2:3:4::5:6:7:8"),
        BAD("ip", "1::2::3"),
        BAD("ip", ":::"),
        BAD("ip", "12345::"),
        BAD("ip", "g::"),
        BAD("ip", ":1"),
        BAD("ip", "1:"),
        BAD("ip", "1:::2"),
        BAD("ip", "::1/129"),
        BAD("ip", "::ffff:1.2.3.4"),
        /* schemes that nobody checks */
        BAD("super", "user:hash"),
        BAD("sasl", "user"),
        BAD("x509", "CN=a"),
        BAD("nonsense", "x"),
        BAD("", ""),
        BAD(NULL, "anyone"),
        /* a null id is a NullPointerException in the provider of its scheme */
        {{NULL}, {{31, "world", NULL}}, 1, FK_CODE_MARSHALLING_ERROR, {{0}}, 0},
        {{NULL}, {{31, "digest", NULL}}, 1, FK_CODE_MARSHALLING_ERROR, {{0}}, 0},
        {{NULL}, {{31, "ip", NULL}}, 1, FK_CODE_MARSHALLING_ERROR, {{0}}, 0},
        BAD("nonsense", NULL),
        BAD(NULL, NULL),
        {{"digest u:h"}, {{31, "auth", NULL}}, 1, FK_CODE_OK, {{31, "digest", "u:h"}}, 1},
        /* an empty list */
        {{NULL}, {{0}}, 0, FK_CODE_INVALID_ACL, {{0}}, 0},
        /* one bad entry spoils the list */
        {{NULL}, {{31, "world", "anyone"}, {31, "digest", "x"}}, 2, FK_CODE_INVALID_ACL, {{0}}, 0},
        /* duplicates go, entries that differ in one field stay, the order stays */
        {{NULL},
         {{1, "world", "anyone"}, {2, "world", "anyone"}, {1, "world", "anyone"}},
         3,
         FK_CODE_OK,
         {{1, "world", "anyone"}, {2, "world", "anyone"}},
         2},
        {{NULL},
         {{31, "ip", "1.2.3.4"}, {31, "digest", "1.2.3.4:x"}, {31, "ip", "1.2.3.4"}},
         3,
         FK_CODE_OK,
         {{31, "ip", "1.2.3.4"}, {31, "digest", "1.2.3.4:x"}},
         2},
        /* permissions are stored as they come */
        {{NULL}, {{255, "world", "anyone"}}, 1, FK_CODE_OK, {{255, "world", "anyone"}}, 1},
        {{NULL}, {{0, "world", "anyone"}}, 1, FK_CODE_OK, {{0, "world", "anyone"}}, 1},
        {{NULL}, {{-1, "world", "anyone"}}, 1, FK_CODE_OK, {{-1, "world", "anyone"}}, 1},
        /* auth becomes the authenticated identities: not the address, not super; ids given are ignored */
        {{"ip 10.0.0.1"}, {{31, "auth", ""}}, 1, FK_CODE_INVALID_ACL, {{0}}, 0},
        {{"ip 10.0.0.1", "super "}, {{31, "auth", ""}}, 1, FK_CODE_INVALID_ACL, {{0}}, 0},
        {{"ip 10.0.0.1", "digest u:h"}, {{5, "auth", "ignored"}}, 1, FK_CODE_OK, {{5, "digest", "u:h"}}, 1},
        {{"digest u:h", "super ", "digest v:i"},
         {{31, "auth", ""}},
         1,
         FK_CODE_OK,
         {{31, "digest", "u:h"}, {31, "digest", "v:i"}},
         2},
        {{"digest u:h"},
         {{1, "world", "anyone"}, {31, "auth", ""}},
         2,
         FK_CODE_OK,
         {{1, "world", "anyone"}, {31, "digest", "u:h"}},
         2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check_fix(&rows[i], i);
    }
}

static void null_and_cut_lists_are_not_valid(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_bytes fixed = FK_BYTES_NULL;
    struct fk_caller caller = {.ids = FK_BYTES_LITERAL("\0\0\0\0")};
    assert_int_equal(fk_acl_fix(FK_BYTES_NULL, &caller, &arena, &fixed), FK_CODE_INVALID_ACL);
    assert_int_equal(fk_acl_fix(FK_BYTES_LITERAL("\xff\xff\xff\xff"), &caller, &arena, &fixed), FK_CODE_INVALID_ACL);
    for (size_t size = 0; size < FK_ACL_OPEN.size; size++) {
        assert_int_not_equal(fk_acl_fix(fk_bytes_head(FK_ACL_OPEN, size), &caller, &arena, &fixed), FK_CODE_OK);
    }
    assert_int_equal(fk_acl_fix(FK_ACL_OPEN, &caller, &arena, &fixed), FK_CODE_OK);
    fk_assert_bytes(fixed, FK_ACL_OPEN);
    fk_arena_deinit(&arena);
}

static void fixing_without_memory_is_a_system_error(void **state)
{
    (void)state;
    struct fk_caller caller = {.ids = FK_BYTES_LITERAL("\0\0\0\0")};
    uint64_t nth = 1;
    enum fk_code code = FK_CODE_OK;
    do {
        struct fk_arena arena = FK_ARENA_EMPTY;
        struct fk_bytes fixed = FK_BYTES_NULL;
        fk_test_fail_alloc(nth++);
        code = fk_acl_fix(FK_ACL_READ, &caller, &arena, &fixed);
        bool failed = fk_test_alloc_failed();
        fk_test_fail_alloc(0);
        assert_int_equal(code, failed ? FK_CODE_SYSTEM_ERROR : FK_CODE_OK);
        fk_arena_deinit(&arena);
    } while (code != FK_CODE_OK);
    assert_true(nth > 2);
}

static void who_passes(void **state)
{
    (void)state;
    static const struct {
        const char *ids[IDS_MAX];
        struct world_acl entry;
        enum fk_perm perm;
        bool allowed;
    } rows[] = {
        {{NULL}, {31, "world", "anyone"}, FK_PERM_READ, true},
        {{NULL}, {30, "world", "anyone"}, FK_PERM_READ, false},
        {{NULL}, {1, "world", "anyone"}, FK_PERM_READ, true},
        {{NULL}, {2, "world", "anyone"}, FK_PERM_WRITE, true},
        {{NULL}, {4, "world", "anyone"}, FK_PERM_CREATE, true},
        {{NULL}, {8, "world", "anyone"}, FK_PERM_DELETE, true},
        {{NULL}, {16, "world", "anyone"}, FK_PERM_ADMIN, true},
        {{NULL}, {15, "world", "anyone"}, FK_PERM_ADMIN, false},
        {{NULL}, {255, "world", "anyone"}, FK_PERM_ADMIN, true},
        {{NULL}, {0, "world", "anyone"}, FK_PERM_READ, false},
        {{"digest u:h"}, {31, "digest", "u:h"}, FK_PERM_WRITE, true},
        {{"digest u:h"}, {1, "digest", "u:h"}, FK_PERM_WRITE, false},
        {{"digest u:x"}, {31, "digest", "u:h"}, FK_PERM_WRITE, false},
        {{"digest u:h "}, {31, "digest", "u:h"}, FK_PERM_WRITE, false},
        {{"ip 10.0.0.1", "digest u:h"}, {31, "digest", "u:h"}, FK_PERM_WRITE, true},
        {{"sasl u:h"}, {31, "digest", "u:h"}, FK_PERM_WRITE, false},
        {{"ip 10.1.2.3"}, {31, "ip", "10.1.2.3"}, FK_PERM_READ, true},
        {{"ip 10.1.2.4"}, {31, "ip", "10.1.2.3"}, FK_PERM_READ, false},
        {{"ip 10.1.2.4"}, {31, "ip", "10.0.0.0/8"}, FK_PERM_READ, true},
        {{"ip 11.1.2.4"}, {31, "ip", "10.0.0.0/8"}, FK_PERM_READ, false},
        {{"ip ::1"}, {31, "ip", "0.0.0.0/0"}, FK_PERM_READ, false},
        {{"super "}, {0, "world", "anyone"}, FK_PERM_ADMIN, true},
        {{"digest a:b", "super "}, {1, "digest", "x:y"}, FK_PERM_DELETE, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_buf ids = FK_BUF_EMPTY;
        struct fk_buf acl = FK_BUF_EMPTY;
        struct fk_caller caller = caller_of(&ids, rows[i].ids);
        world_write_acl(&acl, &rows[i].entry, 1);
        if (fk_acl_allows(fk_buf_view(&acl), rows[i].perm, &caller) != rows[i].allowed) {
            fail_msg("row %zu: expected %d", i, rows[i].allowed);
        }
        fk_buf_deinit(&ids);
        fk_buf_deinit(&acl);
    }
}

static void one_entry_may_be_every_sasl_users(void **state)
{
    static const struct fk_rules rules = {.any_sasl = "anyone"};
    static const struct world_acl entries[] = {{1, "sasl", "anyone"}, {31, "sasl", "bob"}, {31, "digest", "anyone"}};
    (void)state;
    for (size_t with = 0; with < 2; with++) {
        for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
            struct fk_buf ids = FK_BUF_EMPTY;
            struct fk_buf acl = FK_BUF_EMPTY;
            struct fk_caller caller = caller_of(&ids, (const char *const[]){"digest u:h", "sasl alice", NULL});
            caller.rules = with == 1 ? &rules : NULL;
            world_write_acl(&acl, &entries[i], 1);
            assert_int_equal(fk_acl_allows(fk_buf_view(&acl), FK_PERM_READ, &caller), with == 1 && i == 0);
            assert_false(fk_acl_allows(fk_buf_view(&acl), FK_PERM_WRITE, &caller));
            fk_buf_deinit(&ids);
            fk_buf_deinit(&acl);
        }
    }
}

static void any_entry_of_the_list_is_enough(void **state)
{
    (void)state;
    struct fk_buf ids = FK_BUF_EMPTY;
    struct fk_buf acl = FK_BUF_EMPTY;
    struct fk_caller caller = caller_of(&ids, (const char *const[]){"digest v:i", NULL});
    const struct world_acl entries[] = {{1, "world", "anyone"}, {2, "digest", "u:h"}, {4, "digest", "v:i"}};
    world_write_acl(&acl, entries, 3);
    assert_true(fk_acl_allows(fk_buf_view(&acl), FK_PERM_READ, &caller));
    assert_false(fk_acl_allows(fk_buf_view(&acl), FK_PERM_WRITE, &caller));
    assert_true(fk_acl_allows(fk_buf_view(&acl), FK_PERM_CREATE, &caller));
    assert_false(fk_acl_allows(FK_BYTES_NULL, FK_PERM_READ, &caller));
    fk_buf_deinit(&ids);
    fk_buf_deinit(&acl);
}

static void ranges_of_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        const char *range;
        bool in;
    } rows[] = {
        {"192.168.1.7", "192.168.1.7", true},
        {"192.168.1.7", "192.168.1.8", false},
        {"192.168.1.7", "192.168.1.0/24", true},
        {"192.168.2.7", "192.168.1.0/24", false},
        {"192.168.1.7", "192.168.1.9/24", true},
        {"192.168.1.7", "0.0.0.0/0", true},
        {"255.255.255.255", "0.0.0.0/0", true},
        {"192.168.1.7", "192.168.1.7/32", true},
        {"192.168.1.6", "192.168.1.7/32", false},
        {"192.168.1.6", "192.168.1.7/31", true},
        {"128.0.0.0", "0.0.0.0/1", false},
        {"127.255.255.255", "0.0.0.0/1", true},
        {"192.168.1.7", "192.168.1", false},
        {"192.168.1.7", "192.168.1.7/33", false},
        {"192.168.1.7x", "192.168.1.7", false},
        {"", "192.168.1.7", false},
        {"192.168.1.7", "", false},
        {"::1", "::1", true},
        {"::1", "0:0:0:0:0:0:0:1", true},
        {"::1", "::2", false},
        {"::2", "::3/127", true},
        {"2001:db8::17", "2001:DB8::/32", true},
        {"2001:db9::17", "2001:db8::/32", false},
        {"2001:db8:8000::", "2001:db8::/33", false},
        {"fe80::1", "::/0", true},
        {"10.0.0.1", "::/0", false},
        {"::1", "0.0.0.0/0", false},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8/128", true},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", false},
        {"::1", "::1/129", false},
        {"::1", "::1/", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (fk_acl_ip_matches(fk_bytes_text(rows[i].address), fk_bytes_text(rows[i].range)) != rows[i].in) {
            fail_msg("%s in %s: expected %d", rows[i].address, rows[i].range, rows[i].in);
        }
    }
}

static const struct fk_rules with_providers = {.schemes = FK_SCHEME_SASL | FK_SCHEME_X509};

/* What a list with one entry is answered. */
static enum fk_code fix_one(const struct fk_rules *rules, const char *scheme, const char *id)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf ids = FK_BUF_EMPTY;
    struct fk_buf requested = FK_BUF_EMPTY;
    struct fk_bytes fixed = FK_BYTES_NULL;
    struct fk_caller caller = caller_of(&ids, (const char *const[]){"ip 10.0.0.1", "sasl u@R", "x509 CN=a", NULL});
    caller.rules = rules;
    world_write_acl(&requested, &(struct world_acl){31, scheme, id}, 1);
    enum fk_code code = fk_acl_fix(fk_buf_view(&requested), &caller, &arena, &fixed);
    fk_buf_deinit(&ids);
    fk_buf_deinit(&requested);
    fk_arena_deinit(&arena);
    return code;
}

/* Ids are those that ZooKeeper's providers take: KerberosName, X500Principal. */
static void schemes_with_a_provider(void **state)
{
    (void)state;
    static const struct {
        const char *scheme;
        const char *id;
        bool valid;
    } rows[] = {
        {"sasl", "user", true},           {"sasl", "", true},         {"sasl", "a/b/c", true},
        {"sasl", "user@REALM", true},     {"sasl", "u/host@R", true}, {"sasl", "u/h/x@R", false},
        {"sasl", "u@R/x", false},         {"sasl", "u@R@S", false},   {"x509", "CN=a", true},
        {"x509", "CN=a, O=b+OU=c", true}, {"x509", "anyone", false},  {"x509", "", true},
    };
    static const struct fk_rules sasl_only = {.schemes = FK_SCHEME_SASL};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum fk_code code = fix_one(&with_providers, rows[i].scheme, rows[i].id);
        if ((code == FK_CODE_OK) != rows[i].valid) {
            fail_msg("%s:%s: %d", rows[i].scheme, rows[i].id, code);
        }
        assert_int_equal(fix_one(NULL, rows[i].scheme, rows[i].id), FK_CODE_INVALID_ACL);
    }
    assert_int_equal(fix_one(&sasl_only, "sasl", "u"), FK_CODE_OK);
    assert_int_equal(fix_one(&sasl_only, "x509", "CN=a"), FK_CODE_INVALID_ACL);
    assert_int_equal(fix_one(&with_providers, "sasl", NULL), FK_CODE_MARSHALLING_ERROR);
    assert_int_equal(fix_one(&with_providers, "super", "x"), FK_CODE_INVALID_ACL);
    static const struct fk_rules no_digest = {.digest_disabled = true};
    assert_int_equal(fix_one(&with_providers, "digest", "u:h"), FK_CODE_OK);
    assert_int_equal(fix_one(&no_digest, "digest", "u:h"), FK_CODE_INVALID_ACL);
    /* auth becomes what the providers that are there have authenticated */
    assert_int_equal(fix_one(&with_providers, "auth", ""), FK_CODE_OK);
    assert_int_equal(fix_one(NULL, "auth", ""), FK_CODE_INVALID_ACL);
}

static bool passes(const struct fk_rules *rules, const char *who, const char *scheme, const char *id)
{
    struct fk_buf ids = FK_BUF_EMPTY;
    struct fk_buf acl = FK_BUF_EMPTY;
    struct fk_caller caller = caller_of(&ids, (const char *const[]){who, NULL});
    caller.rules = rules;
    world_write_acl(&acl, &(struct world_acl){31, scheme, id}, 1);
    bool allowed = fk_acl_allows(fk_buf_view(&acl), FK_PERM_READ, &caller);
    fk_buf_deinit(&ids);
    fk_buf_deinit(&acl);
    return allowed;
}

static void names_match_exactly(void **state)
{
    (void)state;
    static const struct fk_rules skip = {.skip_acl = true};
    assert_true(passes(NULL, "sasl u@R", "sasl", "u@R"));
    assert_false(passes(NULL, "sasl u@R", "sasl", "u"));
    assert_true(passes(NULL, "x509 CN=a,O=b", "x509", "CN=a,O=b"));
    assert_false(passes(NULL, "x509 CN=a,O=b", "x509", "cn=a,O=b"));
    assert_false(passes(NULL, "x509 super", "x509", "CN=a"));
    assert_true(passes(NULL, "sasl super", "sasl", "u")); /* ZK: SASLAuthenticationProvider.matches */
    assert_false(passes(NULL, "sasl super", "x509", "u"));
    assert_true(passes(&skip, "ip 1.2.3.4", "sasl", "u"));
}

static void super_users(void **state)
{
    (void)state;
    static const char names[] = "admin\nCN=root,O=a\n\nlast";
    assert_true(fk_acl_listed(names, fk_bytes_text("admin")));
    assert_true(fk_acl_listed(names, fk_bytes_text("CN=root,O=a")));
    assert_true(fk_acl_listed(names, fk_bytes_text("last")));
    assert_false(fk_acl_listed(names, fk_bytes_text("admi")));
    assert_false(fk_acl_listed(names, fk_bytes_text("admin2")));
    assert_false(fk_acl_listed(names, fk_bytes_text("admin\nCN=root,O=a")));
    assert_false(fk_acl_listed(names, fk_bytes_text("")));
    assert_false(fk_acl_listed(NULL, fk_bytes_text("admin")));
}

static void hashes_are_hidden(void **state)
{
    (void)state;
    struct fk_buf acl = FK_BUF_EMPTY;
    struct fk_buf shown = FK_BUF_EMPTY;
    struct fk_buf expected = FK_BUF_EMPTY;
    const struct world_acl entries[] = {{31, "digest", "user:hash"},
                                        {3, "digest", ":h"},
                                        {1, "digest", "a:b:"},
                                        {1, "ip", "1.2.3.4"},
                                        {31, "sasl", "a:b"}};
    const struct world_acl redacted[] = {
        {31, "digest", "user:x"}, {3, "digest", ":x"}, {1, "digest", "a:x"}, {1, "ip", "1.2.3.4"}, {31, "sasl", "a:b"}};
    world_write_acl(&acl, entries, 5);
    world_write_acl(&expected, redacted, 5);
    fk_acl_write_redacted(&shown, fk_buf_view(&acl));
    fk_assert_bytes(fk_buf_view(&shown), fk_buf_view(&expected));
    fk_buf_deinit(&acl);
    fk_buf_deinit(&shown);
    fk_buf_deinit(&expected);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(fixing_a_list),
    FK_TEST(null_and_cut_lists_are_not_valid),
    FK_TEST(fixing_without_memory_is_a_system_error),
    FK_TEST(who_passes),
    FK_TEST(any_entry_of_the_list_is_enough),
    FK_TEST(one_entry_may_be_every_sasl_users),
    FK_TEST(ranges_of_addresses),
    FK_TEST(schemes_with_a_provider),
    FK_TEST(names_match_exactly),
    FK_TEST(super_users),
    FK_TEST(hashes_are_hidden),
};

FK_TEST_MAIN(tests)
