// SPDX-License-Identifier: Apache-2.0
#include "model/acl.h"

#include "base/limits.h"
#include "model/name.h"

enum {
    SMALLEST_ID = 8,     /* two lengths */
    SMALLEST_ENTRY = 12, /* perms and two lengths */
};

/* Reads the decimal number at the front of text, at most `max`; gives what is left after it, false without digits. */
static bool take_number(struct fk_bytes *text, uint32_t max, uint32_t *number)
{
    size_t digits = 0;
    uint32_t value = 0;
    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9') {
        value = value * 10 + (uint32_t)(text->data[digits] - '0');
        if (value > max || digits > 8) {
            return false;
        }
        digits++;
    }
    *number = value;
    *text = fk_bytes_tail(*text, digits);
    return digits > 0;
}

/* An address as IPAuthenticationProvider reads it: 4 or 16 bytes. */
struct address {
    uint8_t bytes[16];
    uint32_t size;
};

static bool parse_ipv4(struct fk_bytes text, struct address *address)
{
    address->size = 4;
    for (size_t i = 0; i < address->size; i++) {
        uint32_t part = 0;
        if (i > 0) {
            if (text.size == 0 || text.data[0] != '.') {
                return false;
            }
            text = fk_bytes_tail(text, 1);
        }
        if (!take_number(&text, 255, &part)) {
            return false;
        }
        address->bytes[i] = (uint8_t)part;
    }
    return text.size == 0;
}

static int hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    uint8_t lower = character | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Groups of up to four hexadecimal digits with ':' between them, from the front of bytes; gives how many, -1 where the
 * text is something else. An empty text has none. */
static int parse_groups(struct fk_bytes text, uint8_t bytes[16])
{
    int count = 0;
    size_t at = 0;
    while (text.size > 0) {
        uint32_t value = 0;
        size_t start = at;
        while (at < text.size && hex_digit(text.data[at]) >= 0) {
            value = value * 16 + (uint32_t)hex_digit(text.data[at]);
            at++;
        }
        if (at == start || at - start > 4 || count == 8) {
            return -1;
        }
        bytes[2 * (size_t)count] = (uint8_t)(value >> 8);
        bytes[2 * (size_t)count + 1] = (uint8_t)value;
        count++;
        if (at == text.size) {
            break;
        }
        if (text.data[at++] != ':') {
            return -1;
        }
    }
    return count;
}

/* Where "::" stands; the text's size where it does not. */
static size_t find_gap(struct fk_bytes text)
{
    for (size_t i = 0; i + 1 < text.size; i++) {
        if (text.data[i] == ':' && text.data[i + 1] == ':') {
            return i;
        }
    }
    return text.size;
}

static bool parse_ipv6(struct fk_bytes text, struct address *address)
{
    uint8_t end[16] = {0};
    size_t gap = find_gap(text);
    *address = (struct address){.size = 16};
    int before = parse_groups(fk_bytes_head(text, gap), address->bytes);
    if (gap == text.size) {
        return before == 8;
    }
    int after = parse_groups(fk_bytes_tail(text, gap + 2), end);
    if (before < 0 || after < 0 || before + after >= 8) {
        return false;
    }
    size_t front = 2 * (size_t)before;
    size_t back = 2 * (size_t)after;
    memset(address->bytes + front, 0, 16 - front);
    memcpy(address->bytes + 16 - back, end, back);
    return true;
}

static bool parse_address(struct fk_bytes text, struct address *address)
{
    bool six = text.size > 0 && memchr(text.data, ':', text.size) != NULL;
    return six ? parse_ipv6(text, address) : parse_ipv4(text, address);
}

static bool parse_range(struct fk_bytes range, struct address *address, uint32_t *bits)
{
    const uint8_t *slash = range.size == 0 ? NULL : (const uint8_t *)memchr(range.data, '/', range.size);
    struct fk_bytes front = slash == NULL ? range : fk_bytes_head(range, (size_t)(slash - range.data));
    if (!parse_address(front, address)) {
        return false;
    }
    *bits = 8 * address->size;
    if (slash == NULL) {
        return true;
    }
    range = fk_bytes_tail(range, front.size + 1);
    return take_number(&range, 8 * address->size, bits) && range.size == 0;
}

bool fk_acl_ip_matches(struct fk_bytes address, struct fk_bytes range)
{
    struct address wanted;
    struct address actual;
    uint32_t bits = 0;
    if (!parse_range(range, &wanted, &bits) || !parse_address(address, &actual) || actual.size != wanted.size) {
        return false;
    }
    size_t whole = bits / 8;
    uint8_t mask = (uint8_t)(0xff00U >> (bits % 8));
    return memcmp(actual.bytes, wanted.bytes, whole) == 0 &&
           (mask == 0 || (actual.bytes[whole] & mask) == (wanted.bytes[whole] & mask));
}

bool fk_acl_listed(const char *names, struct fk_bytes name)
{
    while (names != NULL && *names != '\0') {
        size_t size = strcspn(names, "\n");
        if (size > 0 && fk_bytes_equal(fk_bytes_of(names, size), name)) {
            return true;
        }
        names += size + (names[size] == '\n' ? 1 : 0);
    }
    return false;
}

static bool has_scheme(const struct fk_caller *caller, enum fk_scheme scheme)
{
    return caller->rules != NULL && (caller->rules->schemes & (unsigned)scheme) != 0;
}

static bool caller_is_super(const struct fk_caller *caller)
{
    struct fk_reader reader = fk_reader_of(caller->ids);
    int32_t count = fk_read_count(&reader, SMALLEST_ID);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        (void)fk_read_bytes(&reader);
        if (fk_bytes_equal_text(scheme, "super")) {
            return true;
        }
    }
    return false;
}

/* ZK: SASLAuthenticationProvider.matches: one user is in all entries of its scheme, and all are in one entry. */
static bool sasl_matches(const struct fk_rules *rules, struct fk_bytes id, struct fk_bytes wanted)
{
    const char *any = rules == NULL ? NULL : rules->any_sasl;
    return fk_bytes_equal_text(id, "super") || (any != NULL && fk_bytes_equal_text(wanted, any));
}

static bool caller_matches(const struct fk_caller *caller, const struct fk_acl_entry *entry)
{
    struct fk_reader reader = fk_reader_of(caller->ids);
    int32_t count = fk_read_count(&reader, SMALLEST_ID);
    for (int32_t i = 0; i < count; i++) {
        struct fk_bytes scheme = fk_read_bytes(&reader);
        struct fk_bytes id = fk_read_bytes(&reader);
        if (!fk_bytes_equal(scheme, entry->scheme)) {
            continue;
        }
        bool ip = fk_bytes_equal_text(scheme, "ip");
        if (ip ? fk_acl_ip_matches(id, entry->id) : fk_bytes_equal_secret(id, entry->id)) {
            return true;
        }
        if (fk_bytes_equal_text(scheme, "sasl") && sasl_matches(caller->rules, id, entry->id)) {
            return true;
        }
    }
    return false;
}

bool fk_acl_allows(struct fk_bytes acl, enum fk_perm perm, const struct fk_caller *caller)
{
    bool skip = caller->rules != NULL && caller->rules->skip_acl;
    if (skip || acl.data == FK_ACL_OPEN.data || fk_bytes_equal(acl, FK_ACL_OPEN) || caller_is_super(caller)) {
        return true;
    }
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count = fk_read_count(&reader, SMALLEST_ENTRY);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        if ((entry.perms & (int32_t)perm) == 0) {
            continue;
        }
        bool anyone = fk_bytes_equal_text(entry.scheme, "world") && fk_bytes_equal_text(entry.id, "anyone");
        if (anyone || caller_matches(caller, &entry)) {
            return true;
        }
    }
    return false;
}

/* DigestAuthenticationProvider.isValid: String.split(":") gives two parts. Java drops empty parts at the end. */
static bool digest_id_valid(struct fk_bytes id)
{
    size_t size = id.size;
    while (size > 0 && id.data[size - 1] == ':') {
        size--;
    }
    size_t colons = 0;
    for (size_t i = 0; i < size; i++) {
        colons += id.data[i] == ':' ? 1 : 0;
    }
    return colons == 1;
}

/* KerberosName: without '@' anything; with one, at most one '/', in front of it. */
static bool sasl_id_valid(struct fk_bytes id)
{
    size_t ats = 0;
    size_t slashes = 0;
    for (size_t i = 0; i < id.size; i++) {
        ats += id.data[i] == '@' ? 1 : 0;
        slashes += id.data[i] == '/' ? 1 : 0;
        if (id.data[i] == '/' && ats > 0) {
            slashes = 2;
        }
    }
    return ats == 0 || (ats == 1 && slashes <= 1);
}

static bool scheme_known(const struct fk_caller *caller, struct fk_bytes scheme)
{
    bool digest = caller->rules == NULL || !caller->rules->digest_disabled;
    return fk_bytes_equal_text(scheme, "world") || fk_bytes_equal_text(scheme, "ip") ||
           (fk_bytes_equal_text(scheme, "digest") && digest) ||
           (fk_bytes_equal_text(scheme, "sasl") && has_scheme(caller, FK_SCHEME_SASL)) ||
           (fk_bytes_equal_text(scheme, "x509") && has_scheme(caller, FK_SCHEME_X509));
}

/* Of a scheme that is known. */
static bool id_valid(const struct fk_acl_entry *entry)
{
    struct address address;
    uint32_t bits = 0;
    if (fk_bytes_equal_text(entry->scheme, "world")) {
        return fk_bytes_equal_text(entry->id, "anyone");
    }
    if (fk_bytes_equal_text(entry->scheme, "digest")) {
        return digest_id_valid(entry->id);
    }
    if (fk_bytes_equal_text(entry->scheme, "sasl")) {
        return sasl_id_valid(entry->id);
    }
    if (fk_bytes_equal_text(entry->scheme, "x509")) {
        return fk_name_valid(entry->id);
    }
    return parse_range(entry->id, &address, &bits);
}

/* Appends one entry for each authenticated identity of the caller (not ip, not super itself); gives how many. */
static int32_t write_auth_entries(struct fk_buf *out, int32_t perms, const struct fk_caller *caller)
{
    int32_t written = 0;
    struct fk_reader reader = fk_reader_of(caller->ids);
    int32_t count = fk_read_count(&reader, SMALLEST_ID);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry = {.perms = perms};
        entry.scheme = fk_read_bytes(&reader);
        entry.id = fk_read_bytes(&reader);
        bool address = fk_bytes_equal_text(entry.scheme, "ip");
        if (!address && scheme_known(caller, entry.scheme)) {
            fk_write_acl_entry(out, &entry);
            written++;
        }
    }
    return written;
}

/* True where the entry stands among the first `index` entries of the list. */
static bool repeated(struct fk_bytes acl, int32_t index, const struct fk_acl_entry *entry)
{
    struct fk_reader reader = fk_reader_of(acl);
    (void)fk_read_count(&reader, SMALLEST_ENTRY);
    for (int32_t i = 0; i < index; i++) {
        struct fk_acl_entry earlier;
        fk_read_acl_entry(&reader, &earlier);
        if (earlier.perms == entry->perms && fk_bytes_equal(earlier.scheme, entry->scheme) &&
            fk_bytes_equal(earlier.id, entry->id)) {
            return true;
        }
    }
    return false;
}

/* Appends what one requested entry becomes; *kept grows by the number of entries. */
static enum fk_code fix_entry(struct fk_buf *out, const struct fk_acl_entry *entry, const struct fk_caller *caller,
                              int32_t *kept)
{
    if (fk_bytes_equal_text(entry->scheme, "auth")) { /* kazoo sends it with a null id */
        int32_t written = write_auth_entries(out, entry->perms, caller);
        *kept += written;
        return written == 0 ? FK_CODE_INVALID_ACL : FK_CODE_OK;
    }
    /* ZK: a null scheme belongs to no provider; a null id is a NullPointerException in the one of its scheme. */
    if (entry->scheme.data == NULL || !scheme_known(caller, entry->scheme)) {
        return FK_CODE_INVALID_ACL;
    }
    if (entry->id.data == NULL) {
        return FK_CODE_MARSHALLING_ERROR;
    }
    if (!id_valid(entry)) {
        return FK_CODE_INVALID_ACL;
    }
    fk_write_acl_entry(out, entry);
    *kept += 1;
    return FK_CODE_OK;
}

static enum fk_code fix_entries(struct fk_bytes requested, const struct fk_caller *caller, struct fk_buf *out)
{
    struct fk_reader reader = fk_reader_of(requested);
    int32_t count = fk_read_count(&reader, SMALLEST_ENTRY);
    if (requested.data == NULL || count <= 0 || count > FK_ACL_ENTRIES_MAX) {
        return FK_CODE_INVALID_ACL;
    }
    int32_t kept = 0;
    fk_write_i32(out, 0);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        if (repeated(requested, i, &entry)) {
            continue;
        }
        enum fk_code code = fix_entry(out, &entry, caller, &kept);
        if (code != FK_CODE_OK) {
            return code;
        }
        if (kept > FK_ACL_ENTRIES_MAX || fk_buf_left(out) > FK_ACL_SIZE_MAX) {
            return FK_CODE_INVALID_ACL;
        }
    }
    fk_patch_i32(out, 0, kept);
    return FK_CODE_OK;
}

enum fk_code fk_acl_fix(struct fk_bytes requested, const struct fk_caller *caller, struct fk_arena *arena,
                        struct fk_bytes *fixed)
{
    if (fk_bytes_equal(requested, FK_ACL_OPEN)) {
        *fixed = FK_ACL_OPEN;
        return FK_CODE_OK;
    }
    struct fk_buf out = FK_BUF_EMPTY;
    enum fk_code code = fix_entries(requested, caller, &out);
    if (code == FK_CODE_OK) {
        *fixed = out.failed ? FK_BYTES_NULL : fk_arena_copy(arena, fk_buf_view(&out));
        code = fixed->data == NULL ? FK_CODE_SYSTEM_ERROR : FK_CODE_OK;
    }
    fk_buf_deinit(&out);
    return code;
}

void fk_acl_write_redacted(struct fk_buf *buf, struct fk_bytes acl)
{
    struct fk_reader reader = fk_reader_of(acl);
    int32_t count = fk_read_count(&reader, SMALLEST_ENTRY);
    fk_write_i32(buf, count);
    for (int32_t i = 0; i < count; i++) {
        struct fk_acl_entry entry;
        fk_read_acl_entry(&reader, &entry);
        const uint8_t *colon = entry.id.size == 0 ? NULL : (const uint8_t *)memchr(entry.id.data, ':', entry.id.size);
        if (!fk_bytes_equal_text(entry.scheme, "digest") || colon == NULL) {
            fk_write_acl_entry(buf, &entry);
            continue;
        }
        struct fk_bytes user = fk_bytes_head(entry.id, (size_t)(colon - entry.id.data));
        fk_write_i32(buf, entry.perms);
        fk_write_bytes(buf, entry.scheme);
        fk_write_i32(buf, (int32_t)user.size + 2);
        fk_buf_append(buf, user);
        fk_buf_append(buf, FK_BYTES_LITERAL(":x"));
    }
}
