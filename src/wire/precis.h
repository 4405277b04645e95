/* precis.h: preparation of internationalized strings, on code points (RFC 8264, 8265; labels of
 * domains RFC 5891 to 5895). Takes no memory: a text is a fixed array on the caller's stack.
 * The order is that of RFC 8264 7: mappings first, then what came out must be allowed. Where RFC
 * 8265 3.3.2 would ask before mapping the answer is the same, but for a few singletons and
 * decomposed Hangul, which map to something valid and are accepted as that. */
#ifndef KITH_PRECIS_H
#define KITH_PRECIS_H

#include "base/span.h"

#define PRECIS_BYTES_MAX 1023 /* of a prepared string, RFC 7622 3.1 */
/* No code point decomposes to more than 3 for every 2 bytes that its composed form takes. */
#define PRECIS_POINTS_MAX (PRECIS_BYTES_MAX * 3 / 2)

/* With a code point in the low 24 bits goes its combining class in the high 8, while sorted. */
struct precis_text {
    size_t len;
    uint32_t points[PRECIS_POINTS_MAX];
};

enum precis_mapping {
    PRECIS_MAP_WIDTH = 1, /* fullwidth and halfwidth to their decomposition */
    PRECIS_MAP_LOWER = 2, /* Unicode toLowerCase, without the final sigma (RFC 8265 3.6) */
    PRECIS_MAP_LABEL = 4, /* with LOWER: leave alone what is valid in a label only as it is */
    PRECIS_MAP_SPACES = 8 /* every Zs to U+0020 */
};

bool precis_utf8_valid(struct span text); /* RFC 3629, strictly */

/* false: not UTF-8, or too long for any prepared form. */
bool precis_read(struct span utf8, struct precis_text *text);

/* Bytes written to out, which holds PRECIS_BYTES_MAX; 0: empty or too long. */
size_t precis_write(const struct precis_text *text, char *out);

/* Applies the mappings, then NFC. false: too long. */
bool precis_map(struct precis_text *text, unsigned mappings);

/* Profiles, from precis_read on. false: not allowed. */
bool precis_username(struct precis_text *text); /* UsernameCaseMapped, RFC 8265 3.3 */
bool precis_opaque(struct precis_text *text);   /* OpaqueString, RFC 8265 4.2 */

/* Nickname, RFC 8266 2.1 and 2.3, but for characters that NFKC makes others of: width apart they
 * are refused, since two nicknames that look alike must not be two (and there is no table for
 * them). */
bool precis_nickname(struct precis_text *text);

/* SASLprep (RFC 4013, as a query) where RFC 8265 4.2 does not come to another result: compatibility
 * characters are refused, since NFKC and NFC part there and a client may do either; so is what
 * Unicode has not assigned yet. */
bool precis_password(struct precis_text *text);

/* Whether Nodeprep (RFC 6122 A) leaves a prepared username as it is, in every implementation. */
bool precis_nodeprep_stable(const struct precis_text *text);

/* Whether every code point may be in a U-label (RFC 5891 4.2.3, 5892), hyphens aside. */
bool precis_label_valid(const uint32_t *points, size_t len);
/* RFC 5893 1.4 and 2. */
bool precis_right_to_left(const uint32_t *points, size_t len);
bool precis_bidi_valid(const uint32_t *points, size_t len);

/* What the tables say of a code point. */
const struct precis_record *precis_record_of(uint32_t point);
/* The primary composite of two code points, 0: there is none. */
uint32_t precis_composite(uint32_t first, uint32_t second);

#endif
