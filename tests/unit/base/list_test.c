// SPDX-License-Identifier: Apache-2.0
#include "base/list.h"

#include "support/test.h"

struct item {
    int number;
    struct fk_list link;
};

static int number_of(struct fk_list *link)
{
    return FK_CONTAINER_OF(link, struct item, link)->number;
}

static void links_come_out_in_order(void **state)
{
    (void)state;
    struct fk_list list;
    struct item items[5];
    fk_list_init(&list);
    assert_true(fk_list_empty(&list));
    assert_null(fk_list_take(&list));
    for (int i = 0; i < 5; i++) {
        items[i].number = i;
        fk_list_append(&list, &items[i].link);
    }
    assert_false(fk_list_empty(&list));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(number_of(fk_list_take(&list)), i);
    }
    assert_true(fk_list_empty(&list));
    assert_null(fk_list_take(&list));
}

static void a_link_can_leave_from_anywhere_and_come_back(void **state)
{
    (void)state;
    struct fk_list list;
    struct item items[4];
    fk_list_init(&list);
    for (int i = 0; i < 4; i++) {
        items[i].number = i;
        fk_list_append(&list, &items[i].link);
    }
    fk_list_remove(&items[2].link);
    fk_list_remove(&items[0].link);
    fk_list_remove(&items[3].link);
    assert_int_equal(number_of(list.next), 1);
    assert_ptr_equal(list.next, list.prev);
    fk_list_append(&list, &items[0].link);
    fk_list_remove(&items[1].link);
    assert_int_equal(number_of(fk_list_take(&list)), 0);
    assert_true(fk_list_empty(&list));
}

static void removing_a_link_that_is_in_no_list_does_nothing(void **state)
{
    (void)state;
    struct fk_list list;
    struct item item = {.number = 1};
    fk_list_init(&list);
    fk_list_init(&item.link);
    fk_list_remove(&item.link);
    fk_list_append(&list, &item.link);
    fk_list_remove(&item.link);
    fk_list_remove(&item.link);
    assert_true(fk_list_empty(&item.link));
    assert_true(fk_list_empty(&list));
}

static const struct CMUnitTest tests[] = {
    FK_TEST(links_come_out_in_order),
    FK_TEST(a_link_can_leave_from_anywhere_and_come_back),
    FK_TEST(removing_a_link_that_is_in_no_list_does_nothing),
};

FK_TEST_MAIN(tests)
