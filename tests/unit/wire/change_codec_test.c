// SPDX-License-Identifier: Apache-2.0
/* src/driver/local/codec.c: changes as the log holds them. */
#include "driver/local/codec.h"

#include "support/test.h"

enum {
    PUTS_MAX = 12,
    CHANGES = 5,
};

struct random_change {
    struct fk_change change;
    struct fk_put puts[PUTS_MAX];
};

static uint8_t noise[100000];

static struct fk_bytes random_bytes(struct fk_prng *prng, bool nullable)
{
    if (nullable && fk_prng_chance(prng, 20)) {
        return FK_BYTES_NULL;
    }
    size_t size = (size_t)fk_prng_below(prng, fk_prng_chance(prng, 3) ? sizeof noise : 60);
    return fk_bytes_of(noise + fk_prng_below(prng, sizeof noise - size), size);
}

static struct fk_bytes random_acl(struct fk_prng *prng)
{
    static const char two[] = "\0\0\0\2\0\0\0\1\0\0\0\2ip\0\0\0\7"
                              "1.2.3.4"
                              "\0\0\0\37\0\0\0\4auth\xff\xff\xff\xff";
    switch (fk_prng_below(prng, 4)) {
    case 0:
        return FK_ACL_READ;
    case 1:
        return fk_bytes_of(two, sizeof two - 1);
    case 2:
        return FK_BYTES_LITERAL("\0\0\0\0");
    default:
        return FK_ACL_OPEN;
    }
}

/* All fields are random, also those that the kind of put does not encode. */
static void random_put(struct fk_prng *prng, struct fk_put *put)
{
    *put = (struct fk_put){
        .kind = (enum fk_put_kind)(1 + fk_prng_below(prng, FK_PUT_STATS)),
        .node = {.path = random_bytes(prng, false),
                 .data = random_bytes(prng, true),
                 .acl = random_acl(prng),
                 .ephemeral_owner = fk_prng_i64(prng),
                 .version = fk_prng_i32(prng),
                 .aversion = fk_prng_i32(prng),
                 .created_children = fk_prng_i32(prng),
                 .num_children = fk_prng_i32(prng)},
        .session = {.id = fk_prng_i64(prng), .timeout_ms = fk_prng_i32(prng)},
    };
    fk_prng_fill(prng, put->session.password, sizeof put->session.password);
}

static void random_change(struct fk_prng *prng, struct random_change *random)
{
    fk_prng_fill(prng, noise, sizeof noise);
    random->change = (struct fk_change){.zxid = fk_prng_i64(prng),
                                        .time_ms = fk_prng_i64(prng),
                                        .puts = random->puts,
                                        .count = (size_t)fk_prng_below(prng, PUTS_MAX + 1)};
    for (size_t i = 0; i < random->change.count; i++) {
        random_put(prng, &random->puts[i]);
    }
}

/* What codec.h says a put becomes: the fields of its kind, those that follow from the change, and zeros. */
static struct fk_put expected_put(const struct fk_change *change, const struct fk_put *put)
{
    struct fk_put expected = {.kind = put->kind};
    expected.node.path = fk_put_is_node(put->kind) ? put->node.path : FK_BYTES_NULL;
    switch (put->kind) {
    case FK_PUT_CREATE:
        expected.node.data = put->node.data;
        expected.node.acl = put->node.acl;
        expected.node.ephemeral_owner = put->node.ephemeral_owner;
        expected.node.czxid = expected.node.mzxid = expected.node.pzxid = change->zxid;
        expected.node.ctime_ms = expected.node.mtime_ms = change->time_ms;
        break;
    case FK_PUT_DATA:
        expected.node.data = put->node.data;
        expected.node.version = put->node.version;
        expected.node.mzxid = change->zxid;
        expected.node.mtime_ms = change->time_ms;
        break;
    case FK_PUT_ACL:
        expected.node.acl = put->node.acl;
        expected.node.aversion = put->node.aversion;
        break;
    case FK_PUT_CHILDREN:
        expected.node.created_children = put->node.created_children;
        expected.node.num_children = put->node.num_children;
        expected.node.pzxid = change->zxid;
        break;
    case FK_PUT_DELETE:
        break;
    case FK_PUT_STATS:
        expected.node.data = put->node.data;
        break;
    case FK_PUT_SESSION:
        expected.session = put->session;
        break;
    case FK_PUT_SESSION_END:
        expected.session.id = put->session.id;
        break;
    }
    return expected;
}

static void assert_node(const struct fk_node *actual, const struct fk_node *expected)
{
    fk_assert_bytes(actual->path, expected->path);
    fk_assert_bytes(actual->data, expected->data);
    fk_assert_bytes(actual->acl, expected->acl);
    assert_true(actual->czxid == expected->czxid);
    assert_true(actual->mzxid == expected->mzxid);
    assert_true(actual->pzxid == expected->pzxid);
    assert_true(actual->ctime_ms == expected->ctime_ms);
    assert_true(actual->mtime_ms == expected->mtime_ms);
    assert_true(actual->ephemeral_owner == expected->ephemeral_owner);
    assert_int_equal(actual->version, expected->version);
    assert_int_equal(actual->aversion, expected->aversion);
    assert_int_equal(actual->created_children, expected->created_children);
    assert_int_equal(actual->num_children, expected->num_children);
}

static void assert_change(const struct fk_change *actual, const struct fk_change *expected)
{
    assert_true(actual->zxid == expected->zxid);
    assert_true(actual->time_ms == expected->time_ms);
    assert_int_equal(actual->count, expected->count);
    for (size_t i = 0; i < expected->count; i++) {
        struct fk_put put = expected_put(expected, &expected->puts[i]);
        assert_int_equal(actual->puts[i].kind, put.kind);
        assert_node(&actual->puts[i].node, &put.node);
        assert_true(actual->puts[i].session.id == put.session.id);
        assert_int_equal(actual->puts[i].session.timeout_ms, put.session.timeout_ms);
        assert_memory_equal(actual->puts[i].session.password, put.session.password, FK_PASSWORD_SIZE);
    }
}

static void random_changes_come_back(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf payload = FK_BUF_EMPTY;
    for (int round = 0; round < 1000; round++) {
        struct random_change written;
        struct fk_change read;
        random_change(&prng, &written);
        fk_change_write(&payload, &written.change);
        assert_false(payload.failed);
        assert_true(payload.size <= fk_change_size(&written.change));
        struct fk_reader reader = fk_reader_of(fk_buf_view(&payload));
        assert_int_equal(fk_change_read(&reader, &arena, &read), FK_OK);
        assert_int_equal(reader.left, 0);
        assert_change(&read, &written.change);
        fk_arena_reset(&arena);
        fk_buf_clear(&payload);
    }
    fk_buf_deinit(&payload);
    fk_arena_deinit(&arena);
}

/* A payload is changes back to back; the payload ends where the last one does. */
static void changes_follow_each_other(void **state)
{
    (void)state;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf payload = FK_BUF_EMPTY;
    struct fk_put puts[] = {{.kind = FK_PUT_DELETE, .node = {.path = FK_BYTES_LITERAL("/a")}}};
    for (int64_t zxid = 1; zxid <= CHANGES; zxid++) {
        fk_change_write(&payload, &(struct fk_change){zxid, 1000 + zxid, puts, zxid % 2 == 0 ? 1 : 0});
    }
    struct fk_reader reader = fk_reader_of(fk_buf_view(&payload));
    for (int64_t zxid = 1; zxid <= CHANGES; zxid++) {
        struct fk_change read;
        assert_int_equal(fk_change_read(&reader, &arena, &read), FK_OK);
        assert_int_equal(read.zxid, zxid);
        assert_int_equal(read.time_ms, 1000 + zxid);
        assert_int_equal(read.count, zxid % 2 == 0 ? 1 : 0);
    }
    assert_int_equal(reader.left, 0);
    fk_buf_deinit(&payload);
    fk_arena_deinit(&arena);
}

static void every_truncation_is_malformed(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_guard guard;
    fk_guard_init(&guard, 4 * 1024 * 1024);
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_buf payload = FK_BUF_EMPTY;
    for (int round = 0; round < 200; round++) {
        struct random_change written;
        struct fk_change read;
        random_change(&prng, &written);
        fk_change_write(&payload, &written.change);
        size_t step = payload.size < 2000 ? 1 : payload.size / 500;
        for (size_t size = 0; size < payload.size; size += step) {
            struct fk_bytes head = fk_bytes_head(fk_buf_view(&payload), size);
            struct fk_reader reader = fk_reader_of(fk_guard_copy(&guard, head));
            assert_int_equal(fk_change_read(&reader, &arena, &read), FK_ERR_MALFORMED);
            fk_arena_reset(&arena);
        }
        fk_buf_clear(&payload);
    }
    fk_guard_deinit(&guard);
    fk_buf_deinit(&payload);
    fk_arena_deinit(&arena);
}

static enum fk_err read_bytes(struct fk_bytes bytes)
{
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_reader reader = fk_reader_of(bytes);
    struct fk_change read;
    enum fk_err err = fk_change_read(&reader, &arena, &read);
    fk_arena_deinit(&arena);
    return err;
}

#define HEADER "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2"

static void bytes_that_are_no_change_are_malformed(void **state)
{
    (void)state;
    assert_int_equal(read_bytes(FK_BYTES_LITERAL(HEADER "\0\0\0\0")), FK_OK);
    assert_int_equal(read_bytes(FK_BYTES_LITERAL(HEADER "\0\0\0\1\5\0\0\0\0")), FK_OK); /* deletes the empty path */
    static const struct fk_bytes bad[] = {
        {NULL, 0},
        FK_BYTES_LITERAL(HEADER "\xff\xff\xff\xff"),                 /* null puts */
        FK_BYTES_LITERAL(HEADER "\x80\0\0\0\5\0\0\0\0"),             /* negative count */
        FK_BYTES_LITERAL(HEADER "\x7f\xff\xff\xff\5\0\0\0\0"),       /* more than can fit */
        FK_BYTES_LITERAL(HEADER "\0\0\0\2\5\0\0\0\0"),               /* one more than there is */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\0\0\0\0\0"),               /* kind 0 */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\x08\0\0\0\0"),             /* kind 8 */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\xff\0\0\0\0"),             /* kind 255 */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\5\xff\xff\xff\xff"),       /* null path */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\5\xff\xff\xff\xfe"),       /* path of length -2 */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\5\x7f\xff\xff\xff"),       /* path beyond the end */
        FK_BYTES_LITERAL(HEADER "\0\0\0\1\3\0\0\0\0\0\xff\xff\xff"), /* an ACL of 16 million entries */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_bytes(bad[i]), FK_ERR_MALFORMED);
    }
}

static void no_memory_is_no_damage(void **state)
{
    (void)state;
    fk_test_fail_all(true);
    assert_int_equal(read_bytes(FK_BYTES_LITERAL(HEADER "\0\0\0\1\5\0\0\0\0")), FK_ERR_NOMEM);
}

/* Nearly every node has the open ACL: it costs 4 bytes in the log. */
static void the_open_list_is_short(void **state)
{
    (void)state;
    struct fk_buf payload = FK_BUF_EMPTY;
    struct fk_put put = {.kind = FK_PUT_CREATE,
                         .node = {.path = FK_BYTES_LITERAL("/a"), .data = FK_BYTES_LITERAL("b"), .acl = FK_ACL_OPEN}};
    fk_change_write(&payload, &(struct fk_change){1, 2, &put, 1});
    assert_int_equal(payload.size, 20 + 1 + (4 + 2) + (4 + 1) + 4 + 8);
    fk_buf_deinit(&payload);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(random_changes_come_back),      FK_TEST(changes_follow_each_other),
    FK_TEST(every_truncation_is_malformed), FK_TEST(bytes_that_are_no_change_are_malformed),
    FK_TEST(no_memory_is_no_damage),        FK_TEST(the_open_list_is_short),
};

FK_TEST_MAIN(tests)
