/* build.c: see build.h. Characters that XML 1.0 forbids altogether (U+0000 ...) are the caller's
 * business: what came through xml.c or jid.c has none. */
#include "wire/build.h"

/* How a byte is written; NULL: as it is. */
static const char *const escapes_in_text[256] = {
    ['&'] = "&amp;",
    ['<'] = "&lt;",
    ['>'] = "&gt;", /* also keeps "]]>" out of character data */
    ['\r'] = "&#13;",
};

static const char *const escapes_in_attribute[256] = {
    ['&'] = "&amp;",  ['<'] = "&lt;",  ['>'] = "&gt;",   ['\''] = "&apos;",
    ['"'] = "&quot;", ['\t'] = "&#9;", ['\n'] = "&#10;", ['\r'] = "&#13;",
};

static void build_escaped(struct build *build, struct span text, const char *const *escapes)
{
    size_t from = 0;

    for (size_t at = 0; at < text.len; at++) {
        const char *escape = escapes[(unsigned char)text.bytes[at]];
        if (escape == NULL)
            continue;
        build_put(build, span_cut(text, from, at));
        build_str(build, escape);
        from = at + 1;
    }
    build_put(build, span_cut(text, from, text.len));
}

void build_init(struct build *build, struct arena *arena, size_t size)
{
    *build = (struct build){.bytes = arena_take(arena, size), .size = size};
    build->full = build->bytes == NULL;
}

void build_put(struct build *build, struct span bytes)
{
    if (build->full || bytes.len > build->size - build->used) {
        build->full = true;
        return;
    }
    if (bytes.len == 0)
        return;
    memcpy(build->bytes + build->used, bytes.bytes, bytes.len);
    build->used += bytes.len;
}

void build_str(struct build *build, const char *string)
{
    build_put(build, span_string(string));
}

void build_text(struct build *build, struct span text)
{
    build_escaped(build, text, escapes_in_text);
}

void build_value(struct build *build, struct span value)
{
    build_str(build, "='");
    build_escaped(build, value, escapes_in_attribute);
    build_str(build, "'");
}

void build_attr(struct build *build, const char *name, struct span value)
{
    if (value.bytes == NULL)
        return;
    build_str(build, " ");
    build_str(build, name);
    build_value(build, value);
}

void build_number(struct build *build, uint64_t value)
{
    char digits[20]; /* 2^64 - 1 has 20 */
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    build_put(build, span_of(digits + at, sizeof(digits) - at));
}

void build_element(struct build *build, const char *name, struct span text)
{
    if (text.bytes == NULL)
        return;
    build_str(build, "<");
    build_str(build, name);
    build_str(build, ">");
    build_text(build, text);
    build_str(build, "</");
    build_str(build, name);
    build_str(build, ">");
}
