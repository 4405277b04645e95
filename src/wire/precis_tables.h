/* precis_tables.h: the shape of what tools/tables writes: properties of code points (RFC 8264,
 * RFC 5892, RFC 5893, RFC 3454) and canonical mappings. Code points are split into plane and the
 * low 16 bits. Constant data, about 28 KB. */
#ifndef KITH_PRECIS_TABLES_H
#define KITH_PRECIS_TABLES_H

#include <stddef.h>
#include <stdint.h>

/* RFC 8264 8. Unassigned is NONE. */
enum precis_kind {
    PRECIS_NONE,       /* allowed nowhere */
    PRECIS_FREE,       /* FreeformClass only */
    PRECIS_COMPATIBLE, /* the same, and NFKC changes it (9.17 HasCompat) */
    PRECIS_SPACE,      /* the same, general category Zs */
    PRECIS_LOCAL,      /* IdentifierClass too, but RFC 5892 does not have it in domain labels */
    PRECIS_CONTEXT,    /* everywhere, if RFC 5892 A says so */
    PRECIS_VALID       /* everywhere */
};

/* RFC 5893 2; RIGHT is R and AL, OTHER is ES, CS, ET, ON and BN (and what is never asked). */
enum precis_bidi { BIDI_LEFT, BIDI_RIGHT, BIDI_ARABIC_NUMBER, BIDI_NUMBER, BIDI_MARK, BIDI_OTHER };

/* Joining_Type, for RFC 5892 A.1. */
enum precis_joining {
    JOINING_NONE,
    JOINING_LEFT,
    JOINING_RIGHT,
    JOINING_DUAL,
    JOINING_TRANSPARENT
};

/* Scripts of RFC 5892 A.4 to A.7; JAPANESE is Hiragana, Katakana and Han. */
enum precis_script { SCRIPT_NONE, SCRIPT_GREEK, SCRIPT_HEBREW, SCRIPT_JAPANESE };

struct precis_record {
    uint8_t kind;
    uint8_t combining; /* canonical combining class */
    uint8_t bidi;
    uint8_t joining;
    uint8_t script;
    uint8_t mark;     /* general category M */
    uint8_t nodeprep; /* Nodeprep leaves it alone (Unicode 3.2) */
};

/* count code points from first on, each step-th, move by `by`. */
struct precis_shift {
    uint32_t first;
    uint16_t count;
    uint16_t step;
    int32_t by;
};

/* Canonical mappings to one and to two code points. */
struct precis_single {
    uint16_t from, to;
};
struct precis_pair {
    uint16_t composite, first, second;
};

/* A part of a table that maps from one plane to one plane, sorted. */
struct precis_group {
    uint16_t plane, plane_to, start, count;
};

/* The runs of plane p are precis_planes[p] to precis_planes[p + 1]: run r starts at the low bits
 * precis_starts[r] and has the record precis_records[precis_which[r]]. */
extern const struct precis_record precis_records[];
extern const uint16_t precis_planes[18];
extern const uint16_t precis_starts[];
extern const uint8_t precis_which[];

extern const struct precis_shift precis_lower[]; /* upper and title case to lower case */
extern const size_t precis_lower_count;
extern const struct precis_shift precis_width[]; /* decomposition type wide or narrow */
extern const size_t precis_width_count;

extern const struct precis_single precis_singles[]; /* sorted by from */
extern const struct precis_group precis_single_groups[];
extern const size_t precis_single_group_count;

extern const struct precis_pair precis_pairs[]; /* sorted by composite */
extern const struct precis_group precis_pair_groups[];
extern const size_t precis_pair_group_count;

/* Indices of the pairs that compose, sorted by first and second; as many groups as of pairs. */
extern const uint16_t precis_order[];
extern const struct precis_group precis_order_groups[];

#endif
