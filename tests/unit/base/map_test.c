// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "base/bytes.h"
#include "base/container.h"
#include "support/test.h"

enum {
    KEYS = 20000,
};

struct item {
    struct fk_map_entry entry;
    uint64_t key;
    bool present; /* the model that the map is compared with */
    bool seen;
};

static struct item items[KEYS];

static bool matches(const struct fk_map_entry *entry, const void *key)
{
    return FK_CONTAINER_OF(entry, struct item, entry)->key == *(const uint64_t *)key;
}

static uint64_t good_hash(uint64_t key)
{
    return fk_bytes_hash(fk_bytes_of(&key, sizeof key));
}

static uint64_t constant_hash(uint64_t key)
{
    (void)key;
    return 7;
}

typedef uint64_t (*hash_fn)(uint64_t key);

static void fill_items(void)
{
    memset(items, 0, sizeof items);
    for (uint64_t i = 0; i < KEYS; i++) {
        items[i].key = i * 1000003;
    }
}

static void toggle(struct fk_map *map, hash_fn hash, struct item *item)
{
    if (item->present) {
        fk_map_remove(map, &item->entry);
    } else {
        fk_map_add(map, &item->entry, hash(item->key));
    }
    item->present = !item->present;
}

/* All of the map's state against the model: lookups of what is and of what is not there, and a walk. */
static void assert_map_is_model(const struct fk_map *map, hash_fn hash, size_t keys)
{
    size_t count = 0;
    for (size_t i = 0; i < keys; i++) {
        struct fk_map_entry *found = fk_map_get(map, hash(items[i].key), matches, &items[i].key);
        assert_ptr_equal(found, items[i].present ? &items[i].entry : NULL);
        count += items[i].present ? 1 : 0;
        items[i].seen = false;
    }
    assert_int_equal(map->count, count);
    size_t walked = 0;
    for (struct fk_map_entry *at = fk_map_next(map, NULL); at != NULL; at = fk_map_next(map, at)) {
        struct item *item = FK_CONTAINER_OF(at, struct item, entry);
        assert_true(item->present);
        assert_false(item->seen);
        item->seen = true;
        walked++;
    }
    assert_int_equal(walked, count);
}

static void an_empty_map_has_nothing(void **state)
{
    (void)state;
    struct fk_map map;
    fk_map_init(&map);
    uint64_t key = 1;
    assert_null(fk_map_get(&map, 1, matches, &key));
    assert_null(fk_map_next(&map, NULL));
    fk_map_deinit(&map);
    fk_map_deinit(&map);
}

static void it_grows_with_its_elements_and_shrinks_to_nothing(void **state)
{
    (void)state;
    struct fk_map map;
    fk_map_init(&map);
    fill_items();
    for (size_t i = 0; i < KEYS; i++) {
        toggle(&map, good_hash, &items[i]);
    }
    assert_true(map.bucket_count >= KEYS);
    assert_true(map.bucket_count <= 2 * KEYS);
    assert_map_is_model(&map, good_hash, KEYS);
    for (size_t i = 0; i < KEYS; i += 2) {
        toggle(&map, good_hash, &items[i]);
    }
    assert_map_is_model(&map, good_hash, KEYS);
    for (size_t i = 1; i < KEYS; i += 2) {
        toggle(&map, good_hash, &items[i]);
    }
    assert_map_is_model(&map, good_hash, KEYS);
    assert_null(fk_map_next(&map, NULL));
    fk_map_deinit(&map);
    assert_int_equal(fk_test_blocks(), 0);
}

static void random_adds_and_removes_match_a_model(void **state)
{
    (void)state;
    struct fk_prng prng = fk_test_prng();
    struct fk_map map;
    fk_map_init(&map);
    fill_items();
    for (int round = 0; round < 20; round++) {
        for (int step = 0; step < 5000; step++) {
            toggle(&map, good_hash, &items[fk_prng_below(&prng, KEYS)]);
        }
        assert_map_is_model(&map, good_hash, KEYS);
    }
    fk_map_deinit(&map);
}

/* All keys in one chain: the match function alone tells them apart. */
static void equal_hashes_stay_apart(void **state)
{
    (void)state;
    enum {
        FEW = 300,
    };
    struct fk_prng prng = fk_test_prng();
    struct fk_map map;
    fk_map_init(&map);
    fill_items();
    for (int step = 0; step < 3000; step++) {
        toggle(&map, constant_hash, &items[fk_prng_below(&prng, FEW)]);
    }
    assert_map_is_model(&map, constant_hash, FEW);
    fk_map_deinit(&map);
}

static void elements_may_go_while_walking(void **state)
{
    (void)state;
    struct fk_map map;
    fk_map_init(&map);
    fill_items();
    for (size_t i = 0; i < 1000; i++) {
        toggle(&map, good_hash, &items[i]);
    }
    struct fk_map_entry *at = fk_map_next(&map, NULL);
    while (at != NULL) {
        struct fk_map_entry *next = fk_map_next(&map, at);
        struct item *item = FK_CONTAINER_OF(at, struct item, entry);
        if (item->key % 3 != 0) {
            toggle(&map, good_hash, item);
        }
        at = next;
    }
    assert_map_is_model(&map, good_hash, 1000);
    fk_map_deinit(&map);
}

/* A map never fails: without memory at first it has the one bucket inside itself, later its chains get longer. */
static void without_memory_it_stays_correct(void **state)
{
    (void)state;
    struct fk_map map;
    fk_map_init(&map);
    fill_items();
    fk_test_fail_all(true);
    for (size_t i = 0; i < 100; i++) {
        toggle(&map, good_hash, &items[i]);
    }
    assert_map_is_model(&map, good_hash, 100);
    fk_test_fail_all(false);
    for (size_t i = 50; i < 150; i++) {
        toggle(&map, good_hash, &items[i]);
    }
    assert_map_is_model(&map, good_hash, 150);
    fk_test_fail_all(true);
    for (size_t i = 150; i < 1000; i++) {
        toggle(&map, good_hash, &items[i]);
    }
    assert_map_is_model(&map, good_hash, 1000);
    fk_map_deinit(&map);
}

static const struct CMUnitTest tests[] = {
    FK_TEST(an_empty_map_has_nothing),
    FK_TEST(it_grows_with_its_elements_and_shrinks_to_nothing),
    FK_TEST(random_adds_and_removes_match_a_model),
    FK_TEST(equal_hashes_stay_apart),
    FK_TEST(elements_may_go_while_walking),
    FK_TEST(without_memory_it_stays_correct),
};

FK_TEST_MAIN(tests)
