/* arena.h: memory that is taken in order and given back all at once (at the end of a tick).
 * Owns nothing: the bytes belong to whoever set it up. Limit: size. */
#ifndef KITH_ARENA_H
#define KITH_ARENA_H

#include "base/span.h"

struct arena {
    char *bytes;
    size_t size;
    size_t used;
    size_t peak; /* high-water mark */
};

void arena_init(struct arena *arena, void *bytes, size_t size);

/* len bytes aligned to 16, not zeroed; NULL when the arena is full (the caller answers
 * resource-constraint). */
void *arena_take(struct arena *arena, size_t len);

/* A copy of text; bytes == NULL when the arena is full. */
struct span arena_copy(struct arena *arena, struct span text);

/* Gives back everything that was taken since used was `mark`. */
void arena_reset(struct arena *arena, size_t mark);

#endif
