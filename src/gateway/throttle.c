// SPDX-License-Identifier: Apache-2.0
/* The table behind slow answers to who fails to authenticate too often. A window of FK_AUTH_WINDOW_MS per address
 * starts with its first failure; after FK_AUTH_FAILURES_MAX of them attempts wait until it is over. */
#include "gateway/auth.h"

#include "base/alloc.h"
#include "base/limits.h"

enum {
    WAYS = 8, /* entries that one address may stand in */
    GROUPS = 8,
    NETWORK_GROUPS = 4, /* of an IPv6 address: whoever has one has the whole /64 */
};

void fk_throttle_deinit(struct fk_throttle *throttle)
{
    fk_free(throttle->entries);
    throttle->entries = NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads groups of hex digits with colons between them up to the end or "::"; gives how many, and what is left. */
static size_t read_groups(struct fk_bytes *text, uint16_t groups[GROUPS])
{
    size_t count = 0;
    while (count < GROUPS && text->size > 0 && hex_digit(text->data[0]) >= 0) {
        unsigned value = 0;
        while (text->size > 0 && hex_digit(text->data[0]) >= 0) {
            value = (value << 4 | (unsigned)hex_digit(text->data[0])) & 0xffff;
            *text = fk_bytes_tail(*text, 1);
        }
        groups[count++] = (uint16_t)value;
        if (text->size > 1 && text->data[0] == ':' && text->data[1] != ':') {
            *text = fk_bytes_tail(*text, 1);
        }
    }
    return count;
}

/* The key of an address: IPv4 and local sockets as they are, IPv6 by its network. Never 0. */
static uint64_t key_of(struct fk_bytes address)
{
    uint16_t groups[GROUPS] = {0};
    uint16_t tail[GROUPS] = {0};
    if (address.size == 0 || memchr(address.data, ':', address.size) == NULL) {
        return fk_bytes_hash(address) | 1;
    }
    struct fk_bytes rest = address;
    size_t head_count = read_groups(&rest, groups);
    if (rest.size >= 2 && rest.data[0] == ':' && rest.data[1] == ':') {
        rest = fk_bytes_tail(rest, 2);
        size_t tail_count = read_groups(&rest, tail);
        for (size_t i = 0; i < tail_count && head_count + tail_count <= GROUPS; i++) {
            groups[GROUPS - tail_count + i] = tail[i];
        }
    }
    return fk_bytes_hash(fk_bytes_of(groups, NETWORK_GROUPS * sizeof groups[0])) | 1;
}

static bool is_over(const struct fk_throttle_entry *entry, int64_t now_ms)
{
    return entry->key == 0 || now_ms - entry->since_ms >= FK_AUTH_WINDOW_MS;
}

static struct fk_throttle_entry *ways_of(const struct fk_throttle *throttle, uint64_t key)
{
    return &throttle->entries[(key >> 1) % (FK_AUTH_ADDRESSES_MAX / WAYS) * WAYS];
}

/* The entry of the key, or the one that it takes: a free or old one, or the one with the fewest failures. */
static struct fk_throttle_entry *entry_for(struct fk_throttle *throttle, uint64_t key, int64_t now_ms)
{
    struct fk_throttle_entry *ways = ways_of(throttle, key);
    struct fk_throttle_entry *best = &ways[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (ways[i].key == key && !is_over(&ways[i], now_ms)) {
            return &ways[i];
        }
        bool best_is_over = is_over(best, now_ms);
        if (!best_is_over && (is_over(&ways[i], now_ms) || ways[i].count < best->count)) {
            best = &ways[i];
        }
    }
    *best = (struct fk_throttle_entry){.key = key, .since_ms = now_ms};
    return best;
}

bool fk_throttle_failed(struct fk_throttle *throttle, struct fk_bytes address, int64_t now_ms)
{
    if (throttle->entries == NULL) {
        throttle->entries =
            (struct fk_throttle_entry *)fk_alloc_zero(FK_AUTH_ADDRESSES_MAX * sizeof throttle->entries[0]);
    }
    if (throttle->entries == NULL) {
        return false;
    }
    struct fk_throttle_entry *entry = entry_for(throttle, key_of(address), now_ms);
    return ++entry->count == FK_AUTH_FAILURES_MAX;
}

bool fk_throttle_slow(const struct fk_throttle *throttle, struct fk_bytes address, int64_t now_ms)
{
    if (throttle->entries == NULL) {
        return false;
    }
    uint64_t key = key_of(address);
    const struct fk_throttle_entry *ways = ways_of(throttle, key);
    for (size_t i = 0; i < WAYS; i++) {
        if (ways[i].key == key && !is_over(&ways[i], now_ms)) {
            return ways[i].count >= FK_AUTH_FAILURES_MAX;
        }
    }
    return false;
}
