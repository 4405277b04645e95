/* framer.h: finds where a stanza ends, byte by byte, with a few bytes of state per stream. It is no
 * judge of XML (xml.c is); it must only never disagree with expat about the end of what expat
 * accepts. Requirements ST-10, ST-12, ST-22, 1.2 restricted-xml. */
#ifndef KITH_FRAMER_H
#define KITH_FRAMER_H

#include "base/span.h"

/* One per stream, 12 bytes at most. All zero: before the stream header. */
struct framer {
    uint8_t state;
    uint8_t quote_or_match; /* inside the state's own business */
    uint16_t depth;         /* open elements; 0 before the header, 1 between stanzas */
    uint32_t scanned;       /* bytes of the unfinished item already looked at */
};

enum frame_outcome {
    FRAME_MORE,       /* the item is not complete; give the same bytes and more */
    FRAME_HEADER,     /* a whole stream header: declaration, white space and start tag */
    FRAME_STANZA,     /* a whole first-level element */
    FRAME_SPACE,      /* white space between stanzas (a keepalive) or before a header */
    FRAME_END,        /* the stream's end tag */
    FRAME_TEXT,       /* first-level text that is not white space: not-well-formed */
    FRAME_RESTRICTED, /* <! that is not CDATA, or <? after the header: restricted-xml */
    FRAME_BAD,        /* cannot become well-formed (a first byte that is not '<' or white
                         space, end tag without start, depth over 65,000): not-well-formed */
};

/* Looks at bytes, which start at the beginning of an item (what was consumed before is gone) and
 * go on with the next bytes of the stream at each call. *item_len: for FRAME_HEADER, _STANZA,
 * _SPACE, _END the length of the item, which the caller takes off the front before the next call;
 * for FRAME_MORE the bytes scanned so far. An empty first-level element (<presence/>) is a stanza.
 * A header that is an empty element is FRAME_BAD. Cost: each byte is looked at once. */
enum frame_outcome frame_next(struct framer *framer, struct span bytes, size_t *item_len);

/* Back to "before the header", after STARTTLS or SASL. */
void framer_restart(struct framer *framer);

/* For skip-and-bounce: while a too big item is skipped, bytes may be dropped from the front:
 * tells the framer that `len` scanned bytes are gone. */
void framer_dropped(struct framer *framer, size_t len);

#endif
