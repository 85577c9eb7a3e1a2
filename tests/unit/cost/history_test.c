// SPDX-License-Identifier: Apache-2.0
#include "cost/history.h"

#include "cost/near.h"
#include "wire/codes.h"
#include "wire/records.h"

#include <stdio.h>

#define HEADER "{\"format\":\"faaskeeper-history\",\"version\":1,\"first_zxid\":0}\n"

static FILE *file;
static struct fk_recorded recorded;

static int setup(void **state)
{
    file = tmpfile();
    assert_non_null(file);
    (void)fputs(HEADER, file);
    return fk_test_begin(state);
}

static int teardown(void **state)
{
    (void)fclose(file);
    return fk_test_end(state);
}

static void line(const char *kind, double seconds, int number, struct fk_buf *frame)
{
    (void)fprintf(file, "{\"k\":\"%s\",\"t\":%.0f,\"n\":%d,\"c\":%d,\"g\":7,\"f\":\"", kind, seconds * 1e9, number,
                  number);
    struct fk_bytes bytes = fk_buf_view(frame);
    for (size_t i = 0; i < bytes.size; i++) {
        (void)fprintf(file, "%02x", bytes.data[i]);
    }
    (void)fputs("\"}\n", file);
    fk_buf_deinit(frame);
}

static void connect_at(double seconds, int number, int64_t session_id)
{
    struct fk_buf frame = FK_BUF_EMPTY;
    struct fk_connect_request request = {.session_id = session_id, .password = FK_BYTES_LITERAL("0123456789abcdef")};
    fk_write_connect_request(&frame, &request);
    line("connect", seconds, number, &frame);
}

static struct fk_buf request(int32_t xid, int32_t op)
{
    struct fk_buf frame = FK_BUF_EMPTY;
    fk_write_request_header(&frame, &(struct fk_request_header){.xid = xid, .op = op});
    return frame;
}

static void answer(double seconds, int number, int32_t xid, int32_t code, int32_t first)
{
    struct fk_buf frame = FK_BUF_EMPTY;
    fk_write_reply_header(&frame, &(struct fk_reply_header){.xid = xid, .zxid = 1, .code = code});
    fk_write_i32(&frame, first);
    line("received", seconds, number, &frame);
}

static void set_data(double seconds, int number, int32_t xid, size_t size)
{
    static const uint8_t zeros[4096];
    struct fk_buf frame = request(xid, FK_OP_SET_DATA);
    fk_write_set_data_request(
        &frame,
        &(struct fk_set_data_request){.path = FK_BYTES_LITERAL("/a"), .data = fk_bytes_of(zeros, size), .version = -1});
    line("sent", seconds, number, &frame);
}

static void get_data(double seconds, int number, int32_t xid, int32_t op, bool watch)
{
    struct fk_buf frame = request(xid, op);
    fk_write_watch_request(&frame, &(struct fk_watch_request){FK_BYTES_LITERAL("/a"), watch});
    line("sent", seconds, number, &frame);
}

static enum fk_err read_back(struct fk_diag *diag)
{
    rewind(file);
    return fk_history_read(file, &recorded, diag);
}

static double counted(enum fk_cost_op op, size_t amount)
{
    for (size_t i = 0; i < recorded.count; i++) {
        if (recorded.ops[i].op == op && recorded.ops[i].amount == fk_cost_amount(op, amount)) {
            return recorded.ops[i].count;
        }
    }
    return 0;
}

/* Two clients for ten minutes. */
static void what_was_asked_is_counted(void **state)
{
    (void)state;
    struct fk_diag diag = {.text = ""};
    connect_at(0, 1, 0);
    connect_at(1, 2, 99); /* a session that had been elsewhere */
    set_data(2, 1, 1, 100);
    answer(2.1, 1, 1, FK_CODE_OK, 0);
    set_data(3, 1, 2, 3000);
    get_data(3, 1, 3, FK_OP_GET_DATA, false); /* a pipeline: answered in order */
    answer(3.1, 1, 2, FK_CODE_OK, 0);
    answer(3.1, 1, 3, FK_CODE_OK, 3000);
    set_data(4, 2, 1, 100);
    answer(4.1, 2, 1, FK_CODE_BAD_VERSION, 0);
    get_data(5, 2, 2, FK_OP_EXISTS, false);
    answer(5.1, 2, 2, FK_CODE_NO_NODE, 0);
    get_data(6, 2, 3, FK_OP_GET_CHILDREN, false);
    answer(6.1, 2, 3, FK_CODE_OK, 50);
    get_data(7, 2, 4, FK_OP_GET_DATA, true);
    answer(7.1, 2, 4, FK_CODE_OK, 10);
    answer(8, 2, FK_XID_NOTIFICATION, 0, FK_EVENT_DATA_CHANGED);
    struct fk_buf ping = request(FK_XID_PING, FK_OP_PING);
    line("sent", 600, 2, &ping);
    (void)fputs("{\"k\":\"lost\",\"t\":600000000000,\"n\":2}\n", file);
    (void)fputs("{\"k\":\"ground\",\"t\":1,\"kind\":\"close\",\"session\":1}\n", file);
    (void)fputs("{\"k\":\"node\",\"path\":\"2f61\",\"data\":\"00000000\"}\n{\"k\":\"end\",\"final_zxid\":5}\n", file);
    assert_int_equal(read_back(&diag), FK_OK);
    fk_assert_near(recorded.seconds, 600);
    fk_assert_near(recorded.gateways, 1);
    fk_assert_near(recorded.data_bytes, 234 + 2 + 4);
    fk_assert_near(counted(FK_COST_SESSION_NEW, 0), 1);
    fk_assert_near(counted(FK_COST_SESSION_MOVED, 0), 1);
    fk_assert_near(counted(FK_COST_SESSION_EXPIRED, 0), 1);
    fk_assert_near(counted(FK_COST_SET_DATA, 100), 1);
    fk_assert_near(counted(FK_COST_SET_DATA, 3000), 1);
    fk_assert_near(counted(FK_COST_GET_DATA, 3000), 1);
    fk_assert_near(counted(FK_COST_CREATE_REFUSED, 0), 1);
    fk_assert_near(counted(FK_COST_EXISTS_NOT, 0), 1);
    fk_assert_near(counted(FK_COST_GET_CHILDREN, 50), 1);
    fk_assert_near(counted(FK_COST_GET_DATA_WATCH, 0), 1);
    fk_assert_near(counted(FK_COST_EVENT, 0), 1);
    fk_assert_near(counted(FK_COST_GATEWAY_MINUTE, 1), 10);
    fk_assert_near(counted(FK_COST_HEARTBEAT, 2), 10);
}

static void parts_of_a_multi_are_counted(void **state)
{
    (void)state;
    struct fk_diag diag = {.text = ""};
    struct fk_buf frame = request(1, FK_OP_MULTI);
    connect_at(0, 1, 0);
    fk_write_multi_header(&frame, &(struct fk_multi_header){FK_OP_CREATE, false, -1});
    fk_write_create_request(&frame, &(struct fk_create_request){.path = FK_BYTES_LITERAL("/a"),
                                                                .data = FK_BYTES_LITERAL("x"),
                                                                .acl = FK_BYTES_LITERAL("\0\0\0\0")});
    fk_write_multi_header(&frame, &(struct fk_multi_header){FK_OP_SET_DATA, false, -1});
    fk_write_set_data_request(&frame, &(struct fk_set_data_request){.path = FK_BYTES_LITERAL("/a"), .version = -1});
    fk_write_multi_header(&frame, &(struct fk_multi_header){FK_OP_DELETE, false, -1});
    fk_write_version_request(&frame, &(struct fk_version_request){FK_BYTES_LITERAL("/a"), -1});
    fk_write_multi_header(&frame, &(struct fk_multi_header){-1, true, -1});
    line("sent", 1, 1, &frame);
    answer(2, 1, 1, FK_CODE_OK, 0);
    assert_int_equal(read_back(&diag), FK_OK);
    fk_assert_near(counted(FK_COST_MULTI, 3), 1);
}

static void what_is_no_history_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "it is empty"},
        {"{}\n", "line 1: the header of a history is expected"},
        {"{\"format\":\"other\"}\n", "line 1: the header"},
        {HEADER "x\n", "line 2: a line of a history is expected"},
        {HEADER "{\"k\":\"sent\",\"t\":1,\"n\":1,\"f\":\"00\"}\n", "line 2"},
        {HEADER "{\"k\":\"connect\",\"t\":1,\"n\":0,\"f\":\"00\"}\n", "line 2"},
        {HEADER "{\"k\":\"connect\",\"t\":1,\"n\":1,\"f\":\"0g\"}\n", "line 2"},
        {HEADER "{\"k\":\"connect\",\"t\":1,\"n\":99999999999,\"f\":\"00\"}\n", "line 2"},
        {HEADER "{\"k\":\"connect\",\"t\":1,\"n\":1,\"f\":\"00\"}\n{\"k\":\"received\",\"t\":1,\"n\":1,\"f\":\"00\"}\n",
         "line 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *other = tmpfile();
        struct fk_diag diag = {.text = ""};
        assert_non_null(other);
        (void)fputs(cases[i].text, other);
        rewind(other);
        assert_int_equal(fk_history_read(other, &recorded, &diag), FK_ERR_USAGE);
        if (strstr(diag.text, cases[i].message) == NULL) {
            fail_msg("case %zu: '%s' does not say '%s'", i, diag.text, cases[i].message);
        }
        (void)fclose(other);
    }
}

static void a_history_is_known_by_its_beginning(void **state)
{
    (void)state;
    assert_true(fk_history_is(HEADER));
    assert_false(fk_history_is("{\"seconds\": 1}"));
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(what_was_asked_is_counted),
        FILE_TEST(parts_of_a_multi_are_counted),
        FK_TEST(what_is_no_history_is_refused),
        FK_TEST(a_history_is_known_by_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
