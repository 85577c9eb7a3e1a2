// SPDX-License-Identifier: Apache-2.0
#include "function/record.h"

#include "base/assert.h"
#include "model/path.h"

enum {
    DIGITS = 16,
};

static const struct fk_key no_key = {{NULL, 0}, {NULL, 0}};

struct fk_key fk_key_zx(void)
{
    return (struct fk_key){FK_BYTES_LITERAL("zx"), FK_BYTES_LITERAL("zx")};
}

struct fk_key fk_key_recursive(void)
{
    return (struct fk_key){FK_BYTES_LITERAL("rs"), FK_BYTES_LITERAL("rs")};
}

static struct fk_bytes prefixed(struct fk_arena *arena, char prefix, struct fk_bytes path)
{
    uint8_t *bytes = (uint8_t *)fk_arena_alloc(arena, path.size + 1);
    if (bytes == NULL) {
        return FK_BYTES_NULL;
    }
    bytes[0] = (uint8_t)prefix;
    memcpy(bytes + 1, path.data, path.size);
    return fk_bytes_of(bytes, path.size + 1);
}

struct fk_bytes fk_partition_children(struct fk_arena *arena, struct fk_bytes path)
{
    return prefixed(arena, 'n', path);
}

struct fk_key fk_key_node(struct fk_arena *arena, struct fk_bytes path)
{
    struct fk_bytes parent;
    struct fk_bytes name;
    /* "//a" and "/a" would share a key: only valid paths have one. */
    FK_ASSERT(fk_path_valid(path));
    if (path.size == 1) {
        return (struct fk_key){FK_BYTES_LITERAL("n"), FK_BYTES_LITERAL("/")};
    }
    bool split = fk_path_split(path, &parent, &name);
    FK_ASSERT(split);
    struct fk_key key = {fk_partition_children(arena, parent), fk_arena_copy(arena, name)};
    return key.partition.data == NULL || key.name.data == NULL ? no_key : key;
}

struct fk_key fk_key_data(struct fk_bytes attempt)
{
    FK_ASSERT(attempt.size > 0);
    return (struct fk_key){FK_BYTES_LITERAL("d"), attempt};
}

struct fk_key fk_key_due(struct fk_bytes path)
{
    FK_ASSERT(path.size > 0);
    return (struct fk_key){FK_BYTES_LITERAL("c"), path};
}

static struct fk_key numbered(struct fk_arena *arena, struct fk_bytes partition, int64_t number)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *name = (uint8_t *)fk_arena_alloc(arena, DIGITS);
    if (name == NULL) {
        return no_key;
    }
    uint64_t rest = (uint64_t)number;
    for (size_t i = DIGITS; i > 0; i--) {
        name[i - 1] = (uint8_t)digits[rest & 15];
        rest >>= 4;
    }
    return (struct fk_key){partition, fk_bytes_of(name, DIGITS)};
}

struct fk_key fk_key_session(struct fk_arena *arena, int64_t id)
{
    return numbered(arena, FK_BYTES_LITERAL("s"), id);
}

struct fk_key fk_key_ephemerals(struct fk_arena *arena, int64_t session_id)
{
    return numbered(arena, FK_BYTES_LITERAL("e"), session_id);
}

struct fk_key fk_key_events(struct fk_arena *arena, int64_t zxid)
{
    return numbered(arena, FK_BYTES_LITERAL("ev"), zxid);
}

struct fk_key fk_key_gateway(struct fk_arena *arena, int64_t id)
{
    return numbered(arena, FK_BYTES_LITERAL("g"), id);
}

struct fk_key fk_key_observation(struct fk_arena *arena, int64_t gateway)
{
    return numbered(arena, FK_BYTES_LITERAL("h"), gateway);
}

/* The value of a digit as fk_key_... writes it; 16 for anything else. */
static uint64_t digit_value(uint8_t digit)
{
    if (digit >= '0' && digit <= '9') {
        return (uint64_t)digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? (uint64_t)digit - 'a' + 10 : 16;
}

int64_t fk_key_number(struct fk_bytes name)
{
    uint64_t number = 0;
    if (name.size != DIGITS) {
        return -1;
    }
    for (size_t i = 0; i < DIGITS; i++) {
        uint64_t value = digit_value(name.data[i]);
        if (value > 15) {
            return -1;
        }
        number = number << 4 | value;
    }
    return (int64_t)number;
}

struct fk_bytes fk_path_of_child(struct fk_arena *arena, struct fk_bytes parent, struct fk_bytes name)
{
    size_t front = parent.size == 1 ? 0 : parent.size;
    uint8_t *path = (uint8_t *)fk_arena_alloc(arena, front + 1 + name.size);
    if (path == NULL) {
        return FK_BYTES_NULL;
    }
    memcpy(path, parent.data, front);
    path[front] = '/';
    memcpy(path + front + 1, name.data, name.size);
    return fk_bytes_of(path, front + 1 + name.size);
}
