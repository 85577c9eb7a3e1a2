// SPDX-License-Identifier: Apache-2.0
#include "model/quota_count.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

static void count(struct fk_quota_counts *counts, const char *path)
{
    fk_quota_count(counts, fk_bytes_text(path));
}

static void refusals_are_counted_by_the_first_component(void **state)
{
    struct fk_quota_counts counts = {.size = 0};
    struct fk_buf out = FK_BUF_EMPTY;
    (void)state;
    count(&counts, "/a");
    count(&counts, "/a/b/c");
    count(&counts, "/ab");
    count(&counts, "/");
    count(&counts, "");
    fk_quota_counts_print(&counts, &out);
    fk_assert_bytes(fk_buf_view(&out), fk_bytes_text("zk_a_quota_exceeded_error_per_namespace\t2\n"
                                                     "zk_ab_quota_exceeded_error_per_namespace\t1\n"));
    fk_buf_deinit(&out);
}

static void namespaces_are_bounded(void **state)
{
    struct fk_quota_counts counts = {.size = 0};
    char path[FK_QUOTA_NAMESPACE_SIZE_MAX + 3];
    (void)state;
    for (int i = 0; i < FK_QUOTA_NAMESPACES_MAX + 10; i++) {
        (void)snprintf(path, sizeof path, "/%d", i);
        count(&counts, path);
    }
    assert_int_equal(counts.size, FK_QUOTA_NAMESPACES_MAX);
    count(&counts, "/0");
    assert_int_equal(counts.items[0].count, 2);
    counts = (struct fk_quota_counts){.size = 0};
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[FK_QUOTA_NAMESPACE_SIZE_MAX + 2] = '\0';
    count(&counts, path);
    assert_int_equal(counts.size, 0);
    path[FK_QUOTA_NAMESPACE_SIZE_MAX + 1] = '\0';
    count(&counts, path);
    assert_int_equal(counts.size, 1);
    assert_string_equal(counts.items[0].name, path + 1);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(refusals_are_counted_by_the_first_component),
    FK_TEST(namespaces_are_bounded),
};

FK_TEST_MAIN(tests)
