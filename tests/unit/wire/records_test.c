// SPDX-License-Identifier: Apache-2.0
/* Every record against a table of its fields, which is zookeeper.jute by hand: random records are encoded by the table
 * and by fk_write_X, and must agree; fk_read_X must give the fields back, and fail for every truncation and bad length.
 */
#include "wire/records.h"

#include "support/test.h"

enum field_kind {
    FIELD_I32,
    FIELD_I64,
    FIELD_BOOL,
    FIELD_BYTES,
    FIELD_ACL,
    FIELD_STRINGS,
    FIELD_OPTIONAL_BOOL, /* in the frame only where the field after it is true */
    FIELD_HAS_OPTIONAL,
    FIELD_END,
};

struct field {
    enum field_kind kind;
    size_t offset;
};

union any_record {
    struct fk_connect_request connect_request;
    struct fk_connect_response connect_response;
    struct fk_request_header request_header;
    struct fk_reply_header reply_header;
    struct fk_stat stat;
    struct fk_create_request create_request;
    struct fk_create_request create_ttl_request;
    struct fk_version_request version_request;
    struct fk_set_data_request set_data_request;
    struct fk_set_acl_request set_acl_request;
    struct fk_watch_request watch_request;
    struct fk_multi_header multi_header;
    struct fk_auth_request auth_request;
    struct fk_set_watches_request set_watches_request;
    struct fk_set_watches_request set_watches2_request;
    struct fk_watcher_request watcher_request;
    struct fk_watcher_event watcher_event;
    struct fk_acl_entry acl_entry;
};

struct record_type {
    const char *name;
    void (*read)(struct fk_reader *reader, union any_record *record);
    void (*write)(struct fk_buf *buf, const union any_record *record);
    struct field fields[13];
};

#define RECORD(name)                                                                                                   \
    static void read_##name(struct fk_reader *reader, union any_record *record)                                        \
    {                                                                                                                  \
        fk_read_##name(reader, &record->name);                                                                         \
    }                                                                                                                  \
    static void write_##name(struct fk_buf *buf, const union any_record *record)                                       \
    {                                                                                                                  \
        fk_write_##name(buf, &record->name);                                                                           \
    }

RECORD(connect_request)
RECORD(connect_response)
RECORD(request_header)
RECORD(reply_header)
RECORD(stat)
RECORD(create_request)
RECORD(create_ttl_request)
RECORD(version_request)
RECORD(set_data_request)
RECORD(set_acl_request)
RECORD(watch_request)
RECORD(multi_header)
RECORD(auth_request)
RECORD(set_watches_request)
RECORD(set_watches2_request)
RECORD(watcher_request)
RECORD(watcher_event)
RECORD(acl_entry)

#define FIELD(kind, name, member)                                                                                      \
    {                                                                                                                  \
        FIELD_##kind, offsetof(struct fk_##name, member)                                                               \
    }
#define TYPE(name) #name, read_##name, write_##name
#define END                                                                                                            \
    {                                                                                                                  \
        FIELD_END, 0                                                                                                   \
    }

/* clang-format off: one record per block, fields in the order of the wire */
static const struct record_type types[] = {
    {TYPE(connect_request),
     {FIELD(I32, connect_request, protocol_version), FIELD(I64, connect_request, last_zxid_seen),
      FIELD(I32, connect_request, timeout_ms), FIELD(I64, connect_request, session_id),
      FIELD(BYTES, connect_request, password), FIELD(OPTIONAL_BOOL, connect_request, read_only),
      FIELD(HAS_OPTIONAL, connect_request, has_read_only), END}},
    {TYPE(connect_response),
     {FIELD(I32, connect_response, protocol_version), FIELD(I32, connect_response, timeout_ms),
      FIELD(I64, connect_response, session_id), FIELD(BYTES, connect_response, password),
      FIELD(OPTIONAL_BOOL, connect_response, read_only), FIELD(HAS_OPTIONAL, connect_response, has_read_only), END}},
    {TYPE(request_header), {FIELD(I32, request_header, xid), FIELD(I32, request_header, op), END}},
    {TYPE(reply_header),
     {FIELD(I32, reply_header, xid), FIELD(I64, reply_header, zxid), FIELD(I32, reply_header, code), END}},
    {TYPE(stat),
     {FIELD(I64, stat, czxid), FIELD(I64, stat, mzxid), FIELD(I64, stat, ctime_ms), FIELD(I64, stat, mtime_ms),
      FIELD(I32, stat, version), FIELD(I32, stat, cversion), FIELD(I32, stat, aversion),
      FIELD(I64, stat, ephemeral_owner), FIELD(I32, stat, data_length), FIELD(I32, stat, num_children),
      FIELD(I64, stat, pzxid), END}},
    {TYPE(create_request),
     {FIELD(BYTES, create_request, path), FIELD(BYTES, create_request, data), FIELD(ACL, create_request, acl),
      FIELD(I32, create_request, flags), END}},
    {TYPE(create_ttl_request),
     {FIELD(BYTES, create_request, path), FIELD(BYTES, create_request, data), FIELD(ACL, create_request, acl),
      FIELD(I32, create_request, flags), FIELD(I64, create_request, ttl_ms), END}},
    {TYPE(version_request), {FIELD(BYTES, version_request, path), FIELD(I32, version_request, version), END}},
    {TYPE(set_data_request),
     {FIELD(BYTES, set_data_request, path), FIELD(BYTES, set_data_request, data), FIELD(I32, set_data_request, version),
      END}},
    {TYPE(set_acl_request),
     {FIELD(BYTES, set_acl_request, path), FIELD(ACL, set_acl_request, acl), FIELD(I32, set_acl_request, version),
      END}},
    {TYPE(watch_request), {FIELD(BYTES, watch_request, path), FIELD(BOOL, watch_request, watch), END}},
    {TYPE(multi_header),
     {FIELD(I32, multi_header, op), FIELD(BOOL, multi_header, done), FIELD(I32, multi_header, code), END}},
    {TYPE(auth_request),
     {FIELD(I32, auth_request, type), FIELD(BYTES, auth_request, scheme), FIELD(BYTES, auth_request, auth), END}},
    {TYPE(set_watches_request),
     {FIELD(I64, set_watches_request, relative_zxid), FIELD(STRINGS, set_watches_request, data),
      FIELD(STRINGS, set_watches_request, exist), FIELD(STRINGS, set_watches_request, child), END}},
    {TYPE(set_watches2_request),
     {FIELD(I64, set_watches_request, relative_zxid), FIELD(STRINGS, set_watches_request, data),
      FIELD(STRINGS, set_watches_request, exist), FIELD(STRINGS, set_watches_request, child),
      FIELD(STRINGS, set_watches_request, persistent), FIELD(STRINGS, set_watches_request, recursive), END}},
    {TYPE(watcher_request), {FIELD(BYTES, watcher_request, path), FIELD(I32, watcher_request, kind), END}},
    {TYPE(watcher_event),
     {FIELD(I32, watcher_event, type), FIELD(I32, watcher_event, state), FIELD(BYTES, watcher_event, path), END}},
    {TYPE(acl_entry),
     {FIELD(I32, acl_entry, perms), FIELD(BYTES, acl_entry, scheme), FIELD(BYTES, acl_entry, id), END}},
};
/* clang-format on */

enum {
    TYPES = sizeof types / sizeof types[0],
    LARGE_SIZE = 200000,
};

/* Where the bytes of a random record's fields live. */
static struct fk_buf storage;

/* ---- the oracle: an encoder that shares nothing with src/wire ---- */

static void put_number(struct fk_buf *out, uint64_t value, int size)
{
    while (size-- > 0) {
        uint8_t byte = (uint8_t)(value >> (8 * size));
        fk_buf_append(out, fk_bytes_of(&byte, 1));
    }
}

static void put_bytes(struct fk_buf *out, struct fk_bytes bytes)
{
    put_number(out, bytes.data == NULL ? UINT32_MAX : bytes.size, 4);
    fk_buf_append(out, bytes);
}

static const void *member(const union any_record *record, const struct field *field)
{
    return (const uint8_t *)record + field->offset;
}

static void put_field(struct fk_buf *out, const union any_record *record, const struct field *field)
{
    const void *at = member(record, field);
    struct fk_bytes bytes;
    switch (field->kind) {
    case FIELD_I32:
        put_number(out, (uint64_t)((const int32_t *)at)[0], 4);
        break;
    case FIELD_I64:
        put_number(out, (uint64_t)((const int64_t *)at)[0], 8);
        break;
    case FIELD_BOOL:
        put_number(out, *(const bool *)at, 1);
        break;
    case FIELD_BYTES:
        put_bytes(out, *(const struct fk_bytes *)at);
        break;
    case FIELD_ACL:
    case FIELD_STRINGS:
        bytes = *(const struct fk_bytes *)at;
        if (bytes.data == NULL) {
            put_number(out, UINT32_MAX, 4);
        }
        fk_buf_append(out, bytes);
        break;
    case FIELD_OPTIONAL_BOOL:
        if (*(const bool *)member(record, field + 1)) {
            put_number(out, *(const bool *)at, 1);
        }
        break;
    case FIELD_HAS_OPTIONAL:
    case FIELD_END:
        break;
    }
}

/* ---- random records ---- */

static struct fk_bytes random_bytes(struct fk_prng *prng, unsigned large_percent)
{
    static uint8_t scratch[LARGE_SIZE];
    if (fk_prng_chance(prng, 10)) {
        return FK_BYTES_NULL;
    }
    size_t size = (size_t)fk_prng_below(prng, fk_prng_chance(prng, large_percent) ? LARGE_SIZE : 40);
    fk_prng_fill(prng, scratch, size);
    size_t offset = storage.size;
    fk_buf_append(&storage, fk_bytes_of(scratch, size));
    /* Storage is reserved at the start, so that views stay valid while it fills. */
    return fk_bytes_of(storage.data + offset, size);
}

static struct fk_bytes random_vector(struct fk_prng *prng, bool acl)
{
    if (fk_prng_chance(prng, 15)) {
        return FK_BYTES_NULL;
    }
    struct fk_buf encoded = FK_BUF_EMPTY;
    uint64_t count = fk_prng_below(prng, fk_prng_chance(prng, 5) ? 500 : 5);
    put_number(&encoded, count, 4);
    for (uint64_t i = 0; i < count; i++) {
        if (acl) {
            put_number(&encoded, fk_prng_next(prng), 4);
            put_bytes(&encoded, random_bytes(prng, 0));
        }
        put_bytes(&encoded, random_bytes(prng, 0));
    }
    size_t offset = storage.size;
    fk_buf_append(&storage, fk_buf_view(&encoded));
    struct fk_bytes view = fk_bytes_of(storage.data + offset, encoded.size);
    fk_buf_deinit(&encoded);
    return view;
}

static void random_record(struct fk_prng *prng, const struct record_type *type, union any_record *record)
{
    memset(record, 0, sizeof *record);
    fk_buf_clear(&storage);
    assert_non_null(fk_buf_reserve(&storage, 4 * LARGE_SIZE));
    for (const struct field *field = type->fields; field->kind != FIELD_END; field++) {
        void *at = (uint8_t *)record + field->offset;
        switch (field->kind) {
        case FIELD_I32:
            *(int32_t *)at = fk_prng_i32(prng);
            break;
        case FIELD_I64:
            *(int64_t *)at = fk_prng_i64(prng);
            break;
        case FIELD_BYTES:
            *(struct fk_bytes *)at = random_bytes(prng, 2);
            break;
        case FIELD_ACL:
        case FIELD_STRINGS:
            *(struct fk_bytes *)at = random_vector(prng, field->kind == FIELD_ACL);
            break;
        case FIELD_BOOL:
        case FIELD_OPTIONAL_BOOL:
        case FIELD_HAS_OPTIONAL:
            *(bool *)at = fk_prng_chance(prng, 50);
            break;
        case FIELD_END:
            break;
        }
    }
}

static bool is_set(const union any_record *record, const struct field *field)
{
    return *(const bool *)member(record, field);
}

static void assert_equal_records(const struct record_type *type, const union any_record *a, const union any_record *b)
{
    for (const struct field *field = type->fields; field->kind != FIELD_END; field++) {
        const void *left = member(a, field);
        const void *right = member(b, field);
        switch (field->kind) {
        case FIELD_I32:
            assert_int_equal(*(const int32_t *)left, *(const int32_t *)right);
            break;
        case FIELD_I64:
            assert_true(*(const int64_t *)left == *(const int64_t *)right);
            break;
        case FIELD_BYTES:
        case FIELD_ACL:
        case FIELD_STRINGS:
            fk_assert_bytes(*(const struct fk_bytes *)left, *(const struct fk_bytes *)right);
            break;
        case FIELD_BOOL:
        case FIELD_HAS_OPTIONAL:
            assert_int_equal(*(const bool *)left, *(const bool *)right);
            break;
        case FIELD_OPTIONAL_BOOL: /* false where the byte is not there */
            assert_int_equal(is_set(b, field), is_set(a, field) && is_set(a, field + 1));
            break;
        case FIELD_END:
            break;
        }
    }
}

static void encode(struct fk_buf *out, const struct record_type *type, const union any_record *record)
{
    for (const struct field *field = type->fields; field->kind != FIELD_END; field++) {
        put_field(out, record, field);
    }
    assert_false(out->failed);
}

/* ---- tests ---- */

static void records_agree_with_the_table_both_ways(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_guard guard;
    fk_guard_init(&guard, 5 * LARGE_SIZE);
    for (int round = 0; round < 2000; round++) {
        const struct record_type *type = &types[(size_t)round % TYPES];
        union any_record record;
        union any_record read;
        struct fk_buf expected = FK_BUF_EMPTY;
        struct fk_buf written = FK_BUF_EMPTY;
        random_record(&prng, type, &record);
        encode(&expected, type, &record);
        type->write(&written, &record);
        assert_false(written.failed);
        fk_assert_bytes(fk_buf_view(&written), fk_buf_view(&expected));
        struct fk_reader reader = fk_reader_of(fk_guard_copy(&guard, fk_buf_view(&written)));
        memset(&read, 0xa5, sizeof read);
        type->read(&reader, &read);
        assert_false(reader.failed);
        assert_int_equal(reader.left, 0);
        assert_equal_records(type, &record, &read);
        fk_buf_deinit(&expected);
        fk_buf_deinit(&written);
    }
    fk_guard_deinit(&guard);
    fk_buf_deinit(&storage);
}

/* Without its optional last byte a record is whole: old peers. */
static bool may_be_cut(const struct record_type *type, const union any_record *record, size_t missing)
{
    for (const struct field *field = type->fields; field->kind != FIELD_END; field++) {
        if (field->kind == FIELD_HAS_OPTIONAL && is_set(record, field)) {
            return missing == 1;
        }
    }
    return false;
}

static void truncated_records_fail_inside_their_bounds(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_guard guard;
    fk_guard_init(&guard, 5 * LARGE_SIZE);
    for (int round = 0; round < 300; round++) {
        const struct record_type *type = &types[(size_t)round % TYPES];
        union any_record record;
        union any_record read;
        struct fk_buf written = FK_BUF_EMPTY;
        random_record(&prng, type, &record);
        type->write(&written, &record);
        size_t step = written.size < 2000 ? 1 : written.size / 500;
        for (size_t size = 0; size < written.size; size += step) {
            struct fk_bytes head = fk_bytes_head(fk_buf_view(&written), size);
            struct fk_reader reader = fk_reader_of(fk_guard_copy(&guard, head));
            type->read(&reader, &read);
            assert_int_equal(reader.failed, !may_be_cut(type, &record, written.size - size));
        }
        fk_buf_deinit(&written);
    }
    fk_guard_deinit(&guard);
    fk_buf_deinit(&storage);
}

/* The record with one length or count replaced, at the end of readable memory. */
static void assert_bad_length(struct fk_guard *guard, const struct record_type *type, struct fk_buf *written, size_t at)
{
    static const int32_t bad[] = {-2, INT32_MIN, INT32_MAX, 0x7ffffffc, 0x20000000, 0x00ffffff};
    int32_t kept = (int32_t)fk_load_u32(written->data + at);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        union any_record read;
        fk_patch_i32(written, at, bad[i]);
        struct fk_reader reader = fk_reader_of(fk_guard_copy(guard, fk_buf_view(written)));
        type->read(&reader, &read);
        assert_true(reader.failed);
    }
    fk_patch_i32(written, at, kept);
}

static void negative_and_huge_lengths_and_counts_fail(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_guard guard;
    fk_guard_init(&guard, 5 * LARGE_SIZE);
    for (int round = 0; round < 600; round++) {
        const struct record_type *type = &types[(size_t)round % TYPES];
        union any_record record;
        random_record(&prng, type, &record);
        struct fk_buf written = FK_BUF_EMPTY;
        struct fk_buf before = FK_BUF_EMPTY; /* the fields before the one that is damaged: its size is the offset */
        type->write(&written, &record);
        for (const struct field *field = type->fields; field->kind != FIELD_END; field++) {
            if (field->kind == FIELD_BYTES || field->kind == FIELD_ACL || field->kind == FIELD_STRINGS) {
                assert_bad_length(&guard, type, &written, before.size);
            }
            put_field(&before, &record, field);
        }
        fk_buf_deinit(&before);
        fk_buf_deinit(&written);
    }
    fk_guard_deinit(&guard);
    fk_buf_deinit(&storage);
}

static void writing_without_memory_fails_and_keeps_what_was_there(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    for (size_t i = 0; i < TYPES; i++) {
        union any_record record;
        random_record(&prng, &types[i], &record);
        uint64_t nth = 1;
        do {
            struct fk_buf out = FK_BUF_EMPTY;
            fk_test_fail_alloc(nth++);
            types[i].write(&out, &record);
            assert_int_equal(out.failed, fk_test_alloc_failed());
            fk_buf_deinit(&out);
        } while (fk_test_alloc_failed());
        fk_test_fail_alloc(0);
    }
    fk_buf_deinit(&storage);
}

static void assert_fixed_acl(struct fk_bytes acl, int32_t perms)
{
    struct fk_acl_entry entry;
    struct fk_reader reader = fk_reader_of(acl);
    fk_assert_bytes(fk_read_acl(&reader), acl);
    assert_int_equal(reader.left, 0);
    reader = fk_reader_of(acl);
    assert_int_equal(fk_read_count(&reader, 12), 1);
    fk_read_acl_entry(&reader, &entry);
    assert_false(reader.failed);
    assert_int_equal(reader.left, 0);
    assert_int_equal(entry.perms, perms);
    fk_assert_text(entry.scheme, "world");
    fk_assert_text(entry.id, "anyone");
}

static void the_fixed_access_lists(void **state)
{
    (void)state;
    assert_fixed_acl(FK_ACL_OPEN, FK_PERM_ALL);
    assert_fixed_acl(FK_ACL_READ, FK_PERM_READ);
}

/* Nothing but perms and two null strings, and nothing after it: the count must not be taken for too large. */
static void the_smallest_access_list_is_read(void **state)
{
    (void)state;
    struct fk_bytes two = FK_BYTES_LITERAL("\0\0\0\2\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\2\0\0\0\0\0\0\0\0");
    struct fk_reader reader = fk_reader_of(two);
    fk_assert_bytes(fk_read_acl(&reader), two);
    assert_false(reader.failed);
    reader = fk_reader_of(FK_BYTES_LITERAL("\0\0\0\0"));
    assert_int_equal(fk_read_acl(&reader).size, 4);
    reader = fk_reader_of(FK_BYTES_LITERAL("\xff\xff\xff\xff"));
    fk_assert_bytes(fk_read_acl(&reader), FK_BYTES_NULL);
    assert_false(reader.failed);
}

static void fixed_sizes(void **state)
{
    (void)state;
    struct fk_buf out = FK_BUF_EMPTY;
    fk_write_stat(&out, &(struct fk_stat){.version = 1});
    assert_int_equal(out.size, FK_STAT_SIZE);
    fk_buf_clear(&out);
    fk_write_reply_header(&out, &(struct fk_reply_header){.xid = 1});
    assert_int_equal(out.size, FK_REPLY_HEADER_SIZE);
    fk_buf_deinit(&out);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(records_agree_with_the_table_both_ways),
    FK_TEST(truncated_records_fail_inside_their_bounds),
    FK_TEST(negative_and_huge_lengths_and_counts_fail),
    FK_TEST(writing_without_memory_fails_and_keeps_what_was_there),
    FK_TEST(the_fixed_access_lists),
    FK_TEST(the_smallest_access_list_is_read),
    FK_TEST(fixed_sizes),
};

FK_TEST_MAIN(tests)
