/* avatar.h: what XEP-0084 and XEP-0153 agree on: the SHA-1 of an image, which both know as base64.
 */
#ifndef KITH_WIRE_AVATAR_H
#define KITH_WIRE_AVATAR_H

#include "base/arena.h"

#define AVATAR_HASH_BYTES 20
#define AVATAR_HASH_CHARACTERS (2 * AVATAR_HASH_BYTES)

/* Of an image in base64, perhaps in lines. false: it is none, or no memory. */
bool avatar_hash(struct span text, struct arena *arena, uint8_t hash[AVATAR_HASH_BYTES]);
/* How long the image is. */
uint32_t avatar_bytes(struct span text);
/* Lower-case hexadecimal; no terminating zero. */
void avatar_write(const uint8_t hash[AVATAR_HASH_BYTES], char out[AVATAR_HASH_CHARACTERS]);
bool avatar_is(const uint8_t hash[AVATAR_HASH_BYTES], struct span text);

#endif
