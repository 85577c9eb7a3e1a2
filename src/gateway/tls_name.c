// SPDX-License-Identifier: Apache-2.0
/* Subjects of certificates as javax.security.auth.x500.X500Principal.getName() writes them (RFC 2253): the last name
 * first, well-known types by their letters, others by their numbers with the value in hex. */
#include "gateway/tls_internal.h"

#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

/* The types that RFC 2253 has letters for. */
static const char *letters_of(int nid)
{
    static const struct {
        int nid;
        const char *letters;
    } types[] = {
        {NID_commonName, "CN"},          {NID_countryName, "C"},      {NID_localityName, "L"},
        {NID_stateOrProvinceName, "ST"}, {NID_organizationName, "O"}, {NID_organizationalUnitName, "OU"},
        {NID_streetAddress, "STREET"},   {NID_domainComponent, "DC"}, {NID_userId, "UID"},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].nid == nid) {
            return types[i].letters;
        }
    }
    return NULL;
}

static bool is_utf8(const ASN1_STRING *value)
{
    const unsigned char *at = ASN1_STRING_get0_data(value);
    int left = ASN1_STRING_length(value);
    while (left > 0) {
        unsigned long character = 0;
        int size = UTF8_getc(at, left, &character);
        if (size <= 0) {
            return false;
        }
        at += size;
        left -= size;
    }
    return true;
}

/* Values that are written as text: of these types, which Java reads as UTF-8 all of them, a BMPString too (its first
 * bytes show as \00). Where that is no UTF-8, Java writes U+FFFD, and different names become one; such a value is
 * shown as it is encoded, like those of other types. */
static bool is_text(const ASN1_STRING *value)
{
    int type = ASN1_STRING_type(value);
    bool known = type == V_ASN1_PRINTABLESTRING || type == V_ASN1_UTF8STRING || type == V_ASN1_T61STRING ||
                 type == V_ASN1_IA5STRING || type == V_ASN1_BMPSTRING;
    return known && is_utf8(value);
}

/* AVA.toRFC2253String: more is escaped than the RFC asks for. */
static void write_escaped(struct fk_buf *text, struct fk_bytes value)
{
    size_t start = 0;
    size_t end = value.size;
    while (start < end && value.data[start] == ' ') {
        start++;
    }
    while (end > start && value.data[end - 1] == ' ') {
        end--;
    }
    for (size_t i = 0; i < value.size; i++) {
        char c = (char)value.data[i];
        if (c == '\0') {
            fk_buf_append(text, FK_BYTES_LITERAL("\\00"));
            continue;
        }
        if (i < start || i >= end || strchr(",=+<>#;\"\\", c) != NULL) {
            fk_buf_append(text, FK_BYTES_LITERAL("\\"));
        }
        fk_buf_append(text, fk_bytes_of(&c, 1));
    }
}

static void write_encoded(struct fk_buf *text, const ASN1_STRING *value)
{
    unsigned char *der = NULL;
    ASN1_TYPE any = {.type = ASN1_STRING_type(value), .value = {.asn1_string = (ASN1_STRING *)(uintptr_t)value}};
    int size = i2d_ASN1_TYPE(&any, &der);
    if (size <= 0) {
        text->failed = true;
        return;
    }
    fk_buf_append(text, FK_BYTES_LITERAL("#"));
    for (int i = 0; i < size; i++) {
        fk_buf_print(text, "%02x", der[i]);
    }
    OPENSSL_free(der);
}

static void write_entry(struct fk_buf *text, const X509_NAME_ENTRY *entry)
{
    const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(entry);
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
    const char *letters = letters_of(OBJ_obj2nid(type));
    char number[128];
    if (letters == NULL) {
        int size = OBJ_obj2txt(number, sizeof number, type, 1);
        text->failed = text->failed || size <= 0 || (size_t)size >= sizeof number;
        letters = number;
    }
    fk_buf_print(text, "%s=", letters);
    if (letters != number && is_text(value)) {
        write_escaped(text, fk_bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)));
    } else {
        write_encoded(text, value);
    }
}

enum fk_err fk_tls_name(const X509_NAME *name, struct fk_buf *text)
{
    int count = X509_NAME_entry_count(name);
    for (int last = count - 1; last >= 0;) {
        int set = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, last));
        int first = last;
        while (first > 0 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, first - 1)) == set) {
            first--;
        }
        for (int i = first; i <= last; i++) {
            fk_buf_append(text, i > first           ? FK_BYTES_LITERAL("+")
                                : last == count - 1 ? FK_BYTES_LITERAL("")
                                                    : FK_BYTES_LITERAL(","));
            write_entry(text, X509_NAME_get_entry(name, i));
        }
        last = first - 1;
    }
    return text->failed ? FK_ERR_NOMEM : FK_OK;
}
