/* password.h: which passwords may be chosen (REG-13), for a new account and for an old one. */
#ifndef KITH_PASSWORD_H
#define KITH_PASSWORD_H

#include "base/arena.h"

/* What was typed, prepared, in the arena (the caller overwrites it). false: characters that clients
 * could not send, too few of them (config.password_length), or the arena is full. */
bool password_prepare(struct span typed, struct arena *arena, struct span *out);

#endif
