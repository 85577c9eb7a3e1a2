// SPDX-License-Identifier: Apache-2.0
#include "host/sasl_digest.h"

#include "base/limits.h"

#include <strings.h>

enum field {
    FIELD_USERNAME,
    FIELD_REALM,
    FIELD_NONCE,
    FIELD_CNONCE,
    FIELD_NC,
    FIELD_DIGEST_URI,
    FIELD_RESPONSE,
    FIELD_REQUIRED, /* those before this one */
    FIELD_QOP = FIELD_REQUIRED,
    FIELD_CHARSET,
    FIELD_AUTHZID,
    FIELD_MAXBUF,
    FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_USERNAME] = "username", [FIELD_REALM] = "realm",   [FIELD_NONCE] = "nonce",
    [FIELD_CNONCE] = "cnonce",     [FIELD_NC] = "nc",         [FIELD_DIGEST_URI] = "digest-uri",
    [FIELD_RESPONSE] = "response", [FIELD_QOP] = "qop",       [FIELD_CHARSET] = "charset",
    [FIELD_AUTHZID] = "authzid",   [FIELD_MAXBUF] = "maxbuf",
};

struct value {
    bool there;
    size_t size;
    char text[512]; /* without quotes and backslashes, with a NUL */
};

static void skip_blanks(struct fk_bytes *text)
{
    while (text->size > 0 && (text->data[0] == ' ' || text->data[0] == '\t')) {
        *text = fk_bytes_tail(*text, 1);
    }
}

static bool is_token_char(uint8_t c)
{
    return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

static bool put(struct value *value, uint8_t c)
{
    if (c == 0 || value->size + 1 >= sizeof value->text) {
        return false;
    }
    value->text[value->size++] = (char)c;
    return true;
}

/* Takes a value, quoted or not. */
static bool take_value(struct fk_bytes *text, struct value *value)
{
    bool ok = true;
    if (text->size > 0 && text->data[0] == '"') {
        size_t at = 1;
        while (ok && at < text->size && text->data[at] != '"') {
            at += text->data[at] == '\\' ? 1 : 0;
            ok = at < text->size && put(value, text->data[at]);
            at++;
        }
        ok = ok && at < text->size;
        *text = fk_bytes_tail(*text, at + 1);
    } else {
        while (ok && text->size > 0 && (is_token_char(text->data[0]) || text->data[0] == '/')) {
            ok = put(value, text->data[0]);
            *text = fk_bytes_tail(*text, 1);
        }
        ok = ok && value->size > 0;
    }
    value->text[value->size] = '\0';
    return ok;
}

/* Takes name=value into its field; names that nobody knows are read over, as the RFC wants it. */
static bool take_pair(struct fk_bytes *text, struct value fields[FIELD_COUNT])
{
    struct value other = {.there = false};
    struct value *value = &other;
    char name[32];
    size_t size = 0;
    while (text->size > 0 && is_token_char(text->data[0])) {
        if (size + 1 >= sizeof name) {
            return false;
        }
        name[size++] = (char)text->data[0];
        *text = fk_bytes_tail(*text, 1);
    }
    name[size] = '\0';
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        value = strcasecmp(name, field_names[i]) == 0 ? &fields[i] : value;
    }
    skip_blanks(text);
    if (size == 0 || value->there || text->size == 0 || text->data[0] != '=') {
        return false;
    }
    *text = fk_bytes_tail(*text, 1);
    skip_blanks(text);
    value->there = true;
    return take_value(text, value);
}

static bool take_pairs(struct fk_bytes text, struct value fields[FIELD_COUNT])
{
    for (;;) {
        skip_blanks(&text);
        if (!take_pair(&text, fields)) {
            return false;
        }
        skip_blanks(&text);
        if (text.size == 0) {
            return true;
        }
        if (text.data[0] != ',') {
            return false;
        }
        text = fk_bytes_tail(text, 1);
    }
}

static bool is_hex(const struct value *value, size_t size)
{
    return value->size == size && strspn(value->text, "0123456789abcdef") == size;
}

/* Blanks around a name are cut by the library: such a name is not the one in the configuration. */
static bool is_name(const struct value *value)
{
    return value->size > 0 && strchr(" \t\r\n\v\f", value->text[0]) == NULL &&
           strchr(" \t\r\n\v\f", value->text[value->size - 1]) == NULL;
}

bool fk_sasl_digest_check(struct fk_bytes token)
{
    struct value fields[FIELD_COUNT];
    if (token.size == 0 || token.size > FK_SASL_DIGEST_TOKEN_SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        fields[i].there = false;
        fields[i].size = 0;
    }
    if (!take_pairs(token, fields)) {
        return false;
    }
    for (size_t i = 0; i < FIELD_REQUIRED; i++) {
        if (!fields[i].there || fields[i].size == 0) {
            return false;
        }
    }
    return is_name(&fields[FIELD_USERNAME]) && strcmp(fields[FIELD_REALM].text, FK_SASL_DIGEST_HOST) == 0 &&
           strcasecmp(fields[FIELD_DIGEST_URI].text, FK_SASL_DIGEST_SERVICE "/" FK_SASL_DIGEST_HOST) == 0 &&
           strcmp(fields[FIELD_NC].text, "00000001") == 0 && is_hex(&fields[FIELD_RESPONSE], 32) &&
           (!fields[FIELD_QOP].there || strcmp(fields[FIELD_QOP].text, "auth") == 0) &&
           (!fields[FIELD_CHARSET].there || strcasecmp(fields[FIELD_CHARSET].text, "utf-8") == 0) &&
           (!fields[FIELD_AUTHZID].there || fields[FIELD_AUTHZID].size == 0 ||
            strcmp(fields[FIELD_AUTHZID].text, fields[FIELD_USERNAME].text) == 0);
}

/* Splits at the first `mark`; the second half is null where there is none. */
static void split(struct fk_bytes text, char mark, struct fk_bytes *head, struct fk_bytes *tail)
{
    const uint8_t *at = text.size == 0 ? NULL : (const uint8_t *)memchr(text.data, mark, text.size);
    *head = at == NULL ? text : fk_bytes_head(text, (size_t)(at - text.data));
    *tail = at == NULL ? FK_BYTES_NULL : fk_bytes_tail(text, (size_t)(at - text.data) + 1);
}

static bool has(struct fk_bytes text, char mark)
{
    return text.size > 0 && memchr(text.data, mark, text.size) != NULL;
}

bool fk_sasl_identity(struct fk_bytes name, const char *default_realm, bool remove_host, bool remove_realm,
                      struct fk_buf *identity)
{
    struct fk_bytes principal;
    struct fk_bytes realm;
    struct fk_bytes service;
    struct fk_bytes host;
    split(name, '@', &principal, &realm);
    split(principal, '/', &service, &host);
    if (service.size == 0 || (realm.data != NULL && (realm.size == 0 || has(realm, '@') || has(realm, '/'))) ||
        (host.data != NULL && (host.size == 0 || has(host, '/')))) {
        return false;
    }
    /* ZK: no rule names a principal of another realm, nor what is no principal: nothing is removed from those. */
    bool ours = realm.data != NULL && fk_bytes_equal_text(realm, default_realm);
    if (!ours) {
        fk_buf_append(identity, name);
        return !identity->failed;
    }
    fk_buf_append(identity, service);
    if (host.data != NULL && !remove_host) {
        fk_buf_append(identity, FK_BYTES_LITERAL("/"));
        fk_buf_append(identity, host);
    }
    if (!remove_realm) {
        fk_buf_append(identity, FK_BYTES_LITERAL("@"));
        fk_buf_append(identity, realm);
    }
    return !identity->failed;
}
