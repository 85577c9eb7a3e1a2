// SPDX-License-Identifier: Apache-2.0
#include "model/name.h"

/* A text that is read from the front. */
struct text {
    struct fk_bytes left;
};

static bool at(const struct text *text, uint8_t character)
{
    return text->left.size > 0 && text->left.data[0] == character;
}

static uint8_t take(struct text *text)
{
    uint8_t character = text->left.data[0];
    text->left = fk_bytes_tail(text->left, 1);
    return character;
}

static void skip_spaces(struct text *text)
{
    while (at(text, ' ') || at(text, '\n')) {
        (void)take(text);
    }
}

static int hex_digit(uint8_t character)
{
    uint8_t lower = character | 0x20;
    if (character >= '0' && character <= '9') {
        return character - '0';
    }
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Between two attributes, or at the end. */
static bool at_separator(const struct text *text)
{
    return text->left.size == 0 || at(text, ',') || at(text, ';') || at(text, '+');
}

/* Behind a backslash: two hexadecimal digits, or a character that has to be escaped somewhere. */
static bool take_escaped(struct text *text)
{
    static const char special[] = " ,=\n+<>#;\\\"";
    if (text->left.size >= 2 && hex_digit(text->left.data[0]) >= 0) {
        bool pair = hex_digit(text->left.data[1]) >= 0;
        text->left = fk_bytes_tail(text->left, 2);
        return pair;
    }
    return text->left.size > 0 && memchr(special, take(text), sizeof special - 1) != NULL;
}

static bool take_quoted(struct text *text)
{
    while (text->left.size > 0) {
        uint8_t character = take(text);
        if (character == '"') {
            skip_spaces(text);
            return at_separator(text);
        }
        if (character == '\\' && !take_escaped(text)) {
            return false;
        }
    }
    return false;
}

/* The bytes of an encoded value: a tag, a length in its short form, as much content. */
static bool take_encoded(struct text *text)
{
    size_t count = 0;
    int length = 0;
    while (!at_separator(text) && !at(text, ' ')) {
        int high = hex_digit(take(text));
        int low = text->left.size == 0 ? -1 : hex_digit(take(text));
        if (high < 0 || low < 0) {
            return false;
        }
        length = count == 1 ? high * 16 + low : length;
        count++;
    }
    skip_spaces(text);
    return count >= 2 && (length >= 0x80 || count - 2 == (size_t)length) && at_separator(text);
}

static bool take_plain(struct text *text)
{
    while (!at_separator(text)) {
        uint8_t character = take(text);
        if (character == '"' || character == '<' || character == '>' || (character == '\\' && !take_escaped(text))) {
            return false;
        }
    }
    return true;
}

static bool take_value(struct text *text)
{
    skip_spaces(text);
    if (at(text, '"')) {
        (void)take(text);
        return take_quoted(text);
    }
    if (at(text, '#')) {
        (void)take(text);
        return take_encoded(text);
    }
    return take_plain(text);
}

static bool equal_upper(struct fk_bytes text, const char *upper)
{
    size_t size = strlen(upper);
    if (text.size != size) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        uint8_t character = text.data[i];
        if (character >= 'a' && character <= 'z') {
            character = (uint8_t)(character - 'a' + 'A');
        }
        if (character != (uint8_t)upper[i]) {
            return false;
        }
    }
    return true;
}

/* Numbers with '.' between them: two or more, the first one 0 to 2, the second one up to 39 below 0 and 1. */
static bool is_object_identifier(struct fk_bytes text)
{
    uint32_t first = 0;
    uint32_t number = 0;
    size_t count = 0;
    size_t digits = 0;
    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] >= '0' && text.data[i] <= '9') {
            number = number > 1000 ? number : number * 10 + (uint32_t)(text.data[i] - '0');
            digits++;
            continue;
        }
        bool wrong = (count == 0 && number > 2) || (count == 1 && first < 2 && number > 39);
        if (digits == 0 || wrong || (i < text.size && text.data[i] != '.')) {
            return false;
        }
        first = count == 0 ? number : first;
        count++;
        number = 0;
        digits = 0;
    }
    return count >= 2;
}

static bool is_keyword(struct fk_bytes text)
{
    static const char *const known[] = {
        "CN",         "C",         "L",
        "S",          "ST",        "O",
        "OU",         "T",         "IP",
        "STREET",     "DC",        "DNQUALIFIER",
        "SURNAME",    "GIVENNAME", "INITIALS",
        "GENERATION", "EMAIL",     "EMAILADDRESS",
        "UID",        "DNQ",       "SERIALNUMBER",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (equal_upper(text, known[i])) {
            return true;
        }
    }
    bool named = text.size > 4 && equal_upper(fk_bytes_head(text, 4), "OID.");
    return is_object_identifier(named ? fk_bytes_tail(text, 4) : text);
}

static bool take_attribute(struct text *text)
{
    skip_spaces(text);
    const uint8_t *equals =
        text->left.size == 0 ? NULL : (const uint8_t *)memchr(text->left.data, '=', text->left.size);
    if (equals == NULL) {
        return false;
    }
    struct fk_bytes keyword = fk_bytes_head(text->left, (size_t)(equals - text->left.data));
    text->left = fk_bytes_tail(text->left, keyword.size + 1);
    while (keyword.size > 0 && keyword.data[keyword.size - 1] == ' ') {
        keyword.size--;
    }
    return is_keyword(keyword) && take_value(text);
}

bool fk_name_valid(struct fk_bytes bytes)
{
    struct text text = {.left = bytes};
    if (bytes.size == 0) {
        return true;
    }
    while (take_attribute(&text)) {
        if (text.left.size == 0) {
            return true;
        }
        (void)take(&text);
    }
    return false;
}
