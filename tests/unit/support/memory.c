// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "support/test.h"

#include <pthread.h>

/* Stands before each block. Its size keeps the block aligned as malloc would. */
struct header {
    struct header *next;
    struct header *prev;
    size_t size;
    uint64_t number; /* counts allocations: the same in each run of a test */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct header live = {&live, &live, 0, 0};
static size_t live_count;
static uint64_t alloc_count;
static uint64_t test_start;
static uint64_t fail_at;
static bool fail_all;
static bool failed;

/* What the linker makes of the functions of base/alloc.c, and of the calls to them. */
void *__real_fk_alloc(size_t size);
void *__real_fk_alloc_zero(size_t size);
void *__real_fk_realloc(void *block, size_t size);
void __real_fk_free(void *block);
void *__wrap_fk_alloc(size_t size);
void *__wrap_fk_alloc_zero(size_t size);
void *__wrap_fk_realloc(void *block, size_t size);
void __wrap_fk_free(void *block);

static void *link_block(struct header *header, size_t size)
{
    if (header == NULL) {
        return NULL;
    }
    (void)pthread_mutex_lock(&lock);
    header->size = size;
    header->number = ++alloc_count;
    header->next = &live;
    header->prev = live.prev;
    live.prev->next = header;
    live.prev = header;
    live_count++;
    (void)pthread_mutex_unlock(&lock);
    return header + 1;
}

static void unlink_block(struct header *header)
{
    (void)pthread_mutex_lock(&lock);
    header->prev->next = header->next;
    header->next->prev = header->prev;
    live_count--;
    (void)pthread_mutex_unlock(&lock);
}

/* Whether this allocation is the one that has to fail; sizes that can't get a header fail as well. */
static bool refuses(size_t size)
{
    (void)pthread_mutex_lock(&lock);
    bool refused = fail_all || (fail_at > 0 && --fail_at == 0);
    failed = failed || refused;
    (void)pthread_mutex_unlock(&lock);
    return refused || size > SIZE_MAX - sizeof(struct header);
}

void *__wrap_fk_alloc(size_t size)
{
    return refuses(size) ? NULL : link_block((struct header *)__real_fk_alloc(sizeof(struct header) + size), size);
}

void *__wrap_fk_alloc_zero(size_t size)
{
    return refuses(size) ? NULL : link_block((struct header *)__real_fk_alloc_zero(sizeof(struct header) + size), size);
}

void *__wrap_fk_realloc(void *block, size_t size)
{
    if (block == NULL) {
        return __wrap_fk_alloc(size);
    }
    if (refuses(size)) {
        return NULL;
    }
    struct header *old = (struct header *)block - 1;
    size_t old_size = old->size;
    unlink_block(old);
    struct header *grown = (struct header *)__real_fk_realloc(old, sizeof *old + size);
    if (grown == NULL) {
        (void)link_block(old, old_size);
        return NULL;
    }
    return link_block(grown, size);
}

void __wrap_fk_free(void *block)
{
    if (block != NULL) {
        struct header *header = (struct header *)block - 1;
        unlink_block(header);
        __real_fk_free(header);
    }
}

void fk_test_fail_alloc(uint64_t nth)
{
    (void)pthread_mutex_lock(&lock);
    fail_at = nth;
    failed = false;
    (void)pthread_mutex_unlock(&lock);
}

void fk_test_fail_all(bool fail)
{
    (void)pthread_mutex_lock(&lock);
    fail_all = fail;
    (void)pthread_mutex_unlock(&lock);
}

bool fk_test_alloc_failed(void)
{
    (void)pthread_mutex_lock(&lock);
    bool value = failed;
    (void)pthread_mutex_unlock(&lock);
    return value;
}

size_t fk_test_blocks(void)
{
    (void)pthread_mutex_lock(&lock);
    size_t count = live_count;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

int fk_test_begin(void **state)
{
    (void)state;
    fk_test_fail_alloc(0);
    fk_test_fail_all(false);
    (void)pthread_mutex_lock(&lock);
    test_start = alloc_count;
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

int fk_test_end(void **state)
{
    (void)state;
    int result = 0;
    fk_test_fail_alloc(0);
    fk_test_fail_all(false);
    (void)pthread_mutex_lock(&lock);
    for (struct header *header = live.next; header != &live; header = header->next) {
        if (header->number > test_start) {
            print_error("leak: %zu bytes, allocation %llu of the test\n", header->size,
                        (unsigned long long)(header->number - test_start));
            result = -1;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return result;
}
