// SPDX-License-Identifier: Apache-2.0
/* FK_ASSERT is for our own bugs, never for what a peer, a disk or a store did. It stays on in release builds, so its
 * argument must be cheap and must have no side effect. */
#ifndef FK_BASE_ASSERT_H
#define FK_BASE_ASSERT_H

#define FK_ASSERT(condition)                                                                                           \
    (__builtin_expect(!(condition), 0) ? fk_assert_failed(#condition, __FILE__, __LINE__) : (void)0)

/* Prints the condition and its place, then aborts. */
__attribute__((noreturn)) void fk_assert_failed(const char *condition, const char *file, int line);

#endif
