/* uid.h: numbers as others may see them: opaque, unpredictable, and nothing has to be stored to
 * read them back (MAM-2). One block of AES over the number and whose it is, in base64. */
#ifndef KITH_UID_H
#define KITH_UID_H

#include "base/span.h"

#define UID_CHARS 22
#define UID_KEY_BYTES 16

/* A key from a secret of the store. */
void uid_key(const uint8_t *secret, size_t len, uint8_t key[UID_KEY_BYTES]);
/* No terminating zero. */
void uid_write(const uint8_t key[UID_KEY_BYTES], struct span owner, uint64_t number,
               char out[UID_CHARS]);
/* false: it was not written with this key for this owner. */
bool uid_read(const uint8_t key[UID_KEY_BYTES], struct span owner, struct span text,
              uint64_t *number);

#endif
