// SPDX-License-Identifier: Apache-2.0
/* The one way to use cmocka: every unit test is `static void name(void **state)`, stands in a table of FK_TEST rows,
 * and the file ends with FK_TEST_MAIN. A test that leaves memory of fk_alloc behind fails, and names the blocks. The
 * allocator is replaced at link time (unit_support_dep passes --wrap), so that the code under test is the one that
 * ships. Everything random comes from fk_test_prng: FK_TEST_SEED in the environment chooses another seed. */
#ifndef FK_TESTS_UNIT_SUPPORT_TEST_H
#define FK_TESTS_UNIT_SUPPORT_TEST_H

#include "base/buf.h"
#include "base/bytes.h"
#include "support/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FK_TEST(function) cmocka_unit_test_setup_teardown(function, fk_test_begin, fk_test_end)

/* Skips the rest of the test; the runner of all tests shows the reason. */
#define FK_TEST_SKIP(reason)                                                                                           \
    do {                                                                                                               \
        (void)printf("# skipped: " reason "\n");                                                                       \
        skip();                                                                                                        \
    } while (0)

#define FK_TEST_MAIN(tests)                                                                                            \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        return cmocka_run_group_tests(tests, NULL, NULL);                                                              \
    }

/* Around each test; fk_test_end fails where a block allocated since fk_test_begin is alive. */
int fk_test_begin(void **state);
int fk_test_end(void **state);

/* From now on the nth allocation (1 = the next one) of fk_alloc, fk_alloc_zero and fk_realloc gives NULL, once; 0 turns
 * that off. The usual loop over all allocations of some work:
 *     uint64_t nth = 1;
 *     do {
 *         fk_test_fail_alloc(nth++);
 *         ... the work, which may fail with FK_ERR_NOMEM ...
 *     } while (fk_test_alloc_failed());
 */
void fk_test_fail_alloc(uint64_t nth);
/* All allocations fail (true) or none does (false). */
void fk_test_fail_all(bool fail);
/* Whether an allocation failed since fk_test_fail_alloc. */
bool fk_test_alloc_failed(void);
/* Blocks that are alive. */
size_t fk_test_blocks(void);

/* A generator with the seed of this run, which it prints for the failure report. */
struct fk_prng fk_test_prng(void);

/* Equal contents, null equals only null; prints both as hex around the first difference. */
#define fk_assert_bytes(actual, expected) fk_assert_bytes_at(actual, expected, __FILE__, __LINE__)
#define fk_assert_text(actual, expected)  fk_assert_bytes_at(actual, fk_bytes_text(expected), __FILE__, __LINE__)
void fk_assert_bytes_at(struct fk_bytes actual, struct fk_bytes expected, const char *file, int line);

/* Appends the bytes that hexadecimal text stands for; blanks are skipped, anything else fails the test. */
void fk_test_unhex(struct fk_buf *out, const char *text);

/* Memory whose last byte is followed by a page that can't be read: reading past the end of a view ends the test in any
 * build, not only under a sanitizer. */
struct fk_guard {
    uint8_t *map;
    size_t map_size;
    size_t page_size;
};

/* Room for views of up to `size` bytes. */
void fk_guard_init(struct fk_guard *guard, size_t size);
void fk_guard_deinit(struct fk_guard *guard);
/* A copy of bytes that ends where the unreadable page begins; valid until the next one. Empty views get a pointer too.
 */
struct fk_bytes fk_guard_copy(struct fk_guard *guard, struct fk_bytes bytes);

#endif
