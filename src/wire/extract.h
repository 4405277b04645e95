/* extract.h: one element of a stanza as bytes that stand alone: what it is stored as, and given
 * back within other stanzas. Its bytes are the sender's own, with the declarations it needs (ST-4).
 */
#ifndef KITH_EXTRACT_H
#define KITH_EXTRACT_H

#include "wire/stanza.h"

/* In the arena; bytes NULL: it is full. */
struct span stanza_extract(const struct stanza *stanza, const struct node *node,
                           struct arena *arena);

#endif
