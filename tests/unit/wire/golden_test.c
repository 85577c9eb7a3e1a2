// SPDX-License-Identifier: Apache-2.0
/* src/wire against frames that real clients and a real ZooKeeper exchanged: what they say, and that it is written back
 * to the same bytes; then the same frames damaged. */
#include "wire/golden.h"

#include "base/limits.h"
#include "support/test.h"

#include <stdio.h>

static struct golden golden;

static int load(void **state)
{
    (void)fk_test_begin(state);
    golden_load(&golden);
    return 0;
}

static int unload(void **state)
{
    golden_free(&golden);
    return fk_test_end(state);
}

#define GOLDEN_TEST(function) cmocka_unit_test_setup_teardown(function, load, unload)

/* ---- every frame ---- */

/* An operation that ZooKeeper doesn't know either: its request has no record, its reply is an error. */
static bool is_unknown(const struct golden_frame *frame)
{
    return frame->kind == FRAME_REQUEST && frame->op == 77;
}

static void every_frame_comes_out_as_it_went_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < golden.count; i++) {
        const struct golden_frame *frame = &golden.frames[i];
        if (is_unknown(frame)) {
            continue;
        }
        struct fk_reader reader = fk_reader_of(frame->body);
        struct fk_buf out = FK_BUF_EMPTY;
        transcode(&reader, frame->kind, frame->op, &out);
        if (reader.failed || reader.left != 0) {
            fail_msg("%s: failed %d, %zu bytes left", frame->name, reader.failed, reader.left);
        }
        fk_assert_bytes(fk_buf_view(&out), frame->body);
        fk_buf_deinit(&out);
    }
}

/* The only prefix that is a record by itself: a connect without its last byte, as old clients and servers send it. */
static bool is_old_connect(const struct golden_frame *frame, size_t size)
{
    bool connect = frame->kind == FRAME_CONNECT_REQUEST || frame->kind == FRAME_CONNECT_REPLY;
    size_t old_size = frame->kind == FRAME_CONNECT_REQUEST ? 44 : 36;
    return connect && size == old_size;
}

static void every_truncation_fails_inside_its_bounds(void **state)
{
    (void)state;
    struct fk_guard guard;
    fk_guard_init(&guard, FK_FRAME_SIZE_MAX);
    for (size_t i = 0; i < golden.count; i++) {
        const struct golden_frame *frame = &golden.frames[i];
        for (size_t size = 0; size < frame->body.size; size++) {
            struct fk_buf out = FK_BUF_EMPTY;
            struct fk_reader reader = fk_reader_of(fk_guard_copy(&guard, fk_bytes_head(frame->body, size)));
            transcode(&reader, frame->kind, frame->op, &out);
            if (reader.failed == is_old_connect(frame, size)) {
                fail_msg("%s cut at %zu: failed %d", frame->name, size, reader.failed);
            }
            fk_buf_deinit(&out);
        }
    }
    fk_guard_deinit(&guard);
}

/* Any outcome is fine but a read past the end, or a success that does not survive a second round. */
static void transcode_damaged(struct fk_guard *guard, const struct golden_frame *frame, struct fk_bytes bytes)
{
    struct fk_buf first = FK_BUF_EMPTY;
    struct fk_buf second = FK_BUF_EMPTY;
    struct fk_reader reader = fk_reader_of(fk_guard_copy(guard, bytes));
    transcode(&reader, frame->kind, frame->op, &first);
    if (!reader.failed) {
        assert_int_equal(fk_buf_left(&first), bytes.size - reader.left);
        struct fk_reader again = fk_reader_of(fk_guard_copy(guard, fk_buf_view(&first)));
        transcode(&again, frame->kind, frame->op, &second);
        assert_false(again.failed);
        fk_assert_bytes(fk_buf_view(&second), fk_buf_view(&first));
    }
    fk_buf_deinit(&first);
    fk_buf_deinit(&second);
}

static void damaged_frames_stay_inside_their_bounds(void **state)
{
    (void)state;
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    struct fk_guard guard;
    fk_guard_init(&guard, FK_FRAME_SIZE_MAX);
    for (size_t i = 0; i < golden.count; i++) {
        const struct golden_frame *frame = &golden.frames[i];
        uint8_t *bytes = frame->storage.data + 4;
        for (size_t at = 0; at < frame->body.size; at++) {
            uint8_t kept = bytes[at];
            for (size_t value = 0; value < sizeof values; value++) {
                bytes[at] = values[value];
                transcode_damaged(&guard, frame, frame->body);
            }
            for (unsigned bit = 0; bit < 8; bit++) {
                bytes[at] = (uint8_t)(kept ^ (1u << bit));
                transcode_damaged(&guard, frame, frame->body);
            }
            bytes[at] = kept;
        }
    }
    fk_guard_deinit(&guard);
}

static void replies_carry_the_xid_of_their_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < golden.count; i++) {
        const struct golden_frame *frame = &golden.frames[i];
        if (frame->kind != FRAME_REPLY) {
            continue;
        }
        char name[80];
        (void)snprintf(name, sizeof name, "%.*s.request", (int)(strrchr(frame->name, '.') - frame->name), frame->name);
        struct fk_reader request = fk_reader_of(golden_find(&golden, name)->body);
        struct fk_reader reply = fk_reader_of(frame->body);
        struct fk_request_header request_header;
        struct fk_reply_header reply_header;
        fk_read_request_header(&request, &request_header);
        fk_read_reply_header(&reply, &reply_header);
        assert_int_equal(reply_header.xid, request_header.xid);
    }
}

/* ---- what the frames say ---- */

/* The body of a request, after its header. */
static struct fk_reader open_request(const char *name, enum fk_op op)
{
    struct fk_reader reader = fk_reader_of(golden_find(&golden, name)->body);
    struct fk_request_header header;
    fk_read_request_header(&reader, &header);
    assert_int_equal(header.op, op);
    return reader;
}

static struct fk_reader open_reply(const char *name, enum fk_code code, struct fk_reply_header *header)
{
    struct fk_reader reader = fk_reader_of(golden_find(&golden, name)->body);
    fk_read_reply_header(&reader, header);
    assert_int_equal(header->code, code);
    assert_true(code == FK_CODE_OK || reader.left == 0);
    return reader;
}

static void assert_end(const struct fk_reader *reader)
{
    assert_false(reader->failed);
    assert_int_equal(reader->left, 0);
}

static void connects(void **state)
{
    (void)state;
    struct fk_connect_request request;
    struct fk_reader reader = fk_reader_of(golden_find(&golden, "java.connect.request")->body);
    fk_read_connect_request(&reader, &request);
    assert_end(&reader);
    assert_int_equal(request.protocol_version, 0);
    assert_int_equal(request.last_zxid_seen, 0);
    assert_int_equal(request.timeout_ms, 30000);
    assert_int_equal(request.session_id, 0);
    assert_int_equal(request.password.size, FK_PASSWORD_SIZE);
    assert_true(request.has_read_only);
    assert_false(request.read_only);

    struct fk_connect_response response;
    reader = fk_reader_of(golden_find(&golden, "java.connect.reply")->body);
    fk_read_connect_response(&reader, &response);
    assert_end(&reader);
    assert_int_equal(response.protocol_version, 0);
    assert_int_equal(response.timeout_ms, 30000);
    assert_int_not_equal(response.session_id, 0);
    assert_int_equal(response.password.size, FK_PASSWORD_SIZE);
    assert_true(response.has_read_only);
    assert_false(response.read_only);

    struct fk_connect_request again;
    reader = fk_reader_of(golden_find(&golden, "java.reconnect.request")->body);
    fk_read_connect_request(&reader, &again);
    assert_int_equal(again.session_id, response.session_id);
    assert_true(again.last_zxid_seen > 0);
    fk_assert_bytes(again.password, response.password);
}

static void connects_without_the_last_byte(void **state)
{
    (void)state;
    struct fk_connect_request request;
    struct fk_reader reader = fk_reader_of(golden_find(&golden, "raw.connect-old.request")->body);
    fk_read_connect_request(&reader, &request);
    assert_end(&reader);
    assert_false(request.has_read_only);
    assert_false(request.read_only);
    assert_int_equal(request.timeout_ms, 10000);
    struct fk_connect_response response;
    reader = fk_reader_of(golden_find(&golden, "raw.connect-old.reply")->body);
    fk_read_connect_response(&reader, &response);
    assert_end(&reader);
    assert_false(response.has_read_only);
    assert_int_not_equal(response.session_id, 0);
}

static void connect_to_an_unknown_session(void **state)
{
    (void)state;
    struct fk_connect_response response;
    struct fk_reader reader = fk_reader_of(golden_find(&golden, "raw.connect-expired.reply")->body);
    fk_read_connect_response(&reader, &response);
    assert_end(&reader);
    assert_int_equal(response.session_id, 0);
    assert_int_equal(response.timeout_ms, 0);
    assert_int_equal(response.password.size, FK_PASSWORD_SIZE);
}

static void assert_create(const char *name, enum fk_op op, const char *path, struct fk_bytes data, int32_t flags)
{
    struct fk_create_request request;
    struct fk_reader reader = open_request(name, op);
    fk_read_create_request(&reader, &request);
    assert_end(&reader);
    fk_assert_text(request.path, path);
    fk_assert_bytes(request.data, data);
    fk_assert_bytes(request.acl, FK_ACL_OPEN);
    assert_int_equal(request.flags, flags);
}

static void creates(void **state)
{
    (void)state;
    assert_create("java.create.request", FK_OP_CREATE, "/golden", FK_BYTES_LITERAL("hello"), 0);
    assert_create("java.create-null.request", FK_OP_CREATE, "/golden/null", FK_BYTES_NULL, 0);
    assert_create("java.create-sequential.request", FK_OP_CREATE, "/golden/seq-", FK_BYTES_LITERAL("x"),
                  FK_CREATE_EPHEMERAL | FK_CREATE_SEQUENTIAL);
    assert_create("java.create-container.request", FK_OP_CREATE_CONTAINER, "/golden/container", FK_BYTES_NULL, 4);
    assert_create("kazoo.create.request", FK_OP_CREATE, "/kazoo", FK_BYTES_LITERAL(""), 0);
    assert_create("kazoo.create2.request", FK_OP_CREATE2, "/kazoo/two", FK_BYTES_LITERAL("Größe"), FK_CREATE_EPHEMERAL);
    struct fk_create_request request;
    struct fk_reader reader = open_request("raw.create-null-acl.request", FK_OP_CREATE);
    fk_read_create_request(&reader, &request);
    assert_end(&reader);
    assert_null(request.acl.data);

    struct fk_reply_header header;
    reader = open_reply("java.create-sequential.reply", FK_CODE_OK, &header);
    fk_assert_text(fk_read_bytes(&reader), "/golden/seq-0000000001");
    assert_end(&reader);
    struct fk_stat stat;
    reader = open_reply("kazoo.create2.reply", FK_CODE_OK, &header);
    fk_assert_text(fk_read_bytes(&reader), "/kazoo/two");
    fk_read_stat(&reader, &stat);
    assert_end(&reader);
    assert_int_equal(stat.czxid, header.zxid);
    assert_int_equal(stat.mzxid, header.zxid);
    assert_int_equal(stat.pzxid, header.zxid);
    assert_int_equal(stat.ctime_ms, stat.mtime_ms);
    assert_true(stat.ctime_ms > INT64_C(1500000000000)); /* a time in milliseconds of this century */
    assert_int_not_equal(stat.ephemeral_owner, 0);
    assert_int_equal(stat.data_length, 7);
}

static void deletes_and_checks(void **state)
{
    (void)state;
    struct fk_version_request request;
    struct fk_reader reader = open_request("java.delete.request", FK_OP_DELETE);
    fk_read_version_request(&reader, &request);
    assert_end(&reader);
    fk_assert_text(request.path, "/golden/container");
    assert_int_equal(request.version, 0);
    reader = open_request("kazoo.delete-later.request", FK_OP_DELETE);
    fk_read_version_request(&reader, &request);
    assert_end(&reader);
    assert_int_equal(request.version, -1);
}

static void assert_watch_request(const char *name, enum fk_op op, const char *path, bool watch)
{
    struct fk_watch_request request;
    struct fk_reader reader = open_request(name, op);
    fk_read_watch_request(&reader, &request);
    assert_end(&reader);
    fk_assert_text(request.path, path);
    assert_int_equal(request.watch, watch);
}

static void reads(void **state)
{
    (void)state;
    assert_watch_request("java.exists.request", FK_OP_EXISTS, "/golden", false);
    assert_watch_request("java.exists-absent.request", FK_OP_EXISTS, "/golden/absent", true);
    assert_watch_request("java.get-data-watch.request", FK_OP_GET_DATA, "/golden", true);
    assert_watch_request("kazoo.get-data.request", FK_OP_GET_DATA, "/kazoo", false);
    assert_watch_request("kazoo.get-children-watch.request", FK_OP_GET_CHILDREN, "/kazoo", true);
    assert_watch_request("java.get-children2.request", FK_OP_GET_CHILDREN2, "/golden", true);
    struct fk_reader reader = open_request("java.get-acl.request", FK_OP_GET_ACL);
    fk_assert_text(fk_read_bytes(&reader), "/golden/acl");
    assert_end(&reader);
    reader = open_request("java.sync.request", FK_OP_SYNC);
    fk_assert_text(fk_read_bytes(&reader), "/golden");
    assert_end(&reader);
    reader = open_request("raw.null-path.request", FK_OP_GET_DATA);
    struct fk_watch_request request;
    fk_read_watch_request(&reader, &request);
    assert_end(&reader);
    assert_null(request.path.data);
}

static void replies_to_reads(void **state)
{
    (void)state;
    struct fk_reply_header header;
    struct fk_stat stat;
    struct fk_reader reader = open_reply("java.get-data-watch.reply", FK_CODE_OK, &header);
    fk_assert_text(fk_read_bytes(&reader), "hello");
    fk_read_stat(&reader, &stat);
    assert_end(&reader);
    assert_int_equal(stat.version, 0);
    assert_int_equal(stat.data_length, 5);
    assert_int_equal(stat.num_children, 4); /* null, seq-..., container, acl */
    assert_int_equal(stat.cversion, 4);
    assert_int_equal(stat.ephemeral_owner, 0);
    assert_true(stat.pzxid > stat.czxid);
    reader = open_reply("java.get-data-null.reply", FK_CODE_OK, &header);
    assert_null(fk_read_bytes(&reader).data);
    fk_read_stat(&reader, &stat);
    assert_end(&reader);
    assert_int_equal(stat.data_length, 0);
    reader = open_reply("kazoo.get-children-watch.reply", FK_CODE_OK, &header);
    struct fk_bytes children = fk_read_strings(&reader);
    assert_end(&reader);
    reader = fk_reader_of(children);
    assert_int_equal(fk_read_count(&reader, 4), 1);
    fk_assert_text(fk_read_bytes(&reader), "two");
    assert_end(&reader);
}

static void assert_acl_entry(struct fk_reader *reader, int32_t perms, const char *scheme, const char *id)
{
    struct fk_acl_entry entry;
    fk_read_acl_entry(reader, &entry);
    assert_int_equal(entry.perms, perms);
    fk_assert_text(entry.scheme, scheme);
    fk_assert_text(entry.id, id);
}

static void access_lists(void **state)
{
    (void)state;
    struct fk_reply_header header;
    struct fk_stat stat;
    struct fk_reader reader = open_reply("java.get-acl.reply", FK_CODE_OK, &header);
    struct fk_bytes acl = fk_read_acl(&reader);
    fk_read_stat(&reader, &stat);
    assert_end(&reader);
    reader = fk_reader_of(acl);
    assert_int_equal(fk_read_count(&reader, 12), 2);
    assert_acl_entry(&reader, FK_PERM_READ, "world", "anyone");
    assert_acl_entry(&reader, FK_PERM_ALL, "ip", "127.0.0.1");
    assert_end(&reader);

    struct fk_set_acl_request request;
    reader = open_request("java.set-acl.request", FK_OP_SET_ACL);
    fk_read_set_acl_request(&reader, &request);
    assert_end(&reader);
    fk_assert_text(request.path, "/golden/null");
    assert_int_equal(request.version, 0);
    reader = fk_reader_of(request.acl);
    assert_int_equal(fk_read_count(&reader, 12), 2);
    assert_acl_entry(&reader, FK_PERM_ALL, "auth", "");
    assert_acl_entry(&reader, FK_PERM_READ, "world", "anyone");
    assert_end(&reader);
    reader = open_reply("java.set-acl.reply", FK_CODE_OK, &header);
    fk_read_stat(&reader, &stat);
    assert_end(&reader);
    assert_int_equal(stat.aversion, 1);
}

static void set_data(void **state)
{
    (void)state;
    struct fk_set_data_request request;
    struct fk_reader reader = open_request("java.set-data.request", FK_OP_SET_DATA);
    fk_read_set_data_request(&reader, &request);
    assert_end(&reader);
    fk_assert_text(request.path, "/golden");
    fk_assert_text(request.data, "world");
    assert_int_equal(request.version, -1);
    reader = open_request("raw.set-data-null.request", FK_OP_SET_DATA);
    fk_read_set_data_request(&reader, &request);
    assert_end(&reader);
    assert_null(request.data.data);
    struct fk_reply_header header;
    struct fk_stat stat;
    reader = open_reply("java.set-data.reply", FK_CODE_OK, &header);
    fk_read_stat(&reader, &stat);
    assert_end(&reader);
    assert_int_equal(stat.version, 1);
    assert_int_equal(stat.mzxid, header.zxid);
}

static void assert_multi_header(struct fk_reader *reader, int32_t op, bool done, int32_t code)
{
    struct fk_multi_header header;
    fk_read_multi_header(reader, &header);
    assert_int_equal(header.op, op);
    assert_int_equal(header.done, done);
    assert_int_equal(header.code, code);
}

static void multi_request(void **state)
{
    (void)state;
    struct fk_create_request create;
    struct fk_set_data_request set;
    struct fk_version_request version;
    struct fk_reader reader = open_request("kazoo.multi.request", FK_OP_MULTI);
    assert_multi_header(&reader, FK_OP_CREATE, false, -1);
    fk_read_create_request(&reader, &create);
    fk_assert_text(create.path, "/kazoo/multi");
    fk_assert_text(create.data, "one");
    assert_multi_header(&reader, FK_OP_SET_DATA, false, -1);
    fk_read_set_data_request(&reader, &set);
    fk_assert_text(set.data, "two");
    assert_int_equal(set.version, -1);
    assert_multi_header(&reader, FK_OP_CHECK, false, -1);
    fk_read_version_request(&reader, &version);
    fk_assert_text(version.path, "/kazoo/multi");
    assert_int_equal(version.version, 1);
    assert_multi_header(&reader, FK_OP_DELETE, false, -1);
    fk_read_version_request(&reader, &version);
    assert_int_equal(version.version, 1);
    assert_multi_header(&reader, -1, true, -1);
    assert_end(&reader);
}

static void multi_replies(void **state)
{
    (void)state;
    struct fk_reply_header header;
    struct fk_stat stat;
    struct fk_reader reader = open_reply("kazoo.multi.reply", FK_CODE_OK, &header);
    assert_multi_header(&reader, FK_OP_CREATE, false, 0);
    fk_assert_text(fk_read_bytes(&reader), "/kazoo/multi");
    assert_multi_header(&reader, FK_OP_SET_DATA, false, 0);
    fk_read_stat(&reader, &stat);
    assert_int_equal(stat.version, 1);
    assert_int_equal(stat.mzxid, header.zxid);
    assert_multi_header(&reader, FK_OP_CHECK, false, 0);
    assert_multi_header(&reader, FK_OP_DELETE, false, 0);
    assert_multi_header(&reader, -1, true, -1);
    assert_end(&reader);

    /* Refused by its second entry: 0 before it, its own code, RUNTIMEINCONSISTENCY after it; the header says 0. */
    static const int32_t codes[] = {FK_CODE_OK, FK_CODE_BAD_VERSION, FK_CODE_RUNTIME_INCONSISTENCY};
    reader = open_reply("kazoo.multi-refused.reply", FK_CODE_OK, &header);
    for (size_t i = 0; i < 3; i++) {
        assert_multi_header(&reader, FK_OP_ERROR, false, codes[i]);
        assert_int_equal(fk_read_i32(&reader), codes[i]);
    }
    assert_multi_header(&reader, -1, true, -1);
    assert_end(&reader);
}

static void auth_and_pings(void **state)
{
    (void)state;
    struct fk_auth_request request;
    struct fk_reply_header header;
    struct fk_reader reader = open_request("java.auth.request", FK_OP_AUTH);
    fk_read_auth_request(&reader, &request);
    assert_end(&reader);
    assert_int_equal(request.type, 0);
    fk_assert_text(request.scheme, "digest");
    fk_assert_text(request.auth, "user:password");
    reader = open_reply("java.auth.reply", FK_CODE_OK, &header);
    assert_end(&reader);
    assert_int_equal(header.xid, FK_XID_AUTH);
    assert_int_equal(header.zxid, 0);
    reader = open_request("kazoo.ping.request", FK_OP_PING);
    assert_end(&reader);
    reader = open_reply("kazoo.ping.reply", FK_CODE_OK, &header);
    assert_end(&reader);
    assert_int_equal(header.xid, FK_XID_PING);
    reader = open_request("java.close.request", FK_OP_CLOSE_SESSION);
    assert_end(&reader);
}

static void assert_one_string(struct fk_bytes strings, const char *text)
{
    struct fk_reader reader = fk_reader_of(strings);
    assert_int_equal(fk_read_count(&reader, 4), 1);
    fk_assert_text(fk_read_bytes(&reader), text);
    assert_end(&reader);
}

static void set_watches(void **state)
{
    (void)state;
    struct fk_set_watches_request request;
    struct fk_reader reader = open_request("java.set-watches.request", FK_OP_SET_WATCHES);
    fk_read_set_watches_request(&reader, &request);
    assert_end(&reader);
    assert_true(request.relative_zxid > 0);
    assert_one_string(request.data, "/golden");
    assert_one_string(request.exist, "/golden/absent");
    assert_one_string(request.child, "/golden");
    reader = open_request("raw.set-watches-null.request", FK_OP_SET_WATCHES);
    fk_read_set_watches_request(&reader, &request);
    assert_end(&reader);
    assert_null(request.data.data);
    assert_null(request.exist.data);
    assert_null(request.child.data);
}

static void assert_event(const char *name, enum fk_event_type type, const char *path)
{
    struct fk_reply_header header;
    struct fk_watcher_event event;
    struct fk_reader reader = open_reply(name, FK_CODE_OK, &header);
    assert_int_equal(header.xid, FK_XID_NOTIFICATION);
    assert_int_equal(header.zxid, -1);
    fk_read_watcher_event(&reader, &event);
    assert_end(&reader);
    assert_int_equal(event.type, type);
    assert_int_equal(event.state, FK_STATE_SYNC_CONNECTED);
    fk_assert_text(event.path, path);
}

static void events(void **state)
{
    (void)state;
    assert_event("java.set-data.event", FK_EVENT_DATA_CHANGED, "/golden");
    assert_event("java.delete.event", FK_EVENT_CHILDREN_CHANGED, "/golden");
    assert_event("java.create-watched.event", FK_EVENT_CREATED, "/golden/absent");
    assert_event("kazoo.delete-later.event", FK_EVENT_DELETED, "/kazoo/later");
}

static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum fk_code code;
    } rows[] = {
        {"java.create-exists.reply", FK_CODE_NODE_EXISTS},
        {"java.create-no-parent.reply", FK_CODE_NO_NODE},
        {"java.exists-absent.reply", FK_CODE_NO_NODE},
        {"java.get-data-missing.reply", FK_CODE_NO_NODE},
        {"java.set-data-version.reply", FK_CODE_BAD_VERSION},
        {"java.set-acl-invalid.reply", FK_CODE_INVALID_ACL},
        {"java.delete-not-empty.reply", FK_CODE_NOT_EMPTY},
        {"kazoo.ephemeral-parent.reply", FK_CODE_NO_CHILDREN_FOR_EPHEMERALS},
        {"raw.unknown-operation.reply", FK_CODE_UNIMPLEMENTED},
        {"raw.create-null-acl.reply", FK_CODE_INVALID_ACL},
        {"raw.set-data-null.reply", FK_CODE_NO_AUTH},
        {"raw.null-path.reply", FK_CODE_MARSHALLING_ERROR},
        {"raw.set-watches-null.reply", FK_CODE_MARSHALLING_ERROR},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_reply_header header;
        struct fk_reader reader = open_reply(rows[i].name, rows[i].code, &header);
        assert_end(&reader);
        assert_int_equal(header.zxid == -1, rows[i].code == FK_CODE_UNIMPLEMENTED);
    }
}

static const struct CMUnitTest tests[] = {
    GOLDEN_TEST(every_frame_comes_out_as_it_went_in),
    GOLDEN_TEST(every_truncation_fails_inside_its_bounds),
    GOLDEN_TEST(damaged_frames_stay_inside_their_bounds),
    GOLDEN_TEST(replies_carry_the_xid_of_their_request),
    GOLDEN_TEST(connects),
    GOLDEN_TEST(connects_without_the_last_byte),
    GOLDEN_TEST(connect_to_an_unknown_session),
    GOLDEN_TEST(creates),
    GOLDEN_TEST(deletes_and_checks),
    GOLDEN_TEST(reads),
    GOLDEN_TEST(replies_to_reads),
    GOLDEN_TEST(access_lists),
    GOLDEN_TEST(set_data),
    GOLDEN_TEST(multi_request),
    GOLDEN_TEST(multi_replies),
    GOLDEN_TEST(auth_and_pings),
    GOLDEN_TEST(set_watches),
    GOLDEN_TEST(events),
    GOLDEN_TEST(errors),
};

FK_TEST_MAIN(tests)
