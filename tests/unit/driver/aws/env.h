// SPDX-License-Identifier: Apache-2.0
/* The environment of a test of calls to AWS: nothing of the machine's own settings. */
#ifndef FK_TESTS_UNIT_DRIVER_AWS_ENV_H
#define FK_TESTS_UNIT_DRIVER_AWS_ENV_H

#include <stdint.h>

/* Unsets all of AWS's variables and HOME; then sets the pairs of this list, which ends with NULL. */
void env_set(const char *const *pairs);
/* Sets a variable to printf-like text. */
void env_print(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes a file in a directory of the test, and gives its path, which stays valid until the next call. */
const char *env_file(const char *name, const char *text);
void env_clean(void);

#endif
