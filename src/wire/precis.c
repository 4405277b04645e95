/* precis.c: see precis.h. Here: code points from and to UTF-8, the tables, mappings and NFC
 * (Unicode Standard Annex 15). What is allowed is in precis_rules.c. */
#include "wire/precis.h"

#include "base/must.h"
#include "wire/precis_tables.h"

/* Unicode 3.12: Hangul syllables are computed. */
enum {
    HANGUL = 0xAC00,
    HANGUL_LEADING = 0x1100,
    HANGUL_VOWEL = 0x1161,
    HANGUL_TRAILING = 0x11A7, /* one before the first */
    HANGUL_LEADINGS = 19,
    HANGUL_VOWELS = 21,
    HANGUL_TRAILINGS = 28,
    HANGUL_SYLLABLES = HANGUL_LEADINGS * HANGUL_VOWELS * HANGUL_TRAILINGS
};

#define EXPANSION_MAX 4 /* code points of the longest canonical decomposition */
#define POINT(sorted) ((sorted)&0xFFFFFF)

/* Length of the sequence, 0: not UTF-8. */
static size_t utf8_read(const unsigned char *bytes, size_t len, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xC0 ? 0 : bytes[0] < 0xE0 ? 2 : 3;
    if (bytes[0] >= 0xF0)
        size = bytes[0] < 0xF8 ? 4 : 0;
    if (size == 0 || size > len)
        return 0;
    *point = size == 1 ? bytes[0] : bytes[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *point = *point << 6 | (bytes[i] & 0x3F);
    }
    /* RFC 3629 3: shortest form, no surrogates, nothing above U+10FFFF. */
    if (*point < least[size] || *point > 0x10FFFF || (*point >= 0xD800 && *point < 0xE000))
        return 0;
    return size;
}

bool precis_utf8_valid(struct span text)
{
    uint32_t point;
    for (size_t at = 0; at < text.len;) {
        size_t size = utf8_read((const unsigned char *)text.bytes + at, text.len - at, &point);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

bool precis_read(struct span utf8, struct precis_text *text)
{
    text->len = 0;
    for (size_t at = 0; at < utf8.len;) {
        if (text->len == PRECIS_POINTS_MAX)
            return false;
        size_t size = utf8_read((const unsigned char *)utf8.bytes + at, utf8.len - at,
                                &text->points[text->len]);
        if (size == 0)
            return false;
        text->len++;
        at += size;
    }
    return true;
}

size_t precis_write(const struct precis_text *text, char *out)
{
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t written = 0;
    for (size_t i = 0; i < text->len; i++) {
        uint32_t point = text->points[i];
        size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        if (size > PRECIS_BYTES_MAX - written)
            return 0;
        for (size_t byte = size - 1; byte > 0; byte--) {
            out[written + byte] = (char)(0x80 | (point & 0x3F));
            point >>= 6;
        }
        out[written] = (char)(lead[size] | point);
        written += size;
    }
    return written;
}

const struct precis_record *precis_record_of(uint32_t point)
{
    must(point <= 0x10FFFF);
    size_t low = precis_planes[point >> 16];
    size_t high = precis_planes[(point >> 16) + 1];
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (precis_starts[middle] <= (point & 0xFFFF))
            low = middle;
        else
            high = middle;
    }
    return &precis_records[precis_which[low]];
}

static uint32_t shift(const struct precis_shift *shifts, size_t count, uint32_t point)
{
    size_t low = 0;
    while (count - low > 1) {
        size_t middle = (low + count) / 2;
        if (shifts[middle].first <= point)
            low = middle;
        else
            count = middle;
    }
    if (point < shifts[low].first)
        return point;
    uint32_t distance = point - shifts[low].first;
    if (distance % shifts[low].step != 0 || distance / shifts[low].step >= shifts[low].count)
        return point;
    return (uint32_t)((int32_t)point + shifts[low].by);
}

static uint32_t lower(uint32_t point, unsigned mappings)
{
    uint32_t small = shift(precis_lower, precis_lower_count, point);
    /* Cherokee: RFC 5892 2.2 keeps the capitals, which are the older ones. */
    if ((mappings & PRECIS_MAP_LABEL) && precis_record_of(small)->kind == PRECIS_LOCAL)
        return point;
    return small;
}

static bool single_of(uint32_t point, uint32_t *to)
{
    for (size_t i = 0; i < precis_single_group_count; i++) {
        const struct precis_group *group = &precis_single_groups[i];
        if (group->plane != point >> 16)
            continue;
        size_t low = group->start;
        size_t high = low + group->count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (precis_singles[middle].from < (point & 0xFFFF))
                low = middle + 1;
            else
                high = middle;
        }
        if (low < (size_t)group->start + group->count &&
            precis_singles[low].from == (point & 0xFFFF)) {
            *to = (uint32_t)group->plane_to << 16 | precis_singles[low].to;
            return true;
        }
    }
    return false;
}

static bool pair_of(uint32_t point, uint32_t *first, uint32_t *second)
{
    for (size_t i = 0; i < precis_pair_group_count; i++) {
        const struct precis_group *group = &precis_pair_groups[i];
        if (group->plane != point >> 16)
            continue;
        size_t low = group->start;
        size_t high = low + group->count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (precis_pairs[middle].composite < (point & 0xFFFF))
                low = middle + 1;
            else
                high = middle;
        }
        if (low == (size_t)group->start + group->count ||
            precis_pairs[low].composite != (point & 0xFFFF))
            return false;
        *first = (point & ~0xFFFFu) | precis_pairs[low].first;
        *second = (point & ~0xFFFFu) | precis_pairs[low].second;
        return true;
    }
    return false;
}

static size_t decompose(uint32_t point, uint32_t *out)
{
    uint32_t tail[EXPANSION_MAX];
    size_t tails = 0;
    size_t count = 0;
    if (point >= HANGUL && point < HANGUL + HANGUL_SYLLABLES) {
        uint32_t index = point - HANGUL;
        out[0] = HANGUL_LEADING + index / (HANGUL_VOWELS * HANGUL_TRAILINGS);
        out[1] = HANGUL_VOWEL + index / HANGUL_TRAILINGS % HANGUL_VOWELS;
        out[2] = HANGUL_TRAILING + index % HANGUL_TRAILINGS;
        return out[2] == HANGUL_TRAILING ? 2 : 3;
    }
    /* Only the first of two may decompose further, so the others come out last first. */
    while (point >= 0xC0) {
        if (single_of(point, &point))
            continue;
        if (!pair_of(point, &point, &tail[tails]))
            break;
        tails++;
        must(tails < EXPANSION_MAX);
    }
    out[count++] = point;
    while (tails > 0)
        out[count++] = tail[--tails];
    return count;
}

/* One code point mapped and decomposed; out holds EXPANSION_MAX. */
static size_t expand(uint32_t point, unsigned mappings, uint32_t *out)
{
    if (point < 0x80) {
        bool capital = point >= 'A' && point <= 'Z';
        out[0] = capital && (mappings & PRECIS_MAP_LOWER) ? point + ('a' - 'A') : point;
        return 1;
    }
    if ((mappings & PRECIS_MAP_SPACES) && precis_record_of(point)->kind == PRECIS_SPACE)
        point = ' ';
    if (mappings & PRECIS_MAP_WIDTH)
        point = shift(precis_width, precis_width_count, point);
    /* The one code point whose lower case is two (SpecialCasing, without conditions). */
    if ((mappings & PRECIS_MAP_LOWER) && point == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    if (mappings & PRECIS_MAP_LOWER)
        point = lower(point, mappings);
    return decompose(point, out);
}

/* Canonical order; the text is decomposed. */
static void sort(struct precis_text *text)
{
    for (size_t i = 0; i < text->len; i++) {
        uint32_t class = precis_record_of(text->points[i])->combining;
        uint32_t sorted = class << 24 | text->points[i];
        size_t to = i;
        while (class != 0 && to > 0 && text->points[to - 1] >> 24 > class) {
            text->points[to] = text->points[to - 1];
            to--;
        }
        text->points[to] = sorted;
    }
}

static uint32_t hangul_composite(uint32_t first, uint32_t second)
{
    uint32_t leading = first - HANGUL_LEADING;
    uint32_t vowel = second - HANGUL_VOWEL;
    uint32_t syllable = first - HANGUL;
    uint32_t trailing = second - HANGUL_TRAILING;
    if (leading < HANGUL_LEADINGS && vowel < HANGUL_VOWELS)
        return HANGUL + (leading * HANGUL_VOWELS + vowel) * HANGUL_TRAILINGS;
    if (syllable < HANGUL_SYLLABLES && syllable % HANGUL_TRAILINGS == 0 && trailing > 0 &&
        trailing < HANGUL_TRAILINGS)
        return first + trailing;
    return 0;
}

uint32_t precis_composite(uint32_t first, uint32_t second)
{
    uint32_t wanted = first << 16 | (second & 0xFFFF);
    if (first >> 16 != second >> 16)
        return 0;
    for (size_t i = 0; i < precis_pair_group_count; i++) {
        const struct precis_group *group = &precis_order_groups[i];
        size_t low = group->start;
        size_t high = low + group->count;
        if (group->plane != first >> 16)
            continue;
        while (low < high) {
            size_t middle = (low + high) / 2;
            const struct precis_pair *pair = &precis_pairs[precis_order[middle]];
            uint32_t found = (uint32_t)pair->first << 16 | pair->second;
            if (found == wanted)
                return (first & ~0xFFFFu) | pair->composite;
            if (found < wanted)
                low = middle + 1;
            else
                high = middle;
        }
    }
    return hangul_composite(first, second);
}

/* The text is decomposed and sorted. */
static void compose(struct precis_text *text)
{
    uint32_t *points = text->points;
    size_t written = 0;
    size_t starter = 0;
    bool started = false;
    for (size_t i = 0; i < text->len; i++) {
        uint32_t class = points[i] >> 24;
        /* Corrigendum 5: a starter composes with its neighbour only. */
        bool open = started && (starter + 1 == written || points[written - 1] >> 24 < class);
        uint32_t composite = open ? precis_composite(points[starter], POINT(points[i])) : 0;
        if (composite != 0) {
            points[starter] = composite;
            continue;
        }
        if (class == 0) {
            starter = written;
            started = true;
        }
        points[written++] = points[i];
    }
    text->len = written;
    for (size_t i = 0; i < written; i++)
        points[i] = POINT(points[i]);
}

bool precis_map(struct precis_text *text, unsigned mappings)
{
    uint32_t expansion[EXPANSION_MAX];
    size_t total = 0;
    for (size_t i = 0; i < text->len; i++)
        total += expand(text->points[i], mappings, expansion);
    if (total > PRECIS_POINTS_MAX)
        return false;
    size_t to = total;
    for (size_t i = text->len; i > 0; i--) {
        size_t count = expand(text->points[i - 1], mappings, expansion);
        to -= count;
        memcpy(&text->points[to], expansion, count * sizeof(*expansion));
    }
    text->len = total;
    sort(text);
    compose(text);
    return true;
}
