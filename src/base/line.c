/* line.c: see line.h. */
#include "base/line.h"

static const struct {
    const char *first, *last; /* of a range, in UTF-8, of the same length */
} ranges[] = {
    {"\xc2\x80", "\xc2\x9f"},         /* C1: U+009B begins what ESC [ does */
    {"\xd8\x9c", "\xd8\x9c"},         /* Arabic letter mark */
    {"\xe2\x80\x8e", "\xe2\x80\x8f"}, /* left-to-right and right-to-left mark */
    {"\xe2\x80\xa8", "\xe2\x80\xae"}, /* line and paragraph separator, embeddings, overrides */
    {"\xe2\x81\xa6", "\xe2\x81\xa9"}, /* isolates */
};

size_t line_unfit(struct span text)
{
    if (text.len == 0)
        return 0;
    unsigned char byte = (unsigned char)text.bytes[0];
    if (byte < ' ' || byte == 0x7f)
        return 1;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        size_t len = strlen(ranges[i].first);
        if (text.len >= len && memcmp(text.bytes, ranges[i].first, len) >= 0 &&
            memcmp(text.bytes, ranges[i].last, len) <= 0)
            return len;
    }
    return 0;
}

void line_print(FILE *file, struct span text)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = line_unfit(span_cut(text, at, text.len));
        (void)fputc(len > 0 ? '?' : text.bytes[at], file);
        at += len > 0 ? len : 1;
    }
}
