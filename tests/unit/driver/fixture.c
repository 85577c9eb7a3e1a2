// SPDX-License-Identifier: Apache-2.0
#include "driver/fixture.h"

#include "driver/local/codec.h"
#include "model/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void fk_test_directory_init(struct fk_test_directory *directory)
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(directory->path, sizeof directory->path, "%s/fk-test-XXXXXX", parent == NULL ? "/tmp" : parent);
    assert_non_null(mkdtemp(directory->path));
}

const char *fk_test_path(const char *directory, const char *name)
{
    static char path[512];
    assert_true(snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path);
    return path;
}

/* Calls `visit` for each file. */
static void each_file(const char *directory, void (*visit)(const char *directory, const char *name, void *context),
                      void *context)
{
    struct dirent **entries = NULL;
    int count = scandir(directory, &entries, NULL, alphasort);
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            visit(directory, entries[i]->d_name, context);
        }
        free(entries[i]);
    }
    free(entries);
}

static void remove_file(const char *directory, const char *name, void *context)
{
    (void)context;
    assert_int_equal(unlink(fk_test_path(directory, name)), 0);
}

void fk_test_directory_deinit(struct fk_test_directory *directory)
{
    each_file(directory->path, remove_file, NULL);
    assert_int_equal(rmdir(directory->path), 0);
}

void fk_test_read_file(const char *path, struct fk_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t got = 1;
    while (got > 0) {
        uint8_t *room = fk_buf_reserve(out, 65536);
        assert_non_null(room);
        got = read(fd, room, 65536);
        assert_true(got >= 0);
        out->size += (size_t)got;
    }
    (void)close(fd);
}

static void copy_file(const char *directory, const char *name, void *context)
{
    struct fk_buf bytes = FK_BUF_EMPTY;
    fk_test_read_file(fk_test_path(directory, name), &bytes);
    int fd = open(fk_test_path((const char *)context, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    if (bytes.size > 0) {
        assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
    }
    (void)close(fd);
    fk_buf_deinit(&bytes);
}

void fk_test_directory_copy(const char *from, const char *to)
{
    each_file(to, remove_file, NULL);
    each_file(from, copy_file, (void *)(uintptr_t)to);
}

static void describe_file(const char *directory, const char *name, void *context)
{
    struct fk_buf *out = (struct fk_buf *)context;
    struct stat status;
    assert_int_equal(stat(fk_test_path(directory, name), &status), 0);
    fk_buf_print(out, "%s %" PRIdMAX " %" PRIdMAX ".%09ld\n", name, (intmax_t)status.st_size,
                 (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    fk_test_read_file(fk_test_path(directory, name), out);
}

void fk_test_describe(const char *directory, struct fk_buf *out)
{
    each_file(directory, describe_file, out);
}

static const struct fk_session the_session = {.id = 0x1234, .timeout_ms = 4000, .password = "0123456789abcde"};

static void print_node(struct fk_buf *out, const struct fk_node *node)
{
    fk_buf_append(out, node->path);
    fk_buf_print(out,
                 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId32 " %" PRId32
                 " %" PRId32 " %" PRId32 " acl %zu data ",
                 node->czxid, node->mzxid, node->pzxid, node->ctime_ms, node->mtime_ms, node->ephemeral_owner,
                 node->version, node->aversion, node->created_children, node->num_children, node->acl.size);
    fk_buf_append(out, node->acl);
    fk_buf_append(out, node->data.data == NULL ? fk_bytes_text(" null") : node->data);
    fk_buf_append(out, fk_bytes_text("\n"));
}

/* The state in the order in which a checkpoint gives it: sessions, then nodes by path. */
static void remember(struct fk_tree *tree)
{
    struct fk_buf *out = &tree->states[tree->zxid];
    if (tree->session) {
        fk_buf_print(out, "session %" PRIx64 "\n", (uint64_t)the_session.id);
    }
    print_node(out, &tree->root);
    for (size_t i = 0; i < FK_TREE_NODES; i++) {
        if (tree->nodes[i].exists) {
            print_node(out, &tree->nodes[i].node);
        }
    }
    for (size_t i = 1; i < FK_TREE_FIRST_NODES; i++) {
        static const size_t sorted[FK_TREE_FIRST_NODES] = {0, 1, 3, 2}; /* config before quota */
        struct fk_node node = fk_tree_first_node(sorted[i]);
        print_node(out, &node);
    }
    fk_buf_print(out, "zxid %" PRId64 "\n", tree->zxid);
    assert_false(out->failed);
}

struct fk_tree *fk_tree_new(uint64_t seed)
{
    struct fk_tree *tree = (struct fk_tree *)calloc(1, sizeof *tree);
    assert_non_null(tree);
    tree->prng.state = seed;
    tree->root = fk_tree_first_node(0);
    for (size_t i = 0; i < FK_TREE_NODES; i++) {
        (void)snprintf(tree->nodes[i].path, sizeof tree->nodes[i].path, "/n%02zu%s", i / 2, i % 2 == 0 ? "" : "/c");
    }
    remember(tree);
    return tree;
}

void fk_tree_free(struct fk_tree *tree)
{
    for (size_t i = 0; i <= FK_TREE_CHANGES_MAX; i++) {
        fk_buf_deinit(&tree->states[i]);
    }
    free(tree);
}

struct fk_bytes fk_tree_state(const struct fk_tree *tree, int64_t zxid)
{
    assert_in_range(zxid, 0, tree->zxid);
    return fk_buf_view(&tree->states[zxid]);
}

static void random_data(struct fk_tree *tree, struct fk_tree_node *item)
{
    size_t size = (size_t)fk_prng_below(&tree->prng, FK_TREE_DATA_MAX);
    for (size_t i = 0; i < size; i++) {
        item->data[i] = (uint8_t)('a' + fk_prng_below(&tree->prng, 26));
    }
    item->node.data = fk_prng_chance(&tree->prng, 10) ? FK_BYTES_NULL : fk_bytes_of(item->data, size);
}

/* The puts of one change. */
struct draft {
    struct fk_put puts[4];
    size_t count;
    int64_t zxid;
    int64_t time_ms;
};

static void put(struct draft *draft, enum fk_put_kind kind, const struct fk_node *node)
{
    draft->puts[draft->count++] = (struct fk_put){.kind = kind, .node = *node};
}

static struct fk_node *parent_of(struct fk_tree *tree, size_t index)
{
    return index % 2 == 0 ? &tree->root : &tree->nodes[index - 1].node;
}

static void create(struct fk_tree *tree, struct draft *draft, size_t index)
{
    struct fk_tree_node *item = &tree->nodes[index];
    struct fk_node *parent = parent_of(tree, index);
    item->exists = true;
    item->node = (struct fk_node){.path = fk_bytes_text(item->path),
                                  .acl = fk_prng_chance(&tree->prng, 30) ? FK_ACL_READ : FK_ACL_OPEN,
                                  .czxid = draft->zxid,
                                  .mzxid = draft->zxid,
                                  .pzxid = draft->zxid,
                                  .ctime_ms = draft->time_ms,
                                  .mtime_ms = draft->time_ms,
                                  .ephemeral_owner = tree->session && index % 2 == 1 ? the_session.id : 0};
    random_data(tree, item);
    parent->created_children++;
    parent->num_children++;
    parent->pzxid = draft->zxid;
    put(draft, FK_PUT_CREATE, &item->node);
    put(draft, FK_PUT_CHILDREN, parent);
}

static void delete_node(struct fk_tree *tree, struct draft *draft, size_t index)
{
    struct fk_node *parent = parent_of(tree, index);
    put(draft, FK_PUT_DELETE, &tree->nodes[index].node);
    tree->nodes[index].exists = false;
    parent->num_children--;
    parent->pzxid = draft->zxid;
    put(draft, FK_PUT_CHILDREN, parent);
}

static void update(struct fk_tree *tree, struct draft *draft, size_t index)
{
    struct fk_tree_node *item = &tree->nodes[index];
    if (fk_prng_chance(&tree->prng, 20)) {
        item->node.acl = fk_prng_chance(&tree->prng, 50) ? FK_ACL_READ : FK_ACL_OPEN;
        item->node.aversion++;
        put(draft, FK_PUT_ACL, &item->node);
        return;
    }
    random_data(tree, item);
    if (fk_prng_chance(&tree->prng, 15)) {
        put(draft, FK_PUT_STATS, &item->node);
        return;
    }
    item->node.version++;
    item->node.mzxid = draft->zxid;
    item->node.mtime_ms = draft->time_ms;
    put(draft, FK_PUT_DATA, &item->node);
}

/* A session ends only while it owns nothing, so that no state has an owner that is gone. */
static bool change_session(struct fk_tree *tree, struct draft *draft)
{
    for (size_t i = 0; i < FK_TREE_NODES; i++) {
        if (tree->nodes[i].exists && tree->nodes[i].node.ephemeral_owner != 0) {
            return false;
        }
    }
    enum fk_put_kind kind = tree->session ? FK_PUT_SESSION_END : FK_PUT_SESSION;
    draft->puts[draft->count++] = (struct fk_put){.kind = kind, .session = the_session};
    tree->session = !tree->session;
    return true;
}

void fk_tree_change(struct fk_tree *tree, struct fk_buf *out)
{
    assert_true(tree->zxid < FK_TREE_CHANGES_MAX);
    tree->zxid++;
    struct draft draft = {.zxid = tree->zxid, .time_ms = 1000000 + tree->zxid * 7};
    size_t index = (size_t)fk_prng_below(&tree->prng, FK_TREE_NODES);
    bool orphan = index % 2 == 1 && !tree->nodes[index - 1].exists;
    bool leaf = index % 2 == 1 || !tree->nodes[index + 1].exists;
    if (fk_prng_chance(&tree->prng, 5) && change_session(tree, &draft)) {
        /* done */
    } else if (!tree->nodes[index].exists && !orphan) {
        create(tree, &draft, index);
    } else if (tree->nodes[index].exists && leaf && fk_prng_chance(&tree->prng, 30)) {
        delete_node(tree, &draft, index);
    } else if (tree->nodes[index].exists) {
        update(tree, &draft, index);
    } /* else a refused request: a zxid and nothing else */
    const struct fk_change change = {draft.zxid, draft.time_ms, draft.puts, draft.count};
    fk_change_write(out, &change);
    assert_false(out->failed);
    remember(tree);
}

static enum fk_err text_node(void *context, const struct fk_node *node)
{
    print_node(&((struct fk_text *)context)->buf, node);
    return FK_OK;
}

static enum fk_err text_session(void *context, const struct fk_session *session)
{
    assert_memory_equal(session->password, the_session.password, sizeof session->password);
    assert_int_equal(session->timeout_ms, the_session.timeout_ms);
    fk_buf_print(&((struct fk_text *)context)->buf, "session %" PRIx64 "\n", (uint64_t)session->id);
    return FK_OK;
}

static enum fk_err text_zxid(void *context, int64_t zxid)
{
    struct fk_text *text = (struct fk_text *)context;
    fk_buf_print(&text->buf, "zxid %" PRId64 "\n", zxid);
    text->zxid = zxid;
    return FK_OK;
}

struct fk_engine_sink fk_text_sink(struct fk_text *text)
{
    *text = (struct fk_text){.buf = FK_BUF_EMPTY};
    return (struct fk_engine_sink){.context = text, .node = text_node, .session = text_session, .zxid = text_zxid};
}

enum fk_err fk_test_recover(const char *directory, const struct fk_tree *tree, int64_t least, int64_t *zxid,
                            struct fk_diag *diag)
{
    struct fk_snapshot snapshot;
    struct fk_text text;
    struct fk_engine_sink sink = fk_text_sink(&text);
    enum fk_err err = fk_snapshot_open(directory, &snapshot, diag);
    if (err != FK_OK) {
        return err;
    }
    err = fk_snapshot_recover(&snapshot, diag);
    if (err == FK_OK) {
        err = fk_checkpoint_load(snapshot.state, &sink, diag);
    }
    if (err == FK_OK) {
        assert_true(text.zxid >= least);
        fk_assert_bytes(fk_buf_view(&text.buf), fk_tree_state(tree, text.zxid));
        *zxid = text.zxid;
    }
    fk_buf_deinit(&text.buf);
    fk_snapshot_close(&snapshot);
    return err;
}
