/* nickname.h: what people are called in a channel (RFC 8266): as it is shown, and as it is
 * compared.
 */
#ifndef KITH_NICKNAME_H
#define KITH_NICKNAME_H

#include "base/arena.h"

#define NICKNAME_BYTES_MAX 255
/* Folded; no character takes more than half as much again. */
#define NICKNAME_FOLDED_BYTES_MAX 512

/* As it is shown: spaces trimmed and squeezed. false: empty, too long, not allowed, or the arena is
 * full. */
bool nickname_prepare(struct span text, struct arena *arena, struct span *out);

/* As a prepared one is compared (2.4); returns how many bytes. */
size_t nickname_fold(struct span nick, char out[NICKNAME_FOLDED_BYTES_MAX]);

#endif
