/* precis_rules.c: see precis.h. Here: which strings are allowed: code points by class (RFC 8264 8),
 * context (RFC 5892 A), direction (RFC 5893 2), and the profiles made of that. */
#include "wire/precis.h"
#include "wire/precis_tables.h"

#define COMBINING_VIRAMA 9

static enum precis_script script_of(uint32_t point)
{
    return precis_record_of(point)->script;
}

static bool arabic_digit(uint32_t point)
{
    return point >= 0x660 && point <= 0x669;
}

static bool extended_arabic_digit(uint32_t point)
{
    return point >= 0x6F0 && point <= 0x6F9;
}

static bool virama_before(const uint32_t *points, size_t at)
{
    return at > 0 && precis_record_of(points[at - 1])->combining == COMBINING_VIRAMA;
}

/* RFC 5892 A.1: between two letters that join, marks aside. */
static bool joined(const uint32_t *points, size_t len, size_t at)
{
    uint8_t before = JOINING_TRANSPARENT;
    uint8_t after = JOINING_TRANSPARENT;
    for (size_t i = at; i > 0 && before == JOINING_TRANSPARENT; i--)
        before = precis_record_of(points[i - 1])->joining;
    for (size_t i = at + 1; i < len && after == JOINING_TRANSPARENT; i++)
        after = precis_record_of(points[i])->joining;
    return (before == JOINING_LEFT || before == JOINING_DUAL) &&
           (after == JOINING_RIGHT || after == JOINING_DUAL);
}

static bool any(const uint32_t *points, size_t len, bool (*question)(uint32_t point))
{
    for (size_t i = 0; i < len; i++) {
        if (question(points[i]))
            return true;
    }
    return false;
}

static bool japanese(uint32_t point)
{
    return script_of(point) == SCRIPT_JAPANESE;
}

static bool context_valid(const uint32_t *points, size_t len, size_t at)
{
    uint32_t point = points[at];
    switch (point) {
    case 0x200C: /* A.1 zero width non-joiner */
        return virama_before(points, at) || joined(points, len, at);
    case 0x200D: /* A.2 zero width joiner */
        return virama_before(points, at);
    case 0xB7: /* A.3 middle dot */
        return at > 0 && points[at - 1] == 'l' && at + 1 < len && points[at + 1] == 'l';
    case 0x375: /* A.4 Greek lower numeral sign */
        return at + 1 < len && script_of(points[at + 1]) == SCRIPT_GREEK;
    case 0x5F3: /* A.5, A.6 Hebrew punctuation geresh and gershayim */
    case 0x5F4:
        return at > 0 && script_of(points[at - 1]) == SCRIPT_HEBREW;
    case 0x30FB: /* A.7 Katakana middle dot */
        return any(points, len, japanese);
    default: /* A.8, A.9 digits of one kind only */
        if (arabic_digit(point))
            return !any(points, len, extended_arabic_digit);
        return extended_arabic_digit(point) && !any(points, len, arabic_digit);
    }
}

/* Every code point is of one of the kinds `least` and up, and its context is right. */
static bool points_valid(const uint32_t *points, size_t len, enum precis_kind least)
{
    for (size_t i = 0; i < len; i++) {
        enum precis_kind kind = precis_record_of(points[i])->kind;
        if (kind < least || (kind == PRECIS_CONTEXT && !context_valid(points, len, i)))
            return false;
    }
    return true;
}

bool precis_label_valid(const uint32_t *points, size_t len)
{
    /* RFC 5891 4.2.3.2: no combining mark at the start. */
    return len > 0 && !precis_record_of(points[0])->mark &&
           points_valid(points, len, PRECIS_CONTEXT);
}

/* The directions that occur, as a mask. */
static unsigned directions(const uint32_t *points, size_t len)
{
    unsigned seen = 0;
    for (size_t i = 0; i < len; i++)
        seen |= 1u << precis_record_of(points[i])->bidi;
    return seen;
}

bool precis_right_to_left(const uint32_t *points, size_t len)
{
    return directions(points, len) & (1u << BIDI_RIGHT | 1u << BIDI_ARABIC_NUMBER);
}

bool precis_bidi_valid(const uint32_t *points, size_t len)
{
    unsigned seen = directions(points, len);
    size_t end = len;
    while (end > 0 && precis_record_of(points[end - 1])->bidi == BIDI_MARK)
        end--;
    if (end == 0)
        return false;
    unsigned last = 1u << precis_record_of(points[end - 1])->bidi;
    switch (precis_record_of(points[0])->bidi) { /* RFC 5893 2, condition 1 */
    case BIDI_RIGHT:                             /* conditions 2, 3 and 4 */
        return !(seen & 1u << BIDI_LEFT) &&
               (last & (1u << BIDI_RIGHT | 1u << BIDI_NUMBER | 1u << BIDI_ARABIC_NUMBER)) &&
               !((seen & 1u << BIDI_NUMBER) && (seen & 1u << BIDI_ARABIC_NUMBER));
    case BIDI_LEFT: /* conditions 5 and 6 */
        return !(seen & (1u << BIDI_RIGHT | 1u << BIDI_ARABIC_NUMBER)) &&
               (last & (1u << BIDI_LEFT | 1u << BIDI_NUMBER));
    default:
        return false;
    }
}

/* RFC 3454 6, which stringprep profiles share. */
static bool stringprep_bidi_valid(const struct precis_text *text)
{
    if (text->len == 0)
        return true;
    unsigned seen = directions(text->points, text->len);
    if (!(seen & 1u << BIDI_RIGHT))
        return true;
    return !(seen & 1u << BIDI_LEFT) && precis_record_of(text->points[0])->bidi == BIDI_RIGHT &&
           precis_record_of(text->points[text->len - 1])->bidi == BIDI_RIGHT;
}

bool precis_username(struct precis_text *text)
{
    if (!precis_map(text, PRECIS_MAP_WIDTH | PRECIS_MAP_LOWER))
        return false;
    /* RFC 7622 3.3.1 */
    for (size_t i = 0; i < text->len; i++) {
        if (text->points[i] < 0x80 && memchr("\"&'/:<>@", (int)text->points[i], 8) != NULL)
            return false;
    }
    return points_valid(text->points, text->len, PRECIS_LOCAL) &&
           (!precis_right_to_left(text->points, text->len) ||
            precis_bidi_valid(text->points, text->len));
}

bool precis_opaque(struct precis_text *text)
{
    return precis_map(text, PRECIS_MAP_SPACES) &&
           points_valid(text->points, text->len, PRECIS_FREE);
}

/* RFC 8266 2.1 rule 2: none at the ends, one between words. */
static void squeeze(struct precis_text *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->len; i++)
        if (text->points[i] != ' ' || (kept > 0 && text->points[kept - 1] != ' '))
            text->points[kept++] = text->points[i];
    text->len = kept > 0 && text->points[kept - 1] == ' ' ? kept - 1 : kept;
}

bool precis_nickname(struct precis_text *text)
{
    if (!precis_map(text, PRECIS_MAP_SPACES | PRECIS_MAP_WIDTH))
        return false;
    squeeze(text);
    for (size_t i = 0; i < text->len; i++)
        if (precis_record_of(text->points[i])->kind == PRECIS_COMPATIBLE)
            return false;
    return points_valid(text->points, text->len, PRECIS_FREE);
}

/* RFC 3454 B.1, which SASLprep maps to nothing (RFC 4013 2.1). Without U+200B, which is in C.1.2
 * too: some implementations make it a space. */
static bool mapped_to_nothing(uint32_t point)
{
    static const struct {
        uint16_t first, last;
    } ranges[] = {{0xAD, 0xAD},     {0x34F, 0x34F},   {0x1806, 0x1806}, {0x180B, 0x180D},
                  {0x200C, 0x200D}, {0x2060, 0x2060}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    }
    return false;
}

/* RFC 3454 C.6 and C.7, as far as RFC 8265 4.2 allows them. */
static bool prohibited(uint32_t point)
{
    return point == 0xFFFC || point == 0xFFFD || (point >= 0x2FF0 && point <= 0x2FFB);
}

bool precis_password(struct precis_text *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (!mapped_to_nothing(text->points[i]))
            text->points[kept++] = text->points[i];
    }
    text->len = kept;
    if (!precis_map(text, PRECIS_MAP_SPACES))
        return false;
    for (size_t i = 0; i < text->len; i++) {
        enum precis_kind kind = precis_record_of(text->points[i])->kind;
        if (kind == PRECIS_NONE || kind == PRECIS_COMPATIBLE || prohibited(text->points[i]))
            return false;
    }
    return stringprep_bidi_valid(text);
}

bool precis_nodeprep_stable(const struct precis_text *text)
{
    size_t starter = 0;
    for (size_t i = 0; i < text->len; i++) {
        const struct precis_record *record = precis_record_of(text->points[i]);
        if (!record->nodeprep)
            return false;
        if (record->combining != 0)
            continue;
        /* Before Corrigendum 5 a starter composed over the marks in between. */
        if (i > starter + 1 && precis_composite(text->points[starter], text->points[i]) != 0)
            return false;
        starter = i;
    }
    return stringprep_bidi_valid(text);
}
