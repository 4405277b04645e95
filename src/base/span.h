/* span.h: a borrowed run of bytes, and the few questions asked of it.
 * No terminating zero. bytes == NULL says "absent", len == 0 with bytes says "empty". */
#ifndef KITH_SPAN_H
#define KITH_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *bytes;
    size_t len;
};

#define SPAN_NONE ((struct span){NULL, 0})
/* A span of a string literal. */
#define SPAN(literal) ((struct span){"" literal, sizeof(literal) - 1})

static inline struct span span_of(const char *bytes, size_t len)
{
    return (struct span){bytes, len};
}

static inline struct span span_string(const char *string)
{
    return (struct span){string, string ? strlen(string) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.bytes, b.bytes, a.len) == 0);
}

static inline bool span_is(struct span a, const char *string)
{
    return span_equal(a, span_string(string));
}

static inline bool span_starts(struct span a, const char *prefix)
{
    size_t len = strlen(prefix);
    return a.len >= len && memcmp(a.bytes, prefix, len) == 0;
}

/* Bytes from `from` (inclusive) to `to` (exclusive); both are cut to the span. */
static inline struct span span_cut(struct span a, size_t from, size_t to)
{
    if (to > a.len)
        to = a.len;
    if (from > to)
        from = to;
    return (struct span){a.bytes == NULL ? NULL : a.bytes + from, to - from};
}

/* Index of the first `byte`, or len if there is none. */
static inline size_t span_find(struct span a, char byte)
{
    const char *found = a.len ? memchr(a.bytes, byte, a.len) : NULL;
    return found ? (size_t)(found - a.bytes) : a.len;
}

/* Decimal digits only, at most max; false for anything else. */
static inline bool span_number(struct span a, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (a.len == 0)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (a.bytes[i] < '0' || a.bytes[i] > '9')
            return false;
        unsigned digit = (unsigned)(a.bytes[i] - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return value <= max;
}

/* For secrets: time depends on len only. */
static inline bool span_equal_secret(struct span a, struct span b)
{
    unsigned char difference = 0;
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        difference |= (unsigned char)(a.bytes[i] ^ b.bytes[i]);
    return difference == 0;
}

/* How many bytes of UTF-8 text fit into `most`, without half a character at the end. */
static inline size_t span_fit(struct span text, size_t most)
{
    if (text.len <= most)
        return text.len;
    while (most > 0 && ((unsigned char)text.bytes[most] & 0xc0) == 0x80)
        most--;
    return most;
}

#endif
