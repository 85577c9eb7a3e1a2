// SPDX-License-Identifier: Apache-2.0
#include "deploy/code.h"

#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void append_u16(struct fk_buf *out, uint32_t value)
{
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    fk_buf_append(out, fk_bytes_of(bytes, sizeof bytes));
}

static void append_zeros(struct fk_buf *out, size_t size)
{
    static const uint8_t zeros[32];
    fk_buf_append(out, fk_bytes_of(zeros, size));
}

/* A directory with one file in it, as zip programs write it; its data left out. */
static void make_zip(struct fk_buf *out, const char *name, uint32_t mode, const char *comment)
{
    fk_buf_clear(out);
    fk_buf_append(out, FK_BYTES_LITERAL("data"));
    fk_buf_append(out, FK_BYTES_LITERAL("PK\1\2\24\3"));
    append_zeros(out, 22);
    append_u16(out, (uint32_t)strlen(name));
    append_zeros(out, 10);
    append_u16(out, mode);
    append_zeros(out, 4);
    fk_buf_append(out, fk_bytes_text(name));
    fk_buf_append(out, FK_BYTES_LITERAL("PK\5\6"));
    append_zeros(out, 4);
    append_u16(out, 1);
    append_u16(out, 1);
    append_u16(out, (uint32_t)(46 + strlen(name)));
    append_u16(out, 0);
    append_u16(out, 4);
    append_u16(out, 0);
    append_u16(out, (uint32_t)strlen(comment));
    fk_buf_append(out, fk_bytes_text(comment));
}

static void what_lambda_can_run(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t mode;
        const char *comment;
        const char *error; /* NULL: none */
    } rows[] = {
        {"bootstrap", 0100755, "", NULL},
        {"bootstrap", 0100755, "made by hand", NULL},
        {"bootstrap", 0100755, "faaskeeper 0.1.0 arm64", NULL},
        {"bootstrap", 0100755, "faaskeeper 0.1.0 x86_64", "made for x86_64, not for arm64"},
        {"bootstrap", 0100644, "", "not executable for all"},
        {"bootstrap", 0100700, "", "not executable for all"},
        {"bootstrap2", 0100755, "", "has no file bootstrap"},
        {"bin/bootstrap", 0100755, "", "has no file bootstrap"},
    };
    struct fk_buf zip = FK_BUF_EMPTY;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fk_diag diag = {.text = ""};
        make_zip(&zip, rows[i].name, rows[i].mode, rows[i].comment);
        enum fk_err err = fk_code_check(fk_buf_view(&zip), "x.zip", "arm64", &diag);
        assert_int_equal(err, rows[i].error == NULL ? FK_OK : FK_ERR_USAGE);
        assert_true(rows[i].error == NULL || strstr(diag.text, rows[i].error) != NULL);
    }
    fk_buf_deinit(&zip);
}

/* Any cut of it, and any changed byte, is refused or taken; nothing is read outside. */
static void a_damaged_zip_is_none(void **state)
{
    (void)state;
    struct fk_buf zip = FK_BUF_EMPTY;
    struct fk_guard guard;
    struct fk_diag diag = {.text = ""};
    fk_guard_init(&guard, 4096);
    make_zip(&zip, "bootstrap", 0100755, "faaskeeper 0.1.0 arm64");
    for (size_t size = 0; size < fk_buf_left(&zip); size++) {
        struct fk_bytes cut = fk_guard_copy(&guard, fk_bytes_head(fk_buf_view(&zip), size));
        assert_int_equal(fk_code_check(cut, "x.zip", "arm64", &diag), FK_ERR_USAGE);
    }
    for (size_t at = 0; at < fk_buf_left(&zip); at++) {
        zip.data[at] ^= 0xff;
        struct fk_bytes bad = fk_guard_copy(&guard, fk_buf_view(&zip));
        enum fk_err err = fk_code_check(bad, "x.zip", "arm64", &diag);
        assert_true(err == FK_OK || err == FK_ERR_USAGE);
        zip.data[at] ^= 0xff;
    }
    assert_non_null(strstr(diag.text, "x.zip: no zip file"));
    fk_guard_deinit(&guard);
    fk_buf_deinit(&zip);
}

static void write_file(const char *path, struct fk_bytes bytes)
{
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    assert_int_equal(fclose(file), 0);
}

static void the_key_names_the_bytes(void **state)
{
    (void)state;
    char directory[] = "/tmp/fk-code-XXXXXX";
    char path[64];
    char found[FK_CODE_PATH_SIZE];
    struct fk_buf zip = FK_BUF_EMPTY;
    struct fk_arena arena = FK_ARENA_EMPTY;
    struct fk_code code;
    struct fk_code other;
    struct fk_diag diag = {.text = ""};
    assert_non_null(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/faaskeeper", directory);
    assert_int_equal(fk_code_find(path, "arm64", found, &diag), FK_ERR_NOT_FOUND);
    assert_non_null(strstr(diag.text, "--code FILE"));
    (void)snprintf(path, sizeof path, "%s/faaskeeper-lambda-arm64.zip", directory);
    make_zip(&zip, "bootstrap", 0100755, "");
    write_file(path, fk_buf_view(&zip));
    assert_int_equal(fk_code_read(path, "arm64", &arena, &code, &diag), FK_OK);
    fk_assert_bytes(code.zip, fk_buf_view(&zip));
    assert_int_equal(strncmp(code.key, "code/faaskeeper-arm64-", 22), 0);
    assert_int_equal(strlen(code.key), 22 + 32 + 4);
    make_zip(&zip, "bootstrap", 0100755, "!");
    write_file(path, fk_buf_view(&zip));
    assert_int_equal(fk_code_read(path, "arm64", &arena, &other, &diag), FK_OK);
    assert_int_not_equal(strcmp(code.key, other.key), 0);
    (void)snprintf(found, sizeof found, "%s/faaskeeper", directory);
    char program[FK_CODE_PATH_SIZE];
    (void)snprintf(program, sizeof program, "%s", found);
    assert_int_equal(fk_code_find(program, "arm64", found, &diag), FK_OK);
    assert_string_equal(found, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(fk_code_read(path, "arm64", &arena, &code, &diag), FK_ERR_NOT_FOUND);
    assert_int_equal(rmdir(directory), 0);
    fk_arena_deinit(&arena);
    fk_buf_deinit(&zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FK_TEST(what_lambda_can_run),
        FK_TEST(a_damaged_zip_is_none),
        FK_TEST(the_key_names_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
