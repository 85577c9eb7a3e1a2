// SPDX-License-Identifier: Apache-2.0
/* The functions' code: a zip file with one program in it, `bootstrap`, as `make lambda` makes it. */
#ifndef FK_DEPLOY_CODE_H
#define FK_DEPLOY_CODE_H

#include "base/arena.h"
#include "base/err.h"

enum {
    FK_CODE_SIZE_MAX = 50 * 1024 * 1024, /* Lambda's limit for a zip */
    FK_CODE_KEY_SIZE = 96,
    FK_CODE_PATH_SIZE = 4096,
};

#define FK_CODE_PREFIX "code/"

struct fk_code {
    struct fk_bytes zip;        /* in the arena */
    char key[FK_CODE_KEY_SIZE]; /* where it goes in the bucket: its hash is in it, other code has another key */
};

/* Looks for faaskeeper-lambda-ARCHITECTURE.zip beside the program, in ../dist, ../lib/faaskeeper and
 * ../share/faaskeeper. NOT_FOUND and diag, which says where it looked. */
enum fk_err fk_code_find(const char *program, const char *architecture, char path[FK_CODE_PATH_SIZE],
                         struct fk_diag *diag);

/* Reads the file and looks into it. USAGE: it is no zip with a program `bootstrap`, or one for another architecture;
 * NOT_FOUND, IO, TOO_LARGE, NOMEM. */
enum fk_err fk_code_read(const char *path, const char *architecture, struct fk_arena *arena, struct fk_code *code,
                         struct fk_diag *diag);

/* Whether these bytes are such a zip; `name` is for diag. A comment of the zip "faaskeeper VERSION ARCHITECTURE", where
 * there is one, must name the architecture. */
enum fk_err fk_code_check(struct fk_bytes zip, const char *name, const char *architecture, struct fk_diag *diag);

#endif
