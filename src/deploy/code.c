// SPDX-License-Identifier: Apache-2.0
#include "deploy/code.h"

#include <errno.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

enum {
    /* Records of the format (PKWARE's APPNOTE 4.3): the end of the directory, and a file in it. */
    END_SIZE = 22,
    END_COUNT = 10,
    END_DIRECTORY = 16,
    END_COMMENT_SIZE = 20,
    FILE_SIZE = 46,
    FILE_HOST = 5,
    FILE_NAME_SIZE = 28,
    FILE_EXTRA_SIZE = 30,
    FILE_COMMENT_SIZE = 32,
    FILE_MODE = 40, /* upper half of the external attributes, where the host is Unix */
    HOST_UNIX = 3,
    MODE_EXECUTE_ALL = 0111,
    COMMENT_SIZE_MAX = 0xffff,
    HASH_SIZE = 32,
    HASH_SHOWN = 16,
};

static uint32_t read_u16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t read_u32(const uint8_t *at)
{
    return read_u16(at) | read_u16(at + 2) << 16;
}

/* Where the end of the directory begins: the last place that looks like it and whose comment fills the file. */
static const uint8_t *find_end(struct fk_bytes zip)
{
    for (size_t comment = 0; zip.size >= END_SIZE + comment && comment <= COMMENT_SIZE_MAX; comment++) {
        const uint8_t *at = zip.data + (zip.size - END_SIZE - comment);
        if (memcmp(at, "PK\5\6", 4) == 0 && read_u16(at + END_COMMENT_SIZE) == comment) {
            return at;
        }
    }
    return NULL;
}

enum search {
    SEARCH_FOUND,
    SEARCH_NOT_EXECUTABLE,
    SEARCH_MISSING,
    SEARCH_DAMAGED,
};

/* Looks for the file in the directory. */
static enum search find_file(struct fk_bytes zip, const uint8_t *end, const char *name)
{
    struct fk_bytes rest = fk_bytes_tail(zip, read_u32(end + END_DIRECTORY));
    for (uint32_t left = read_u16(end + END_COUNT); left > 0; left--) {
        if (rest.size < FILE_SIZE || memcmp(rest.data, "PK\1\2", 4) != 0) {
            return SEARCH_DAMAGED;
        }
        size_t name_size = read_u16(rest.data + FILE_NAME_SIZE);
        if (fk_bytes_equal_text(fk_bytes_head(fk_bytes_tail(rest, FILE_SIZE), name_size), name)) {
            bool plain = rest.data[FILE_HOST] == HOST_UNIX &&
                         (read_u16(rest.data + FILE_MODE) & MODE_EXECUTE_ALL) == MODE_EXECUTE_ALL;
            return plain ? SEARCH_FOUND : SEARCH_NOT_EXECUTABLE;
        }
        rest = fk_bytes_tail(rest, FILE_SIZE + name_size + read_u16(rest.data + FILE_EXTRA_SIZE) +
                                       read_u16(rest.data + FILE_COMMENT_SIZE));
    }
    return SEARCH_MISSING;
}

/* The third word of "faaskeeper VERSION ARCHITECTURE"; null where the comment is none of ours. */
static struct fk_bytes architecture_of(struct fk_bytes comment)
{
    static const char first[] = "faaskeeper ";
    struct fk_bytes version = fk_bytes_tail(comment, sizeof first - 1);
    if (!fk_bytes_equal_text(fk_bytes_head(comment, sizeof first - 1), first)) {
        return FK_BYTES_NULL;
    }
    const uint8_t *blank = version.size == 0 ? NULL : (const uint8_t *)memchr(version.data, ' ', version.size);
    return blank == NULL ? FK_BYTES_NULL : fk_bytes_tail(version, (size_t)(blank - version.data) + 1);
}

enum fk_err fk_code_check(struct fk_bytes zip, const char *name, const char *architecture, struct fk_diag *diag)
{
    const uint8_t *end = find_end(zip);
    enum search found = end == NULL ? SEARCH_DAMAGED : find_file(zip, end, "bootstrap");
    if (found == SEARCH_DAMAGED) {
        fk_diag_set(diag, "%s: no zip file", name);
        return FK_ERR_USAGE;
    }
    if (found != SEARCH_FOUND) {
        fk_diag_set(diag, "%s: %s; `make lambda` makes it as Lambda wants it", name,
                    found == SEARCH_MISSING ? "has no file bootstrap" : "its file bootstrap is not executable for all");
        return FK_ERR_USAGE;
    }
    struct fk_bytes made_for = architecture_of(fk_bytes_of(end + END_SIZE, read_u16(end + END_COMMENT_SIZE)));
    if (made_for.data != NULL && !fk_bytes_equal_text(made_for, architecture)) {
        fk_diag_set(diag, "%s: made for %.*s, not for %s", name, (int)fk_bytes_head(made_for, 16).size,
                    (const char *)made_for.data, architecture);
        return FK_ERR_USAGE;
    }
    return FK_OK;
}

static enum fk_err read_file(const char *path, struct fk_arena *arena, struct fk_bytes *bytes, struct fk_diag *diag)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        fk_diag_set(diag, "%s: %s", path, strerror(errno));
        return errno == ENOENT ? FK_ERR_NOT_FOUND : FK_ERR_IO;
    }
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    enum fk_err err = size < 0 ? FK_ERR_IO : size > FK_CODE_SIZE_MAX ? FK_ERR_TOO_LARGE : FK_OK;
    uint8_t *data = err == FK_OK ? (uint8_t *)fk_arena_alloc(arena, (size_t)size + 1) : NULL;
    if (err == FK_OK && data == NULL) {
        err = FK_ERR_NOMEM;
    }
    if (err == FK_OK) {
        rewind(file);
        err = fread(data, 1, (size_t)size, file) == (size_t)size ? FK_OK : FK_ERR_IO;
    }
    (void)fclose(file);
    *bytes = fk_bytes_of(data, err == FK_OK ? (size_t)size : 0);
    if (err != FK_OK) {
        fk_diag_set(diag, "%s: %s", path, fk_err_text(err));
    }
    return err;
}

static bool set_key(struct fk_code *code, const char *architecture)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    char text[2 * HASH_SHOWN + 1];
    if (EVP_Digest(code->zip.data, code->zip.size, hash, &size, EVP_sha256(), NULL) != 1 || size < HASH_SIZE) {
        return false;
    }
    for (size_t i = 0; i < HASH_SHOWN; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    }
    (void)snprintf(code->key, sizeof code->key, FK_CODE_PREFIX "faaskeeper-%s-%s.zip", architecture, text);
    return true;
}

enum fk_err fk_code_read(const char *path, const char *architecture, struct fk_arena *arena, struct fk_code *code,
                         struct fk_diag *diag)
{
    *code = (struct fk_code){.zip = FK_BYTES_NULL};
    enum fk_err err = read_file(path, arena, &code->zip, diag);
    if (err == FK_OK) {
        err = fk_code_check(code->zip, path, architecture, diag);
    }
    if (err == FK_OK && !set_key(code, architecture)) {
        fk_diag_set(diag, "%s: no SHA-256 in this OpenSSL", path);
        err = FK_ERR_IO;
    }
    return err;
}

enum fk_err fk_code_find(const char *program, const char *architecture, char path[FK_CODE_PATH_SIZE],
                         struct fk_diag *diag)
{
    static const char *const places[] = {"", "../dist/", "../lib/faaskeeper/", "../share/faaskeeper/"};
    char copy[FK_CODE_PATH_SIZE];
    (void)snprintf(copy, sizeof copy, "%s", program);
    const char *directory = dirname(copy);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int size =
            snprintf(path, FK_CODE_PATH_SIZE, "%s/%sfaaskeeper-lambda-%s.zip", directory, places[i], architecture);
        if (size > 0 && size < FK_CODE_PATH_SIZE && access(path, R_OK) == 0) {
            return FK_OK;
        }
    }
    fk_diag_set(diag,
                "no code for the functions: faaskeeper-lambda-%s.zip is neither in %.200s nor in ../dist, "
                "../lib/faaskeeper or ../share/faaskeeper beside it; run `make lambda`, or name it with --code FILE",
                architecture, directory);
    return FK_ERR_NOT_FOUND;
}
