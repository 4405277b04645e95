/* caps.h: the verification string of entity capabilities (XEP-0115 5): what an answer to disco#info
 * hashes to, of clients and of ourselves. Limit: CAPS_ITEMS_MAX identities, features, fields or
 * values that stand beside each other. */
#ifndef KITH_WIRE_CAPS_H
#define KITH_WIRE_CAPS_H

#include "wire/stanza.h"

#define CAPS_HASH_BYTES 20
#define CAPS_ITEMS_MAX 256

/* SHA-1 over a <query/>. false: ill-formed by 5.4, over the limit, or the arena is full. */
bool caps_hash(const struct stanza *stanza, const struct node *query, struct arena *arena,
               uint8_t out[CAPS_HASH_BYTES]);

#endif
