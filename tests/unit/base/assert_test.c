// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include "support/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_true_condition_is_evaluated_once(void **state)
{
    (void)state;
    int evaluated = 0;
    FK_ASSERT(++evaluated == 1);
    assert_int_equal(evaluated, 1);
}

/* The child's core file and message are of no use to anyone, its message goes into a pipe. */
static void a_false_condition_aborts_and_names_itself(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        FK_ASSERT(1 + 1 == 3);
        _exit(0);
    }
    (void)close(ends[1]);
    char text[256] = "";
    assert_true(read(ends[0], text, sizeof text - 1) > 0);
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "1 + 1 == 3"));
    assert_non_null(strstr(text, "assert_test.c:"));
}

static const struct CMUnitTest tests[] = {
    FK_TEST(a_true_condition_is_evaluated_once),
    FK_TEST(a_false_condition_aborts_and_names_itself),
};

FK_TEST_MAIN(tests)
