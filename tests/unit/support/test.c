// SPDX-License-Identifier: Apache-2.0
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct fk_prng fk_test_prng(void)
{
    const char *text = getenv("FK_TEST_SEED");
    unsigned long long seed = text == NULL ? 1 : strtoull(text, NULL, 0);
    print_message("# FK_TEST_SEED=%llu\n", seed);
    return (struct fk_prng){seed};
}

/* A line with the bytes around `at`. */
static void print_around(const char *what, struct fk_bytes bytes, size_t at)
{
    char line[3 * 33 + 1];
    size_t first = at < 16 ? 0 : at - 16;
    int used = 0;
    line[0] = '\0';
    for (size_t i = first; i < bytes.size && i < first + 32; i++) {
        used += snprintf(line + used, sizeof line - (size_t)used, "%c%02x", i == at ? '>' : ' ', bytes.data[i]);
    }
    print_error("%s: %zu bytes%s, from byte %zu:%s\n", what, bytes.size, bytes.data == NULL ? " (null)" : "", first,
                line);
}

void fk_assert_bytes_at(struct fk_bytes actual, struct fk_bytes expected, const char *file, int line)
{
    size_t at = 0;
    while (at < actual.size && at < expected.size && actual.data[at] == expected.data[at]) {
        at++;
    }
    if (at == actual.size && at == expected.size && (actual.data == NULL) == (expected.data == NULL)) {
        return;
    }
    print_error("bytes differ at %zu\n", at);
    print_around("actual  ", actual, at);
    print_around("expected", expected, at);
    _fail(file, line);
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

void fk_test_unhex(struct fk_buf *out, const char *text)
{
    while (*text != '\0') {
        if (*text == ' ' || *text == '\n') {
            text++;
            continue;
        }
        int high = digit_value(text[0]);
        int low = high < 0 ? -1 : digit_value(text[1]);
        if (low < 0) {
            fail_msg("no hexadecimal text: %.20s", text);
        }
        uint8_t byte = (uint8_t)(high * 16 + low);
        fk_buf_append(out, fk_bytes_of(&byte, 1));
        text += 2;
    }
    assert_false(out->failed);
}

void fk_guard_init(struct fk_guard *guard, size_t size)
{
    guard->page_size = (size_t)sysconf(_SC_PAGESIZE);
    guard->map_size = (size / guard->page_size + 2) * guard->page_size;
    void *map = mmap(NULL, guard->map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(map != MAP_FAILED);
    guard->map = (uint8_t *)map;
    assert_int_equal(mprotect(guard->map + guard->map_size - guard->page_size, guard->page_size, PROT_NONE), 0);
}

void fk_guard_deinit(struct fk_guard *guard)
{
    assert_int_equal(munmap(guard->map, guard->map_size), 0);
}

struct fk_bytes fk_guard_copy(struct fk_guard *guard, struct fk_bytes bytes)
{
    size_t room = guard->map_size - guard->page_size;
    assert_true(bytes.size <= room);
    uint8_t *copy = guard->map + room - bytes.size;
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    return fk_bytes_of(copy, bytes.size);
}
