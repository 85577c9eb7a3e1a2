// SPDX-License-Identifier: Apache-2.0
#include "sim/trace.h"

#include "base/assert.h"
#include "sim/dice.h"

#include <stddef.h>
#include <string.h>

static uint64_t add_word(uint64_t hash, uint64_t word)
{
    return (hash ^ sim_mix(word + UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0x100000001b3);
}

static uint64_t add_text(uint64_t hash, const char *text, size_t size)
{
    while (size >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text, sizeof word);
        hash = add_word(hash, word);
        text += sizeof word;
        size -= sizeof word;
    }
    uint64_t rest = size;
    for (size_t i = 0; i < size; i++) {
        rest = (rest << 8) | (unsigned char)text[i];
    }
    return add_word(hash, rest);
}

/* Flags, width and precision; a precision given as an argument is taken. */
static const char *skip_modifiers(const char *at, va_list *args, size_t *precision, int *longs)
{
    *precision = SIZE_MAX;
    *longs = 0;
    for (;; at++) {
        if (*at == '*') {
            *precision = (size_t)va_arg(*args, int);
        } else if (*at == 'l' || *at == 'z' || *at == 'j') {
            ++*longs;
        } else if (strchr("-+ #.0123456789", *at) == NULL || *at == '\0') {
            return at;
        }
    }
}

static uint64_t add_argument(uint64_t hash, const char **at, va_list *args)
{
    size_t precision;
    int longs;
    *at = skip_modifiers(*at, args, &precision, &longs);
    switch (**at) {
    case 's': {
        const char *text = va_arg(*args, const char *);
        return add_text(hash, text, precision == SIZE_MAX ? strlen(text) : strnlen(text, precision));
    }
    case 'd':
    case 'i':
    case 'c':
        return add_word(hash, (uint64_t)(longs > 0 ? va_arg(*args, long) : va_arg(*args, int)));
    case 'u':
    case 'x':
    case 'X':
        return add_word(hash, longs > 0 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int));
    default:
        FK_ASSERT(**at == '%');
        return hash;
    }
}

uint64_t sim_trace_mix(uint64_t hash, const char *format, va_list args)
{
    va_list copy;
    va_copy(copy, args);
    const char *text = format;
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at, '%')) {
        hash = add_text(hash, text, (size_t)(at - text));
        at++;
        hash = add_argument(hash, &at, &copy);
        text = ++at;
    }
    va_end(copy);
    return add_text(hash, text, strlen(text));
}
