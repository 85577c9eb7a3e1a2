// SPDX-License-Identifier: Apache-2.0
/* Permissions, as PrepRequestProcessor.fixupACL and ZooKeeperServer.checkACL decide them: schemes world, auth, digest,
 * ip and super. */
#include "sim/model_ref.h"

#include <stdio.h>

enum {
    ENTRY_SIZE_MIN = 12,
    ID_SIZE_MIN = 8,
};

/* "a.b.c.d" with an optional "/bits"; false for anything else. */
static bool parse_ip(struct fk_bytes text, uint32_t *address, uint32_t *bits)
{
    char copy[32];
    unsigned part[5] = {0, 0, 0, 0, 32};
    char rest = 0;
    if (text.size == 0 || text.size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    int count = sscanf(copy, "%3u.%3u.%3u.%3u/%2u%c", &part[0], &part[1], &part[2], &part[3], &part[4], &rest);
    bool whole = memchr(text.data, '/', text.size) != NULL ? count == 5 : sscanf(copy, "%*u.%*u.%*u.%*u%c", &rest) < 1;
    *address = (part[0] << 24) | (part[1] << 16) | (part[2] << 8) | part[3];
    *bits = part[4];
    return count >= 4 && whole && part[0] < 256 && part[1] < 256 && part[2] < 256 && part[3] < 256 && *bits <= 32;
}

static bool ip_in(struct fk_bytes who, struct fk_bytes range)
{
    uint32_t address = 0;
    uint32_t wanted = 0;
    uint32_t bits = 0;
    uint32_t ignored = 0;
    if (!parse_ip(who, &address, &ignored) || !parse_ip(range, &wanted, &bits)) {
        return false;
    }
    uint32_t mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
    return (address & mask) == (wanted & mask);
}

/* Whether one of the ids is the one that an entry names. */
static bool named(const struct fk_acl_entry *entry, struct fk_bytes ids)
{
    struct fk_reader reader = fk_reader_of(ids);
    int32_t count = fk_read_count(&reader, ID_SIZE_MIN);
    if (fk_bytes_equal_text(entry->scheme, "world") && fk_bytes_equal_text(entry->id, "anyone")) {
        return true;
    }
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        struct fk_bytes id = fk_read_bytes(&reader);
        bool same = fk_bytes_equal_text(scheme, "ip") ? ip_in(id, entry->id) : fk_bytes_equal(id, entry->id);
        if (fk_bytes_equal(scheme, entry->scheme) && same) {
            return true;
        }
    }
    return false;
}

static bool is_super(struct fk_bytes ids)
{
    struct fk_reader reader = fk_reader_of(ids);
    int32_t count = fk_read_count(&reader, ID_SIZE_MIN);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        (void)fk_read_bytes(&reader);
        if (fk_bytes_equal_text(scheme, "super")) {
            return true;
        }
    }
    return false;
}

bool sim_ref_allows(struct fk_bytes acl, int32_t perm, struct fk_bytes ids)
{
    if (fk_bytes_equal(acl, FK_ACL_OPEN)) {
        return true;
    }
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count = fk_read_count(&reader, ENTRY_SIZE_MIN);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        if ((entry.perms & perm) != 0 && named(&entry, ids)) {
            return true;
        }
    }
    return is_super(ids);
}

/* A growing list of entries, each once. */
struct list {
    struct sim_bump *bump;
    struct fk_acl_entry *items;
    size_t count;
    size_t capacity;
};

static void add(struct list *list, const struct fk_acl_entry *entry)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct fk_acl_entry *other = &list->items[i];
        if (other->perms == entry->perms && fk_bytes_equal(other->scheme, entry->scheme) &&
            fk_bytes_equal(other->id, entry->id)) {
            return;
        }
    }
    list->items = sim_bump_grow(list->bump, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = *entry;
}

/* "auth" stands for all ids that the caller has proven: not its address. False where it has none. */
static bool add_authenticated(struct list *list, int32_t perms, struct fk_bytes ids)
{
    bool any = false;
    struct fk_reader reader = fk_reader_of(ids);
    int32_t count = fk_read_count(&reader, ID_SIZE_MIN);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry = {.perms = perms, .scheme = fk_read_bytes(&reader)};
        entry.id = fk_read_bytes(&reader);
        if (fk_bytes_equal_text(entry.scheme, "digest")) {
            add(list, &entry);
            any = true;
        }
    }
    return any;
}

static bool entry_valid(const struct fk_acl_entry *entry)
{
    uint32_t address = 0;
    uint32_t bits = 0;
    if (fk_bytes_equal_text(entry->scheme, "world")) {
        return fk_bytes_equal_text(entry->id, "anyone");
    }
    if (fk_bytes_equal_text(entry->scheme, "ip")) {
        return parse_ip(entry->id, &address, &bits);
    }
    if (!fk_bytes_equal_text(entry->scheme, "digest") || entry->id.size == 0) {
        return false;
    }
    const uint8_t *colon = memchr(entry->id.data, ':', entry->id.size);
    size_t after = colon == NULL ? 0 : entry->id.size - (size_t)(colon - entry->id.data) - 1;
    return after > 0 && memchr(colon + 1, ':', after) == NULL;
}

static struct fk_bytes encode(struct list *list)
{
    struct fk_buf buf = FK_BUF_EMPTY;
    fk_write_i32(&buf, (int32_t)list->count);
    for (size_t i = 0; i < list->count; i++) {
        fk_write_acl_entry(&buf, &list->items[i]);
    }
    struct fk_bytes encoded = sim_bump_copy(list->bump, fk_buf_view(&buf));
    fk_buf_deinit(&buf);
    return encoded;
}

int32_t sim_ref_fix_acl(struct sim_bump *bump, struct fk_bytes acl, struct fk_bytes ids, struct fk_bytes *fixed)
{
    *fixed = acl;
    if (fk_bytes_equal(acl, FK_ACL_OPEN)) {
        return FK_CODE_OK;
    }
    struct list list = {.bump = bump};
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count = acl.data == NULL ? 0 : fk_read_count(&reader, ENTRY_SIZE_MIN);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        if (fk_bytes_equal_text(entry.scheme, "auth")) {
            if (!add_authenticated(&list, entry.perms, ids)) {
                return FK_CODE_INVALID_ACL;
            }
        } else if (entry_valid(&entry)) {
            add(&list, &entry);
        } else {
            return FK_CODE_INVALID_ACL;
        }
    }
    if (list.count == 0) {
        return FK_CODE_INVALID_ACL;
    }
    *fixed = encode(&list);
    return FK_CODE_OK;
}

struct fk_bytes sim_ref_redact(struct sim_bump *bump, struct fk_bytes acl)
{
    struct list list = {.bump = bump};
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count = fk_read_count(&reader, ENTRY_SIZE_MIN);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        const uint8_t *colon = entry.id.size == 0 ? NULL : memchr(entry.id.data, ':', entry.id.size);
        if (fk_bytes_equal_text(entry.scheme, "digest") && colon != NULL) {
            size_t kept = (size_t)(colon - entry.id.data) + 1;
            uint8_t *id = sim_bump_alloc(bump, kept + 1);
            memcpy(id, entry.id.data, kept);
            id[kept] = 'x';
            entry.id = fk_bytes_of(id, kept + 1);
        }
        list.items = sim_bump_grow(bump, list.items, list.count, &list.capacity, sizeof *list.items);
        list.items[list.count++] = entry;
    }
    return encode(&list);
}
