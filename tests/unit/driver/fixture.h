// SPDX-License-Identifier: Apache-2.0
/* What the tests of the local driver share: directories of their own, and a small tree whose every state is known. */
#ifndef FK_TESTS_UNIT_DRIVER_FIXTURE_H
#define FK_TESTS_UNIT_DRIVER_FIXTURE_H

#include "driver/local/sink.h"
#include "driver/local/snapshot.h"
#include "support/test.h"

enum {
    FK_TREE_TOPS = 12,                /* nodes /n00.., each with a child /n00/c at most */
    FK_TREE_NODES = 2 * FK_TREE_TOPS, /* indexes: even a top node, odd its child */
    FK_TREE_DATA_MAX = 96,
    FK_TREE_CHANGES_MAX = 4096,
};

/* A fresh directory under TMPDIR or /tmp. */
struct fk_test_directory {
    char path[256];
};

void fk_test_directory_init(struct fk_test_directory *directory);
/* Removes the directory with the files in it. */
void fk_test_directory_deinit(struct fk_test_directory *directory);
/* Copies the files of one directory to another one. */
void fk_test_directory_copy(const char *from, const char *to);
/* Path of a file in it; valid until the next call. */
const char *fk_test_path(const char *directory, const char *name);
/* Contents of a file, appended. */
void fk_test_read_file(const char *path, struct fk_buf *out);
/* Contents, sizes, names and times of change of all files, as text: to prove that nothing changed. */
void fk_test_describe(const char *directory, struct fk_buf *out);

struct fk_tree_node {
    bool exists;
    struct fk_node node; /* path and data point into this struct */
    char path[8];
    uint8_t data[FK_TREE_DATA_MAX];
};

/* A tree that changes at random, and what it looked like after each change. */
struct fk_tree {
    struct fk_prng prng;
    int64_t zxid;
    struct fk_node root;
    struct fk_tree_node nodes[FK_TREE_NODES];
    bool session;
    struct fk_buf states[FK_TREE_CHANGES_MAX + 1]; /* by zxid */
};

struct fk_tree *fk_tree_new(uint64_t seed);
void fk_tree_free(struct fk_tree *tree);
/* Makes the next change and appends its encoding. */
void fk_tree_change(struct fk_tree *tree, struct fk_buf *out);
/* The state after a change, as text; what fk_text_sink makes of the same state is the same text. */
struct fk_bytes fk_tree_state(const struct fk_tree *tree, int64_t zxid);

/* A sink for whole states (no changes) that writes text. */
struct fk_text {
    struct fk_buf buf;
    int64_t zxid;
};
struct fk_engine_sink fk_text_sink(struct fk_text *text);

/* Recovers a directory as `faaskeeper data` does and checks that the state is one that the tree had, and not older than
 * `least`; returns its zxid. Errors go to the caller. */
enum fk_err fk_test_recover(const char *directory, const struct fk_tree *tree, int64_t least, int64_t *zxid,
                            struct fk_diag *diag);

#endif
