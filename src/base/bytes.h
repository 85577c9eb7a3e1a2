// SPDX-License-Identifier: Apache-2.0
/* A borrowed view of bytes. It owns nothing: it is valid as long as what it points into. data == NULL means "null"
 * (jute length -1), which is not the same as empty. */
#ifndef FK_BASE_BYTES_H
#define FK_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fk_bytes {
    const uint8_t *data;
    size_t size;
};

#define FK_BYTES_NULL ((struct fk_bytes){NULL, 0})
/* View of a string literal, without its final NUL. */
#define FK_BYTES_LITERAL(literal) ((struct fk_bytes){(const uint8_t *)("" literal ""), sizeof(literal) - 1})

static inline struct fk_bytes fk_bytes_of(const void *data, size_t size)
{
    return (struct fk_bytes){(const uint8_t *)data, size};
}

/* View of a NUL-terminated string, without the NUL. */
static inline struct fk_bytes fk_bytes_text(const char *text)
{
    return fk_bytes_of(text, strlen(text));
}

/* Equal contents; null equals empty here. */
static inline bool fk_bytes_equal(struct fk_bytes a, struct fk_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool fk_bytes_equal_text(struct fk_bytes a, const char *text)
{
    return fk_bytes_equal(a, fk_bytes_text(text));
}

/* Bytewise order, as of memcmp; a beginning stands before what it begins. Null equals empty here. */
static inline int fk_bytes_compare(struct fk_bytes a, struct fk_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first `size` bytes (all, where there are fewer). */
static inline struct fk_bytes fk_bytes_head(struct fk_bytes bytes, size_t size)
{
    return fk_bytes_of(bytes.data, size < bytes.size ? size : bytes.size);
}

/* What stands after the first `skip` bytes. */
static inline struct fk_bytes fk_bytes_tail(struct fk_bytes bytes, size_t skip)
{
    return skip >= bytes.size ? fk_bytes_of(bytes.data, 0) : fk_bytes_of(bytes.data + skip, bytes.size - skip);
}

/* 64-bit hash (not cryptographic), seeded per process by fk_hash_seed so that peers can't choose colliding paths. */
uint64_t fk_bytes_hash(struct fk_bytes bytes);
void fk_hash_seed(uint64_t seed);
/* The hash of a sequence, from that of its first items (0: none) and of the next one. */
uint64_t fk_hash_join(uint64_t hash, uint64_t next);

/* Equal contents, in time that depends on the sizes only: for secrets. */
bool fk_bytes_equal_secret(struct fk_bytes a, struct fk_bytes b);

#endif
