// SPDX-License-Identifier: Apache-2.0
#include "driver/local/refresh.h"

#include "base/alloc.h"

enum {
    COPY_SIZE = 256 * 1024,
};

/* Writes `size` bytes again. They are read twice: what a bad read gives must not become what the file holds. */
static enum fk_err refresh_piece(struct fk_file *file, const char *name, int64_t at, uint8_t *bytes, size_t size,
                                 struct fk_diag *diag)
{
    uint8_t *second = bytes + COPY_SIZE;
    size_t got = 0;
    size_t again = 0;
    enum fk_err err = file->ops->read(file, at, bytes, size, &got, diag);
    if (err == FK_OK) {
        err = file->ops->read(file, at, second, size, &again, diag);
    }
    if (err == FK_OK && (got != again || memcmp(bytes, second, got) != 0)) {
        fk_diag_set(diag, "%s was read in two ways near offset %lld", name, (long long)at);
        err = FK_ERR_IO;
    }
    return err == FK_OK ? file->ops->write(file, at, fk_bytes_of(bytes, got), diag) : err;
}

enum fk_err fk_file_refresh(struct fk_files *files, const char *name, struct fk_diag *diag)
{
    struct fk_file *file = NULL;
    struct fk_diag ignored = {.text = ""};
    int64_t size = 0;
    enum fk_err err = files->ops->open(files, name, FK_OPEN_WRITE, &file, &ignored);
    if (err != FK_OK) {
        fk_diag_set(err == FK_ERR_NOT_FOUND ? NULL : diag, "%s", ignored.text);
        return err == FK_ERR_NOT_FOUND ? FK_OK : err;
    }
    err = file->ops->size(file, &size, diag);
    uint8_t *bytes = size > 0 ? (uint8_t *)fk_alloc((size_t)2 * COPY_SIZE) : NULL;
    if (err == FK_OK && size > 0 && bytes == NULL) {
        err = FK_ERR_NOMEM;
    }
    for (int64_t at = 0; err == FK_OK && at < size; at += COPY_SIZE) {
        int64_t left = size - at;
        err = refresh_piece(file, name, at, bytes, left < COPY_SIZE ? (size_t)left : COPY_SIZE, diag);
    }
    if (err == FK_OK && size > 0) {
        err = file->ops->sync(file, diag);
    }
    fk_free(bytes);
    file->ops->close(file);
    return err;
}
