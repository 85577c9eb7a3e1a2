// SPDX-License-Identifier: Apache-2.0
#include "env.h"

#include "support/test.h"

#include <stdlib.h>
#include <unistd.h>

extern char **environ;

static char directory[64];
static char paths[8][160];
static size_t path_count;

void env_set(const char *const *pairs)
{
    for (char **at = environ; *at != NULL;) {
        char name[128];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(*at, "="), *at);
        if (strncmp(name, "AWS_", 4) == 0 || strcmp(name, "HOME") == 0) {
            (void)unsetenv(name);
        } else {
            at++;
        }
    }
    for (; *pairs != NULL; pairs += 2) {
        (void)setenv(pairs[0], pairs[1], 1);
    }
}

void env_print(const char *name, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)setenv(name, text, 1);
}

const char *env_file(const char *name, const char *text)
{
    if (directory[0] == '\0') {
        (void)snprintf(directory, sizeof directory, "/tmp/fk-aws-test-XXXXXX");
        assert_non_null(mkdtemp(directory));
    }
    char *path = paths[path_count++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    return path;
}

void env_clean(void)
{
    for (size_t i = 0; i < 8; i++) {
        if (paths[i][0] != '\0') {
            (void)unlink(paths[i]);
            paths[i][0] = '\0';
        }
    }
    if (directory[0] != '\0') {
        (void)rmdir(directory);
        directory[0] = '\0';
    }
}
